"""Ending or pausing a transfer from our side, with a code and reasons the peer reads."""

from collections.abc import Sequence

from connector.protocol import errors, messages
from connector.protocol import transfer as machine
from connector.protocol.transfer import Act, Transfer
from connector.services import ledger
from connector.services.node import Node
from connector.store import outbox
from connector.store.store import Tx
from policies.problem import Problem


def end(node: Node, tx: Tx, t: Transfer, problem: Problem) -> Transfer:
    """End a transfer because of a problem, telling the peer what it may know of it."""
    return stop(node, tx, t, Act.TERMINATE, *told(problem))


def told(problem: Problem) -> tuple[str, list[str]]:
    """A problem's code and reasons, as far as the peer may know them."""
    shared = errors.shared(problem)
    return shared.code, errors.reasons(shared)


def stop(node: Node, tx: Tx, t: Transfer, act: Act, code: str, reasons: Sequence[str]) -> Transfer:
    """Suspend or terminate from our side, with a code and reasons. A peer that has not answered yet
    is told of the end once it does. A request that was never tried is not sent at all; one that
    was may have arrived, its answer lost, so it is said until an answer comes.
    """
    if t.peer_pid is None and act is Act.TERMINATE and not t.over:
        outbox.drop_untried(tx, process=t.pid)
        now, why = node.clock.now(), tuple(reasons)
        return machine.unanswered(t, now, code=code, reasons=why, by=t.role)
    t = machine.step(t, act, t.role, node.clock.now(), code=code, reasons=tuple(reasons))
    tell(node, tx, t)
    return t


def tell(node: Node, tx: Tx, t: Transfer) -> None:
    """Send the peer what we have done to a transfer: paused or ended it."""
    kind = messages.TransferTermination if t.over else messages.TransferSuspension
    message = kind(
        id=node.ids.uuid(),
        provider_pid=str(t.provider_pid),
        consumer_pid=str(t.consumer_pid),
        code=t.code,
        reasons=t.reasons,
    )
    ledger.sent(node, tx, t, message)
