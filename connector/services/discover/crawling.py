"""The crawl: what all known peers publish, fetched as far as it changed, verified, kept.

Each peer is asked for the heads open to us, by conditional GET; of a head that changed, the
documents that changed are fetched. What was verified stays ours when the peer is down; what a peer
no longer lists goes. A peer that is down, slow, garbage or somebody else is passed over with the
reason, and never stops the others: what it answered until then is kept, so that the next crawl
goes on from there.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from catalog import search, verify
from catalog.model import Entry
from connector.base import telemetry
from connector.identity import edc
from connector.services.discover import asking, foreign, peering
from connector.services.discover.asking import Asked, FetchedHead, Found
from connector.services.node import Node
from connector.services.publish.published import PUBLIC
from connector.store import catalogs, known, peers
from connector.store.rows import CrawlRow, KnownDatasetRow, KnownHeadRow
from connector.store.store import Tx
from policies.problem import Problem

PATIENCE: Final = 20.0
"""Seconds that one peer may take in one crawl."""
MAX_AGE: Final = timedelta(minutes=5)
"""What was asked for this recently is not asked for again, unless somebody wants it."""
MAX_ENTRIES: Final = 20_000
_AT_ONCE: Final = 8
_CHUNK: Final = 16


@dataclass(slots=True)
class Visit:
    """What came of asking one peer."""

    peer: str
    verified: bool = False
    unchanged: bool = True
    stored: int = 0
    gone: int = 0
    problems: list[Problem] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The visit for machines and people: the first problem stands for the rest."""
        return {
            "peer": self.peer,
            "state": "skipped" if not self.verified else "unchanged" if self.unchanged else "read",
            "stored": self.stored,
            "gone": self.gone,
            "problems": [problem.document() for problem in self.problems],
        }


async def crawl(
    node: Node, *, max_age: timedelta = timedelta(0), patience: float = PATIENCE
) -> list[Visit]:
    """Ask all peers that were not asked for `max_age`; one visit each, by DID.

    Crawls do not overlap: who comes second waits, and finds nothing left to ask.
    """
    async with node.crawling:
        due = await node.store.write(lambda tx: _due(node, tx, max_age))
        gate = asyncio.Semaphore(_AT_ONCE)

        async def visit(did: str) -> Visit:
            async with gate:
                return await _visit(node, did, patience)

        return list(await asyncio.gather(*(visit(did) for did in due)))


def _due(node: Node, tx: Tx, max_age: timedelta) -> list[str]:
    """Peers to ask now; what is kept of peers no longer known goes on the way."""
    rows = {row.peer: row for row in known.crawls(tx)}
    listed = [peer.did for peer in peers.listing(tx) if not peering.is_silent(peer)]
    for did in rows.keys() - set(listed):
        forget(tx, did)
    now = node.clock.now()
    return [
        did
        for did in listed
        if did not in rows or not timedelta(0) <= now - rows[did].tried < max_age
    ]


def forget(tx: Tx, did: str) -> None:
    """Let go of what was crawled of a peer; documents that something refers to stay."""
    for group in {PUBLIC} | {head.group for head in known.heads(tx, peer=did)}:
        known.forget_group(tx, peer=did, group=group)
    known.forget_crawl(tx, peer=did)


async def _visit(node: Node, did: str, patience: float) -> Visit:
    """Ask one peer; whatever it does ends here."""
    visit = Visit(did)
    try:
        async with asyncio.timeout(patience):
            await _read(node, visit)
    except TimeoutError:
        visit.problems.append(Problem("discovery-slow", did=did, seconds=int(patience)))
    except Problem as problem:
        visit.problems.append(problem)
    except Exception as fault:  # noqa: BLE001  (one peer's oddity must not end the crawl)
        telemetry.failure("crawl-fault", fault)
        visit.problems.append(Problem("discovery-fault", did=did, fault=type(fault).__name__))
    await node.store.write(lambda tx: _note(node, tx, visit))
    return visit


def _note(node: Node, tx: Tx, visit: Visit) -> None:
    if peers.get(tx, did=visit.peer) is None:  # removed while it was being read
        forget(tx, visit.peer)
        return
    now = node.clock.now()
    before = next((row for row in known.crawls(tx) if row.peer == visit.peer), None)
    problem = visit.problems[0].document() if visit.problems else None
    verified = now if visit.verified else before.verified if before else None
    known.put_crawl(tx, CrawlRow(visit.peer, now, verified, problem))


async def _read(node: Node, visit: Visit) -> None:
    if edc.is_name(visit.peer):
        visit.stored, visit.gone = await foreign.crawl(node, visit.peer)
        visit.verified, visit.unchanged = True, False
        return
    asked = await asking.ask(node, visit.peer)
    await _group(node, asked, PUBLIC, visit)
    try:
        listed = await asking.groups(node, asked)
    except Problem as problem:
        _tolerate(visit, problem)
        return
    if listed is None:
        # Not told is not the same as none: what we had stays, and is not called verified.
        return
    for group in listed:
        await _group(node, asked, group, visit)
    await node.store.write(lambda tx: _close(tx, visit, {PUBLIC, *listed}))


