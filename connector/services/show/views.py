"""What the institution's people see of negotiations, agreements and transfers (JSON).

Long polling: a view may wait until the process reaches a state, or "settles": until it is over,
or waits for somebody. Nobody sleeps and nobody polls in a loop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from catalog.model import Dataset
from connector.base.clock import format_time
from connector.protocol.messages import Terms
from connector.protocol.negotiation import Negotiation, Role, State
from connector.protocol.transfer import Transfer
from connector.services.negotiate import agreements as agreements_room
from connector.services.negotiate import planning
from connector.services.node import Node
from connector.services.processes import negotiation as load
from connector.services.processes import transfer as load_transfer
from connector.services.publish import published
from connector.services.show import waiting, wording
from connector.services.show.timeline import Timeline
from connector.services.signaling import binding
from connector.store import agreements as agreement_rows
from connector.store import decisions, messages, parts
from connector.store import negotiations as negotiation_rows
from connector.store import transfers as transfer_rows
from connector.store.rows import AgreementRow
from connector.store.store import Tx
from policies.model import Policy
from policies.plan import Plan
from policies.problem import Problem

Json = dict[str, Any]
Seen = TypeVar("Seen")

SETTLED: Final = "SETTLED"
FETCHED: Final = "FETCHED"
_OF_TRANSFERS: Final = ("Transfer", "DataFlow")
CHANGES: Final = 1000
"""Changes told at once."""


async def negotiations(node: Node, *, awaiting: str | None = None, wait: float = 0.0) -> list[Json]:
    """All negotiations, the newest first; with a role, those that wait for it now.

    Waits up to `wait` seconds for the first of them.
    """

    def unit(tx: Tx) -> list[Json]:
        heads = [_head(n) for n in reversed(negotiation_rows.listing(tx))]
        return [one for one in heads if awaiting is None or one["awaiting"][:1] == [awaiting]]

    async def look() -> list[Json]:
        return await node.store.survey(unit)

    return await _wait(node, ("negotiation",), look, bool, wait)


async def negotiation(node: Node, pid: str, *, wait: float = 0.0, until: str | None = None) -> Json:
    """One negotiation with its timeline; waits up to `wait` seconds for a state or `SETTLED`.

    Raises:
        Problem: `negotiation-unknown`.
    """

    async def look() -> Json:
        return await node.store.read(lambda tx: _whole(node, tx, load(tx, pid)))

    def reached(view: Json) -> bool:
        if until == SETTLED:
            return bool(view["settled"])
        return until is None or view["state"] == until

    return await _wait(node, ("negotiation",), look, reached, wait)


def opened(n: Negotiation, found: Timeline, dataset: Dataset | None) -> Json:
    """A negotiation that a unit of ours has just begun: nothing is decided or agreed yet, and what
    its view needs beside the timeline is at hand.
    """
    return _view(n, found, None, [], dataset, None)


def _whole(node: Node, tx: Tx, n: Negotiation) -> Json:
    """Everything people may know of a negotiation."""
    found = Timeline.of(tx, n.pid, node.worker.landed)
    made = agreement_rows.by_negotiation(tx, negotiation=n.pid)
    known = n.application is not None and n.signed_document is not None
    dataset = published.named(tx, n.signed_document)[1] if known else None
    alone = node.worker.left_alone(n.peer)
    return _view(n, found, made.state if made else None, _decisions(tx, n.pid), dataset, alone)


def _view(
    n: Negotiation,
    found: Timeline,
    agreement_state: str | None,
    decided: list[Json],
    dataset: Dataset | None,
    left_alone: datetime | None,
) -> Json:
    policy = Terms.read(n.offer, kind="Offer").policy
    given_up = agreement_state == "ended"
    now = waiting.for_negotiation(n, found.queue, found.tried, left_alone, given_up=given_up)
    return {
        **_head(n),
        "v": 1,
        "peer_pid": n.peer_pid,
        "offer": n.offer_id,
        "offered_by": n.offered_by.value,
        "application": n.application,
        "agreement": n.agreement_id,
        "agreement_state": agreement_state,
        "code": n.code,
        "reasons": list(n.reasons),
        "settled": _settled(n) or given_up,
        "terms": wording.policies([policy]),
        "staying": wording.staying(_staying(n, dataset)),
        "decisions": decided,
        "messages": found.document(),
        "waiting": now.document(),
        "created": format_time(n.created),
        "updated": format_time(n.updated),
    }


def _staying(n: Negotiation, dataset: Dataset | None) -> dict[str, list[str]]:
    """The fields asked for that never leave, as far as the dataset's document is known here."""
    if n.application is None or n.signed_document is None or dataset is None:
        return {}
    fields = n.application["fields"]
    asked = fields if isinstance(fields, list) else []
    return planning.staying(map(str, asked), dataset)


