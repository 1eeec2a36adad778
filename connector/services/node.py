"""What a use case needs: the node's pieces, put together once by `runtime`."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from connector.base.clock import Clock
from connector.base.ids import Ids
from connector.base.settings import Settings
from connector.delivery.outbox import Worker
from connector.evidence.log import Log
from connector.identity.keys import KeyRing
from connector.identity.ports import Fetch
from connector.identity.resolver import DidResolver
from connector.identity.static import Partners
from connector.services.background import Background
from connector.services.consent.bitmaps import Bitmaps
from connector.services.discover.together import Together
from connector.services.fetch.fetches import Fetches
from connector.services.negotiate.judgements import Judgements
from connector.services.negotiate.reach import Looks, Reach
from connector.services.publish.paging import Listings
from connector.services.release.alarm import Alarm
from connector.store.store import Store
from connector.subjects.journal import Journal


@dataclass(frozen=True, slots=True)
class Node:
    """One running participant. Frozen: what changes lives in the store.

    `background` holds the work that goes on beside requests; `bitmaps` and `listings` are caches
    of the consent state and of the catalog, rebuilt from the store at any time, `judgements` one of
    decisions; `consenting` keeps journal and commits of consent events in one order; `crawling`
    lets one crawl go on at a time; `alarm` wakes the monitor. `keeping` holds what must run as long
    as the node does (the log's keeper, the monitor): readiness asks for it. `reach` and `looks`
    remember questions about addresses; `heads` are questions about peers' catalogs under way;
    `control_key` is what our own control plane's API asks for.
    """

    folder: Path
    settings: Settings
    clock: Clock
    ids: Ids
    keys: KeyRing
    store: Store
    log: Log
    journal: Journal
    fetch: Fetch
    resolver: DidResolver
    worker: Worker
    partners: Partners = field(default_factory=Partners)
    control_key: str | None = field(default=None, repr=False)
    background: Background = field(default_factory=Background)
    bitmaps: Bitmaps = field(default_factory=Bitmaps)
    fetches: Fetches = field(default_factory=Fetches)
    reach: Reach = field(default_factory=Reach)
    looks: Looks = field(default_factory=Looks)
    keeping: Background = field(default_factory=Background)
    listings: Listings = field(default_factory=Listings)
    consenting: asyncio.Lock = field(default_factory=asyncio.Lock)
    judgements: Judgements = field(default_factory=Judgements)
    alarm: Alarm = field(default_factory=Alarm)
    crawling: asyncio.Lock = field(default_factory=asyncio.Lock)
    heads: Together[Any] = field(default_factory=Together)

    @property
    def did(self) -> str:
        """This participant's DID."""
        return self.settings.node.did

    @property
    def url(self) -> str:
        """The public URL, without a trailing slash."""
        return self.settings.node.public_url

    @property
    def dsp(self) -> str:
        """The base of the Dataspace Protocol endpoints; also our callback address."""
        return f"{self.url}/dsp/2025-1"

    @property
    def assertion_method(self) -> str:
        """The DID URL of the key that signs our promises."""
        return f"{self.did}#{self.keys.fragment('assertion')}"

    def pause(self, peer: str) -> timedelta:
        """How long a message to this peer waits before it leaves; no time at all for most.

        An EDC stores its own step only after it has read our answer to it, and what comes before
        that does not only find it unready: it makes it lose the step.
        """
        if self.resolver.pinned(peer) is None:
            return timedelta(0)
        return timedelta(milliseconds=self.settings.edc.pause_millis)
