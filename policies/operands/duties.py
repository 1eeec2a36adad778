"""odrl:event, odrl:delayPeriod, preau:duePhase: when a duty is due.

A duty is a promise to keep after the data was received, unless it says otherwise: either
`preau:duePhase eq preau:BeforeUse` or `odrl:event lt odrl:policyUsage` makes it a pre-duty, which
blocks until it was performed. Never guessed from the action.
"""

from typing import Final

from policies.model import DURATION
from policies.operands.base import (
    EQ,
    IS_ANY_OF,
    LT,
    LTEQ,
    Operand,
    Terms,
    ordered,
    ordered_implies,
)
from policies.vocabulary import ODRL, PREAU, STATUSES

_TERMS: Final = Terms(STATUSES)

OPERANDS: Final = (
    Operand(
        iri=ODRL + "event",
        datatype=None,
        operators=frozenset({EQ, IS_ANY_OF, LT}),
        phases=frozenset({"after"}),
        source="promise",
        assurance="contractual",
        fr="l'événement",
        en="the event",
        compare=_TERMS.compare,
        implies=_TERMS.implies,
        duty_only=True,
    ),
    Operand(
        iri=ODRL + "delayPeriod",
        datatype=DURATION,
        operators=frozenset({LT, LTEQ, EQ}),
        phases=frozenset({"after"}),
        source="promise",
        assurance="contractual",
        fr="le délai",
        en="the delay",
        compare=ordered,
        implies=ordered_implies,
        duty_only=True,
    ),
    Operand(
        iri=PREAU + "duePhase",
        datatype=None,
        operators=frozenset({EQ}),
        phases=frozenset({"after"}),
        source="promise",
        assurance="contractual",
        fr="le moment de l'obligation",
        en="the moment of the duty",
        compare=_TERMS.compare,
        implies=_TERMS.implies,
        duty_only=True,
    ),
)
