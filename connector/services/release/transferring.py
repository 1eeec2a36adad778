"""What people do about transfers: start, suspend, resume, terminate."""

from catalog import foreign
from connector.dataplane.table_release import NDJSON
from connector.protocol import messages
from connector.protocol import transfer as machine
from connector.protocol.errors import LocalProtocolError
from connector.protocol.messages import extend
from connector.protocol.transfer import Act, Role, State, Transfer
from connector.services import access, ledger
from connector.services.access import Actor
from connector.services.committing import commit
from connector.services.fetch import plain, sinking
from connector.services.negotiate import agreements
from connector.services.node import Node
from connector.services.processes import negotiation, save_transfer, transfer
from connector.services.release import granting, halting, pushing, transfers
from connector.services.show.views import find_agreement
from connector.store import parts
from connector.store import transfers as rows
from connector.store.rows import AgreementRow, SessionRow
from connector.store.store import Tx
from policies.problem import Problem

_MAY = ("operator", "researcher", "dpo")


async def start(node: Node, who: Actor, agreement: str, form: str, *, push: bool = False) -> str:
    """Ask the provider for the agreed data; the pid of the transfer, the running one if any.

    With `push` a provider that signs nothing is asked to send them here.

    Raises:
        Problem: `access-role`, `agreement-unknown`, `agreement-inactive`, `agreement-not-ours`,
            `transfer-format`, `transfer-format-running` (one runs in another form).
    """
    access.require(who, "operator", "researcher")

    def unit(tx: Tx) -> str:
        row = find_agreement(tx, agreement)
        if row.role != Role.CONSUMER.value:
            raise Problem("agreement-not-ours")
        for known in rows.of_agreement(tx, agreement=row.id):
            if known.state not in {state.value for state in machine.TERMINAL}:
                running = form_of(tx, known.pid)
                if running not in {form, plain.FORM}:
                    raise Problem("transfer-format-running", running=running)
                return known.pid
        if row.state != "active":
            raise Problem("agreement-inactive", state=row.state)
        word, chosen = _form(node, row, form, push=push)
        token = access.new_secret(node) if word == pushing.PUSH else None
        t = machine.start_consumer(
            now=node.clock.now(),
            pid=node.ids.uuid(),
            peer=row.peer,
            callback=negotiation(tx, row.negotiation).callback,
            agreement=row.id,
            format=word,
        )
        sink = sinking.address(node, t.pid, token) if token else None
        message = messages.TransferRequest(
            id=node.ids.uuid(),
            consumer_pid=t.pid,
            agreement=agreements.wire_name(row),
            format=t.format,
            callback=node.dsp,
            address=sink,
            extensions={} if chosen == plain.FORM else extend({}, transfers.FORMAT, chosen),
        )
        ledger.sent(node, tx, t, message)
        save_transfer(tx, t)
        parts.put_session(
            tx, SessionRow(t.pid, access.token_hash(token) if token else None, {"format": chosen})
        )
        return t.pid

    return await commit(node, unit)


def _form(node: Node, row: AgreementRow, form: str, *, push: bool) -> tuple[str, str]:
    """The wire's word for the way of the transfer, and the distribution asked for by name."""
    if agreements.attests(node, row.peer):
        if not row.dataset_document:  # asked for under terms that came by letter
            return transfers.PULL if form == NDJSON else form, plain.FORM
        offered = foreign.dataset(row.dataset_document)
        if push and pushing.PUSH in offered.formats:
            return pushing.PUSH, plain.FORM
        if offered.pull is None:
            found = ", ".join(offered.formats)[:200] or "-"
            raise Problem("transfer-format", found=found, known=", ".join(sorted(foreign.PULLS)))
        return offered.pull, plain.FORM
    known = transfers.forms_of(row)
    if form not in known or push:
        found = pushing.PUSH if push else form
        raise Problem("transfer-format", found=found[:60], known=", ".join(known))
    return transfers.PULL, form


def form_of(tx: Tx, pid: str) -> str:
    """The distribution that a transfer is about, by its name."""
    session = parts.session(tx, transfer=pid)
    return str(session.body.get("format", NDJSON)) if session else NDJSON


async def suspend(node: Node, who: Actor, pid: str, reason: str) -> None:
    """Pause a transfer.

    Raises:
        Problem: `access-role`, `transfer-unknown`, `protocol-not-now`.
    """
    await _stop(node, who, pid, Act.SUSPEND, "suspended-by-person", reason)


async def terminate(node: Node, who: Actor, pid: str, reason: str) -> None:
    """End a transfer; raises like `suspend`."""
    await _stop(node, who, pid, Act.TERMINATE, "terminated-by-person", reason)


async def begin(node: Node, who: Actor, pid: str) -> None:
    """Let a transfer start that waits for a person (`[steps] by_hand`); whether enough persons
    are left is still looked at (X4).

    Raises:
        Problem: `access-role`, `transfer-unknown`, `protocol-not-now`.
    """
    access.require(who, *_MAY)

    def unit(tx: Tx) -> None:
        t = transfer(tx, pid)
        if (t.state, t.role) != (State.REQUESTED, Role.PROVIDER):
            raise _not_now(t, Act.START)
        granting.release(tx, pid)

    await commit(node, unit)
    granting.prepare_soon(node)


async def complete(node: Node, who: Actor, pid: str) -> None:
    """Say that a transfer is over as agreed; either party can. Raises like `suspend`."""
    access.require(who, *_MAY)

    def unit(tx: Tx) -> None:
        t = transfer(tx, pid)
        t = machine.step(t, Act.COMPLETE, t.role, node.clock.now())
        message = messages.TransferCompletion(
            id=node.ids.uuid(),
            provider_pid=str(t.provider_pid),
            consumer_pid=str(t.consumer_pid),
        )
        ledger.sent(node, tx, t, message)
        save_transfer(tx, t)

    await commit(node, unit)


async def resume(node: Node, who: Actor, pid: str) -> None:
    """Let a suspended transfer go on; the provider judges anew. Raises like `suspend`."""
    access.require(who, *_MAY)

    def unit(tx: Tx) -> None:
        t = transfer(tx, pid)
        if t.state is not State.SUSPENDED:
            raise _not_now(t, Act.START)
        if t.role is Role.PROVIDER:
            save_transfer(tx, granting.start(node, tx, t))
            return
        t = machine.step(t, Act.START, Role.CONSUMER, node.clock.now())
        message = messages.TransferStart(
            id=node.ids.uuid(), provider_pid=str(t.provider_pid), consumer_pid=t.pid
        )
        ledger.sent(node, tx, t, message)
        save_transfer(tx, t)

    await commit(node, unit)
    await pushing.soon(node)


def _not_now(t: Transfer, act: Act) -> LocalProtocolError:
    """What somebody asks for at the wrong moment."""
    params = {"act": act.value, "by": t.role.value, "state": t.state.value}
    return LocalProtocolError("protocol-not-now", **params)


async def _stop(node: Node, who: Actor, pid: str, act: Act, code: str, reason: str) -> None:
    access.require(who, *_MAY)
    reasons = [reason] if reason else []

    def unit(tx: Tx) -> None:
        save_transfer(tx, halting.stop(node, tx, transfer(tx, pid), act, code, reasons))

    await commit(node, unit)
