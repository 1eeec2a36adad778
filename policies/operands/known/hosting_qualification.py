"""preau:hostingQualification: how the recipient's hosting is qualified.

Attested by a credential of the host. There are no credentials yet, so nobody can tell:
undetermined, and the linter refuses offers that rely on it. What the application declares about
its processors is read by people.
"""

from typing import Final

from policies.operands.base import EQ, IS_A, IS_ANY_OF, Operand, Terms, Vector
from policies.vocabulary import HOSTING, PREAU

_TERMS: Final = Terms(HOSTING)

OPERAND: Final = Operand(
    iri=PREAU + "hostingQualification",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="credential",
    assurance="attested",
    fr="la qualification de l'hébergement",
    en="the qualification of the hosting",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    sourced=False,
    vectors=(
        Vector("isA", "preau:QualifiedHosting", "preau:SecNumCloud", answer=True),
        Vector("isA", "preau:SecNumCloud", "preau:QualifiedHosting", answer=False),
        Vector("isA", "preau:QualifiedHosting", "https://example.org/cloud", answer=None),
    ),
)
