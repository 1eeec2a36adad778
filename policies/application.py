"""The application: what a requester asks for, as one signed object (decision P4).

Reading is strict: we sign these documents, so a member we do not know is refused. The signature
itself (`proof`) is checked by `catalog.proofs`; here it is left aside and never part of the
digest. A researcher writes a *draft*, the same document without what the node knows better
(ids, parties, dataset, offer, date, proof); `complete` makes the application of it.
"""

import marshal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal, cast

from policies import values
from policies.jcs import digest
from policies.model import DATETIME, STRING, Constraint, Value, iri
from policies.operands.base import EQ, GTEQ, IS_PART_OF, LT
from policies.operands.places import LOC
from policies.strict import Members, date
from policies.vocabulary import ODRL, PREAU, purpose_covers

RelationKind = Literal["separate", "joint", "processor"]

_EXACT: Final = 2
"""A form of `marshal` in which equal values have equal bytes, 1 and 1.0 other ones."""
_CODE: Final = "policy-application"
_WHAT: Final = frozenset({"purpose", "project", "fields", "period", "relation"})
_LISTED: Final = frozenset({"processors"})
_EXTRA: Final = frozenset({"population", "code", "convention", "dpia"})
_WHO: Final = frozenset({"v", "id", "type", "requester", "provider", "dataset", "offer", "issued"})


@dataclass(frozen=True, slots=True)
class Project:
    """The research project: title, last day (date or instant), reference of ethical approval."""

    title: str
    end: str
    ethics: str | None = None


