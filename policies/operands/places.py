"""Countries and unions of countries, as the operands about places compare them."""

from typing import Final

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
