"""odrl:dateTime and odrl:elapsedTime: when the data may be used.

An end date is checked from negotiation on; a start date only when data moves, so that people can
agree in June on what begins in September. Elapsed time counts from the agreement. As constraint
of a duty, elapsed time is the duty's due date. A date stands for its whole day. Where a time zone
is missing, any may be meant: what depends on it is undetermined.
"""

from typing import Final

from policies.model import DATETIME, DURATION, Constraint
from policies.operands.base import (
    EQ,
    GT,
    GTEQ,
    LT,
    LTEQ,
    ORDERED,
    Operand,
    Phase,
    Share,
    ordered,
    ordered_implies,
    single,
)
from policies.values import Duration, parse
from policies.vocabulary import ODRL

_MOVING: Final[frozenset[Phase]] = frozenset({"transfer", "batch", "monitor"})
_ALWAYS: Final[frozenset[Phase]] = _MOVING | {"catalog", "negotiation"}


def _date_phases(constraint: Constraint) -> frozenset[Phase]:
    return _MOVING if constraint.operator in {GT, GTEQ, EQ} else _ALWAYS


def _elapsed(constraint: Constraint) -> Share | None:
    value = single(constraint)
    limit = parse(value) if value is not None else None
    if constraint.operator in {LT, LTEQ} and isinstance(limit, Duration):
        return Share(elapsed=limit)
    return Share() if constraint.operator in {GT, GTEQ} else None


OPERANDS: Final = (
    Operand(
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
        phases_for=_date_phases,
    ),
    Operand(
        iri=ODRL + "elapsedTime",
        datatype=DURATION,
        operators=frozenset({LT, LTEQ, GT, GTEQ}),
        phases=_MOVING,
        source="ledger",
        assurance="enforced",
        fr="le temps écoulé depuis l'accord",
        en="the time since the agreement",
        compare=ordered,
        implies=ordered_implies,
        share=_elapsed,
    ),
)
