"""did:web resolution through the node's one HTTP client, remembered for a while.

What comes back is a document that says it is about the DID asked for; that its keys may do what
somebody did with them is for `DidDocument.key` to say. Failures are not remembered.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connector.base.clock import Clock
from connector.identity import did_web
from connector.identity.did import MAX_BYTES, DidDocument
from connector.identity.ports import Fetch
from policies.problem import Problem

MAX_AGE: Final = timedelta(minutes=10)
# However many tokens name keys we do not know, a peer's document is asked for again this seldom.
REFRESH_INTERVAL: Final = timedelta(seconds=30)
_KEPT: Final = 4096
_TIMEOUT: Final = 10.0
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class _Found:
    document: DidDocument
    at: datetime


class DidResolver:
    """DID documents of peers; one request at a time for each DID, the rest wait for its answer."""

    def __init__(
        self,
        fetch: Fetch,
        clock: Clock,
        *,
        dev: bool = False,
        max_age: timedelta = MAX_AGE,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._dev = dev
        self._max_age = max_age
        self._found: OrderedDict[str, _Found] = OrderedDict()
        self._asked: dict[str, asyncio.Task[DidDocument]] = {}
        self._pinned: dict[str, DidDocument] = {}

    async def document(self, did: str) -> DidDocument:
        """The document of a did:web, at most `max_age` old.

        Raises:
            Problem: `identity-did-…` (no such name), `identity-document-…` (not believed),
                `identity-did-unresolved` (no document there), `delivery-…` (no answer).
        """
        return await self._document(did, self._max_age)

    async def refresh(self, did: str) -> DidDocument:
        """The document, asked for anew unless that happened in the last 30 s."""
        return await self._document(did, REFRESH_INTERVAL)

    def pin(self, document: DidDocument) -> None:
        """Know for good, by configuration, a participant that publishes nothing about itself."""
        self._pinned[document.did] = document

    def pinned(self, did: str) -> DidDocument | None:
        """What configuration says about a participant."""
        return self._pinned.get(did)

    def forget(self, did: str) -> None:
        """Ask anew the next time."""
        self._found.pop(did, None)

    def learn(self, document: DidDocument) -> None:
        """Know a document without asking (our own)."""
        self._found[document.did] = _Found(document, self._clock.now())
        while len(self._found) > _KEPT:
            self._found.popitem(last=False)

    async def _document(self, did: str, max_age: timedelta) -> DidDocument:
        if did in self._pinned:
            return self._pinned[did]
        found = self._found.get(did)
        if found is not None and timedelta(0) <= self._clock.now() - found.at <= max_age:
            self._found.move_to_end(did)
            return found.document
        task = self._asked.get(did)
        if task is None:
            task = asyncio.create_task(self._resolve(did))
            self._asked[did] = task
            task.add_done_callback(lambda _: self._asked.pop(did, None))
        # One caller's cancellation is not the others'.
        return await asyncio.shield(task)

    async def _resolve(self, did: str) -> DidDocument:
        url = did_web.read(did, dev=self._dev).document_url
        response = await self._fetch.get(
            url,
            headers={"Accept": "application/did+json, application/json"},
            limit=MAX_BYTES,
            timeout=_TIMEOUT,
        )
        if response.status != _OK:
            raise Problem("identity-did-unresolved", did=did, status=response.status)
        document = DidDocument.parse(response.body, did)
        self.learn(document)
        return document
