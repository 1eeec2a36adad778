"""Asking a peer where a process stands, when its answer to a message cannot be believed.

A peer without an inbox (an EDC) refuses what it has taken already: its first answer was lost on
the way, and to the repeat it says 409, "not now". Before such a refusal ends anything, the peer is
asked by GET; if it is where our message led, or further, the message had arrived.
"""

from typing import Final

from connector.protocol import messages
from connector.protocol.json import strict_json
from connector.protocol.machine import Role
from connector.protocol.negotiation import Negotiation
from connector.protocol.negotiation import State as Negotiated
from connector.protocol.transfer import Transfer
from connector.services import identity
from connector.services.node import Node
from policies.problem import Problem

CONFLICT: Final = 409
_OK: Final = 200
_PATH: Final = (
    Negotiated.REQUESTED,
    Negotiated.OFFERED,
    Negotiated.ACCEPTED,
    Negotiated.AGREED,
    Negotiated.VERIFIED,
    Negotiated.FINALIZED,
)


async def arrived(node: Node, process: Negotiation | Transfer) -> bool:
    """Whether the peer stands where we do, or further; False when it does not say so."""
    if process.peer_pid is None:
        return False
    place = "negotiations" if isinstance(process, Negotiation) else "transfers"
    headers = {"Authorization": identity.authorization(node, process.peer)}
    try:
        answer = await node.fetch.get(
            f"{process.callback}/{place}/{process.peer_pid}", headers=headers
        )
        return answer.status == _OK and _agrees(process, strict_json(answer.body))
    except Problem:
        return False


def _agrees(process: Negotiation | Transfer, wire: dict[str, object]) -> bool:
    """Whether the peer's answer is about this process, and its state no earlier than ours."""
    told: messages.ContractNegotiation | messages.TransferProcess
    if isinstance(process, Negotiation):
        told = messages.read(wire, messages.ContractNegotiation)
        reached = _reached(told.state, process.state)
    else:
        told = messages.read(wire, messages.TransferProcess)
        reached = told.state is process.state
    pids = {Role.PROVIDER: told.provider_pid, Role.CONSUMER: told.consumer_pid}
    return reached and pids[process.role] == process.pid


def _reached(theirs: Negotiated, ours: Negotiated) -> bool:
    if theirs not in _PATH or ours not in _PATH:
        return theirs == ours
    return _PATH.index(theirs) >= _PATH.index(ours)
