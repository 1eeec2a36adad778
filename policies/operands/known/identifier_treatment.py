"""preau:identifierTreatment: what stands in place of identifiers (P10, X5).

It configures the plan and is satisfied iff the plan satisfies it. A stricter treatment satisfies a
milder requirement: a pseudonym per agreement where one per recipient and purpose is asked.
"""

from typing import Final

from policies.operands.base import Operand, Share, Vector
from policies.operands.stricter import stricter
from policies.vocabulary import PREAU, TREATMENTS

OPERAND: Final[Operand] = stricter(
    PREAU + "identifierTreatment",
    TREATMENTS,
    lambda terms: Share(identifiers=terms),
    fr="le traitement des identifiants",
    en="the treatment of identifiers",
    vectors=(
        Vector("isA", "preau:KeyedPerRecipientAndPurpose", "preau:KeyedPerAgreement", answer=True),
        Vector("isA", "preau:KeyedPerAgreement", "preau:KeyedPerRecipientAndPurpose", answer=False),
        Vector("isA", "preau:KeyedPerAgreement", "https://example.org/hash", answer=None),
    ),
)
