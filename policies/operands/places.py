"""Countries and unions of countries, as the operands about places compare them."""

from typing import Final

from policies.operands.base import (
    EQ,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    NEQ,
    Operand,
    Terms,
    Vector,
)
from policies.vocabulary import PREFIXES, Term

LOC: Final = PREFIXES["loc"]
_EEA_WORDS: Final = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
)
EEA: Final = _EEA_WORDS.split()

PLACES: Final = {
    LOC + "EEA": Term((), "Espace économique européen", "European Economic Area"),
    **{LOC + code: Term((LOC + "EEA",), code, code) for code in EEA},
}
_TERMS: Final = Terms(PLACES, closed=True)


def place(iri: str, *, fr: str, en: str) -> Operand:
    """An operand about the countries that the application declares."""
    return Operand(
        iri=iri,
        datatype=None,
        operators=frozenset({EQ, NEQ, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
        phases=frozenset({"negotiation", "transfer", "batch", "monitor"}),
        source="application",
        assurance="declared",
        fr=fr,
        en=en,
        compare=_TERMS.compare,
        implies=_TERMS.implies,
        vectors=(
            Vector("isPartOf", "loc:EEA", ("loc:FR", "loc:BE"), answer=True),
            Vector("isPartOf", "loc:EEA", ("loc:FR", "loc:US"), answer=False),
            Vector("isNoneOf", "loc:US", "loc:FR", answer=True),
            Vector("eq", "loc:FR", (), answer=None),
        ),
    )
