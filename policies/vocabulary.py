"""Names: the IRIs we know, the trees they stand in, and what people call them.

Purposes (`policies.purposes`), actions and data categories are hierarchies: a grant for a broader
term covers every narrower one, never the reverse. A foreign purpose enters only through the
reviewed table there; an unknown one equals itself and nothing else.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from policies.iris import DPV, EDU, ODRL, PREAU, PREFIXES, RDF, XSD, Term
from policies.problem import Language
from policies.purposes import FOREIGN_PURPOSES, PURPOSES

__all__ = [
    "ACTIONS",
    "CATEGORIES",
    "DECLARED",
    "DPV",
    "EDU",
    "FOREIGN_PURPOSES",
    "HOSTING",
    "LEVELS",
    "ODRL",
    "PREAU",
    "PRECISIONS",
    "PREFIXES",
    "PROMISES",
    "PURPOSES",
    "RDF",
    "RECIPROCITY",
    "ROLES",
    "STATUSES",
    "TREATMENTS",
    "XSD",
    "Term",
    "action_covers",
    "ancestors",
    "compact",
    "covers",
    "label",
    "purpose",
    "purpose_covers",
    "purposes_overlap",
]

ACTIONS: Final[Mapping[str, Term]] = {
    ODRL + "use": Term((), "utiliser", "use"),
    ODRL + "read": Term((ODRL + "use",), "lire", "read"),
    ODRL + "write": Term((ODRL + "use",), "écrire", "write"),
    ODRL + "modify": Term((ODRL + "use",), "modifier", "modify"),
    ODRL + "derive": Term((ODRL + "use",), "dériver", "derive"),
    ODRL + "aggregate": Term((ODRL + "use",), "agréger", "aggregate"),
    ODRL + "anonymize": Term((ODRL + "use",), "anonymiser", "anonymise"),
    ODRL + "archive": Term((ODRL + "use",), "archiver", "archive"),
    ODRL + "execute": Term((ODRL + "use",), "exécuter", "execute"),
    ODRL + "index": Term((ODRL + "use",), "indexer", "index"),
    ODRL + "inform": Term((ODRL + "use",), "informer", "inform"),
    ODRL + "reproduce": Term((ODRL + "use",), "reproduire", "reproduce"),
    ODRL + "translate": Term((ODRL + "use",), "traduire", "translate"),
    ODRL + "distribute": Term((ODRL + "use",), "redistribuer", "distribute"),
    ODRL + "present": Term((ODRL + "use",), "présenter", "present"),
    ODRL + "display": Term((ODRL + "use",), "afficher", "display"),
    ODRL + "play": Term((ODRL + "use",), "lire ou jouer", "play"),
    ODRL + "print": Term((ODRL + "use",), "imprimer", "print"),
    ODRL + "stream": Term((ODRL + "use",), "diffuser en continu", "stream"),
    ODRL + "textToSpeech": Term((ODRL + "use",), "lire à voix haute", "read aloud by machine"),
    ODRL + "annotate": Term((ODRL + "use",), "annoter", "annotate"),
    ODRL + "concurrentUse": Term(
        (ODRL + "use",), "utiliser plusieurs copies à la fois", "use several copies at once"
    ),
    ODRL + "digitize": Term((ODRL + "use",), "numériser", "digitise"),
    ODRL + "extract": Term((ODRL + "reproduce",), "extraire des parties", "extract parts"),
    ODRL + "grantUse": Term(
        (ODRL + "use",), "accorder l'utilisation à un tiers", "grant use to a third party"
    ),
    ODRL + "include": Term((ODRL + "use",), "inclure", "include"),
    ODRL + "install": Term((ODRL + "use",), "installer", "install"),
    ODRL + "uninstall": Term((ODRL + "use",), "désinstaller", "uninstall"),
    ODRL + "move": Term((ODRL + "use",), "déplacer", "move"),
    ODRL + "synchronize": Term((ODRL + "use",), "synchroniser", "synchronise"),
    ODRL + "transform": Term((ODRL + "use",), "convertir", "convert to another format"),
    ODRL + "watermark": Term((ODRL + "use",), "marquer d'un filigrane", "watermark"),
    ODRL + "acceptTracking": Term((ODRL + "use",), "accepter un suivi", "accept tracking"),
    ODRL + "ensureExclusivity": Term(
        (ODRL + "use",), "garantir l'exclusivité", "ensure exclusivity"
    ),
    ODRL + "nextPolicy": Term(
        (ODRL + "use",), "appliquer la politique suivante", "apply the next policy"
    ),
    ODRL + "obtainConsent": Term((ODRL + "use",), "obtenir un accord", "obtain consent"),
    ODRL + "reviewPolicy": Term((ODRL + "use",), "relire la politique", "review the policy"),
    ODRL + "delete": Term((ODRL + "use",), "effacer", "delete"),
    ODRL + "attribute": Term((ODRL + "use",), "citer la source", "credit the source"),
    ODRL + "compensate": Term((), "rémunérer", "pay"),
    ODRL + "transfer": Term((), "céder", "transfer ownership"),
    ODRL + "sell": Term((ODRL + "transfer",), "vendre", "sell"),
    ODRL + "give": Term((ODRL + "transfer",), "donner", "give"),
    PREAU + "reidentify": Term((ODRL + "use",), "réidentifier des personnes", "re-identify people"),
    PREAU + "linkAcrossRecipients": Term(
        (ODRL + "use",),
        "rapprocher les données avec celles d'un autre destinataire",
        "link the data with those of another recipient",
    ),
    PREAU + "profile": Term((ODRL + "use",), "profiler des personnes", "profile people"),
    PREAU + "decideAutomatically": Term(
        (ODRL + "use",),
        "prendre des décisions automatisées sur des personnes",
        "take automated decisions about people",
    ),
    PREAU + "stopAndErase": Term(
        (ODRL + "use",), "cesser l'utilisation et effacer", "stop use and erase"
    ),
    PREAU + "attestDeletion": Term((ODRL + "use",), "attester l'effacement", "attest the deletion"),
    PREAU + "reportPublication": Term(
        (ODRL + "use",), "signaler les publications", "report publications"
    ),
    PREAU + "transferOutside": Term(
        (ODRL + "use",), "transférer hors du territoire", "transfer outside the territory"
    ),
    PREAU + "keepOfferPublished": Term(
        (), "garder publiée sa propre offre", "keep one's own offer published"
    ),
    ODRL + "ensureExclusivity": Term((), "garantir l'exclusivité", "ensure exclusivity"),
}

PROMISES: Final = frozenset(
    {
        ODRL + "delete",
        ODRL + "attribute",
        ODRL + "inform",
        ODRL + "anonymize",
        PREAU + "stopAndErase",
        PREAU + "attestDeletion",
        PREAU + "reportPublication",
        PREAU + "keepOfferPublished",
    }
)
"""Actions that only make sense after the data was received: duties on them are tracked promises."""
DECLARED: Final = frozenset({PREAU + "attestDeletion", PREAU + "reportPublication"})
"""Actions by which the recipient declares something, with its signature."""

TREATMENTS: Final[Mapping[str, Term]] = {
    PREAU + "KeyedPerRecipientAndPurpose": Term(
        (),
        "pseudonyme stable par destinataire et finalité",
        "pseudonym stable per recipient and purpose",
    ),
    PREAU + "KeyedPerAgreement": Term(
        (PREAU + "KeyedPerRecipientAndPurpose",),
        "pseudonyme propre à chaque accord",
        "pseudonym of its own for each agreement",
    ),
}

PRECISIONS: Final[Mapping[str, Term]] = {
    PREAU + "Minute": Term((), "à la minute", "to the minute"),
    PREAU + "Hour": Term((PREAU + "Minute",), "à l'heure", "to the hour"),
    PREAU + "Day": Term((PREAU + "Hour",), "au jour", "to the day"),
    PREAU + "NoTime": Term((PREAU + "Day",), "sans date ni heure", "no date or time"),
}

CATEGORIES: Final[Mapping[str, Term]] = {
    DPV + "Data": Term((), "données", "data"),
    DPV + "PersonalData": Term((DPV + "Data",), "données personnelles", "personal data"),
    DPV + "NonPersonalData": Term(
        (DPV + "Data",), "données sans lien avec des personnes", "non-personal data"
    ),
    DPV + "PseudonymisedData": Term(
        (DPV + "PersonalData",),
        "données pseudonymisées (données personnelles)",
        "pseudonymised data (personal data)",
    ),
    DPV + "SpecialCategoryPersonalData": Term(
        (DPV + "PersonalData",), "données sensibles (article 9)", "special category data"
    ),
    PREAU + "LearningTraces": Term(
        (DPV + "PersonalData",), "traces d'apprentissage", "learning traces"
    ),
    PREAU + "LearningResults": Term(
        (DPV + "PersonalData",), "résultats scolaires et universitaires", "learning results"
    ),
}

STATUSES: Final[Mapping[str, Term]] = {
    DPV + "ConsentGiven": Term((), "consentement donné", "consent given"),
    DPV + "RenewedConsentGiven": Term(
        (DPV + "ConsentGiven",), "consentement renouvelé", "consent renewed"
    ),
    DPV + "ConsentWithdrawn": Term((), "consentement retiré", "consent withdrawn"),
    DPV + "ConsentRefused": Term((), "consentement refusé", "consent refused"),
    DPV + "ConsentExpired": Term((), "consentement expiré", "consent expired"),
    PREAU + "ObjectionLodged": Term((), "opposition déposée", "objection lodged"),
    PREAU + "NoOpenObjection": Term((), "aucune opposition en cours", "no open objection"),
    PREAU + "BeforeUse": Term((), "avant l'utilisation", "before use"),
    PREAU + "AfterUse": Term((), "après l'utilisation", "after use"),
    ODRL + "policyUsage": Term((), "utilisation de la donnée", "use of the data"),
    PREAU + "ApprovalValid": Term((), "avis favorable en cours de validité", "approval in force"),
    PREAU + "ApprovalExpired": Term((), "avis expiré", "approval expired"),
    PREAU + "ApprovalRefused": Term((), "avis défavorable", "approval refused"),
}

ROLES: Final[Mapping[str, Term]] = {
    PREAU + "EducationInstitution": Term(
        (), "établissement ou autorité d'enseignement", "education institution or authority"
    ),
    PREAU + "HigherEducationInstitution": Term(
        (PREAU + "EducationInstitution",),
        "établissement d'enseignement supérieur",
        "higher education institution",
    ),
    PREAU + "SchoolAuthority": Term(
        (PREAU + "EducationInstitution",), "autorité scolaire", "school authority"
    ),
    PREAU + "MoocOperator": Term((), "opérateur de cours en ligne", "operator of online courses"),
    PREAU + "ResearchOrganisation": Term((), "organisme de recherche", "research organisation"),
}

HOSTING: Final[Mapping[str, Term]] = {
    PREAU + "QualifiedHosting": Term((), "hébergement qualifié", "qualified hosting"),
    PREAU + "SecNumCloud": Term(
        (PREAU + "QualifiedHosting",), "hébergement SecNumCloud", "SecNumCloud hosting"
    ),
    PREAU + "HealthDataHosting": Term(
        (PREAU + "QualifiedHosting",), "hébergement de données de santé", "health data hosting"
    ),
}

RECIPROCITY: Final[Mapping[str, Term]] = {
    PREAU + "OfferOfComparableData": Term(
        (), "offre de données comparables", "offer of comparable data"
    ),
    PREAU + "NoComparableOffer": Term(
        (), "pas d'offre de données comparables", "no offer of comparable data"
    ),
}

LEVELS: Final[Mapping[str, Term]] = {
    PREAU + "Row": Term((), "lignes", "rows"),
    PREAU + "GroupedRows": Term(
        (PREAU + "Row",), "lignes indistinctes par groupes", "rows alike in groups"
    ),
    PREAU + "Aggregate": Term(
        (PREAU + "GroupedRows",), "chiffres sur des groupes", "figures about groups"
    ),
}
"""Narrower tells less about a person."""

_TABLES: Final = (
    PURPOSES,
    ACTIONS,
    TREATMENTS,
    PRECISIONS,
    CATEGORIES,
    STATUSES,
    ROLES,
    HOSTING,
    RECIPROCITY,
    LEVELS,
)


def covers(tree: Mapping[str, Term], broad: str, narrow: str) -> bool:
    """Whether `narrow` is `broad` or lies below it in this tree; unknown terms equal themselves."""
    return broad == narrow or broad in ancestors(tree, narrow)


def ancestors(tree: Mapping[str, Term], term: str) -> frozenset[str]:
    """Every broader term of `term`, itself excluded; empty for an unknown term."""
    found: set[str] = set()
    todo = list(tree[term].broader) if term in tree else []
    while todo:
        parent = todo.pop()
        if parent not in found:
            found.add(parent)
            todo.extend(tree[parent].broader if parent in tree else ())
    return frozenset(found)


def purpose(term: str) -> str:
    """Our name of a purpose: the reviewed mapping of a foreign one, otherwise the term itself."""
    return FOREIGN_PURPOSES.get(term, term)


@cache
def purpose_covers(granted: str, requested: str) -> bool:
    """Whether a grant for one purpose covers a request for another (equal or narrower only)."""
    return covers(PURPOSES, purpose(granted), purpose(requested))


@cache
def purposes_overlap(one: str, other: str) -> bool:
    """Whether two purposes may have anything in common; strict, for refusals.

    They do when some known purpose lies below both, and when either is unknown: a "no" that we
    do not understand must not be read as a "no" to something else.
    """
    first, second = purpose(one), purpose(other)
    if first not in PURPOSES or second not in PURPOSES:
        return True
    return any(covers(PURPOSES, first, p) and covers(PURPOSES, second, p) for p in PURPOSES)


@cache
def action_covers(granted: str, requested: str) -> bool:
    """Whether a rule on one action applies to another (ODRL `includedIn`)."""
    return covers(ACTIONS, granted, requested)


def label(term: str, lang: Language) -> str:
    """What people call an IRI; an unknown one is shown as it is, between angle brackets."""
    for table in _TABLES:
        if term in table:
            return table[term].fr if lang == "fr" else table[term].en
    return f"<{term}>"


def compact(term: str) -> str:
    """A short spelling for texts (`odrl:use`); the IRI itself when no prefix of ours fits."""
    for prefix, base in PREFIXES.items():
        if term.startswith(base):
            return f"{prefix}:{term[len(base) :]}"
    return term
