"""What a connector that signs nothing says about its data (Eclipse EDC; decision C3).

Such a catalog is read as plain JSON by the typed readers below: it is shown as *unsigned*, never
expanded, never canonicalised, and nothing in it names a context to load. What is wanted of a
dataset: its id, its words for people, its offers as they stand (they are echoed literally), and
in which forms it can be had. Anything else is passed over; a dataset without an id or an offer is
none.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalog import search
from catalog.search import Card
from policies import odrl
from policies.jcs import digest
from policies.model import Policy
from policies.problem import Problem

Json = Mapping[str, Any]

PULLS: Final = frozenset({"HttpData-PULL", "HttpProxy-PULL", "HttpProxy"})
"""The wire words under which data can be fetched over HTTP from an address that is handed out."""
MAX_TEXT: Final = 2000
_PREFIXES: Final = ("dcat:", "dct:", "odrl:", "dspace:", "edc:")
_NAMES: Final = ("title", "name", "id")


@dataclass(frozen=True, slots=True)
class Listed:
    """One dataset of an unsigned catalog; `offers` and `source` are its JSON as received."""

    id: str
    title: str
    description: str
    offers: tuple[Json, ...]
    formats: tuple[str, ...]
    source: Json

    def offer(self, purpose: str | None) -> Json:
        """The offer to echo: the first whose terms admit the purpose, or the first of all."""
        fitting = [one for one in self.offers if _admits(one, purpose)]
        return (fitting or list(self.offers))[0]

    @property
    def pull(self) -> str | None:
        """The wire word under which to fetch the data over HTTP; None if that is not offered."""
        return next((word for word in self.formats if word in PULLS), None)


def listing(catalog: Json) -> tuple[Listed, ...]:
    """The datasets of a catalog answer, in its order; those that are none are passed over."""
    found = []
    for item in _items(plain(catalog).get("dataset")):
        try:
            found.append(dataset(item))
        except Problem:
            continue
    return tuple(found)


def dataset(source: object) -> Listed:
    """One dataset as it stands in a catalog or in the answer to a dataset request.

    Raises:
        Problem: `catalog-foreign-dataset`: it has no id or no offer.
    """
    if not isinstance(source, Mapping):
        raise Problem("catalog-foreign-dataset")
    members = plain(source)
    ident = _text(members.get("@id"))
    offers = tuple(one for one in _items(members.get("hasPolicy")) if _text(plain(one).get("@id")))
    if not ident or not offers:
        raise Problem("catalog-foreign-dataset")
    titles = [_text(members.get(name)) for name in _NAMES]
    forms = [_text(plain(one).get("format")) for one in _items(members.get("distribution"))]
    return Listed(
        id=ident,
        title=next((each for each in titles if each), ident),
        description=_text(members.get("description")),
        offers=offers,
        formats=tuple(dict.fromkeys(_bare(each) for each in forms if each)),
        source=source,
    )


def card(found: Listed, publisher: str, name: str, group: str) -> Card:
    """The card of an unsigned dataset: what is not known stays empty."""
    policies = [each for each in map(_policy, found.offers) if each is not None]
    return Card(
        dataset=found.id,
        document="",
        digest=digest(found.source),
        identifier=found.id,
        publisher=publisher,
        publisher_name=name or publisher,
        title_fr=found.title,
        title_en=found.title,
        description_fr=found.description,
        description_en=found.description,
        group=group,
        category="",
        kind="",
        audience="unknown",
        access=(),
        decisions=(),
        purposes=tuple(sorted({p for policy in policies for p in search.purposes(policy)})),
        fields=(),
        formats=found.formats,
        offers=tuple(_text(plain(one).get("@id")) for one in found.offers),
        periodicity="unknown",
        modified="",
        until="",
        rows=0,
        persons=None,
        signed=False,
    )


def _policy(offer: Json) -> Policy | None:
    try:
        return odrl.read({"@type": "Offer", **offer})
    except Problem:
        return None


def _admits(offer: Json, purpose: str | None) -> bool:
    policy = _policy(offer)
    if policy is None:
        return False
    named = search.purposes(policy)
    return purpose is None or any(search.admits(each, purpose) for each in named)


def plain(source: Json) -> dict[str, Any]:
    """The members without the prefix that some peers write; the bare word wins."""
    found: dict[str, Any] = {}
    for key, value in source.items():
        bare = _bare(str(key))
        if bare not in found or bare == key:
            found[bare] = value
    return found


def _bare(word: str) -> str:
    for prefix in _PREFIXES:
        if word.startswith(prefix):
            return word.removeprefix(prefix)
    return word


def _items(value: object) -> Iterable[Json]:
    """The objects in a list, or the one that stands for a list of one."""
    every = value if isinstance(value, list) else [value]
    return [each for each in every if isinstance(each, Mapping)]


def _text(value: object) -> str:
    """A text for people or a name: a string, `{"@id"}`, `{"@value"}`, or the first of a list."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, Mapping):
        value = value.get("@value", value.get("@id"))
    if not isinstance(value, str):
        return ""
    shown = "".join(sign if sign.isprintable() else " " for sign in value[: MAX_TEXT * 2])
    return shown.strip()[:MAX_TEXT]
