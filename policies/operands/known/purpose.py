"""odrl:purpose: what the data is asked for, declared in the signed application (C5).

`isA` and `isAnyOf` accept the named purposes and all narrower ones. The plan's consent scope
carries the purpose on, so that it is also matched with what each learner agreed to.
"""

from typing import Final

from policies.operands.base import (
    EQ,
    IS_A,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    NEQ,
    Operand,
    Terms,
    Vector,
)
from policies.vocabulary import ODRL, PURPOSES
from policies.vocabulary import purpose as own_name

_TERMS: Final = Terms(PURPOSES, same=own_name)

OPERAND: Final = Operand(
    iri=ODRL + "purpose",
    datatype=None,
    operators=frozenset({EQ, NEQ, IS_A, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="application",
    assurance="declared",
    fr="la finalité",
    en="the purpose",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    vectors=(
        Vector("isA", "dpv:AcademicResearch", "preau:EducationResearch", answer=True),
        Vector("isA", "preau:EducationResearch", "dpv:AcademicResearch", answer=False),
        Vector("isAnyOf", ("dpv:Marketing", "preau:Statistics"), "preau:Statistics", answer=True),
        Vector("isNoneOf", "dpv:CommercialResearch", "preau:EducationResearch", answer=True),
        Vector("eq", "dpv:AcademicResearch", "odrl:academicResearch", answer=True),
        Vector("isA", "dpv:AcademicResearch", "https://example.org/p", answer=None),
    ),
)
