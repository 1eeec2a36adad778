"""What was said and decided: the protocol messages and the decisions, as the log has them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from connector.evidence.case import Case, Document, Line, text
from connector.evidence.leaf import message_digest
from connector.evidence.report import Finding, NotMade
from connector.protocol import negotiation, transfer
from connector.protocol.machine import Role
from policies.jcs import digest
from policies.problem import Problem

_NEGOTIATION_ACTS = {
    "ContractRequestMessage": negotiation.Act.REQUEST,
    "ContractOfferMessage": negotiation.Act.OFFER,
    "ContractAgreementMessage": negotiation.Act.AGREE,
    "ContractAgreementVerificationMessage": negotiation.Act.VERIFY,
    "ContractNegotiationTerminationMessage": negotiation.Act.TERMINATE,
}
_NEGOTIATION_EVENTS = {
    "ACCEPTED": negotiation.Act.ACCEPT,
    "FINALIZED": negotiation.Act.FINALIZE,
}
_TRANSFER_ACTS = {
    "TransferRequestMessage": transfer.Act.REQUEST,
    "TransferStartMessage": transfer.Act.START,
    "TransferSuspensionMessage": transfer.Act.SUSPEND,
    "TransferCompletionMessage": transfer.Act.COMPLETE,
    "TransferTerminationMessage": transfer.Act.TERMINATE,
}
_SIGNALS = {
    "DataFlowResumeMessage": transfer.Act.START,
    "DataFlowSuspendMessage": transfer.Act.SUSPEND,
    "DataFlowTerminateMessage": transfer.Act.TERMINATE,
    "DataFlowStarted": transfer.Act.START,
    "DataFlowSuspended": transfer.Act.SUSPEND,
    "DataFlowCompleted": transfer.Act.COMPLETE,
    "DataFlowFailed": transfer.Act.TERMINATE,
}
_FLOW_START = "DataFlowStartMessage"


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the bundle: its file, which way it went, what it says."""

    where: str
    direction: str
    type: str
    wire: Document


def messages(case: Case) -> Iterator[Finding]:
    """Each message is the logged one, and together they are a path of the protocol's tables."""
    said = read(case)
    if not said:
        raise Problem("evidence-file-missing", where="messages/")
    lines = [line for line in case.lines if line.leaf.type in ("negotiation", "transfer")]
    by_digest = {(item.direction, message_digest(item.wire)): item for item in said}
    logged: set[tuple[str, str]] = set()
    for line in lines:
        body = line.body or {}
        key = (str(body.get("direction")), str(body.get("digest")))
        if key not in by_digest or body.get("message") != by_digest[key].type:
            yield Problem("evidence-message-missing", where=line.where, index=line.index)
        logged.add(key)
    for key, item in by_digest.items():
        if key not in logged:
            yield Problem("evidence-message-unlogged", where=item.where)
    yield from _path(case, lines, by_digest)


def decisions(case: Case) -> Iterator[Finding]:
    """The decisions shown are the decisions logged, all of them."""
    shown = {digest(case.document(path)): path for path in case.paths("decisions/")}
    logged = {str(body.get("digest")): line for line, body in case.logged("decision")}
    if not shown and not logged:
        raise NotMade("evidence-no-decision", where="decisions/")
    for name, path in shown.items():
        if name not in logged:
            yield Problem("evidence-decision-unlogged", where=path)
    for name, line in logged.items():
        if name not in shown:
            yield Problem("evidence-decision-missing", where=line.where, index=line.index)
    yield from _internal(case)


def read(case: Case) -> tuple[Said, ...]:
    """The messages of the bundle in the order of their numbers.

    Raises:
        Problem: `evidence-message-name`, when a file's name and its content differ.
    """
    said = []
    for path in case.paths("messages/"):
        _, direction, kind = path.removeprefix("messages/").removesuffix(".json").split("-")
        wire = case.document(path)
        if wire.get("@type") != kind:
            raise Problem("evidence-message-name", where=path)
        said.append(Said(path, direction, kind, wire))
    return tuple(said)


def signals(case: Case) -> list[Said]:
    """The starts of flows: there are some where another control plane made the agreement."""
    return [item for item in read(case) if item.type == _FLOW_START]


def role(case: Case, direction: str) -> Role:
    """Who sent a message that went this way, seen from the node whose log it is."""
    ours = Role.PROVIDER if case.node == case.provider else Role.CONSUMER
    return ours if direction == "out" else ours.other


def _path(
    case: Case, lines: list[Line], by_digest: Mapping[tuple[str, str], Said]
) -> Iterator[Finding]:
    """Walk the tables along the leaves; each leaf also says which state it led to."""
    states: dict[str, StrEnum] = {}
    for line in lines:
        body = line.body or {}
        item = by_digest.get((str(body.get("direction")), str(body.get("digest"))))
        if item is None:
            return  # said already; what follows a hole cannot be judged
        try:
            process, state = _step(case, line, item, states)
        except (Problem, KeyError):
            yield Problem("evidence-message-path", where=item.where, index=line.index)
            return
        if body.get("state") != state.value:
            yield Problem("evidence-message-state", where=line.where, index=line.index)
        states[process] = state
    agreed = {negotiation.State.AGREED, negotiation.State.VERIFIED, negotiation.State.FINALIZED}
    if not agreed & set(states.values()) and not signals(case):
        yield Problem("evidence-message-unagreed", where="messages/")


def _step(case: Case, line: Line, item: Said, states: Mapping[str, StrEnum]) -> tuple[str, StrEnum]:
    """Which process a message moves, and to which state.

    Raises:
        KeyError: the tables know no such step.
    """
    by = role(case, item.direction)
    if line.leaf.type == "negotiation":
        current = states.get("negotiation", negotiation.State.NEW)
        table = negotiation.TRANSITIONS[negotiation.State(current)]
        return "negotiation", table[_negotiation_act(item), by]
    if item.type.startswith("DataFlow"):
        return _flow(item, by, states)
    process = text(item.wire, "consumerPid", item.where)
    started = states.get(process, transfer.State.NEW)
    acts = transfer.TRANSITIONS[transfer.State(started)]
    return process, acts[_TRANSFER_ACTS[item.type], by]


def _flow(item: Said, by: Role, states: Mapping[str, StrEnum]) -> tuple[str, StrEnum]:
    """As `_step`, for a signal: a start is a request or, of what is suspended, a resumption; what
    this node holds already can be suspended by the control plane as well.
    """
    process = text(item.wire, "process", item.where)
    before = transfer.State(states.get(process, transfer.State.NEW))
    if item.type == "DataFlowSuspendMessage" and before is transfer.State.SUSPENDED:
        return process, before
    opening = before is transfer.State.NEW
    starts = transfer.Act.REQUEST if opening else transfer.Act.START
    act = starts if item.type == _FLOW_START else _SIGNALS[item.type]
    return process, transfer.TRANSITIONS[before][act, by]


def _negotiation_act(item: Said) -> negotiation.Act:
    if item.type == "ContractNegotiationEventMessage":
        return _NEGOTIATION_EVENTS[text(item.wire, "eventType", item.where)]
    return _NEGOTIATION_ACTS[item.type]


def _internal(case: Case) -> Iterator[Finding]:
    """Internal renderings, where shown, are those that private bodies hold or name."""
    shown = {digest(case.document(path)): path for path in case.paths("private/decisions/")}
    named = {
        digest(value) if isinstance(value, dict) else str(value)
        for _, _, body in case.private
        for value in orjson.loads(body).values()
    }
    for name, path in shown.items():
        if name not in named:
            yield Problem("evidence-decision-unlogged", where=path)
