"""Data flows of a control plane elsewhere, started, suspended, resumed, terminated by its signals.

A flow is a transfer like any other to everything that releases: the same plan, consents, budgets,
leaves, monitor. Only its messages go to the control plane, and its bearer token is a function of
the flow: a start that is said again (its first answer was lost) gets the same answer, and the
token, dead while suspended, serves again after a resumption.

The two forms of signals (`protocol.signaling`) differ here in one thing. JSON-LD resumes by the
very start that began the flow; plain JSON has a word for it, and gives each message an id, so that
one which arrives a second time, late, undoes nothing that was said since.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn

from connector.delivery.egress import check_url, networks
from connector.identity import did_web
from connector.protocol import signaling
from connector.protocol import transfer as machine
from connector.protocol.messages import DataAddress
from connector.protocol.signaling import FlowStart, Form, plain
from connector.protocol.transfer import TERMINAL, Act, Role, State, Transfer
from connector.services import access, ledger
from connector.services.access import Actor
from connector.services.committing import commit
from connector.services.consent.bitmaps import groups_of
from connector.services.node import Node
from connector.services.operate import quarantine
from connector.services.processes import save_transfer
from connector.services.release import granting, halting, pushing, transfers
from connector.services.release.releases import first_token, judge, load
from connector.services.signaling import binding
from connector.store import decisions, messages
from connector.store import transfers as rows
from connector.store.store import Tx
from policies.jcs import digest
from policies.plan import Plan
from policies.problem import Problem

Json = dict[str, Any]

_OVER: Final = "signaling-over"


def check(node: Node, who: Actor) -> None:
    """Let a control plane know that it is one, and that this node serves it.

    Raises:
        Problem: `access-role`, `signaling-off`.
    """
    access.require(who, access.CONTROL)
    if node.settings.signaling.control_plane is None:
        raise Problem("signaling-off")


async def start(node: Node, who: Actor, message: FlowStart) -> Json:
    """Start a flow, or resume it; the answer with its data address, only once all of it is
    committed. The same start again changes nothing and is answered alike.

    Raises:
        Problem: `access-role`, `signaling-…`, `transfer-format`, `release-…`; what `binding.bound`
            raises.
    """
    check(node, who)
    said = _checked(node, message)
    t = await commit(node, lambda tx: _opened(node, tx, said))
    return await _served(node, t)


async def resume(
    node: Node, who: Actor, pid: str, message: str, sink: DataAddress | None = None
) -> Json:
    """Let a suspended flow go on (plain JSON), answered as its start was; a push begins anew, to
    `sink` if that is given. A flow that runs is answered alike; a `message` that was obeyed before
    resumes nothing.

    Raises:
        Problem: `access-role`, `signaling-…`, `transfer-unknown`, `protocol-illegal-act`,
            `release-…`.
    """

    def unit(tx: Tx) -> Transfer:
        t = _flow(tx, pid)
        if t.over or t.state is State.STARTED:
            return t
        if t.format == signaling.PUSH and sink is not None:
            _check_sink(node, t.peer, sink)
            t = replace(t, sink=sink.wire())
        return _resumed(node, tx, t, signaling.heard("DataFlowResumeMessage", pid, message))

    check(node, who)
    _check_steps(node)
    return await _served(node, await commit(node, unit))


async def suspend(node: Node, who: Actor, pid: str, message: str | None = None) -> None:
    """Let no more of a flow leave until it is started again; twice is once.

    Raises:
        Problem: `access-role`, `signaling-off`, `transfer-unknown`, `protocol-illegal-act`.
    """
    said = signaling.heard("DataFlowSuspendMessage", pid, message)

    def unit(tx: Tx) -> None:
        t = _flow(tx, pid)
        if _said_before(tx, said):
            return
        if t.state is State.SUSPENDED:
            # Held by our monitor, perhaps: from now on only the control plane lets it go on.
            held = replace(t, suspended_by=Role.CONSUMER, code=None, reasons=())
            t = t if t.suspended_by is Role.CONSUMER else replace(held, version=t.version + 1)
        else:
            t = _acted(node, t, Act.SUSPEND)
        ledger.received(node, tx, t, said)
        save_transfer(tx, t)

    check(node, who)
    await commit(node, unit)


async def terminate(node: Node, who: Actor, pid: str) -> None:
    """End a flow for good; one that has ended stays as it ended.

    Raises:
        Problem: `access-role`, `signaling-off`, `transfer-unknown`.
    """
    said = signaling.heard("DataFlowTerminateMessage", pid)
    await _end(node, who, pid, Act.TERMINATE, said, TERMINAL)


async def complete(node: Node, who: Actor, pid: str) -> None:
    """End a flow because its consumer has all it wanted (plain JSON); twice is once.

    Raises:
        Problem: `access-role`, `signaling-off`, `transfer-unknown`, `protocol-illegal-act`.
    """
    said = signaling.heard("DataFlowCompleted", pid)
    await _end(node, who, pid, Act.COMPLETE, said, frozenset({State.COMPLETED}))


async def status(node: Node, who: Actor, pid: str) -> Json:
    """How a flow stands, in the words of plain JSON.

    Raises:
        Problem: `access-role`, `signaling-off`, `transfer-unknown`.
    """
    check(node, who)
    return plain.status(await node.store.read(lambda tx: _flow(tx, pid)))


def consume(node: Node, who: Actor) -> NoReturn:
    """A control plane wants to receive data here: this node is a provider's data plane only.

    Raises:
        Problem: `access-role`, `signaling-off`, `signaling-consumes`.
    """
    check(node, who)
    raise Problem("signaling-consumes")


async def _end(
    node: Node, who: Actor, pid: str, act: Act, said: Json, done: frozenset[State]
) -> None:
    """Let an act end a flow; in a state of `done` there is nothing left to do."""

    def unit(tx: Tx) -> None:
        t = _flow(tx, pid)
        if t.state in done:
            return
        t = _acted(node, t, act)
        ledger.received(node, tx, t, said)
        save_transfer(tx, t)

    check(node, who)
    await commit(node, unit)


def _checked(node: Node, message: FlowStart) -> FlowStart:
    """What needs no look into the store: that we could serve it, and whom we would answer to. A
    start that names nobody to answer to is answered to whom we serve, as any other.
    """
    expected = str(node.settings.signaling.control_plane).rstrip("/")
    if message.callback not in {"", expected}:
        raise Problem("signaling-callback", found=message.callback[:200], expected=expected)
    known = (*signaling.PULLS, signaling.PUSH)
    if message.transfer_type not in known:
        found = message.transfer_type[:60]
        raise Problem("transfer-format", found=found, known=", ".join(known))
    if message.transfer_type == signaling.PUSH:
        _check_sink(node, message.consumer, message.sink)
    _check_steps(node)
    return replace(message, callback=expected)


def _check_steps(node: Node) -> None:
    if "start" in node.settings.steps.by_hand:
        raise Problem("signaling-by-hand")


def _check_sink(node: Node, consumer: str, sink: DataAddress | None) -> None:
    """Refuse a push to nowhere, or to where the operator did not allow it for that consumer.

    Raises:
        Problem: `transfer-sink`, `signaling-sink`, `identity-url-invalid`; `delivery-…` for an
            address that is none we ever speak to.
    """
    url, settings = "" if sink is None else signaling.url_of(sink), node.settings
    if not url:
        raise Problem("transfer-sink")
    check_url(url, private=networks(settings.egress.private), dev=settings.dev.on)
    allowed = {
        did_web.origin(one.url) for one in settings.signaled_sink if one.consumer == consumer
    }
    if did_web.origin(url) not in allowed:
        raise Problem("signaling-sink", consumer=consumer, origin=did_web.origin(url))


async def _served(node: Node, t: Transfer) -> Json:
    """The answer with the data address of a flow, once enough persons were counted for it; a push
    begins, in the background.

    Raises:
        Problem: `signaling-over`, `signaling-refused`.
    """
    if t.format == signaling.PUSH and t.state is State.COMPLETED:  # its answer was lost
        return signaling.flowing(t, node.ids.uuid())
    problem = None if t.over else await granting.too_few(node, t.pid)
    t = await commit(node, lambda tx: _started(node, tx, t.pid, problem))
    if t.over:
        raise await node.store.read(lambda tx: _why(tx, t))
    if t.format == signaling.PUSH:
        await pushing.soon(node)
        return signaling.flowing(t, node.ids.uuid())
    token = first_token(node, t.pid)
    return signaling.started(t, granting.endpoint(node, t), token, node.ids.uuid())


def _opened(node: Node, tx: Tx, message: FlowStart) -> Transfer:
    """The flow of a start as far as one transaction can bring it: new, resumed, or as it was."""
    known = rows.get(tx, pid=message.process)
    if known is None:
        return _new(node, tx, message)
    if known.control != message.mark:
        raise Problem("signaling-conflict", id=message.process)
    if known.state is not State.SUSPENDED:
        return known
    if signaling.form_of(known) is Form.PLAIN:  # a start that comes late; there, `resume` resumes
        raise Problem("signaling-conflict", id=message.process)
    return _resumed(node, tx, known, message.document())


def _resumed(node: Node, tx: Tx, known: Transfer, said: Json) -> Transfer:
    """A suspended flow after the word that lets it go on.

    Raises:
        Problem: `signaling-conflict`: this very message was obeyed before; `protocol-illegal-act`.
    """
    if _said_before(tx, said):
        raise Problem("signaling-conflict", id=known.pid)
    t = _acted(node, known, Act.START)
    ledger.received(node, tx, t, said)
    save_transfer(tx, t)
    return t


def _said_before(tx: Tx, said: Json) -> bool:
    """Whether a message with an id has arrived before; JSON-LD has none, and is taken as said."""
    if said.get("message") is None or said["@type"] == "DataFlowStartMessage":
        return False
    once = digest(said)
    return any(row.digest == once for row in messages.of(tx, process=str(said["process"])))


def _new(node: Node, tx: Tx, message: FlowStart) -> Transfer:
    agreement = binding.bound(node, tx, message)
    quarantine.check(tx, Plan.read(agreement.plan))
    t = machine.start_provider(
        now=node.clock.now(),
        pid=message.process,
        consumer_pid=message.process,
        peer=message.consumer,
        callback=message.callback,
        agreement=agreement.id,
        format=message.transfer_type,
        sink=message.sink.wire() if message.sink else None,
    )
    t = replace(t, control=message.mark)
    ledger.received(node, tx, t, message.document())
    save_transfer(tx, t)
    groups, form = groups_of(tx, t.peer), transfers.forms_of(agreement)[0]
    refused = granting.refused(node, tx, t, agreement, groups, form)
    if refused is not None:
        t = _ended(node, t, *refused)
        save_transfer(tx, t)
    return t


def _started(node: Node, tx: Tx, pid: str, problem: Problem | None) -> Transfer:
    """The flow once its persons were counted: started, or ended because of `problem`."""
    t = _flow(tx, pid)
    due = t.state is State.REQUESTED or t.address_due
    if not due:
        return t
    if problem is None:
        problem = _denied_now(node, tx, t)
    if problem is not None:
        t = _ended(node, t, *halting.told(problem))
    else:
        t = granting.start(node, tx, t)
    save_transfer(tx, t)
    return t


def _denied_now(node: Node, tx: Tx, t: Transfer) -> Problem | None:
    """Whether the agreement's policy, asked again, forbids what was suspended to go on."""
    if t.state is State.REQUESTED:  # it was judged in the transaction before
        return None
    release = load(tx, t.pid)
    quarantine.check(tx, release.plan)
    groups = groups_of(tx, t.peer)
    decision = judge(node, tx, t, release.agreement, "monitor", groups)
    if decision.permitted:
        return None
    return binding.reasons(granting.noted(node, tx, t, decision))


