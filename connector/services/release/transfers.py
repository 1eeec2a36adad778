"""Messages of a transfer as they arrive, on either side (DSP 2025-1, Transfer Process).

A provider decides in two steps: the policy at once, in the transaction that answers; whether
enough persons are left to release anything (X4) right after it, because that takes a walk
over the data. Only then the transfer starts.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Unpack

from catalog import documents
from connector.dataplane.table_release import NDJSON
from connector.protocol import messages
from connector.protocol import transfer as machine
from connector.protocol.messages import extension
from connector.protocol.transfer import Act, Content, Role, Transfer
from connector.services import ledger
from connector.services.access import Caller, check_address
from connector.services.fetch import addresses
from connector.services.messages import repeats
from connector.services.messages.inbound import Incoming, Reply, admit, receive
from connector.services.negotiate.agreements import attests
from connector.services.node import Node
from connector.services.processes import save_transfer, transfer
from connector.services.release import granting, pushing
from connector.store import agreements as agreement_rows
from connector.store import outbox
from connector.store.rows import AgreementRow
from connector.store.store import Tx
from policies.problem import Problem

OK: Final = 200
CREATED: Final = 201
PULL: Final = "HttpData-PULL"
_PATIENCE: Final = 2.0
FORMAT: Final = "format"
"""Our member on a transfer request: the name of the distribution asked for."""


async def state_requested(node: Node, caller: Caller, pid: str) -> Reply:
    """GET: the transfer's state, to its two parties only; anybody else gets a 404."""
    await admit(node, caller)
    found = await node.store.read(lambda tx: transfer(tx, pid, peer=caller.did))
    return Reply(OK, messages.TransferProcess.of(found).wire())


async def requested(node: Node, incoming: Incoming[messages.TransferRequest]) -> Reply:
    """A consumer asks for data under an agreement. Repeating a pid changes nothing (DSP SHOULD)."""
    message, caller = incoming.message, incoming.caller

    def act(tx: Tx) -> Reply:
        agreement = _granted(tx, caller, message)
        form = _form(agreement, message)
        check_address(node, caller, message.callback)
        pushing.check(node, caller, message)
        t = machine.start_provider(
            now=node.clock.now(),
            pid=node.ids.uuid(),
            consumer_pid=message.consumer_pid,
            peer=caller.did,
            callback=message.callback,
            agreement=agreement.id,
            format=message.format,
            sink=message.address.wire() if message.address else None,
        )
        ledger.received(node, tx, t, incoming.wire, incoming.written)
        reply = Reply(CREATED, messages.TransferProcess.of(t).wire())
        save_transfer(tx, t)
        save_transfer(tx, granting.open_session(node, tx, t, agreement, caller.groups, form))
        return reply

    reply = await receive(node, incoming, act)
    granting.prepare_soon(node)
    return reply


async def started(node: Node, incoming: Incoming[messages.TransferStart]) -> Reply:
    """Data may flow (from the provider), or a consumer resumes what was suspended.

    An address of no use to us is taken note of (T9), and people read why before they fetch.
    """
    address = incoming.message.address

    def act(tx: Tx) -> Reply:
        if _repeated(node, tx, incoming, Act.START):
            _readdress(node, tx, incoming)
            return Reply(OK)
        if _crossed(node, tx, incoming, Act.START):
            return Reply(OK)
        t = _step(node, tx, incoming, Act.START, data_address=address.wire() if address else None)
        t = _looked_at(node, incoming, t)
        save_transfer(tx, t)
        if t.role is Role.CONSUMER:
            return Reply(OK)
        if t.format == pushing.PUSH and address is not None:  # it wants none (T12)
            save_transfer(tx, pushing.moved(node, tx, incoming.caller, t, address))
            return Reply(OK)
        save_transfer(tx, granting.start(node, tx, t))
        return Reply(OK)

    reply = await _in_turn(node, incoming, act)
    await pushing.soon(node)
    return reply


async def suspended(node: Node, incoming: Incoming[messages.TransferSuspension]) -> Reply:
    """The peer pauses."""

    def act(tx: Tx) -> Reply:
        if _crossed(node, tx, incoming, Act.SUSPEND):
            return Reply(OK)
        return _stop(node, tx, incoming, Act.SUSPEND)

    return await _in_turn(node, incoming, act)


async def terminated(node: Node, incoming: Incoming[messages.TransferTermination]) -> Reply:
    """The peer ends it for good."""
    return await receive(node, incoming, lambda tx: _stop(node, tx, incoming, Act.TERMINATE))


async def completed(node: Node, incoming: Incoming[messages.TransferCompletion]) -> Reply:
    """The peer has finished."""

    def act(tx: Tx) -> Reply:
        if not _repeated(node, tx, incoming, Act.COMPLETE):
            save_transfer(tx, _step(node, tx, incoming, Act.COMPLETE))
        return Reply(OK)

    return await receive(node, incoming, act)