async def agreements(node: Node) -> list[Json]:
    """All agreements, the newest first."""
    rows = await node.store.survey(agreement_rows.listing)
    now = node.clock.now()
    return [_agreement_head(row, now) for row in reversed(rows)]


async def agreement(node: Node, ident: str) -> Json:
    """One agreement: document, signatures, terms and plan in plain words.

    Raises:
        Problem: `agreement-unknown`.
    """
    row = await node.store.read(lambda tx: find_agreement(tx, ident))
    policy = _policy(row)
    signatures = {
        "provider": "eddsa-jcs-2022" if row.provider_proof else "–",
        "consumer": "eddsa-jcs-2022" if row.consumer_proof else "–",
    }
    if binding.made_elsewhere(row):
        signatures["consumer"] = "with the control plane"
    elif agreements_room.attests(node, row.peer):
        unsigned = "consumer" if row.role == Role.PROVIDER.value else "provider"
        signatures[unsigned] = "attested by transport"
    return {
        **_agreement_head(row, node.clock.now()),
        "v": 1,
        "document": row.document,
        "provider_proof": row.provider_proof,
        "consumer_proof": row.consumer_proof,
        "signatures": signatures,
        "plan_digest": row.plan_digest,
        "terms": wording.policies([policy] if policy else []),
        "plan": wording.plan(Plan.read(row.plan) if row.plan else None),
        "expires": format_time(row.expires) if row.expires else None,
    }


async def plan(node: Node, ident: str) -> Json:
    """The compiled plan of an agreement, with its digest.

    Raises:
        Problem: `agreement-unknown`.
    """
    row = await node.store.read(lambda tx: find_agreement(tx, ident))
    return {"v": 1, "digest": row.plan_digest, "plan": row.plan}


async def transfers(node: Node) -> list[Json]:
    """All transfers, the newest first."""

    def unit(tx: Tx) -> list[Json]:
        rows = transfer_rows.listing(tx)
        return [_transfer(tx, t) for t in reversed(rows)]

    return await node.store.survey(unit)


async def transfer(node: Node, pid: str, *, wait: float = 0.0, until: str | None = None) -> Json:
    """One transfer; waits up to `wait` seconds for a state, or for the fetch under way to pause.

    Raises:
        Problem: `transfer-unknown`.
    """

    async def look() -> Json:
        fetch = node.fetches.view(pid)

        def unit(tx: Tx) -> Json:
            t = load_transfer(tx, pid)
            return {**_transfer(tx, t), **_passed(node, tx, t, fetching=bool(fetch["running"]))}

        return {**await node.store.read(unit), "fetch": fetch}

    def reached(view: Json) -> bool:
        if until == FETCHED:
            return not view["fetch"]["running"]
        return until is None or view["state"] == until

    return await _wait(node, ("transfer",), look, reached, wait)


async def changes(node: Node, *, after: int, wait: float = 0.0) -> Json:
    """What passed since message number `after`, of all processes; waits for something to pass.

    For programs that decide in people's place: they ask for the next changes with `last`, look at
    each process named, and act through the same addresses as people.
    """

    def unit(tx: Tx) -> Json:
        rows = messages.since(tx, after=after, limit=CHANGES)
        return {
            "v": 1,
            "last": rows[-1].seq if rows else after,
            "changes": [
                {
                    "seq": row.seq,
                    "process": row.process,
                    "kind": "transfer" if row.type.startswith(_OF_TRANSFERS) else "negotiation",
                    "direction": row.direction,
                    "type": row.type,
                    "at": format_time(row.at),
                }
                for row in rows
            ],
        }

    async def look() -> Json:
        return await node.store.read(unit)

    return await _wait(node, ("negotiation", "transfer"), look, lambda v: bool(v["changes"]), wait)


