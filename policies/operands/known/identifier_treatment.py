"""preau:identifierTreatment: what stands in place of identifiers (P10, X5).

It configures the plan and is satisfied iff the plan satisfies it. A stricter treatment satisfies a
milder requirement: a pseudonym per agreement where one per recipient and purpose is asked.
"""

from typing import Final

from policies.model import Constraint, iri
from policies.operands.base import (
    EQ,
    IS_A,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    Operand,
    Share,
    Terms,
    Vector,
)
from policies.vocabulary import PREAU, TREATMENTS

_TERMS: Final = Terms(TREATMENTS, by_cover=True)


def _share(constraint: Constraint) -> Share | None:
    return Share(
        identifiers=frozenset(
            term
            for term in TREATMENTS
            if _TERMS.compare(constraint.operator, (iri(term),), constraint.right) is True
        )
    )


OPERAND: Final = Operand(
    iri=PREAU + "identifierTreatment",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
    phases=frozenset({"transfer", "batch"}),
    source="plan",
    assurance="enforced",
    fr="le traitement des identifiants",
    en="the treatment of identifiers",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    share=_share,
    vectors=(
        Vector("isA", "preau:KeyedPerRecipientAndPurpose", "preau:KeyedPerAgreement", answer=True),
        Vector("isA", "preau:KeyedPerAgreement", "preau:KeyedPerRecipientAndPurpose", answer=False),
        Vector("isA", "preau:KeyedPerAgreement", "https://example.org/hash", answer=None),
    ),
)
