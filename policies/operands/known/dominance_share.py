"""preau:dominanceShare: the largest share that one person may have in a figure (X4).

It configures the plan and is satisfied iff the plan satisfies it. Only the lane of rows runs yet:
the linter refuses offers that rely on it.
"""

from typing import Final

from policies.model import DECIMAL
from policies.operands.base import LT, LTEQ, Operand, Vector, ordered, ordered_implies
from policies.vocabulary import PREAU

OPERAND: Final = Operand(
    iri=PREAU + "dominanceShare",
    datatype=DECIMAL,
    operators=frozenset({LT, LTEQ}),
    phases=frozenset({"transfer", "batch"}),
    source="plan",
    assurance="enforced",
    fr="la part maximale d'une personne dans un chiffre",
    en="the largest share of one person in a figure",
    compare=ordered,
    implies=ordered_implies,
    sourced=False,
    least=0,
    vectors=(
        Vector("lteq", "0.8", "0.80", answer=True),
        Vector("lteq", "0.8", "0.9", answer=False),
        Vector("lteq", "0.8", "most", answer=None),
    ),
)
