"""preau:dataCategory: what the publisher declares that the dataset is."""

from typing import Final

from policies.operands.base import EQ, IS_A, IS_ANY_OF, IS_NONE_OF, Operand, Terms, Vector
from policies.vocabulary import CATEGORIES, PREAU

_CATEGORIES: Final = Terms(CATEGORIES)

OPERAND: Final = Operand(
    iri=PREAU + "dataCategory",
    datatype=None,
    operators=frozenset({EQ, IS_A, IS_ANY_OF, IS_NONE_OF}),
    phases=frozenset({"catalog", "negotiation", "transfer", "batch"}),
    source="dataset",
    assurance="declared",
    fr="la catégorie de données",
    en="the category of data",
    compare=_CATEGORIES.compare,
    implies=_CATEGORIES.implies,
    vectors=(
        Vector("isNoneOf", "dpv:PersonalData", "dpv:NonPersonalData", answer=True),
        Vector("isNoneOf", "dpv:PersonalData", "preau:LearningTraces", answer=False),
        Vector("isA", "dpv:PersonalData", "https://example.org/c", answer=None),
    ),
)
