"""preau:recordTime: the time of each row, in half-open intervals."""

from datetime import datetime, timedelta
from typing import Final

from policies.model import DATETIME, Constraint
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
from policies.values import parse
from policies.vocabulary import PREAU

_TICK: Final = timedelta(microseconds=1)


def _share(constraint: Constraint) -> Share | None:
    """Rows are compared at the microsecond, so `<= t` is `< t + 1 microsecond`."""
    value = single(constraint)
    moment = parse(value) if value is not None else None
    if not isinstance(moment, datetime):
        return None
    return {
        GTEQ: Share(start=moment),
        GT: Share(start=moment + _TICK),
        LT: Share(end=moment),
        LTEQ: Share(end=moment + _TICK),
    }.get(constraint.operator)


OPERAND: Final = Operand(
    iri=PREAU + "recordTime",
    datatype=DATETIME,
    operators=frozenset({LT, LTEQ, GT, GTEQ}),
    phases=frozenset({"record"}),
    source="row",
    assurance="enforced",
    fr="la date des enregistrements",
    en="the time of the records",
    compare=ordered,
    implies=ordered_implies,
    share=_share,
    vectors=(
        Vector("gteq", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", answer=True),
        Vector("lt", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", answer=False),
        Vector("lt", "2027-01-01T00:00:00Z", "2026", answer=None),
    ),
)
