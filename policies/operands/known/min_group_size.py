"""preau:minGroupSize: the least number of distinct persons behind a figure (X4).

It configures the plan and is satisfied iff the plan satisfies it. Only the lane of rows runs yet:
the linter refuses offers that rely on it.
"""

from typing import Final

from policies.model import INTEGER
from policies.operands.base import EQ, GT, GTEQ, Operand, Vector, ordered, ordered_implies
from policies.vocabulary import PREAU

OPERAND: Final = Operand(
    iri=PREAU + "minGroupSize",
    datatype=INTEGER,
    operators=frozenset({EQ, GT, GTEQ}),
    phases=frozenset({"transfer", "batch"}),
    source="plan",
    assurance="enforced",
    fr="le nombre minimal de personnes par groupe",
    en="the least number of persons in a group",
    compare=ordered,
    implies=ordered_implies,
    sourced=False,
    least=1,
    vectors=(
        Vector("gteq", "10", "10", answer=True),
        Vector("gteq", "10", "5", answer=False),
        Vector("gteq", "10", "ten", answer=None),
    ),
)
