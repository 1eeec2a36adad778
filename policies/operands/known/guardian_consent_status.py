"""preau:guardianConsentStatus: what the holder of parental authority agreed to, row by row.

A guardian is a person with a dated link that an entitled door asserts (S2). The registry keeps no
links yet, so nobody can tell: undetermined, and the linter refuses offers that rely on it.
"""

from typing import Final

from policies.model import Constraint
from policies.operands.base import EQ, IS_A, IS_ANY_OF, Operand, Share, Terms, Vector
from policies.vocabulary import PREAU, STATUSES

_TERMS: Final = Terms(STATUSES)


def _share(_: Constraint) -> Share | None:
    return None  # no scope of the plan holds a guardian's word yet


OPERAND: Final = Operand(
    iri=PREAU + "guardianConsentStatus",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF}),
    phases=frozenset({"record"}),
    source="consent-registry",
    assurance="enforced",
    fr="le consentement du titulaire de l'autorité parentale",
    en="the consent of the holder of parental authority",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    share=_share,
    private=True,
    sourced=False,
    vectors=(
        Vector("eq", "dpv:ConsentGiven", "dpv:ConsentGiven", answer=True),
        Vector("eq", "dpv:ConsentGiven", "dpv:ConsentWithdrawn", answer=False),
        Vector("isA", "dpv:ConsentGiven", "https://example.org/maybe", answer=None),
    ),
)
