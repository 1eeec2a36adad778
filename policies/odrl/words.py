"""ODRL's own words and how names are spelled: bare, prefixed, full."""

import re
from typing import Final

from policies import values
from policies.odrl.members import at, clip, named
from policies.problem import Problem
from policies.vocabulary import ODRL, PREFIXES

_LEFT_OPERANDS_WORDS: Final = (
    "absolutePosition absoluteSize absoluteSpatialPosition absoluteTemporalPosition count "
    "dateTime delayPeriod deliveryChannel device elapsedTime event fileFormat industry "
    "language media meteredTime payAmount percentage product purpose recipient "
    "relativePosition relativeSize relativeSpatialPosition relativeTemporalPosition "
    "resolution spatial spatialCoordinates system systemDevice timeInterval unitOfCount "
    "version virtualLocation"
)
LEFT_OPERANDS: Final = frozenset(_LEFT_OPERANDS_WORDS.split())
_ACTIONS_WORDS: Final = (
    "acceptTracking adHocShare aggregate annotate anonymize append appendTo archive "
    "attachPolicy attachSource attribute commercialize compensate concurrentUse copy delete "
    "derive digitize display distribute ensureExclusivity execute export extract extractChar "
    "extractPage extractWord give grantUse include index inform install lease lend license "
    "modify move nextPolicy obtainConsent pay play present preview print read reproduce "
    "reviewPolicy secondaryUse sell share shareAlike stream synchronize textToSpeech transfer "
    "transform translate uninstall use watermark write writeTo"
)
ACTIONS: Final = frozenset(_ACTIONS_WORDS.split())
_OPERATORS_WORDS: Final = "eq neq gt gteq lt lteq hasPart isA isAllOf isAnyOf isNoneOf isPartOf"
OPERATORS: Final = frozenset(_OPERATORS_WORDS.split())
LOGICAL: Final = ("and", "or", "xone", "andSequence")
_FUNCTIONS_WORDS: Final = (
    "attributedParty attributingParty compensatedParty compensatingParty consentedParty "
    "consentingParty contractedParty contractingParty informedParty informingParty output "
    "trackedParty trackingParty"
)
FUNCTIONS: Final = frozenset(_FUNCTIONS_WORDS.split())
"""Party functions beside assigner and assignee, and the relation `output`."""

BARE: Final = "urn:preau:bare:"

_EDC: Final = "https://w3id.org/edc/v0.0.1/ns/"
_KNOWN_BY_OTHERS: Final = {
    f"{prefix}inForceDate": ODRL + "dateTime" for prefix in ("", "edc:", _EDC)
}
"""Operands of other connectors that say what one of ODRL's says (EDC: an instant of use)."""

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,60}")


def term(data: object, where: str, bare: frozenset[str]) -> str:
    """The full IRI of a term; a bare word only when ODRL has it."""
    text = named(data, where)
    if text in bare:
        return ODRL + text
    spelled = expand(text)
    if not values.is_iri(spelled):
        raise Problem("policy-relative-name", path=where, found=clip(text))
    return spelled


def word(data: object, where: str, known: frozenset[str]) -> str:
    """As `term`, for operands and actions: an unknown bare word is kept as such."""
    text = named(data, where)
    if known is LEFT_OPERANDS and text in _KNOWN_BY_OTHERS:
        return _KNOWN_BY_OTHERS[text]
    if text not in known and _WORD.fullmatch(text):
        return BARE + text
    return term(text, where, known)


def terms(data: object, where: str) -> tuple[str, ...]:
    """One full IRI or a list of them, without repetition."""
    items = data if isinstance(data, list) else [data]
    if not items:
        raise Problem("policy-shape", path=where, expected="IRI", found="[]")
    found = (term(each, at(where, index), frozenset()) for index, each in enumerate(items))
    return tuple(dict.fromkeys(found))


def expand(text: str) -> str:
    """A prefixed name in full; any other text as it is."""
    prefix, colon, rest = text.partition(":")
    return PREFIXES[prefix] + rest if colon and prefix in PREFIXES else text


def compact(iri: str) -> str:
    """How the wire spells a term: ODRL's with its prefix, bare words bare, others in full."""
    if iri.startswith(BARE):
        return iri.removeprefix(BARE)
    return "odrl:" + iri.removeprefix(ODRL) if iri.startswith(ODRL) else iri
