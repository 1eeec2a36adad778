"""Search over the datasets a node knows: cards, facets, ranking. Pure; the clock is an argument.

A *card* is what a search needs of one verified dataset document. `search` keeps the cards that
meet the query, orders them, and counts what each facet would leave: the counts of a facet are over
the cards that meet everything else, so that a person sees what another choice would give. All of
it is an aid for finding; what may be done with a dataset is decided by its policy alone.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final

from catalog import values
from catalog.model import Dataset
from policies import vocabulary
from policies.model import Policy, atoms
from policies.problem import Problem
from policies.vocabulary import CATEGORIES, ODRL, PREAU, covers, label, purpose_covers

PUBLIC: Final = "public"
DECISION: Final = "decision"
AUTOMATIC: Final = "automatic"
GROUP: Final = "group"
FRESH: Final = "fresh"
STALE: Final = "stale"
UNSCHEDULED: Final = "unscheduled"
ENDED: Final = "ended"
ACCESS: Final = (AUTOMATIC, DECISION, GROUP)
FRESHNESS: Final = (FRESH, STALE, UNSCHEDULED, ENDED)
FACETS: Final = ("access", "purpose", "category", "freshness", "publisher")
ANY_PURPOSE: Final = PREAU + "AnyPurpose"
"""Stands for a permission that names no purpose."""

_PURPOSE: Final = ODRL + "purpose"
_EXCLUDING: Final = frozenset({ODRL + "neq", ODRL + "isNoneOf"})
_PERIODS: Final[Mapping[str, int]] = {
    "continuous": 1,
    "daily": 1,
    "weekly": 7,
    "monthly": 31,
    "quarterly": 92,
    "semiannual": 184,
    "annual": 366,
}
_WORD: Final = re.compile(r"[^\W_]+")
_EXACT: Final = 2.0
_TITLE, _NAME, _PUBLISHER, _LABEL, _FIELD, _TEXT = 8.0, 6.0, 4.0, 3.0, 2.0, 1.0


@dataclass(frozen=True, slots=True)
class Card:
    """What a search needs of one dataset, as plain values, so that it can be stored as JSON."""

    dataset: str
    document: str
    digest: str
    identifier: str
    publisher: str
    publisher_name: str
    title_fr: str
    title_en: str
    description_fr: str
    description_en: str
    group: str
    category: str
    kind: str
    audience: str
    access: tuple[str, ...]
    decisions: tuple[tuple[str, ...], ...]
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    formats: tuple[str, ...]
    offers: tuple[str, ...]
    periodicity: str
    modified: str
    until: str
    rows: int
    persons: str | None
    signed: bool = True
    """False where the publisher signs nothing: anybody on the way may have written it."""

    def document_json(self) -> dict[str, Any]:
        """The card as JSON."""
        return asdict(self)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "Card":
        """The card that `document_json` wrote."""
        given = {field.name: stored[field.name] for field in fields(cls) if field.name in stored}
        for name in ("access", "purposes", "fields", "formats", "offers"):
            given[name] = tuple(given[name])
        given["decisions"] = tuple(tuple(roles) for roles in given["decisions"])
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for; None leaves a facet open. Purposes and categories by IRI."""

    text: str = ""
    access: str | None = None
    purpose: str | None = None
    category: str | None = None
    freshness: str | None = None
    publisher: str | None = None

    def __post_init__(self) -> None:
        """Raises Problem `catalog-search-facet`."""
        for name, allowed in (("access", ACCESS), ("freshness", FRESHNESS)):
            if getattr(self, name) not in (None, *allowed):
                raise Problem("catalog-search-facet", facet=name, allowed=", ".join(allowed))


@dataclass(frozen=True, slots=True)
class Hit:
    """A card that was found, how well it fits, and whether it is kept up."""

    card: Card
    score: float
    freshness: str


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, best first, and for each facet how many each value would leave."""

    hits: tuple[Hit, ...]
    facets: Mapping[str, Mapping[str, int]]


def card(dataset: Dataset, digest: str) -> Card:
    """The card of a verified dataset."""
    policies = [offer.policy for offer in dataset.offers]
    return Card(
        dataset=dataset.iri,
        document=dataset.document_iri,
        digest=digest,
        identifier=dataset.identifier,
        publisher=dataset.publisher.did,
        publisher_name=dataset.publisher.name,
        title_fr=dataset.title.fr,
        title_en=dataset.title.en,
        description_fr=dataset.description.fr,
        description_en=dataset.description.en,
        group=dataset.group,
        category=dataset.category,
        kind=dataset.kind,
        audience=dataset.audience,
        access=_access(dataset),
        decisions=tuple(offer.decisions for offer in dataset.offers),
        purposes=tuple(sorted({each for policy in policies for each in purposes(policy)})),
        fields=tuple(field.name for field in dataset.fields),
        formats=tuple(form.name for form in dataset.distributions),
        offers=tuple(policy.id for policy in policies),
        periodicity=dataset.periodicity,
        modified=values.format_instant(dataset.modified),
        until=values.format_instant(dataset.until),
        rows=dataset.rows,
        persons=dataset.persons,
    )


def purposes(policy: Policy) -> tuple[str, ...]:
    """The purposes that a policy's permissions name; `ANY_PURPOSE` for one that names none."""
    found: set[str] = set()
    for rule in policy.permissions:
        named = {
            value.text
            for atom in atoms(rule.constraints)
            if atom.left == _PURPOSE and atom.operator not in _EXCLUDING
            for value in atom.right
        }
        found |= named or {ANY_PURPOSE}
    return tuple(sorted(found))