async def _in_turn(node: Node, incoming: Incoming[Any], act: Callable[[Tx], Reply]) -> Reply:
    """Receive a pause or a resumption; a provider's own undelivered messages go first.

    So the provider's order of events is the order of both, and what a consumer asks for counts
    after all that it was told (divergences, T10). Until then it is told to come again.
    """
    pid, peer = str(incoming.pid), incoming.caller.did
    await node.worker.quiet(pid, _PATIENCE)
    flying = node.worker.delivering

    def unit(tx: Tx) -> Reply:
        if transfer(tx, pid, peer=peer).role is Role.PROVIDER and not attests(node, peer):
            queue = outbox.of(tx, process=pid)
            if any(row.state == "pending" and row.seq not in flying for row in queue):
                raise Problem("transfer-own-first")
        return act(tx)

    try:
        return await receive(node, incoming, unit)
    except Problem as problem:
        if problem.code == "transfer-own-first":
            await node.worker.hasten(pid, peer)
        raise


def _stop(
    node: Node,
    tx: Tx,
    incoming: Incoming[messages.TransferSuspension] | Incoming[messages.TransferTermination],
    act: Act,
) -> Reply:
    message = incoming.message
    if not _repeated(node, tx, incoming, act):
        t = _step(node, tx, incoming, act, code=message.code, reasons=message.reasons)
        save_transfer(tx, t)
    return Reply(OK)


def _granted(tx: Tx, caller: Caller, message: messages.TransferRequest) -> AgreementRow:
    """The caller's active agreement that the message names.

    Raises:
        Problem: `agreement-unknown` (also for somebody else's), `agreement-inactive`,
            `transfer-format`.
    """
    found = agreement_rows.get(tx, id=message.agreement)
    if found is None or (found.peer, found.role) != (caller.did, Role.PROVIDER.value):
        raise Problem("agreement-unknown")
    if found.state != "active":
        raise Problem("agreement-inactive", state=found.state)
    if message.format not in {PULL, pushing.PUSH}:
        known = f"{PULL}, {pushing.PUSH}"
        raise Problem("transfer-format", found=message.format[:60], known=known)
    return found


def _form(agreement: AgreementRow, message: messages.TransferRequest) -> str:
    """The distribution asked for; a peer that does not know our member gets the first one.

    DSP's `format` names the way of the transfer (`HttpData-PULL`), which all our distributions
    share; which of them it is stands in our member `format`, by its name in the dataset document.

    Raises:
        Problem: `transfer-format`, naming those of the dataset; `protocol-extension-invalid`.
    """
    known = forms_of(agreement)
    asked = extension(message.extensions, FORMAT)
    if asked is None:
        return known[0]
    if asked not in known:
        raise Problem("transfer-format", found=str(asked)[:60], known=", ".join(known))
    return str(asked)


def forms_of(agreement: AgreementRow) -> list[str]:
    """The distributions of an agreed dataset by name, rows as NDJSON first."""
    found = documents.read(agreement.dataset_document or {})
    return sorted((form.name for form in found.distributions), key=lambda name: name != NDJSON)


def _readdress(node: Node, tx: Tx, incoming: Incoming[messages.TransferStart]) -> None:
    """A start that is said again brings the address that is good now."""
    t, address = transfer(tx, str(incoming.pid), peer=incoming.caller.did), incoming.message.address
    if address is None:
        return
    if t.role is Role.CONSUMER:
        t = replace(t, data_address=address.wire(), version=t.version + 1)
        save_transfer(tx, _looked_at(node, incoming, t))
    elif t.format == pushing.PUSH:
        save_transfer(tx, pushing.moved(node, tx, incoming.caller, t, address))


def _looked_at(node: Node, incoming: Incoming[messages.TransferStart], t: Transfer) -> Transfer:
    """A consumer's transfer with what keeps it from fetching from this address, if anything."""
    if t.role is not Role.CONSUMER or t.format == pushing.PUSH:
        return t
    try:
        signs = not attests(node, t.peer)
        addresses.usable(incoming.message.address, incoming.caller.document, signs=signs)
    except Problem as problem:
        return replace(t, code=problem.code, reasons=(problem.text("en"), problem.text("fr")))
    return replace(t, code=None, reasons=())


def _repeated(node: Node, tx: Tx, incoming: Incoming[Any], act: Act) -> bool:
    """Whether a peer without signatures says again what it has said (`repeats`)."""
    t = transfer(tx, str(incoming.pid), peer=incoming.caller.did)
    alone = act is Act.START and incoming.message.address is not None
    return _names(incoming, t) and repeats.transferring(node, tx, t, act, alone=alone)


def _crossed(node: Node, tx: Tx, incoming: Incoming[Any], act: Act) -> bool:
    """Whether the peer asks for what we had done when it did not know yet; then it is noted."""
    t = transfer(tx, str(incoming.pid), peer=incoming.caller.did)
    crossed = _names(incoming, t) and t.crossed(act, t.role.other)
    if crossed:
        ledger.received(node, tx, t, incoming.wire, incoming.written)
    return crossed


def _names(incoming: Incoming[Any], t: Transfer) -> bool:
    pids = (incoming.message.provider_pid, incoming.message.consumer_pid)
    return pids == (t.provider_pid, t.consumer_pid)


def _step(
    node: Node, tx: Tx, incoming: Incoming[Any], act: Act, **content: Unpack[Content]
) -> Transfer:
    """The caller's transfer after its message, which is noted."""
    if incoming.pid is None:
        raise Problem("transfer-unknown")
    before = transfer(tx, incoming.pid, peer=incoming.caller.did)
    content["provider_pid"] = incoming.message.provider_pid
    content["consumer_pid"] = incoming.message.consumer_pid
    t = machine.step(before, act, before.role.other, node.clock.now(), **content)
    ledger.received(node, tx, t, incoming.wire, incoming.written)
    return t
