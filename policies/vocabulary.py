"""Names: the IRIs we know, the trees they stand in, and what people call them.

Purposes, actions and data categories are hierarchies: a grant for a broader term covers every
narrower one, never the reverse. DPV's research purposes are siblings, so a consent to academic
research would never match a request for scientific research; our own purposes have several
parents (decision C5), and notices and requests use ours. A foreign purpose enters only through
the reviewed table `FOREIGN_PURPOSES`; an unknown one equals itself and nothing else.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from policies.problem import Language

ODRL: Final = "http://www.w3.org/ns/odrl/2/"
DPV: Final = "https://w3id.org/dpv#"
EDU: Final = "https://w3id.org/dpv/sector/education#"
PREAU: Final = "https://w3id.org/preau/ns#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

PREFIXES: Final[Mapping[str, str]] = {
    "odrl": ODRL,
    "preau": PREAU,
    "dpv": DPV,
    "edu": EDU,
    "edu-s": EDU,
    "sector-education": EDU,
    "xsd": XSD,
    "rdf": RDF,
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "dct": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dspace": "https://w3id.org/dspace/2025/1/",
    "cc": "http://creativecommons.org/ns#",
}


class Term(NamedTuple):
    """One known IRI: its broader terms and its labels."""

    broader: tuple[str, ...]
    fr: str
    en: str


PURPOSES: Final[Mapping[str, Term]] = {
    DPV + "ResearchAndDevelopment": Term(
        (), "recherche et développement", "research and development"
    ),
    DPV + "AcademicResearch": Term(
        (DPV + "ResearchAndDevelopment",), "recherche académique", "academic research"
    ),
    DPV + "ScientificResearch": Term(
        (DPV + "ResearchAndDevelopment",), "recherche scientifique", "scientific research"
    ),
    DPV + "CommercialResearch": Term(
        (DPV + "ResearchAndDevelopment",), "recherche commerciale", "commercial research"
    ),
    DPV + "NonCommercialResearch": Term(
        (DPV + "ResearchAndDevelopment",), "recherche non commerciale", "non-commercial research"
    ),
    DPV + "PublicBenefit": Term((), "intérêt public", "public benefit"),
    DPV + "ProvideOfficialStatistics": Term(
        (DPV + "PublicBenefit",), "statistique publique", "official statistics"
    ),
    DPV + "ServiceProvision": Term((), "fourniture du service", "service provision"),
    DPV + "ServiceOptimisation": Term(
        (DPV + "ServiceProvision",), "amélioration du service", "service optimisation"
    ),
    DPV + "ServicePersonalisation": Term(
        (DPV + "ServiceProvision",), "personnalisation du service", "service personalisation"
    ),
    DPV + "Marketing": Term((), "marketing", "marketing"),
    EDU + "EducationManagement": Term((), "gestion de l'enseignement", "education management"),
    EDU + "ResearchManagement": Term(
        (DPV + "AcademicResearch", EDU + "EducationManagement"),
        "gestion de la recherche en établissement",
        "research management in education",
    ),
    EDU + "ResearchUserStudyManagement": Term(
        (EDU + "ResearchManagement",),
        "études avec des participants",
        "research studies with participants",
    ),
    PREAU + "NonCommercialResearch": Term(
        (DPV + "NonCommercialResearch",),
        "recherche sans but commercial",
        "research without commercial aim",
    ),
    PREAU + "EducationResearch": Term(
        (DPV + "AcademicResearch", DPV + "ScientificResearch", PREAU + "NonCommercialResearch"),
        "recherche en éducation",
        "education research",
    ),
    PREAU + "LearningAnalyticsResearch": Term(
        (PREAU + "EducationResearch",),
        "recherche en analytique de l'apprentissage",
        "learning analytics research",
    ),
    PREAU + "LearningAnalytics": Term(
        (DPV + "ServiceOptimisation",), "analytique de l'apprentissage", "learning analytics"
    ),
    PREAU + "TeachingImprovement": Term(
        (PREAU + "LearningAnalytics",),
        "amélioration de l'enseignement",
        "improvement of teaching",
    ),
    PREAU + "Statistics": Term(
        (DPV + "PublicBenefit",), "statistiques sur l'éducation", "education statistics"
    ),
    PREAU + "CommercialResearch": Term(
        (DPV + "CommercialResearch",), "recherche à but commercial", "research for commercial aims"
    ),
}

FOREIGN_PURPOSES: Final[Mapping[str, str]] = {
    ODRL + "academicResearch": DPV + "AcademicResearch",
    "https://w3id.org/dpv/dpv-owl#AcademicResearch": DPV + "AcademicResearch",
    "https://w3id.org/dpv/dpv-owl#ScientificResearch": DPV + "ScientificResearch",
    "https://w3id.org/dpv/dpv-owl#NonCommercialResearch": DPV + "NonCommercialResearch",
    "https://w3id.org/dpv/dpv-owl#CommercialResearch": DPV + "CommercialResearch",
    "http://purl.obolibrary.org/obo/DUO_0000018": DPV + "NonCommercialResearch",
}

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
    }
)
"""Actions that only make sense after the data was received: duties on them are tracked promises."""

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
}

STATUSES: Final[Mapping[str, Term]] = {
    DPV + "ConsentGiven": Term((), "consentement donné", "consent given"),
    DPV + "RenewedConsentGiven": Term(
        (DPV + "ConsentGiven",), "consentement renouvelé", "consent renewed"
    ),
    DPV + "ConsentWithdrawn": Term((), "consentement retiré", "consent withdrawn"),
    PREAU + "ObjectionLodged": Term((), "opposition déposée", "objection lodged"),
    PREAU + "NoOpenObjection": Term((), "aucune opposition en cours", "no open objection"),
    PREAU + "BeforeUse": Term((), "avant l'utilisation", "before use"),
    PREAU + "AfterUse": Term((), "après l'utilisation", "after use"),
    ODRL + "policyUsage": Term((), "utilisation de la donnée", "use of the data"),
}

_TABLES: Final = (PURPOSES, ACTIONS, TREATMENTS, PRECISIONS, CATEGORIES, STATUSES)


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
