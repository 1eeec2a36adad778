"""preau:reciprocity: whether the recipient publishes comparable data itself.

True iff its verified catalog offers a dataset of a comparable class under terms no stricter than
these, refreshed within a year. Nothing compares catalogs yet: undetermined, and the linter refuses
offers that rely on it.
"""

from typing import Final

from policies.operands.base import EQ, IS_A, Operand, Terms, Vector
from policies.vocabulary import PREAU, RECIPROCITY

_TERMS: Final = Terms(RECIPROCITY)

OPERAND: Final = Operand(
    iri=PREAU + "reciprocity",
    datatype=None,
    operators=frozenset({EQ, IS_A}),
    phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
    source="peer-catalog",
    assurance="enforced",
    fr="la réciprocité",
    en="the reciprocity",
    compare=_TERMS.compare,
    implies=_TERMS.implies,
    sourced=False,
    vectors=(
        Vector("isA", "preau:OfferOfComparableData", "preau:OfferOfComparableData", answer=True),
        Vector("isA", "preau:OfferOfComparableData", "preau:NoComparableOffer", answer=False),
        Vector("isA", "preau:OfferOfComparableData", (), answer=None),
    ),
)
