"""preau:objectionStatus: whether a learner has an open objection, row by row (Art. 21).

As private as consent, and held in the same way, by the plan's scope.
"""

from typing import Final

from policies.model import Constraint
from policies.operands.base import EQ, IS_A, IS_ANY_OF, Operand, Share, Terms, Vector
from policies.vocabulary import PREAU, STATUSES

_TERMS: Final = Terms(STATUSES)


def _share(constraint: Constraint) -> Share | None:
    asked = {value.text for value in constraint.right}
    return Share(scoped="objection") if asked == {PREAU + "NoOpenObjection"} else None


OPERAND: Final = Operand(
    iri=PREAU + "objectionStatus",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF}),
    phases=frozenset({"record"}),
    source="consent-registry",
    assurance="enforced",
    fr="l'absence d'opposition de la personne",
    en="the absence of an objection by the person",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    share=_share,
    private=True,
    vectors=(
        Vector("eq", "preau:NoOpenObjection", "preau:NoOpenObjection", answer=True),
        Vector("eq", "preau:NoOpenObjection", "preau:ObjectionLodged", answer=False),
        Vector("isA", "preau:NoOpenObjection", "https://example.org/maybe", answer=None),
    ),
)
