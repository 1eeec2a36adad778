"""preau:aggregationLevel: whether rows or figures about groups leave (X4).

It configures the plan and is satisfied iff the plan satisfies it. Aggregates satisfy a requirement
for grouped rows. Only the lane of rows runs yet: the linter refuses offers that rely on it.
"""

from typing import Final

from policies.operands.base import EQ, IS_A, IS_ANY_OF, Operand, Terms, Vector
from policies.vocabulary import LEVELS, PREAU

_TERMS: Final = Terms(LEVELS, by_cover=True)


OPERAND: Final = Operand(
    iri=PREAU + "aggregationLevel",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF}),
    phases=frozenset({"transfer", "batch"}),
    source="plan",
    assurance="enforced",
    fr="le niveau d'agrégation",
    en="the level of aggregation",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    sourced=False,
    vectors=(
        Vector("isA", "preau:GroupedRows", "preau:Aggregate", answer=True),
        Vector("eq", "preau:Aggregate", "preau:Row", answer=False),
        Vector("eq", "preau:Aggregate", "https://example.org/cube", answer=None),
    ),
)
