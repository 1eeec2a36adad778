"""What a catalog says, as typed objects: datasets, their parts, and catalog heads.

An object that exists is publishable as far as its own members go: constructors refuse what could
not be written into a signed document. What needs policy knowledge (is personal data offered under
an open licence?) is `policies.lint`'s business. How it is spelled is `catalog.dcat`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from catalog import values
from policies.model import Policy
from policies.problem import Problem

Kind = Literal["xapi", "csv"]
Audience = Literal["adults", "minors", "mixed", "unknown"]
Ground = Literal["consent", "public-task", "none"]
Periodicity = Literal[
    "continuous",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "semiannual",
    "annual",
    "irregular",
    "never",
    "unknown",
]
Precision = Literal["minute", "hour", "day", "none"]
Personal = Literal["no", "indirect", "direct", "free-text", "special"]
Condition = Literal[
    "9(2)(a)",
    "9(2)(b)",
    "9(2)(c)",
    "9(2)(d)",
    "9(2)(e)",
    "9(2)(f)",
    "9(2)(g)",
    "9(2)(h)",
    "9(2)(i)",
    "9(2)(j)",
]
MAX_VERSION: Final = 2**31 - 1


def _must(holds: object, member: str, expected: str) -> None:
    if not holds:
        raise Problem("catalog-member-invalid", where=member, expected=expected)


def _words(value: object, member: str, allowed: object) -> None:
    choices = get_args(allowed)
    _must(value in choices, member, " | ".join(choices))


def _text(value: object, member: str) -> None:
    _must(isinstance(value, str) and value.strip() != "", member, "text")


def _count(value: object, member: str, least: int, most: int = 2**53 - 1) -> None:
    _must(type(value) is int and least <= value <= most, member, f"{least}…{most}")


def _instant(value: object, member: str) -> None:
    aware = isinstance(value, datetime) and value.utcoffset() is not None
    _must(aware, member, "2026-11-23T08:00:00Z")


def _unique(names: list[str], member: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Problem("catalog-member-twice", where=member, name=name[:80])
        seen.add(name)


def _form(test: Callable[[object], bool], value: object, member: str, expected: str) -> None:
    _must(test(value), member, expected)


@dataclass(frozen=True, slots=True)
class Words:
    """One text for people in both languages."""

    fr: str
    en: str

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid` when a language is missing."""
        _text(self.fr, "fr")
        _text(self.en, "en")


