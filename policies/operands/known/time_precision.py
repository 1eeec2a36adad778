"""preau:timePrecision: how finely dates and times leave (P10, X5).

It configures the plan and is satisfied iff the plan satisfies it. Coarser satisfies finer: the day
where the hour is asked.
"""

from typing import Final

from policies.model import Constraint, iri
from policies.operands.base import (
    EQ,
    IS_A,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    Operand,
    Share,
    Terms,
    Vector,
)
from policies.vocabulary import PREAU, PRECISIONS

_TERMS: Final = Terms(PRECISIONS, by_cover=True)


def _share(constraint: Constraint) -> Share | None:
    return Share(
        times=frozenset(
            term
            for term in PRECISIONS
            if _TERMS.compare(constraint.operator, (iri(term),), constraint.right) is True
        )
    )


OPERAND: Final = Operand(
    iri=PREAU + "timePrecision",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
    phases=frozenset({"transfer", "batch"}),
    source="plan",
    assurance="enforced",
    fr="la précision des dates et heures",
    en="the precision of dates and times",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    share=_share,
    vectors=(
        Vector("isA", "preau:Hour", "preau:Day", answer=True),
        Vector("isA", "preau:Hour", "preau:Minute", answer=False),
        Vector("isA", "preau:Hour", "https://example.org/second", answer=None),
    ),
)