def freshness(periodicity: str, modified: datetime, until: datetime, now: datetime) -> str:
    """Whether a dataset keeps its own promise (C6): `stale` once it is a period overdue.

    A period and a tenth of it, at least a day, may pass between two modifications. Datasets that
    promise no period are `unscheduled`; those whose offers are over, `ended`.
    """
    if until <= now:
        return ENDED
    days = _PERIODS.get(periodicity)
    if days is None:
        return UNSCHEDULED
    grace = max(timedelta(days=1), timedelta(days=days) / 10)
    return STALE if now - modified > timedelta(days=days) + grace else FRESH


def search(cards: Iterable[Card], query: Query, now: datetime) -> Found:
    """What meets the query, best first; equal ones fresh first, then newest, then by name."""
    asked = words(query.text)
    hits = []
    for each in cards:
        score = _score(each, asked)
        if score > 0:
            hits.append(Hit(each, score, _freshness(each, now)))
    met = {id(hit): _met(hit, query) for hit in hits}
    everything = frozenset(FACETS)
    kept = [hit for hit in hits if met[id(hit)] == everything]
    facets = {
        facet: _count(facet, [hit for hit in hits if met[id(hit)] >= everything - {facet}])
        for facet in FACETS
    }
    return Found(tuple(sorted(kept, key=_order)), facets)


def words(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared: no accents, no capitals, no plural s or x."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return tuple(dict.fromkeys(_stem(word) for word in _WORD.findall(bare)))


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] in "sx" else word


def _access(dataset: Dataset) -> tuple[str, ...]:
    kinds = {DECISION if offer.decisions else AUTOMATIC for offer in dataset.offers}
    if dataset.group != PUBLIC:
        kinds.add(GROUP)
    return tuple(sorted(kinds))


def _freshness(card: Card, now: datetime) -> str:
    modified, until = values.parse_instant(card.modified), values.parse_instant(card.until)
    if modified is None or until is None:
        return UNSCHEDULED
    return freshness(card.periodicity, modified, until, now)


def _score(card: Card, asked: tuple[str, ...]) -> float:
    """How well a card fits; 0 when one of the words is nowhere in it."""
    if not asked:
        return 1.0
    weighted = [(words(text), weight) for text, weight in _texts(card)]
    total = 0.0
    for word in asked:
        best = max((_fit(word, found) * weight for found, weight in weighted), default=0.0)
        if best == 0:
            return 0.0
        total += best
    return total


def _texts(card: Card) -> list[tuple[str, float]]:
    named = [label(iri, lang) for iri in (card.category, *card.purposes) for lang in ("fr", "en")]
    return [
        (card.title_fr, _TITLE),
        (card.title_en, _TITLE),
        (card.identifier, _NAME),
        (card.publisher_name, _PUBLISHER),
        (" ".join(named), _LABEL),
        (" ".join(card.fields), _FIELD),
        (card.description_fr, _TEXT),
        (card.description_en, _TEXT),
    ]


def _fit(word: str, found: tuple[str, ...]) -> float:
    if word in found:
        return _EXACT
    return 1.0 if any(each.startswith(word) for each in found) else 0.0


def _met(hit: Hit, query: Query) -> frozenset[str]:
    """The facets in which a hit is what was asked for."""
    card = hit.card
    checks = {
        "access": query.access is None or query.access in card.access,
        "purpose": query.purpose is None or _allows(card, query.purpose),
        "category": query.category is None or covers(CATEGORIES, query.category, card.category),
        "freshness": query.freshness in (None, hit.freshness),
        "publisher": query.publisher in (None, card.publisher),
    }
    return frozenset(facet for facet, met in checks.items() if met)


def _allows(card: Card, purpose: str) -> bool:
    """Whether an offer admits a purpose: one it names is equal or broader, or it names none."""
    return any(admits(each, purpose) for each in card.purposes)


def admits(offered: str, purpose: str) -> bool:
    """Whether one of `purposes` admits this one: it names none, the same, or a broader one."""
    return offered == ANY_PURPOSE or purpose_covers(offered, purpose)


def _count(facet: str, hits: list[Hit]) -> dict[str, int]:
    """How many hits each value of a facet would leave, most first."""
    if facet == "purpose":
        known = {each for hit in hits for each in hit.card.purposes}
        counted = Counter({p: sum(_allows(hit.card, p) for hit in hits) for p in known})
    else:
        counted = Counter(each for hit in hits for each in _values(facet, hit))
    return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))


def _values(facet: str, hit: Hit) -> tuple[str, ...]:
    single = {
        "category": hit.card.category,
        "freshness": hit.freshness,
        "publisher": hit.card.publisher,
    }
    if facet == "access":
        return hit.card.access
    return (single[facet],) if single[facet] else ()


def _order(hit: Hit) -> tuple[float, int, float, str]:
    modified = values.parse_instant(hit.card.modified)
    age = -modified.timestamp() if modified else 0.0
    return -hit.score, FRESHNESS.index(hit.freshness), age, hit.card.dataset


def expand(name: str) -> str:
    """The IRI of a short spelling such as `preau:EducationResearch`; an IRI stays as it is."""
    prefix, colon, rest = name.partition(":")
    known = vocabulary.PREFIXES.get(prefix) if colon else PREAU
    return name if known is None or rest.startswith("//") else known + (rest if colon else name)
