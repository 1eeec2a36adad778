"""odrl:event: what makes a duty due: a withdrawal, an objection.

A duty is a promise to keep after receipt unless it says otherwise. `odrl:event lt
odrl:policyUsage` makes it a pre-duty, which blocks until it was performed.
"""

from typing import Final

from policies.operands.base import EQ, IS_ANY_OF, LT, Operand, Terms, Vector
from policies.vocabulary import ODRL, STATUSES

_TERMS: Final = Terms(STATUSES)

OPERAND: Final = Operand(
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
    vectors=(
        Vector("eq", "dpv:ConsentWithdrawn", "dpv:ConsentWithdrawn", answer=True),
        Vector("eq", "dpv:ConsentWithdrawn", "preau:ObjectionLodged", answer=False),
        Vector("lt", "odrl:policyUsage", "odrl:policyUsage", answer=None),
    ),
)
