"""odrl:dateTime: when the data may be used.

An end is checked from negotiation on; a start only when data moves, so that people can agree in
June on what begins in September. A date stands for its whole day. Where a time zone is missing,
any may be meant: what depends on it is undetermined.
"""

from typing import Final

from policies.model import DATETIME, Constraint
from policies.operands.base import (
    EQ,
    GT,
    GTEQ,
    ORDERED,
    Operand,
    Phase,
    Vector,
    ordered,
    ordered_implies,
)
from policies.vocabulary import ODRL

_MOVING: Final[frozenset[Phase]] = frozenset({"transfer", "batch", "monitor"})
_ALWAYS: Final[frozenset[Phase]] = _MOVING | {"catalog", "negotiation"}


def _phases(constraint: Constraint) -> frozenset[Phase]:
    return _MOVING if constraint.operator in {GT, GTEQ, EQ} else _ALWAYS


OPERAND: Final = Operand(
    iri=ODRL + "dateTime",
    datatype=DATETIME,
    operators=ORDERED,
    phases=_ALWAYS,
    source="clock",
    assurance="enforced",
    fr="la date",
    en="the date",
    compare=ordered,
    implies=ordered_implies,
    phases_for=_phases,
    vectors=(
        Vector("lt", "2027-09-01T00:00:00Z", "2027-08-31T23:59:59Z", answer=True),
        Vector("lt", "2027-09-01T00:00:00Z", "2027-09-01T02:00:00+02:00", answer=False),
        Vector("gteq", "2027-09-01T00:00:00Z", "2027-09-01T02:00:00+02:00", answer=True),
        Vector("lt", "2027-09-01T00:00:00Z", "2027-08-31", answer=None),
    ),
)
