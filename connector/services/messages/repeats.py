"""What a peer that cannot sign says twice under another name (an Eclipse EDC).

An EDC that loses its own step (two of its threads meet) says the same again, with a new message
id, and with a new name for the same agreement. It takes any 4xx as final, and then each side is in
another terminal state. So an act that lies behind us is answered 200 and changes nothing, and what
we answered it with is sent again, for the step that was lost was before that. No leaf: it is the
act that the log has already.
"""

from typing import Final

from connector.protocol.messages import Terms
from connector.protocol.negotiation import Act, Negotiation, State
from connector.protocol.transfer import Act as TransferAct
from connector.protocol.transfer import Role, Transfer
from connector.protocol.transfer import State as TransferState
from connector.services import ledger
from connector.services.negotiate import agreements
from connector.services.node import Node
from connector.store.store import Tx
from policies import odrl

_BEHIND: Final = {
    (Act.AGREE, Role.PROVIDER): (State.VERIFIED, State.FINALIZED),
    (Act.VERIFY, Role.CONSUMER): (State.FINALIZED,),
    (Act.FINALIZE, Role.PROVIDER): (State.FINALIZED,),
}
_ANSWERS: Final = {
    Act.AGREE: "ContractAgreementVerificationMessage",
    Act.VERIFY: "ContractNegotiationEventMessage",
}
_THERE: Final = {
    TransferAct.START: TransferState.STARTED,
    TransferAct.SUSPEND: TransferState.SUSPENDED,
    TransferAct.COMPLETE: TransferState.COMPLETED,
    TransferAct.TERMINATE: TransferState.TERMINATED,
}


def negotiating(
    node: Node, tx: Tx, n: Negotiation, act: Act, agreement: Terms | None = None
) -> bool:
    """Whether the peer repeats an act of a negotiation; if so, it is answered again."""
    if not agreements.attests(node, n.peer) or n.state not in _BEHIND.get((act, n.role.other), ()):
        return False
    if agreement is not None and not _same(tx, n, agreement):
        return False
    if act in _ANSWERS:
        ledger.again(node, tx, n, _ANSWERS[act])
    return True


def transferring(node: Node, tx: Tx, t: Transfer, act: TransferAct, *, alone: bool = False) -> bool:
    """Whether the peer repeats an act of a transfer that led to where it is; a start that stands
    `alone` (a consumer's with its own address) wants no start of ours.
    """
    if not agreements.attests(node, t.peer) or t.state is not _THERE.get(act):
        return False
    if act is TransferAct.START and t.role is Role.PROVIDER:
        if not alone:
            ledger.again(node, tx, t, "TransferStartMessage")
        return True
    return not (act is TransferAct.START and t.address_due)


def _same(tx: Tx, n: Negotiation, said: Terms) -> bool:
    """Whether an agreement says what was agreed; then its newest name is the one to use."""
    known = Terms.read(n.agreement or {}, kind="Agreement")
    rules = odrl.rules_digest(known.policy) == odrl.rules_digest(said.policy)
    names = [(each.target, each.assigner, each.assignee) for each in (known, said)]
    same = rules and names[0] == names[1]
    if same:
        agreements.rename(tx, n, dict(said.wire))
    return same