def _flow(tx: Tx, pid: str) -> Transfer:
    """A flow by the control plane's id; a transfer of ours is none.

    Raises:
        Problem: `transfer-unknown`.
    """
    t = rows.get(tx, pid=pid)
    if t is None or t.control is None:
        raise Problem("transfer-unknown")
    return t


def _acted(node: Node, t: Transfer, act: Act) -> Transfer:
    """The flow after an act of the other side, which the control plane passes on."""
    return machine.step(
        t,
        act,
        Role.CONSUMER,
        node.clock.now(),
        provider_pid=t.provider_pid,
        consumer_pid=t.consumer_pid,
    )


def _ended(node: Node, t: Transfer, code: str, reasons: Sequence[str]) -> Transfer:
    """Over, and nothing to tell: the answer to the start says it."""
    now = node.clock.now()
    return machine.step(t, Act.TERMINATE, t.role, now, code=code, reasons=tuple(reasons))


def _why(tx: Tx, t: Transfer) -> Problem:
    """Why a flow is over, as its control plane may pass it on."""
    made = decisions.of(tx, process=t.pid)
    if made and made[-1].outcome != "permit":
        return binding.reasons(made[-1].shared)
    return Problem(_OVER, state=t.state.value, reasons=" ".join(t.reasons) or "-")
