"""preau:consentStatus: what each learner agreed to, row by row.

Known only for a record, and *private*: no trace that another party reads ever holds its value or
its outcome (constitution 7). The plan holds it as a scope; every plan for personal data has one,
whether the policy asks for it or not (constitution 2).
"""

from typing import Final

from policies.model import Constraint
from policies.operands.base import EQ, IS_A, IS_ANY_OF, Operand, Share, Terms, Vector
from policies.vocabulary import DPV, PREAU, STATUSES

_TERMS: Final = Terms(STATUSES)


def _share(constraint: Constraint) -> Share | None:
    """The plan's scope holds "given"; it cannot tell a renewed consent from a first one."""
    asked = {value.text for value in constraint.right if value.is_iri}
    known = asked <= {DPV + "ConsentGiven", DPV + "RenewedConsentGiven"}
    return Share(scoped="consent") if known and DPV + "ConsentGiven" in asked else None


OPERAND: Final = Operand(
    iri=PREAU + "consentStatus",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF}),
    phases=frozenset({"record"}),
    source="consent-registry",
    assurance="enforced",
    fr="le consentement de la personne",
    en="the person's consent",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    share=_share,
    private=True,
    vectors=(
        Vector("isAnyOf", "dpv:ConsentGiven", "dpv:RenewedConsentGiven", answer=True),
        Vector("eq", "dpv:ConsentGiven", "dpv:ConsentWithdrawn", answer=False),
        Vector("isA", "dpv:ConsentGiven", "https://example.org/maybe", answer=None),
    ),
)
