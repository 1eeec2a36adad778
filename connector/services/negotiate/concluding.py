"""The two last steps of a negotiation: the consumer signs, the provider makes final.

Both follow by themselves unless the node's `[steps] by_hand` leaves them to people: an institution
whose signature is somebody's office holds its negotiations in AGREED until that person has read
the agreement, one that checks papers first holds them in VERIFIED. Nothing else differs.
"""

from connector.protocol import messages
from connector.protocol import negotiation as machine
from connector.protocol.errors import LocalProtocolError
from connector.protocol.messages import Event
from connector.protocol.negotiation import Act, Negotiation, Role, State
from connector.services import access, ledger
from connector.services.access import Actor
from connector.services.committing import commit
from connector.services.negotiate import agreements
from connector.services.negotiate.agreements import Json
from connector.services.node import Node
from connector.services.processes import negotiation, save_negotiation
from connector.store import agreements as rows
from connector.store.store import Tx

_SIGNING = ("operator", "dpo")


def verify(node: Node, tx: Tx, n: Negotiation, proof: Json | None) -> Negotiation:
    """The consumer confirms; its signature goes along unless the provider could not read it."""
    n = machine.step(n, Act.VERIFY, Role.CONSUMER, node.clock.now())
    message = messages.ContractAgreementVerification(
        id=node.ids.uuid(),
        provider_pid=str(n.provider_pid),
        consumer_pid=n.pid,
        extensions=messages.extend({}, "proof", proof) if proof else {},
    )
    ledger.sent(node, tx, n, message)
    return n


def finalize(node: Node, tx: Tx, n: Negotiation) -> Negotiation:
    """The provider says that the agreement is in force."""
    n = machine.step(n, Act.FINALIZE, Role.PROVIDER, node.clock.now())
    message = messages.ContractNegotiationEvent(
        id=node.ids.uuid(),
        provider_pid=n.pid,
        consumer_pid=str(n.consumer_pid),
        event=Event.FINALIZED,
    )
    ledger.sent(node, tx, n, message)
    rows.set_state(tx, id=str(n.agreement_id), state="active")
    return n


async def verify_by_hand(node: Node, who: Actor, pid: str) -> None:
    """A person signs the agreement that waits in AGREED.

    Raises:
        Problem: `access-role`, `negotiation-unknown`, `protocol-not-now`.
    """
    access.require(who, *_SIGNING)

    def unit(tx: Tx) -> None:
        n = negotiation(tx, pid)
        _expect(n, State.AGREED, Act.VERIFY, Role.CONSUMER)
        proof = agreements.sign_kept(node, tx, n)
        told = None if agreements.attests(node, n.peer) else proof
        save_negotiation(tx, verify(node, tx, n, told))

    await commit(node, unit)


async def finalize_by_hand(node: Node, who: Actor, pid: str) -> None:
    """A person makes the agreement final that waits in VERIFIED.

    Raises:
        Problem: `access-role`, `negotiation-unknown`, `protocol-not-now`.
    """
    access.require(who, *_SIGNING)

    def unit(tx: Tx) -> None:
        n = negotiation(tx, pid)
        _expect(n, State.VERIFIED, Act.FINALIZE, Role.PROVIDER)
        save_negotiation(tx, finalize(node, tx, n))

    await commit(node, unit)


def _expect(n: Negotiation, state: State, act: Act, by: Role) -> None:
    """That a step waits for a person here: the right state, and ours to do."""
    if (n.state, n.role) != (state, by):
        raise LocalProtocolError(
            "protocol-not-now", act=act.value, by=n.role.value, state=n.state.value
        )
