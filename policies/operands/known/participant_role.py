"""preau:participantRole: what kind of institution the recipient is.

Attested by a credential of an issuer on the trust list. There are no credentials yet, so nobody
can tell: undetermined, and the linter refuses offers that rely on it.
"""

from typing import Final

from policies.operands.base import EQ, IS_A, IS_ANY_OF, IS_NONE_OF, Operand, Terms, Vector
from policies.vocabulary import PREAU, ROLES

_TERMS: Final = Terms(ROLES, some=True)

OPERAND: Final = Operand(
    iri=PREAU + "participantRole",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF, IS_NONE_OF}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="credential",
    assurance="attested",
    fr="le type d'établissement",
    en="the kind of institution",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    sourced=False,
    vectors=(
        Vector("isA", "preau:EducationInstitution", "preau:SchoolAuthority", answer=True),
        Vector("isAnyOf", "preau:MoocOperator", "preau:SchoolAuthority", answer=False),
        Vector("isA", "preau:MoocOperator", "https://example.org/role", answer=None),
    ),
)