@dataclass(frozen=True, slots=True)
class Processor:
    """Someone who processes the data for the requester: name, country (ISO 3166-1), hosting."""

    name: str
    country: str
    hosting: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What a researcher asks for, before the node adds who asks whom for which offer.

    `start` and `end` are the half-open period of the records, RFC 3339 with `Z`.
    """

    purpose: str
    project: Project
    fields: tuple[str, ...]
    start: str
    end: str
    relation: RelationKind
    relation_document: str | None = None
    processors: tuple[Processor, ...] = ()
    population: str | None = None
    code: str | None = None
    convention: str | None = None
    dpia: str | None = None

    @property
    def period(self) -> tuple[datetime, datetime]:
        """The period of the records as UTC instants, half open."""
        first, last = values.instant(self.start), values.instant(self.end)
        if first is None or last is None:
            raise ValueError("a draft is made by draft(), which checks its period")
        return first, last

    def document(self) -> dict[str, object]:
        """The members of the application that the researcher decides."""
        relation = {"type": self.relation, "document": self.relation_document}
        project = {
            "title": self.project.title,
            "end": self.project.end,
            "ethics": self.project.ethics,
        }
        found: dict[str, object] = {
            "purpose": self.purpose,
            "project": _present(project),
            "fields": list(self.fields),
            "period": {"from": self.start, "to": self.end},
            "relation": _present(relation),
            "processors": [
                {"name": p.name, "country": p.country, "hosting": p.hosting}
                for p in self.processors
            ],
        }
        extra = {name: getattr(self, name) for name in sorted(_EXTRA)}
        return found | _present(extra)


@dataclass(frozen=True, slots=True)
class Application:
    """A complete application. Everything the researcher decides stands in `asked`."""

    id: str
    requester: str
    provider: str
    dataset: str
    offer: str
    issued: str
    asked: Draft

    @property
    def purpose(self) -> str:
        """The purpose IRI."""
        return self.asked.purpose

    @property
    def fields(self) -> tuple[str, ...]:
        """The codebook names asked for."""
        return self.asked.fields

    @property
    def period(self) -> tuple[datetime, datetime]:
        """The period of the records, half open, UTC."""
        return self.asked.period

    @property
    def digest(self) -> str:
        """`sha-256:…` over the document without proof."""
        return digest(self.document())

    def document(self) -> dict[str, object]:
        """The document of FORMATS without `proof`; what is signed and digested."""
        return {
            "v": 1,
            "id": self.id,
            "type": "Application",
            "requester": self.requester,
            "provider": self.provider,
            "dataset": self.dataset,
            "offer": self.offer,
            "issued": self.issued,
        } | self.asked.document()


def read(data: object) -> Application:
    """The application that a JSON document is; a `proof` is left aside, not checked.

    Every step of a negotiation reads it, unsigned and signed; the same content is read once.

    Raises:
        Problem: `policy-application` with the path and what was expected there.
    """
    if isinstance(data, dict) and isinstance(data.get("proof"), dict):
        data = {name: value for name, value in data.items() if name != "proof"}
    try:
        written = marshal.dumps(cast("Any", data), _EXACT)
    except ValueError:  # not of plain JSON types
        return _read(data)
    return _read_written(written)


@lru_cache(maxsize=256)
def _read_written(written: bytes) -> Application:
    return _read(marshal.loads(written))  # noqa: S302  (our own bytes of a moment ago)


def _read(data: object) -> Application:
    members = Members(data, _CODE, "", _WHO | _WHAT | _LISTED, _EXTRA | {"proof"})
    members.constant("v", 1)
    members.constant("type", "Application")
    proof = members.value("proof")
    if proof is not None and not isinstance(proof, Mapping):
        raise members.problem("proof", "object")
    issued = members.time("issued")
    asked = _draft(members)
    if asked.start != _edge(members, "from") or asked.end != _edge(members, "to"):
        raise members.problem("period", "times such as 2027-01-31T12:00:00Z")
    return Application(
        id=members.uuid("id"),
        requester=members.did("requester"),
        provider=members.did("provider"),
        dataset=members.iri("dataset"),
        offer=members.text("offer"),
        issued=issued,
        asked=asked,
    )


def draft(data: object) -> Draft:
    """The draft a researcher wrote; dates may stand for times, the last day included.

    Raises:
        Problem: `policy-application` with the path and what was expected there.
    """
    return _draft(Members(data, _CODE, "", _WHAT, _LISTED | _EXTRA))


def complete(
    asked: Draft, *, id: str, requester: str, provider: str, dataset: str, offer: str, issued: str
) -> Application:
    """The application made of a draft and what the node knows, checked like a received one.

    Raises:
        Problem: `policy-application`, when an id, DID or time has not its form.
    """
    known = {"id": id, "requester": requester, "provider": provider, "dataset": dataset}
    return read(
        {"v": 1, "type": "Application", "offer": offer, "issued": issued} | known | asked.document()
    )


def constraints(application: Application) -> tuple[Constraint, ...]:
    """What the application asks, as the constraints that offer and agreement repeat (P4)."""
    asked = application.asked
    return (
        Constraint(ODRL + "purpose", EQ, (iri(asked.purpose),)),
        Constraint(
            PREAU + "fields",
            IS_PART_OF,
            tuple(Value(name, STRING) for name in sorted(asked.fields)),
            listed=True,
        ),
        Constraint(PREAU + "recordTime", GTEQ, (values.literal(asked.start, DATETIME),)),
        Constraint(PREAU + "recordTime", LT, (values.literal(asked.end, DATETIME),)),
    )


def countries(application: Application) -> tuple[Value, ...]:
    """The countries where the declared processors work, as IRIs; empty when none is declared."""
    return tuple(iri(LOC + p.country) for p in application.asked.processors)


def asks_no_more(inner: Application, outer: Application) -> bool:
    """Whether one application asks for nothing that another one did not ask for."""
    start, end = inner.period
    first, last = outer.period
    return (
        set(inner.fields) <= set(outer.fields)
        and purpose_covers(outer.purpose, inner.purpose)
        and first <= start
        and end <= last
    )


def _edge(members: Members, edge: str) -> object:
    """The raw spelling of an edge of the period."""
    period = members.value("period")
    return period.get(edge) if isinstance(period, Mapping) else None


def _draft(members: Members) -> Draft:
    start, end = _period(members)
    relation, document = _relation(members)
    return Draft(
        purpose=members.iri("purpose"),
        project=_project(members),
        fields=members.texts("fields"),
        start=start,
        end=end,
        relation=relation,
        relation_document=document,
        processors=_processors(members),
        population=members.optional_text("population"),
        code=members.optional_text("code"),
        convention=members.optional_text("convention"),
        dpia=members.optional_text("dpia"),
    )


def _project(members: Members) -> Project:
    project = Members(
        members.value("project"),
        _CODE,
        "project",
        frozenset({"title", "end"}),
        frozenset({"ethics"}),
    )
    end = project.text("end")
    if date(end) is None and values.instant(end) is None:
        raise project.problem("end", "a date such as 2027-08-31")
    return Project(project.text("title"), end, project.optional_text("ethics"))


def _period(members: Members) -> tuple[str, str]:
    period = Members(
        members.value("period"), _CODE, "period", frozenset({"from", "to"}), frozenset()
    )
    start, end = period.time_or_date("from"), period.time_or_date("to", end=True)
    first, last = values.instant(start), values.instant(end)
    if first is None or last is None or first >= last:
        raise period.problem("to", "a time after `from`")
    return start, end


def _relation(members: Members) -> tuple[RelationKind, str | None]:
    relation = Members(
        members.value("relation"), _CODE, "relation", frozenset({"type"}), frozenset({"document"})
    )
    kinds: tuple[RelationKind, ...] = ("separate", "joint", "processor")
    name = relation.one_of("type", kinds)
    kind = next(kind for kind in kinds if kind == name)
    document = relation.optional_text("document")
    if kind != "separate" and document is None:
        raise relation.problem("document", "the digest of the arrangement or contract")
    return kind, document


def _processors(members: Members) -> tuple[Processor, ...]:
    listed = members.value("processors") if "processors" in members else []
    if not isinstance(listed, list):
        raise members.problem("processors", "a list")
    return tuple(_processor(item, index) for index, item in enumerate(listed))


def _processor(data: object, index: int) -> Processor:
    names = frozenset({"name", "country", "hosting"})
    members = Members(data, _CODE, f"processors[{index}]", names, frozenset())
    country = members.text("country")
    if len(country) != 2 or not (country.isascii() and country.isalpha() and country.isupper()):
        raise members.problem("country", "two capital letters such as FR")
    return Processor(members.text("name"), country, members.text("hosting"))


def _present(members: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in members.items() if value is not None}
