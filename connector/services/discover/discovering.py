"""Finding datasets across nodes: searches over what the crawl verified, and the copies themselves.

Own datasets are found beside those of peers. Copies are handed out with the DID document that
verified them, so that they can be checked again by somebody who trusts nobody here.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, Literal, get_args

from catalog import search as searching
from catalog.search import Card, Query
from catalog.verify import save
from connector.base.clock import format_time
from connector.services import identity
from connector.services.discover import crawling, rounds
from connector.services.node import Node
from connector.services.publish import published
from connector.services.publish.published import PUBLIC
from connector.store import catalogs, known, peers
from connector.store.rows import HeadRow, KnownHeadRow
from connector.store.store import Tx
from policies.problem import Problem

Refresh = Literal["due", "always", "never"]
MAX_RESULTS: Final = 500
Json = dict[str, Any]


async def search(
    node: Node, query: Query, *, refresh: str = "due", limit: int = 50, offset: int = 0
) -> Json:
    """What the node knows that meets a query, best first, with facets and how fresh it is.

    `refresh`: ask the peers first that the node's rounds have not asked in time (`due`), all of
    them (`always`), or nobody (`never`).

    Raises:
        Problem: `discovery-refresh`, `discovery-page`.
    """
    if refresh not in get_args(Refresh):
        raise Problem("discovery-refresh", allowed=", ".join(get_args(Refresh)))
    if not (0 < limit <= MAX_RESULTS and offset >= 0):
        raise Problem("discovery-page", limit=MAX_RESULTS)
    if refresh != "never":
        await _refresh(node, always=refresh == "always")
    now = node.clock.now()
    cards, asked = await node.store.survey(lambda tx: (list(_cards(tx)), _asked(tx)))
    found = await asyncio.to_thread(searching.search, cards, query, now)
    return {
        "v": 1,
        "total": len(found.hits),
        "results": [
            {
                **asdict(hit.card),
                "freshness": hit.freshness,
                "score": hit.score,
                "own": hit.card.publisher == node.did,
            }
            for hit in found.hits[offset : offset + limit]
        ],
        "facets": {name: dict(counts) for name, counts in found.facets.items()},
        "peers": asked,
    }


async def _refresh(node: Node, *, always: bool) -> None:
    if always:
        await crawling.crawl(node)
    else:
        await crawling.crawl(node, max_age=rounds.patience(node))


async def copies(node: Node) -> list[Json]:
    """The catalogs kept here, own ones first: of whom, which group, how old, whether whole."""

    def unit(tx: Tx) -> list[Json]:
        own = [
            _listed(node.did, row, node.clock.now(), whole=_documents(tx, row.body) is not None)
            for row in _own_heads(tx)
        ]
        theirs = [
            _listed(row.peer, row, row.at, whole=_documents(tx, row.body) is not None)
            for row in known.heads(tx)
        ]
        return own + theirs

    return await node.store.survey(unit)


async def copy(node: Node, publisher: str, group: str) -> Json:
    """One catalog as it was verified: `{"v": 1, "did_document", "catalog"}`, the latter in the
    form that `catalog verify` reads.

    Raises:
        Problem: `discovery-no-copy`: none kept, or some of its documents could not be had.
    """

    def unit(tx: Tx) -> Json:
        row: HeadRow | KnownHeadRow | None
        if publisher == node.did:
            row, described = catalogs.head(tx, group=group), identity.document(node)
        else:
            row = known.head(tx, peer=publisher, group=group)
            described = row.did_document if row else {}
        found = _documents(tx, row.body) if row else None
        if row is None or found is None:
            raise Problem("discovery-no-copy", did=publisher[:300], group=group[:80])
        saved = save(json.loads(row.body), found)
        return {"v": 1, "did_document": described, "catalog": saved}

    return await node.store.survey(unit)


def _cards(tx: Tx) -> Iterator[Card]:
    for row in catalogs.datasets(tx, state="published"):
        yield searching.card(published.of_row(tx, row).dataset, row.digest)
    listed = {peer.did for peer in peers.listing(tx)}
    for known_row in known.datasets(tx):
        if known_row.peer in listed:
            yield Card.read(known_row.card)


def _asked(tx: Tx) -> list[Json]:
    """How asking each peer went last; a search that found little says where it looked."""
    rows = {row.peer: row for row in known.crawls(tx)}
    return [
        {
            "did": peer.did,
            "name": peer.name or "",
            "tried": format_time(rows[peer.did].tried) if peer.did in rows else None,
            "verified": _time(rows[peer.did].verified) if peer.did in rows else None,
            "problem": rows[peer.did].problem if peer.did in rows else None,
        }
        for peer in peers.listing(tx)
    ]


def _time(instant: datetime | None) -> str | None:
    return format_time(instant) if instant else None


def _own_heads(tx: Tx) -> list[HeadRow]:
    groups = {PUBLIC} | {row.group for row in catalogs.datasets(tx)}
    found = (catalogs.head(tx, group=group) for group in sorted(groups))
    return [row for row in found if row is not None]


def _listed(did: str, row: HeadRow | KnownHeadRow, at: datetime, *, whole: bool) -> Json:
    return {
        "publisher": did,
        "group": row.group,
        "version": row.version,
        "digest": row.digest,
        "checked": format_time(at),
        "datasets": len(json.loads(row.body)["entry"]),
        "whole": whole,
    }


def _documents(tx: Tx, head: bytes) -> list[Any] | None:
    """The signed documents that a head names, in its order; None when one is missing."""
    found = []
    for entry in json.loads(head)["entry"]:
        stored = catalogs.document_by_digest(tx, digest=entry["digest"])
        if stored is None:
            return None
        found.append(json.loads(stored.body))
    return found
