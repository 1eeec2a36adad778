"""What every act leaves behind, in the transaction that decides it.

A message received: its place in the timeline and its leaf. A message sent: the same, and its row
in the outbox, from where the worker delivers it until it is answered or its deadline passes. A
decision: its row in both renderings, and its leaf.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from connector.evidence import bodies
from connector.evidence.bodies import Direction
from connector.evidence.leaf import Entry, without_secrets
from connector.protocol import signaling
from connector.protocol.messages import Message
from connector.protocol.negotiation import Negotiation, Role, agreement_id
from connector.protocol.paths import path_of
from connector.protocol.signaling import Signal
from connector.protocol.transfer import Transfer
from connector.services.node import Node
from connector.store import attempts, decisions, messages, outbox
from connector.store.rows import AttemptRow, DecisionRow, MessageRow, OutboxRow
from connector.store.store import Tx
from policies.jcs import digest_bytes, jcs
from policies.problem import Problem

Process = Negotiation | Transfer
Json = dict[str, Any]


def received(
    node: Node, tx: Tx, process: Process, wire: Mapping[str, Any], written: bytes | None = None
) -> None:
    """Note a message of the peer, after the step it caused; `written` are its canonical bytes,
    where they are known.
    """
    _note(node, tx, process, wire, "in", written)


def sent(
    node: Node, tx: Tx, process: Process, message: Message, warning: Problem | None = None
) -> None:
    """Note a message of ours, after its step, and have it delivered to the peer; a `warning` about
    it stands before its attempts in the timeline.
    """
    if isinstance(process, Transfer) and (told := signaling.signal(process, message)) is not None:
        _signal(node, tx, process, told)
        return
    wire = message.wire()
    kept = _note(node, tx, process, wire, "out")
    now = node.clock.now()
    seq = outbox.put(
        tx,
        OutboxRow(
            process=process.pid,
            peer=process.peer,
            url=process.callback + path_of(message, to=process.role.other),
            type=str(wire["@type"]),
            body=jcs(wire) if "dataAddress" in wire else kept,
            next_at=now + node.pause(process.peer),
            created=now,
            deadline=now + _patience(node),
        ),
    )
    if warning is not None:
        attempts.put(tx, AttemptRow(seq, 0, now, problem=warning.code))


def _signal(node: Node, tx: Tx, t: Transfer, told: Signal) -> None:
    """Note what our control plane is to learn, and tell it if its API has a word for that.

    The end of a push waits as any message to an EDC does: it passes it on at once, and its peer may
    not have stored yet that the transfer has started.
    """
    _note(node, tx, t, told.kept, "out")
    if told.path is None:
        return
    now = node.clock.now()
    pause = node.settings.edc.pause_millis if t.format == signaling.PUSH else 0
    row = OutboxRow(
        process=t.pid,
        peer=t.addressee,
        url=t.callback + told.path,
        type=str(told.kept["@type"]),
        body=jcs(told.body),
        next_at=now + timedelta(milliseconds=pause),
        created=now,
        deadline=now + _patience(node),
    )
    outbox.put(tx, row)


def again(node: Node, tx: Tx, process: Process, kind: str) -> None:
    """Have the latest message of a type delivered once more, as it was."""
    said = [row for row in outbox.of(tx, process=process.pid) if row.type == kind]
    if said:
        now = node.clock.now()
        due = now + node.pause(process.peer)
        fresh = replace(said[-1], seq=0, state="pending", attempts=0, next_at=due, created=now)
        outbox.put(
            tx, replace(fresh, deadline=now + _patience(node), answer_status=None, answer=None)
        )


def _patience(node: Node) -> timedelta:
    """How long a message is tried before a person must look."""
    return timedelta(hours=node.settings.delivery.deadline_hours)


def decided(
    node: Node,
    tx: Tx,
    process: Process,
    *,
    outcome: str,
    shared: Json,
    internal: Json,
    role: str | None = None,
    actor: str | None = None,
) -> None:
    """Note a decision; `role` and `actor` are a person's, None for the policy's own."""
    now = node.clock.now()
    record = {"v": 1, "at": shared.get("at"), "outcome": outcome, "by": role or "policy", **shared}
    body = bodies.decision(record, by=role or "policy", outcome=outcome)
    private: Json = {"v": 1, "actor": actor, "role": role, "trace": internal}
    agreement = agreement_of(node, process)
    entry = Entry("decision", agreement, body, private, about=None if agreement else process.pid)
    node.log.append(tx, entry, now)
    kind = DecisionRow(
        process=process.pid,
        kind="person" if role else "automatic",
        role=role,
        actor=actor,
        outcome=outcome,
        shared=record,
        internal=internal,
        at=now,
    )
    decisions.add(tx, kind)


def agreement_of(node: Node, process: Process) -> str | None:
    """The agreement a process leads to or runs under; None while the peer's pid is unknown."""
    if isinstance(process, Transfer):
        return process.agreement
    if process.provider_pid is None or process.consumer_pid is None:
        return None
    provides = process.role is Role.PROVIDER
    parties = (node.did, process.peer) if provides else (process.peer, node.did)
    return agreement_id(*parties, process.provider_pid, process.consumer_pid)


def _note(
    node: Node,
    tx: Tx,
    process: Process,
    wire: Mapping[str, Any],
    direction: Direction,
    written: bytes | None = None,
) -> bytes:
    """Log and keep a message; the canonical bytes that are kept (no secrets)."""
    now = node.clock.now()
    kind = "transfer" if isinstance(process, Transfer) else "negotiation"
    secret = "dataAddress" in wire
    kept = jcs(without_secrets(wire)) if secret or written is None else written
    named = digest_bytes(kept)
    body = bodies.message(wire, direction, process.state.value, named)
    agreement = agreement_of(node, process)
    # Before the peer has told its pid there is no agreement to file under, only our own pid.
    about = None if agreement else process.pid
    node.log.append(tx, Entry(kind, agreement, body, about=about), now)
    messages.add(
        tx,
        MessageRow(
            process=process.pid,
            direction=direction,
            type=str(wire["@type"]),
            digest=named,
            body=kept,
            at=now,
        ),
    )
    return kept
