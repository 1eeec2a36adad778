"""odrl:delayPeriod: how long after its event or due date a duty may take."""

from typing import Final

from policies.model import DURATION
from policies.operands.base import EQ, LT, LTEQ, Operand, Vector, ordered, ordered_implies
from policies.vocabulary import ODRL

OPERAND: Final = Operand(
    iri=ODRL + "delayPeriod",
    datatype=DURATION,
    operators=frozenset({EQ, LT, LTEQ}),
    phases=frozenset({"after"}),
    source="promise",
    assurance="contractual",
    fr="le délai",
    en="the delay",
    compare=ordered,
    implies=ordered_implies,
    duty_only=True,
    vectors=(
        Vector("lteq", "P3D", "P2D", answer=True),
        Vector("lteq", "P3D", "P4D", answer=False),
        Vector("lteq", "P1M", "P30D", answer=None),
    ),
)
