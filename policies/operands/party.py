"""Who asks: preau:assignee, preau:membership, preau:recipientCountry.

The assignee is the authenticated peer. Memberships come from the operator's peer list ("declared
by operator"); a trace for the other party says only whether *they* were shown to be members.
Countries are those the application declares for its processors; none declared is undetermined.
"""

from typing import Final

from policies.operands.base import (
    EQ,
    IS_A,
    IS_ANY_OF,
    IS_NONE_OF,
    IS_PART_OF,
    NEQ,
    Operand,
    Phase,
    Terms,
)
from policies.vocabulary import PREAU, PREFIXES, Term

LOC: Final = PREFIXES["loc"]
_EEA_WORDS: Final = (
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
)
EEA: Final = _EEA_WORDS.split()

_COUNTRIES: Final = {
    LOC + "EEA": Term((), "Espace économique européen", "European Economic Area"),
    **{LOC + code: Term((LOC + "EEA",), code, code) for code in EEA},
}
_NAMES: Final = Terms({}, closed=True)
_GROUPS: Final = Terms({}, closed=True, some=True)
_PLACES: Final = Terms(_COUNTRIES, closed=True)
_PRESENT: Final[frozenset[Phase]] = frozenset({"negotiation", "transfer", "batch", "monitor"})
_LISTS: Final = frozenset({EQ, NEQ, IS_ANY_OF, IS_PART_OF, IS_NONE_OF})

OPERANDS: Final = (
    Operand(
        iri=PREAU + "assignee",
        datatype=None,
        operators=_LISTS,
        phases=_PRESENT,
        source="authentication",
        assurance="attested",
        fr="le destinataire",
        en="the recipient",
        compare=_NAMES.compare,
        implies=_NAMES.implies,
    ),
    Operand(
        iri=PREAU + "membership",
        datatype=None,
        operators=frozenset({EQ, IS_A, IS_ANY_OF, IS_PART_OF, IS_NONE_OF}),
        phases=_PRESENT,
        source="peer-list",
        assurance="declared",
        fr="l'appartenance à un groupe",
        en="the membership of a group",
        compare=_GROUPS.compare,
        implies=_GROUPS.implies,
        note=("déclarée par l'opérateur du nœud", "declared by operator"),
    ),
    Operand(
        iri=PREAU + "recipientCountry",
        datatype=None,
        operators=_LISTS,
        phases=_PRESENT,
        source="application",
        assurance="declared",
        fr="le pays de traitement",
        en="the country of processing",
        compare=_PLACES.compare,
        implies=_PLACES.implies,
    ),
)
