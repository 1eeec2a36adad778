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
from connector.services import access
from connector.services.access import Actor
from connector.services.consent import bitmaps
from connector.services.node import Node
from connector.store import catalogs, notes
from connector.store import consents as rows
from connector.store.rows import TickRow
from connector.store.store import Tx
from connector.subjects import importing, registry
from connector.subjects.keys import subject_key
from connector.subjects.registry import Answer
from policies.consent import Mode, Scope, State, allows
from policies.problem import Problem

Json = dict[str, Any]

_MAY: Final = ("dpo", "steward")
_LIFTED: Final = "lifted"
_MIN_REASON: Final = 10
_MAX_REASON: Final = 2_000
APPLIED: Final = "journal-applied"
"""The note with the number of the last journal entry that the store holds."""

_TICK: Final = 50_000
_MODES: Final[tuple[Mode, ...]] = ("consent", "objection")
_STATUSES: Final = ("given", "refused", "withdrawn", "objected", "lifted")


async def load(node: Node, who: Actor, content: bytes) -> Json:
    """Record a file of events (CSV or JSON, FORMATS "Consent import"): all rows or none.

    Raises:
        Problem: `access-role`, `subjects-import-…` (with the faulty rows), `store-…`,
            `consent-lift-by-file`: only the DPO lifts an objection, by a file too (S5).
    """
    access.require(who, *_MAY)
    return await _keep(node, who, content, "import")


async def record(node: Node, who: Actor, body: Json) -> Json:
    """Record one event: `status`, `subject`, `recipient`, `purpose`, `category`, `at?`, `reason?`.

    An objection (`objected`) withholds the person's rows from the next part on. Only the DPO lifts
    one (`lifted`), with a written reason, now; the answer says what holds afterwards (`state`), as
    another objection, or one to a broader purpose, may stay open (S5).

    Raises:
        Problem: as `load`; `consent-status`, `consent-reason`, `consent-no-objection`.
    """
    access.require(who, *_MAY)
    if body.get("status") not in _STATUSES:
        raise Problem("consent-status", statuses=", ".join(_STATUSES))
    reason = await _lifting(node, who, body) if body["status"] == _LIFTED else None
    now = format_time(node.clock.now())
    event = {"event_id": node.ids.uuid(), "at": now, "valid_until": "", "notice": ""}
    if reason is None:
        event |= {name: body[name] for name in ("at", "valid_until", "notice") if body.get(name)}
    content = orjson.dumps([event | _said(body)])
    made = await _keep(node, who, content, "api", reason=reason)
    asked = {name: body[name] for name in body if name != "at"}
    return {**made, "state": (await state(node, who, asked))["state"]}


async def state(node: Node, who: Actor, body: Json) -> Json:
    """What holds for one learner and one use, now or at an instant (`at`).

    `leaves` says whether their rows may leave, on consent and on another basis ("objection").

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

    def unit(tx: Tx) -> State:
        groups = bitmaps.groups_of(tx, row.recipient)
        return registry.state(tx, key, scope, at, groups)

    found = await node.store.read(unit)
    leaves = {mode: allows(found, mode) for mode in _MODES}
    return {"v": 1, "state": found, "at": format_time(at), "leaves": leaves}


async def replay(node: Node, *, after: int | None = None) -> int:
    """Apply what the journal holds and the store does not (a crash between the two, or a restored
    database, S4), or all entries with a number above `after`; how many were looked at.
    """
    applied = after
    if applied is None:
        applied = int(await node.store.read(lambda tx: notes.get(tx, key=APPLIED)) or 0)
    pending = list(node.journal.replay(applied))
    for start in range(0, len(pending), _TICK):
        chunk = pending[start : start + _TICK]
        answers = [registry.read_entry(entry) for _, entry in chunk]
        await _commit(node, answers, chunk[-1][0])
    return len(pending)


async def _lifting(node: Node, who: Actor, body: Json) -> str:
    """The reason for which the DPO lifts an objection that stands."""
    access.require(who, "dpo")
    reason = body.get("reason")
    text = reason.strip() if isinstance(reason, str) else ""
    if not _MIN_REASON <= len(text) <= _MAX_REASON:
        raise Problem("consent-reason", least=_MIN_REASON, most=_MAX_REASON)
    asked = {name: body[name] for name in body if name != "at"}
    found = (await state(node, who, asked))["state"]
    if found != "objected":
        raise Problem("consent-no-objection", state=found)
    return text


async def _keep(
    node: Node, who: Actor, content: bytes, door: str, *, reason: str | None = None
) -> Json:
    now = node.clock.now()

    def prepare() -> tuple[Answer, ...]:
        read = importing.read(content, now=now)
        if who.role != "dpo" and any(row.status == _LIFTED for row in read):
            raise Problem("consent-lift-by-file")
        return registry.prepare(
            read,
            secret=node.keys.subject_secret,
            ids=node.ids,
            door=door,
            actor=who.id,
            now=now,
            reason=reason,
        )

    answers = await asyncio.to_thread(prepare)
    recorded = 0
    async with node.consenting:
        await _catch_up(node)
        for start in range(0, len(answers), _TICK):
            chunk = answers[start : start + _TICK]
            entries = (answer.entry() for answer in chunk)
            last = await asyncio.to_thread(node.journal.append, entries)
            recorded += await _commit(node, chunk, last)
    unmatched = await _unmatched(node, {answer.subject for answer in answers})
    epoch = await node.store.read(rows.epoch)
    return {"v": 1, "recorded": recorded, "epoch": epoch, "unmatched": unmatched}


async def _catch_up(node: Node) -> None:
    """Apply what was journalled when the database refused: later events must not pass it by."""
    applied = int(await node.store.read(lambda tx: notes.get(tx, key=APPLIED)) or 0)
    if node.journal.last > applied:
        await replay(node)


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
            _log_lifted(node, tx, answers, epoch)
        notes.put(tx, key=APPLIED, text=str(journalled))
        return len(commitments)

    return await node.store.write(unit)


def _log_lifted(node: Node, tx: Tx, answers: Sequence[Answer], epoch: int) -> None:
    """One leaf of type decision for each objection lifted: who, why. Private: no party sees it."""
    for answer in answers:
        if answer.reason is not None:
            body = {
                "v": 1,
                "decision": "objection-lifted",
                "event": answer.event,
                "epoch": epoch,
                "by": answer.actor,
                "role": "dpo",
                "reason": answer.reason,
            }
            node.log.append(tx, Entry("decision", None, None, body), node.clock.now())


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

    return await node.store.survey(unit)
