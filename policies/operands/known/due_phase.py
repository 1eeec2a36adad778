"""preau:duePhase: whether a duty comes before or after the use.

`preau:BeforeUse` blocks until the duty was performed; `preau:AfterUse` makes it a promise. Never
guessed from the action.
"""

from typing import Final

from policies.operands.base import EQ, Operand, Terms, Vector
from policies.vocabulary import PREAU, STATUSES

_TERMS: Final = Terms(STATUSES)

OPERAND: Final = Operand(
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
    vectors=(
        Vector("eq", "preau:BeforeUse", "preau:BeforeUse", answer=True),
        Vector("eq", "preau:BeforeUse", "preau:AfterUse", answer=False),
        Vector("eq", "preau:BeforeUse", (), answer=None),
    ),
)
