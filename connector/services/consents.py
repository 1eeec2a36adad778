"""Recording what learners said: journal first, then one commit, then it counts (S1-S4).

The answer to the caller exists only after the event lies fsynced in the journal *and* in the
store, under a new epoch whose leaf commits to all its events. Running streams see the new epoch
in their next part.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import orjson

from connector.base.clock import format_time, parse_time
from connector.evidence import tree
from connector.evidence.leaf import Entry
from connector.services import access, bitmaps
from connector.services.access import Actor
from connector.services.node import Node
from connector.store import catalogs, notes
from connector.store import consents as rows
from connector.store.rows import TickRow
from connector.store.store import Tx
from connector.subjects import importing, registry
from connector.subjects.keys import subject_key
from connector.subjects.registry import Answer
from policies.consent import Scope
from policies.problem import Problem

Json = dict[str, Any]

_MAY: Final = ("dpo", "steward")
_APPLIED: Final = "journal-applied"
_TICK: Final = 50_000
_STATUSES: Final = ("given", "refused", "withdrawn", "objected", "lifted")


async def load(node: Node, who: Actor, content: bytes) -> Json:
    """Record a file of events (CSV or JSON, FORMATS "Consent import"): all rows or none.

    Raises:
        Problem: `access-role`, `subjects-import-…` (with the faulty rows), `store-…`.
    """
    access.require(who, *_MAY)
    return await _keep(node, who, content, "import")


async def record(node: Node, who: Actor, body: Json) -> Json:
    """Record one event: `status`, `subject`, `recipient`, `purpose`, `category`, `at?`.

    Raises:
        Problem: as `load`.
    """
    access.require(who, *_MAY)
    if body.get("status") not in _STATUSES:
        raise Problem("consent-status", statuses=", ".join(_STATUSES))
    now = format_time(node.clock.now())
    event = {"event_id": node.ids.uuid(), "at": now, "valid_until": "", "notice": ""}
    event |= {name: body[name] for name in ("at", "valid_until", "notice") if body.get(name)}
    return await _keep(node, who, orjson.dumps([event | _said(body)]), "api")


async def state(node: Node, who: Actor, body: Json) -> Json:
    """What holds for one learner and one use, now or at an instant (`at`).

    Raises:
        Problem: `access-role`, `subjects-…`, `time-invalid`.
    """
    access.require(who, *_MAY)
    now = node.clock.now()
    event = {"event_id": "question", "status": "given", "at": format_time(now)} | _said(body)
    empty = {"valid_until": "", "notice": ""}
    row = importing.read(orjson.dumps([event | empty | {"status": "given"}]), now=now)[0]
    at = parse_time(str(body["at"])) if body.get("at") else now
    key = subject_key(node.keys.subject_secret, row.identifier)
    scope = Scope(row.recipient, row.purpose, row.category)

    def unit(tx: Tx) -> str:
        groups = bitmaps.groups_of(tx, row.recipient)
        return registry.state(tx, key, scope, at, groups)

    found = await node.store.read(unit)
    return {"v": 1, "state": found, "at": format_time(at)}


async def replay(node: Node) -> int:
    """Apply what the journal holds and the store does not (a crash between the two, or a restored
    database, S4); how many events.
    """
    applied = int(await node.store.read(lambda tx: notes.get(tx, key=_APPLIED)) or 0)
    pending = list(node.journal.replay(applied))
    for start in range(0, len(pending), _TICK):
        chunk = pending[start : start + _TICK]
        answers = [registry.read_entry(entry) for _, entry in chunk]
        await _commit(node, answers, chunk[-1][0])
    return len(pending)


async def _keep(node: Node, who: Actor, content: bytes, door: str) -> Json:
    now = node.clock.now()
    answers = await asyncio.to_thread(
        lambda: registry.prepare(
            importing.read(content, now=now),
            secret=node.keys.subject_secret,
            ids=node.ids,
            door=door,
            actor=who.id,
            now=now,
        )
    )
    recorded = 0
    async with node.consenting:
        for start in range(0, len(answers), _TICK):
            chunk = answers[start : start + _TICK]
            entries = (answer.entry() for answer in chunk)
            last = await asyncio.to_thread(node.journal.append, entries)
            recorded += await _commit(node, chunk, last)
    unmatched = await _unmatched(node, {answer.subject for answer in answers})
    epoch = await node.store.read(rows.epoch)
    return {"v": 1, "recorded": recorded, "epoch": epoch, "unmatched": unmatched}


async def _commit(node: Node, answers: Sequence[Answer], journalled: int) -> int:
    """One tick: the events, their epoch, the leaf with the root of their commitments."""

    def unit(tx: Tx) -> int:
        now = node.clock.now()
        epoch = rows.epoch(tx) + 1
        commitments = registry.record(tx, answers, epoch)
        if commitments:
            root = _root(commitments)
            body = {"v": 1, "epoch": epoch, "events": len(commitments), "root": root.hex()}
            leaf = node.log.append(tx, Entry("consent-tick", None, None, body), now)
            rows.add_tick(tx, TickRow(epoch, root, len(commitments), leaf, now))
        notes.put(tx, key=_APPLIED, text=str(journalled))
        return len(commitments)

    return await node.store.write(unit)


def _root(commitments: Iterable[bytes]) -> bytes:
    edge = tree.Edge()
    for commitment in commitments:
        edge, _ = tree.append(edge, tree.leaf_hash(commitment))
    return tree.root(edge)


def _said(body: Json) -> Json:
    """The columns of an import for what a caller said about one learner."""
    subject = body.get("subject")
    if not isinstance(subject, dict):
        raise Problem("http-member", member="subject")
    return {
        "id_type": str(subject.get("type", "")),
        "id_value": str(subject.get("value", "")),
        "id_home": str(subject.get("home", "")),
        "recipient": str(body.get("recipient", "")),
        "purpose": str(body.get("purpose", "")),
        "category": str(body.get("category", "")),
        "status": str(body.get("status", "given")),
    }


async def _unmatched(node: Node, keys: Collection[bytes]) -> int:
    """How many of these persons occur in no dataset of this node."""

    def unit(tx: Tx) -> int:
        rows = [
            row
            for dataset in catalogs.datasets(tx, state="published")
            if (row := dataset.revision and catalogs.revision(tx, id=dataset.revision))
        ]
        rosters = [
            node.bitmaps.roster(row, node.bitmaps.revision(node.folder, row)) for row in rows
        ]
        return registry.unmatched(tx, keys, rosters)

    return await node.store.read(unit)
