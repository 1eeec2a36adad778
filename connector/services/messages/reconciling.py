"""Asking a peer where a process stands, when its answer to a message cannot be believed.

A peer that has taken a message already may refuse its repeat, if it keeps no inbox (an EDC: 409) or
if messages of both sides crossed (400). Before such a refusal ends anything, the peer is asked by
GET; if it is where our message led, or further, the message had arrived.

In a transfer either side may pause and resume, so what both do at once can end in two states. The
provider's state is the one that counts: a consumer whose pause or resumption could have crossed
the provider's asks for it and takes it over (divergences, T10).
"""

from functools import partial
from typing import Final

from connector.protocol import messages
from connector.protocol.json import strict_json
from connector.protocol.machine import Role
from connector.protocol.messages import ContractNegotiation, TransferProcess
from connector.protocol.negotiation import Negotiation
from connector.protocol.negotiation import State as Negotiated
from connector.protocol.paths import negotiation_path, transfer_path
from connector.protocol.transfer import State as Transferred
from connector.protocol.transfer import Transfer, adopt
from connector.services import identity
from connector.services.committing import commit
from connector.services.negotiate.agreements import attests
from connector.services.node import Node
from connector.services.processes import negotiation, save_transfer, transfer
from connector.store import attempts, outbox
from connector.store import messages as kept
from connector.store.rows import AttemptRow, OutboxRow
from connector.store.store import Tx
from policies.problem import Problem

Process = Negotiation | Transfer
Told = ContractNegotiation | TransferProcess

REFUSED: Final = frozenset({400, 409})
CROSSING: Final = frozenset({"TransferStartMessage", "TransferSuspensionMessage"})
_OK: Final = 200
_BUSY: Final = frozenset({408, 425, 429, *range(500, 600)})
_RUNNING: Final = frozenset({Transferred.STARTED, Transferred.SUSPENDED})
_PATH: Final = (
    Negotiated.REQUESTED,
    Negotiated.OFFERED,
    Negotiated.ACCEPTED,
    Negotiated.AGREED,
    Negotiated.VERIFIED,
    Negotiated.FINALIZED,
)


_LEADS: Final = {
    "ContractRequestMessage": Negotiated.REQUESTED,
    "ContractOfferMessage": Negotiated.OFFERED,
    "ContractAgreementMessage": Negotiated.AGREED,
    "ContractAgreementVerificationMessage": Negotiated.VERIFIED,
}


def answered(tx: Tx, row: OutboxRow) -> bool:
    """Whether the peer has since taken the step that only follows on our message: then it has
    arrived, whatever became of the answer to it, and what waits behind it may go.
    """
    if row.type not in _LEADS and row.type != "ContractNegotiationEventMessage":
        return False
    n = negotiation(tx, row.process)
    # A consumer's event is its acceptance; after a provider's nothing comes.
    ours = Negotiated.ACCEPTED if n.role is Role.CONSUMER else Negotiated.FINALIZED
    led = _LEADS.get(row.type, ours)
    return n.state in _PATH and _PATH.index(n.state) > _PATH.index(led)


async def arrived(node: Node, process: Process) -> bool:
    """Whether the peer stands where we do, or further; False when it does not say so, or when it
    was the peer, perhaps by this very refusal, who ended the process.

    Raises:
        Problem: it cannot be asked now.
    """
    ended = process.terminated_by if isinstance(process, Negotiation) else process.ended_by
    if ended is process.role.other:
        return False
    told = await _told(node, process)
    if isinstance(process, Transfer):
        return told is not None and told.state is process.state
    return told is not None and _reached(Negotiated(told.state), process.state)


async def settle_crossing(node: Node, row: OutboxRow) -> bool:
    """Take over the provider's state after a pause or resumption of ours that may have crossed
    one of its own; whether it runs or pauses still. Safe to repeat.

    Raises:
        Problem: it cannot be asked now.
    """
    while True:
        t, heard = await node.store.read(lambda tx: (transfer(tx, row.process), _heard(tx, row)))
        told = await _told(node, t)
        if told is None or told.state not in _RUNNING:
            return False
        adopting = partial(_adopt, node, row, heard, Transferred(told.state))
        if await commit(node, adopting):
            return True


def may_have_crossed(node: Node, tx: Tx, row: OutboxRow) -> bool:
    """Whether a message of ours is a consumer's pause or resumption in a transfer that its
    (signing) provider has paused too.
    """
    if row.type not in CROSSING or attests(node, row.peer):
        return False
    t = transfer(tx, row.process)
    said = kept.of(tx, process=row.process)
    paused = any((m.direction, m.type) == ("in", "TransferSuspensionMessage") for m in said)
    return t.role is Role.CONSUMER and not t.over and paused


def _heard(tx: Tx, row: OutboxRow) -> int:
    """How many messages of the peer there are in a process."""
    return sum(m.direction == "in" for m in kept.of(tx, process=row.process))


def _adopt(node: Node, row: OutboxRow, heard: int, state: Transferred, tx: Tx) -> bool:
    """Stand where the provider stands; False when it has said something else meanwhile."""
    if _heard(tx, row) != heard:
        return False
    t = transfer(tx, row.process)
    ours = [one for one in outbox.of(tx, process=t.pid) if one.state == "pending"]
    if t.over or [one.seq for one in ours] not in ([], [row.seq]):
        return True  # what we still have to say will be asked about in its turn
    now = node.clock.now()
    adopted = adopt(t, state, now)
    if adopted != t:
        attempts.put(tx, AttemptRow(row.seq, 0, now, problem="transfer-crossed"))
        save_transfer(tx, adopted)
    return True


async def _told(node: Node, process: Process) -> Told | None:
    """What the peer says of the process; None when it says nothing about this one."""
    if process.peer_pid is None:
        return None
    path = negotiation_path if isinstance(process, Negotiation) else transfer_path
    headers = {"Authorization": identity.authorization(node, process.peer)}
    answer = await node.fetch.get(process.callback + path(process.peer_pid), headers=headers)
    if answer.status in _BUSY:
        raise Problem("delivery-unsettled")
    return _read(process, answer.body) if answer.status == _OK else None


def _read(process: Process, body: bytes) -> Told | None:
    told: Told
    try:
        if isinstance(process, Negotiation):
            told = messages.read(strict_json(body), ContractNegotiation)
        else:
            told = messages.read(strict_json(body), TransferProcess)
    except Problem:
        return None
    pids = {Role.PROVIDER: told.provider_pid, Role.CONSUMER: told.consumer_pid}
    return told if pids[process.role] == process.pid else None


def _reached(theirs: Negotiated, ours: Negotiated) -> bool:
    # An offer may be what our request answered, and no answer to it.
    if ours is Negotiated.REQUESTED and theirs in {Negotiated.OFFERED, Negotiated.ACCEPTED}:
        return False
    if theirs not in _PATH or ours not in _PATH:
        return theirs == ours
    return _PATH.index(theirs) >= _PATH.index(ours)
