"""preau:consentStatus and preau:objectionStatus: what each learner said, row by row.

Both are known only for a record, and both are *private*: no trace that another party reads ever
holds their value or their outcome (constitution 7). The plan holds them as a scope; every plan
for personal data has one, whether the policy asks for it or not (constitution 2).
"""

from typing import Final, Literal

from policies.model import Constraint
from policies.operands.base import EQ, IS_A, IS_ANY_OF, Operand, Share, Terms
from policies.vocabulary import DPV, PREAU, STATUSES

_TERMS: Final = Terms(STATUSES)
_GIVEN: Final = frozenset({DPV + "ConsentGiven", DPV + "RenewedConsentGiven"})


def _consent(constraint: Constraint) -> Share | None:
    return _scope("consent", constraint, _GIVEN)


def _objection(constraint: Constraint) -> Share | None:
    return _scope("objection", constraint, frozenset({PREAU + "NoOpenObjection"}))


def _scope(
    mode: Literal["consent", "objection"], constraint: Constraint, known: frozenset[str]
) -> Share | None:
    """The plan's scope holds "given"; it cannot tell a renewed consent from a first one."""
    asked = {value.text for value in constraint.right if value.is_iri}
    strict = mode == "consent" and DPV + "ConsentGiven" not in asked
    return None if strict or not asked or not asked <= known else Share(scoped=mode)


OPERANDS: Final = (
    Operand(
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
        share=_consent,
        private=True,
    ),
    Operand(
        iri=PREAU + "objectionStatus",
        datatype=None,
        operators=frozenset({EQ, IS_A, IS_ANY_OF}),
        phases=frozenset({"record"}),
        source="consent-registry",
        assurance="enforced",
        fr="l'absence d'opposition de la personne",
        en="the absence of an objection by the person",
        compare=_TERMS.compare,
        implies=_TERMS.implies,
        share=_objection,
        private=True,
    ),
)
