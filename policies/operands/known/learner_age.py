"""preau:learnerAge: the age of a person in whole years, row by row.

The node keeps no birth dates; it will keep "15 or older from (date)" (S5). Until a registry says
so, nobody can tell: undetermined, and the linter refuses offers that rely on it.
"""

from typing import Final

from policies.model import INTEGER, Constraint
from policies.operands.base import ORDERED, Operand, Share, Vector, ordered, ordered_implies
from policies.vocabulary import PREAU


def _share(_: Constraint) -> Share | None:
    return None  # no scope of the plan holds an age yet


OPERAND: Final = Operand(
    iri=PREAU + "learnerAge",
    datatype=INTEGER,
    operators=ORDERED,
    phases=frozenset({"record"}),
    source="learner-registry",
    assurance="enforced",
    fr="l'âge de la personne",
    en="the person's age",
    compare=ordered,
    implies=ordered_implies,
    share=_share,
    private=True,
    sourced=False,
    least=0,
    vectors=(
        Vector("gteq", "15", "15", answer=True),
        Vector("gteq", "15", "14", answer=False),
        Vector("gteq", "15", "15.0", answer=None),
    ),
)
