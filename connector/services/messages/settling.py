"""What came of a message the worker delivered: the peer's pid learnt, or a refusal recorded.

Runs before the message is marked, and perhaps twice; each branch finds its work done the second
time.
"""

import contextlib
from typing import Final

from connector.delivery.outbox import Outcome
from connector.protocol import messages
from connector.protocol import negotiation as negotiations
from connector.protocol import transfer as transfers
from connector.protocol.json import strict_json
from connector.protocol.messages import ContractNegotiation, TransferProcess, read_error
from connector.protocol.negotiation import Negotiation, Role
from connector.protocol.transfer import CONTROL_PLANE, Transfer
from connector.services.committing import commit
from connector.services.messages import reconciling
from connector.services.negotiate import agreements, deciding
from connector.services.node import Node
from connector.services.processes import (
    negotiation,
    save_negotiation,
    save_transfer,
    transfer,
)
from connector.services.release import halting
from connector.store.rows import OutboxRow
from connector.store.store import Tx, Unit
from policies.problem import Problem

__all__ = ["Outcome", "settle"]

_OPENING: Final = ("ContractRequestMessage", "ContractOfferMessage", "TransferRequestMessage")


async def settle(node: Node, row: OutboxRow, outcome: Outcome) -> bool | Unit[None]:
    """Record the outcome of one message; whether it has arrived, or what remains to be recorded
    with its mark.
    """
    if row.peer == CONTROL_PLANE:  # it is told what is so already, and its word changes nothing
        return outcome.delivered
    transferring = row.type.startswith("Transfer")
    if not outcome.delivered:
        if await _taken_already(node, row, outcome):
            return True
        end = _end_transfer if transferring else _end_negotiation
        await commit(node, lambda tx: end(node, tx, row, outcome))
        return False
    if row.type in _OPENING and outcome.response is not None and outcome.response.body:
        learn = _learn_transfer if transferring else _learn_negotiation
        body = outcome.response.body
        return lambda tx: learn(node, tx, row, body)
    if row.type in reconciling.CROSSING:
        await _crossing(node, row)
    return True


async def _taken_already(node: Node, row: OutboxRow, outcome: Outcome) -> bool:
    """Whether a message that is given up has arrived all the same: the peer refuses because it has
    taken it before, or one of its own crossed it and led to the same, or its answers were lost.
    """
    if await node.store.read(lambda tx: reconciling.answered(tx, row)):
        return True
    load = transfer if row.type.startswith("Transfer") else negotiation
    if outcome.response is None:
        if outcome.problem is None or outcome.problem.code != "delivery-expired":
            return False
        with contextlib.suppress(Problem):  # nobody there to ask: it is over
            process = await node.store.read(lambda tx: load(tx, row.process))
            return await reconciling.arrived(node, process)
        return False
    if outcome.response.status not in reconciling.REFUSED:
        return False
    if await _crossing(node, row):
        return True
    return await reconciling.arrived(node, await node.store.read(lambda tx: load(tx, row.process)))


async def _crossing(node: Node, row: OutboxRow) -> bool:
    """Whether a pause or resumption may have crossed one of the provider's, and is settled by
    standing where the provider stands.
    """
    if not await node.store.read(lambda tx: reconciling.may_have_crossed(node, tx, row)):
        return False
    return await reconciling.settle_crossing(node, row)


def _learn_negotiation(node: Node, tx: Tx, row: OutboxRow, body: bytes) -> None:
    n = negotiation(tx, row.process)
    if n.peer_pid is not None:
        return
    answer = messages.read(strict_json(body), ContractNegotiation)
    now = node.clock.now()
    pids = {"provider_pid": answer.provider_pid, "consumer_pid": answer.consumer_pid}
    learned = negotiations.learn(n, now, **pids)
    if learned.terminated_by is learned.role:  # ended before it was answered: now it can be said
        deciding.tell_end(node, tx, learned)
    save_negotiation(tx, learned)


def _learn_transfer(node: Node, tx: Tx, row: OutboxRow, body: bytes) -> None:
    t = transfer(tx, row.process)
    if t.peer_pid is not None:
        return
    answer = messages.read(strict_json(body), TransferProcess)
    now = node.clock.now()
    pids = {"provider_pid": answer.provider_pid, "consumer_pid": answer.consumer_pid}
    learned = transfers.learn(t, now, **pids)
    if answer.state is transfers.State.TERMINATED and not learned.over:  # nothing else will come
        told = Problem("transfer-ended", state=answer.state.value, reasons="–")
        texts = (told.text("en"), told.text("fr"))
        learned = transfers.unanswered(learned, now, code=told.code, reasons=texts)
    if learned.over and learned.ended_by is learned.role:
        halting.tell(node, tx, learned)
    save_transfer(tx, learned)


def _end_negotiation(node: Node, tx: Tx, row: OutboxRow, outcome: Outcome) -> None:
    """The peer refused, or could not be reached in time: the negotiation is over for us."""
    n = negotiation(tx, row.process)
    by = n.role.other
    if not n.legal(negotiations.Act.TERMINATE, by):
        return
    code, reasons = _reasons(outcome)
    if n.peer_pid is None:
        now = node.clock.now()
        save_negotiation(tx, negotiations.unanswered(n, now, code=code, reasons=reasons))
        return
    if n.role is Role.PROVIDER and agreements.attests(node, n.peer):
        # An EDC that refuses our agreement stays where it was, and would wait for ever.
        save_negotiation(tx, deciding.terminate(node, tx, n, code, reasons))
        return
    ended: Negotiation = negotiations.step(
        n,
        negotiations.Act.TERMINATE,
        by,
        node.clock.now(),
        provider_pid=n.provider_pid,
        consumer_pid=n.consumer_pid,
        code=code,
        reasons=reasons,
    )
    deciding.close(tx, ended)
    save_negotiation(tx, ended)


def _end_transfer(node: Node, tx: Tx, row: OutboxRow, outcome: Outcome) -> None:
    t = transfer(tx, row.process)
    by = t.role.other
    if not t.legal(transfers.Act.TERMINATE, by):
        return
    code, reasons = _reasons(outcome)
    if t.peer_pid is None:
        save_transfer(tx, transfers.unanswered(t, node.clock.now(), code=code, reasons=reasons))
        return
    ended: Transfer = transfers.step(
        t,
        transfers.Act.TERMINATE,
        by,
        node.clock.now(),
        provider_pid=t.provider_pid,
        consumer_pid=t.consumer_pid,
        code=code,
        reasons=reasons,
    )
    save_transfer(tx, ended)


def _reasons(outcome: Outcome) -> tuple[str, tuple[str, ...]]:
    """The peer's own words, or ours about why it was given up."""
    if outcome.response is not None and outcome.response.body:
        told = read_error(outcome.response.body)
        if told.reasons or told.code:
            return told.code or "refused", told.reasons
    problem = outcome.problem or Problem("http-internal")
    return problem.code, (problem.text("en"), problem.text("fr"))