def _close(tx: Tx, visit: Visit, listed: set[str]) -> None:
    """Groups that are no longer open to us."""
    for head in known.heads(tx, peer=visit.peer):
        if head.group not in listed:
            known.forget_group(tx, peer=visit.peer, group=head.group)
            visit.unchanged = False


async def _group(node: Node, asked: Asked, group: str, visit: Visit) -> None:
    """One group of a peer: a rollback in one says nothing against the others."""
    try:
        before = await node.store.read(lambda tx: known.head(tx, peer=asked.did, group=group))
        same_keys = before is not None and _same_keys(before, asked)
        etag = before.etag if before and same_keys else None
        fetched = await asking.head(node, asked, group, etag)
        if fetched is None:
            await _still(node, asked, before)
        else:
            await _changed(node, asked, fetched, visit, trusted=same_keys)
        visit.verified = visit.verified or group == PUBLIC
    except Problem as problem:
        _tolerate(visit, problem)


def _tolerate(visit: Visit, problem: Problem) -> None:
    """Go on with this peer, unless it does not answer at all."""
    if problem.code.startswith("delivery-"):
        raise problem
    visit.problems.append(problem)


async def _still(node: Node, asked: Asked, before: KnownHeadRow | None) -> None:
    """The peer said 304: what we have was confirmed now."""
    if before is not None:
        row = replace(before, at=node.clock.now(), did_document=dict(asked.document.source))
        await node.store.write(lambda tx: known.put_head(tx, row))


async def _changed(
    node: Node, asked: Asked, fetched: FetchedHead, visit: Visit, *, trusted: bool
) -> None:
    """Fetch what changed in a head; documents are kept as they come, the head at the end."""
    group, head = fetched.head.group, fetched.head
    if len(head.entries) > MAX_ENTRIES:
        raise Problem("discovery-large", did=asked.did, found=len(head.entries), limit=MAX_ENTRIES)
    rows = await node.store.read(lambda tx: known.datasets_of(tx, peer=asked.did, group=group))
    had = {row.iri: row.digest for row in rows}
    # Verified under keys that are listed no more: verified anew.
    valid = had if trusted else {}
    wanted = [entry for entry in head.entries if valid.get(entry.dataset) != entry.digest]
    kept = {entry.dataset for entry in head.entries} - {entry.dataset for entry in wanted}
    whole = True
    for chunk in _chunks(wanted):
        stored = await _fetch(node, asked, group, chunk, visit)
        kept |= {found.dataset.iri for found in stored}
        whole = whole and len(stored) == len(chunk)
    gone = had.keys() - kept
    row = KnownHeadRow(
        peer=asked.did,
        group=group,
        version=head.version,
        digest=fetched.digest,
        # Without its name the next crawl asks for the whole head, and for what is missing.
        etag=fetched.etag if whole else None,
        did_document=dict(asked.document.source),
        body=fetched.body,
        at=node.clock.now(),
    )

    def unit(tx: Tx) -> None:
        for iri in gone:
            known.forget_dataset(tx, peer=asked.did, group=group, iri=iri)
        known.put_head(tx, row)

    await node.store.write(unit)
    visit.gone += len(gone)
    visit.unchanged = False


async def _fetch(
    node: Node, asked: Asked, group: str, chunk: Sequence[Entry], visit: Visit
) -> list[Found]:
    """Fetch and keep some documents; those that are not as the head says are noted and left."""
    answers = await asyncio.gather(
        *(asking.document(node, asked, group, entry) for entry in chunk), return_exceptions=True
    )
    found = [answer for answer in answers if isinstance(answer, Found)]
    stored, rewritten = await node.store.write(lambda tx: _keep(tx, asked.did, found))
    visit.stored += len(stored)
    faults = [answer for answer in answers if isinstance(answer, BaseException)]
    for fault in [*faults, *rewritten]:
        if not isinstance(fault, Problem):
            raise fault
        _tolerate(visit, fault)
    return stored


def _keep(tx: Tx, did: str, found: list[Found]) -> tuple[list[Found], list[Problem]]:
    """Store verified documents with their cards; a document that changed under its name is not."""
    stored: list[Found] = []
    rewritten: list[Problem] = []
    for one in found:
        iri = one.dataset.document_iri
        before = catalogs.document(tx, iri=iri)
        if before is not None and before.digest != one.digest:
            rewritten.append(Problem("catalog-head-rewritten", document=iri[:300]))
            continue
        if before is None:
            catalogs.add_document(tx, one.row)
        stored.append(one)
    rows = [
        KnownDatasetRow(
            peer=did,
            iri=one.dataset.iri,
            group=one.dataset.group,
            digest=one.digest,
            card=search.card(one.dataset, one.digest).document_json(),
        )
        for one in stored
    ]
    known.put_datasets(tx, rows)
    return stored, rewritten


def _same_keys(before: KnownHeadRow, asked: Asked) -> bool:
    try:
        return verify.assertion_keys(before.did_document, asked.did) == asked.keys
    except Problem:
        return False


def _chunks(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), _CHUNK):
        yield entries[start : start + _CHUNK]