@dataclass(frozen=True, slots=True)
class Publisher:
    """The institution that publishes and signs: its DID and its name."""

    did: str
    name: str

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`."""
        _form(values.is_did, self.did, "publisher.did", "did:web:…")
        _text(self.name, "publisher.name")


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """The basis the controller declares for sharing; `none` is for data about nobody."""

    ground: Ground
    reference: str | None = None

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`."""
        _words(self.ground, "basis.ground", Ground)
        if self.reference is not None:
            _text(self.reference, "basis.reference")


@dataclass(frozen=True, slots=True)
class Notice:
    """The information notice that the persons in the data received: where, which edition.

    `digest` (`sha-256:<hex>` of the text's UTF-8 bytes) pins what was said.
    """

    iri: str
    edition: str
    digest: str | None = None

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`."""
        _form(values.is_iri, self.iri, "notice.iri", "https://…")
        _text(self.edition, "notice.edition")
        if self.digest is not None:
            _form(values.is_digest, self.digest, "notice.digest", "sha-256:<64 hex>")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the codebook.

    `path` is a JSON pointer (RFC 6901, `-` for any index) in xAPI rows and a column name in
    tables; `personal` is what the field says about a person, in the words of `policies.plan`.
    `condition` is the exception of Article 9(2) GDPR declared for a special category, and
    `reference` where that is written down; without both the field never leaves (S5).
    """

    name: str
    path: str
    type: str
    personal: Personal
    condition: Condition | None = None
    reference: str | None = None

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`."""
        _text(self.name, "fields.name")
        _text(self.path, "fields.path")
        _text(self.type, "fields.type")
        _words(self.personal, "fields.personal", Personal)
        _must((self.condition is None) == (self.reference is None), "fields.reference", "text")
        if self.condition is not None:
            _words(self.condition, "fields.condition", Condition)
            _text(self.reference, "fields.reference")


@dataclass(frozen=True, slots=True)
class Distribution:
    """One form in which the data leaves: a short name, a media type, the DSP transfer word."""

    name: str
    media_type: str
    transfer: str = "HttpData-PULL"

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`."""
        _form(values.is_name, self.name, "distributions.name", "ndjson")
        _form(values.is_media_type, self.media_type, "distributions.media_type", "text/csv")
        _form(values.is_word, self.transfer, "distributions.transfer", "HttpData-PULL")


@dataclass(frozen=True, slots=True)
class Offer:
    """A policy on offer and the roles whose decision it needs, in order (`()` = automatic)."""

    policy: Policy
    decisions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`, `catalog-member-twice`."""
        for role in self.decisions:
            _form(values.is_name, role, "offers.decisions", "dpo | ethics | …")
        _unique(list(self.decisions), "offers.decisions")


@dataclass(frozen=True, slots=True)
class LinkageFigure:
    """How many common learners two recipients who collude would link, for one treatment.

    `time` is the precision of released times, `extensions` whether results and extension values
    leave, `linked` a share as `values.format_share` writes it.
    """

    time: Precision
    extensions: bool
    linked: str

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`."""
        _words(self.time, "linkage.figure.precision", Precision)
        _must(type(self.extensions) is bool, "linkage.figure.extensions", "true | false")
        _form(values.is_share, self.linked, "linkage.figure.linked", "<1 % | 42 % | >99 %")


@dataclass(frozen=True, slots=True)
class Linkage:
    """What was measured on the newest revision (decision X5): when, and one figure a treatment.

    `consents` is the percentage of learners assumed to consent to each of the two recipients.
    """

    measured: datetime
    figures: tuple[LinkageFigure, ...]
    consents: int = 70

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`, `catalog-member-twice`."""
        _instant(self.measured, "linkage.measured")
        _count(self.consents, "linkage.consents", 1, 100)
        _must(len(self.figures) > 0, "linkage.figure", "1…")
        _unique([f"{one.time}-{one.extensions}" for one in self.figures], "linkage.figure")


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset as its publisher describes and offers it, in one version.

    `iri` names the dataset for ever, `<iri>/v<version>` the document that says this. `fields` is
    the codebook in order; `persons` is already rounded (see `values.rounded_persons`), None when
    the data is about nobody; `retention` is how long a recipient may keep it (ISO 8601).
    `modified` is when the data or its description last changed, `until` when the offers end;
    `linkage` is None until somebody has measured it (`preau dataset risk`); `record_time` names
    the column that dates the rows of a table, None when nothing does.
    """

    iri: str
    identifier: str
    version: int
    title: Words
    description: Words
    publisher: Publisher
    kind: Kind
    category: str
    audience: Audience
    basis: LegalBasis
    notice: Notice | None
    personal: bool
    fields: tuple[Field, ...]
    periodicity: Periodicity
    issued: datetime
    modified: datetime
    until: datetime
    retention: str
    retention_reason: str | None
    dpia: str | None
    group: str
    rows: int
    persons: str | None
    offers: tuple[Offer, ...]
    distributions: tuple[Distribution, ...]
    endpoint: str
    linkage: Linkage | None = None
    record_time: str | None = None

    @property
    def dated(self) -> bool:
        """Whether rows have a record time, which a requested period can select by."""
        return self.kind == "xapi" or self.record_time is not None

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`, `catalog-member-twice`."""
        self._check_names()
        self._check_words()
        self._check_parts()

    @property
    def document_iri(self) -> str:
        """The IRI of the signed document: `<dataset>/v<version>` (C1)."""
        return f"{self.iri}/v{self.version}"

    def _check_names(self) -> None:
        _must(
            values.is_iri(self.iri) and not set("#?") & set(self.iri) and self.iri[-1] != "/",
            "iri",
            "https://…/datasets/…",
        )
        _form(values.is_identifier, self.identifier, "identifier", "A-Z a-z 0-9 . _ -")
        _form(values.is_name, self.group, "group", "a-z 0-9 -")
        _form(values.is_iri, self.category, "category", "https://…")
        _must(
            values.is_iri(self.endpoint) and not set("#?") & set(self.endpoint),
            "endpoint",
            "https://…/dsp/2025-1",
        )
        _count(self.version, "version", 1, MAX_VERSION)
        _count(self.rows, "rows", 0)

    def _check_words(self) -> None:
        _words(self.kind, "kind", Kind)
        _words(self.audience, "audience", Audience)
        _words(self.periodicity, "periodicity", Periodicity)
        _must(type(self.personal) is bool, "personal", "true | false")
        _form(values.is_duration, self.retention, "retention", "P1Y")
        for member in ("issued", "modified", "until"):
            _instant(getattr(self, member), member)
        for member in ("retention_reason", "dpia"):
            if getattr(self, member) is not None:
                _text(getattr(self, member), member)
        if self.persons is not None:
            _form(values.is_persons, self.persons, "persons", "<10 | 10 | 20 | …")

    def _check_parts(self) -> None:
        _must(len(self.fields) > 0, "fields", "1…")
        _must(len(self.offers) > 0, "offers", "1…")
        _must(len(self.distributions) > 0, "distributions", "1…")
        _unique([field.name for field in self.fields], "fields")
        _unique([form.name for form in self.distributions], "distributions")
        if self.record_time is not None:
            known = {field.path for field in self.fields} if self.kind == "csv" else set()
            _must(self.record_time in known, "record_time", "fields.path")


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset in a head: its IRI, its current document, that document's digest."""

    dataset: str
    document: str
    digest: str

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`."""
        _form(values.is_iri, self.dataset, "entries.dataset", "https://…")
        _form(values.is_iri, self.document, "entries.document", "https://…/v1")
        _form(values.is_digest, self.digest, "entries.digest", "sha-256:<64 hex>")


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A dataset that was withdrawn: when, and a reason code."""

    dataset: str
    at: datetime
    reason: str

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`."""
        _form(values.is_iri, self.dataset, "tombstones.dataset", "https://…")
        _instant(self.at, "tombstones.at")
        _form(values.is_name, self.reason, "tombstones.reason", "a-z 0-9 -")


@dataclass(frozen=True, slots=True)
class Head:
    """What one access group's catalog contains at one version (C2).

    `catalog` is the IRI of the catalog; the head itself is `<catalog>/<group>/v<version>`.
    `previous` is the digest of the version before, None in version 1. Entries and tombstones are
    sorted by dataset and disjoint.
    """

    catalog: str
    publisher: str
    group: str
    version: int
    previous: str | None
    issued: datetime
    entries: tuple[Entry, ...]
    tombstones: tuple[Tombstone, ...] = ()

    def __post_init__(self) -> None:
        """Raises Problem `catalog-member-invalid`, `catalog-member-twice`."""
        _must(
            values.is_iri(self.catalog) and not set("#?") & set(self.catalog),
            "catalog",
            "https://…/catalog",
        )
        _form(values.is_did, self.publisher, "publisher", "did:web:…")
        _form(values.is_name, self.group, "group", "a-z 0-9 -")
        _count(self.version, "version", 1, MAX_VERSION)
        _must((self.previous is None) == (self.version == 1), "previous", "sha-256:<64 hex>")
        if self.previous is not None:
            _form(values.is_digest, self.previous, "previous", "sha-256:<64 hex>")
        _instant(self.issued, "issued")
        self._check_order()

    @property
    def iri(self) -> str:
        """The IRI of this version of the head."""
        return f"{self.catalog}/{self.group}/v{self.version}"

    def _check_order(self) -> None:
        listed = [entry.dataset for entry in self.entries]
        gone = [stone.dataset for stone in self.tombstones]
        _must(listed == sorted(listed), "entries", "dataset ↑")
        _must(gone == sorted(gone), "tombstones", "dataset ↑")
        seen: set[str] = set()
        for dataset in listed + gone:
            if dataset in seen:
                raise Problem("catalog-member-twice", where="entries", name=dataset[:200])
            seen.add(dataset)