def find_agreement(tx: Tx, ident: str) -> AgreementRow:
    """An agreement by its id, `urn:uuid:` optional.

    Raises:
        Problem: `agreement-unknown`.
    """
    full = ident if ident.startswith("urn:") else f"urn:uuid:{ident}"
    row = agreement_rows.get(tx, id=full)
    if row is None:
        raise Problem("agreement-unknown")
    return row


async def _wait(
    node: Node,
    topics: tuple[str, ...],
    look: Callable[[], Awaitable[Seen]],
    reached: Callable[[Seen], bool],
    seconds: float,
) -> Seen:
    """Look, and look again after every commit on these topics, until reached or out of time."""
    view = await look()
    if reached(view) or seconds <= 0:
        return view
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wake() -> None:
        loop.call_soon_threadsafe(changed.set)

    cancels = [node.store.on_commit(wake, topic=topic) for topic in topics]
    node.fetches.listen(changed)
    try:
        async with asyncio.timeout(seconds):
            while not reached(view := await look()):
                await changed.wait()
                changed.clear()
    except TimeoutError:
        pass
    finally:
        for cancel in cancels:
            cancel()
        node.fetches.unlisten(changed)
    return view


def _settled(n: Negotiation) -> bool:
    """Whether nothing will move before somebody acts."""
    # An offer to answer; an agreement to sign or make final, where that is left to people.
    ours = {State.OFFERED, State.AGREED} if n.role is Role.CONSUMER else {State.VERIFIED}
    return n.over or bool(n.awaiting) or n.state in ours


def _head(n: Negotiation) -> Json:
    return {
        "pid": n.pid,
        "role": n.role.value,
        "state": n.state.value,
        "peer": n.peer,
        "dataset": n.dataset,
        "awaiting": list(n.awaiting),
    }


def _agreement_head(row: AgreementRow, now: datetime) -> Json:
    """What a list says of an agreement; one in force whose time is over has `expired`."""
    over = row.state == "active" and row.expires is not None and row.expires <= now
    return {
        "id": row.id,
        "role": row.role,
        "state": "expired" if over else row.state,
        "peer": row.peer,
        "dataset": row.dataset,
        "digest": row.digest,
        "negotiation": row.negotiation,
        "created": format_time(row.created),
    }


def _policy(row: AgreementRow) -> Policy | None:
    return Terms.read(row.wire, kind="Agreement").policy if row.wire else None


def _passed(node: Node, tx: Tx, t: Transfer, *, fetching: bool) -> Json:
    """The timeline of a transfer, and what it waits for."""
    found = Timeline.of(tx, t.pid, node.worker.landed)
    agreement = agreement_rows.get(tx, id=t.agreement)
    now = waiting.for_transfer(
        t,
        found.queue,
        found.tried,
        node.worker.left_alone(t.addressee),
        fetching=fetching,
        expires=agreement.expires if agreement else None,
    )
    return {
        "decisions": _decisions(tx, t.pid),
        "messages": found.document(),
        "waiting": now.document(),
    }


def _decisions(tx: Tx, process: str) -> list[Json]:
    """What was decided about a process, by the policy or by people, with both traces."""
    return [
        {
            "kind": row.kind,
            "role": row.role,
            "actor": row.actor,
            "outcome": row.outcome,
            "at": format_time(row.at),
            "reasons": wording.reasons(row.shared),
            "shared": row.shared,
            "internal": row.internal,
        }
        for row in decisions.of(tx, process=process)
    ]


def _transfer(tx: Tx, t: Transfer) -> Json:
    latest = {row.n: row for row in parts.listing(tx, transfer=t.pid)}
    manifest = parts.manifest(tx, transfer=t.pid)
    session = parts.session(tx, transfer=t.pid)
    return {
        "v": 1,
        "pid": t.pid,
        "role": t.role.value,
        "state": t.state.value,
        "peer": t.peer,
        "peer_pid": t.peer_pid,
        "agreement": t.agreement,
        "format": t.format,
        "control_plane": t.callback if t.control else None,
        "distribution": session.body.get("format") if session else None,
        "parts": len(latest),
        "rows": sum(row.rows for row in latest.values()),
        "bytes": sum(row.bytes for row in latest.values()),
        "code": t.code,
        "reasons": list(t.reasons),
        "manifest": (manifest.body or None) if manifest else None,
        "receipt": manifest.receipt if manifest else None,
        "created": format_time(t.created),
        "updated": format_time(t.updated),
    }
