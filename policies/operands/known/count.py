"""odrl:count: how often the data may be released under one agreement.

The value is the number of the release that is asked for now, 1 for the first: `count lteq 3`
allows three. It is known when a transfer starts, and the plan carries it as a budget that the
store decrements in the transaction that opens the transfer.
"""

from typing import Final

from policies.model import INTEGER, Constraint
from policies.operands.base import (
    EQ,
    LT,
    LTEQ,
    ORDERED,
    Operand,
    Share,
    Vector,
    ordered,
    ordered_implies,
    single,
)
from policies.values import parse
from policies.vocabulary import ODRL


def _share(constraint: Constraint) -> Share | None:
    value = single(constraint)
    limit = parse(value) if value is not None else None
    if not isinstance(limit, int) or isinstance(limit, bool):
        return None
    if constraint.operator in {LTEQ, EQ}:
        return Share(releases=max(limit, 0))
    return Share(releases=max(limit - 1, 0)) if constraint.operator == LT else None


OPERAND: Final = Operand(
    iri=ODRL + "count",
    datatype=INTEGER,
    operators=ORDERED,
    phases=frozenset({"transfer"}),
    source="ledger",
    assurance="enforced",
    fr="le nombre de communications",
    en="the number of releases",
    compare=ordered,
    implies=ordered_implies,
    share=_share,
    least=1,
    vectors=(
        Vector("lteq", "3", "3", answer=True),
        Vector("lteq", "3", "4", answer=False),
        Vector("lt", "3", "three", answer=None),
    ),
)
