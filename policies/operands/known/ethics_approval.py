"""preau:ethicsApproval: whether an ethics committee approved the project.

Attested by a credential of the committee. There are no credentials yet, so nobody can tell:
undetermined, and the linter refuses offers that rely on it. Until then `decisions = ["ethics"]`
asks the institution's own committee.
"""

from typing import Final

from policies.operands.base import EQ, IS_A, IS_ANY_OF, Operand, Terms, Vector
from policies.vocabulary import PREAU, STATUSES

_TERMS: Final = Terms(STATUSES)

OPERAND: Final = Operand(
    iri=PREAU + "ethicsApproval",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="credential",
    assurance="attested",
    fr="l'avis du comité d'éthique",
    en="the ethics approval",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    sourced=False,
    vectors=(
        Vector("eq", "preau:ApprovalValid", "preau:ApprovalValid", answer=True),
        Vector("eq", "preau:ApprovalValid", "preau:ApprovalExpired", answer=False),
        Vector("isA", "preau:ApprovalValid", "https://example.org/maybe", answer=None),
    ),
)
