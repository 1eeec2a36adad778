"""odrl:elapsedTime: how long after the agreement the data is served.

As a constraint of a duty it is the duty's due date: `odrl:delete` within `P180D`.
"""

from typing import Final

from policies.model import DURATION, Constraint
from policies.operands.base import (
    GT,
    GTEQ,
    LT,
    LTEQ,
    Operand,
    Share,
    Vector,
    ordered,
    ordered_implies,
    single,
)
from policies.values import Duration, parse
from policies.vocabulary import ODRL


def _share(constraint: Constraint) -> Share | None:
    value = single(constraint)
    limit = parse(value) if value is not None else None
    if constraint.operator in {LT, LTEQ} and isinstance(limit, Duration):
        return Share(elapsed=limit)
    return Share() if constraint.operator in {GT, GTEQ} else None


OPERAND: Final = Operand(
    iri=ODRL + "elapsedTime",
    datatype=DURATION,
    operators=frozenset({LT, LTEQ, GT, GTEQ}),
    phases=frozenset({"transfer", "batch", "monitor"}),
    source="ledger",
    assurance="enforced",
    fr="le temps écoulé depuis l'accord",
    en="the time since the agreement",
    compare=ordered,
    implies=ordered_implies,
    share=_share,
    vectors=(
        Vector("lteq", "P180D", "P30D", answer=True),
        Vector("lteq", "P180D", "P181D", answer=False),
        Vector("lteq", "P1M", "P30D", answer=None),  # a month has no fixed length
    ),
)
