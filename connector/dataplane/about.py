"""About: what the steward declares beside a file (FORMATS "About"), read strictly.

Room: dataplane; pure. Unknown members are refused: a misspelt `retention` must not be a missing
one. Whether the declaration is *enough* (end date, basis, audience …) is judged by the policy
linter, not here.
"""

import re
import string
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, TypeVar

from policies.problem import Problem

KINDS: Final = ("xapi", "csv")
AUDIENCES: Final = ("adults", "minors", "mixed")
ROLES: Final = ("ethics", "dpo", "steward")
FIELD_TYPES: Final = (
    "string",
    "number",
    "boolean",
    "uuid",
    "dateTime",
    "date",
    "agent",
    "mixed",
    "null",
)
PERSONAL: Final = ("no", "indirect", "direct", "free-text", "special")
# In all of them a line feed is the byte 0x0A and nothing else, so lines are split before decoding.
ENCODINGS: Final = ("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252")
CONDITIONS: Final = tuple(f"9(2)({letter})" for letter in "abcdefghij")
"""The exceptions of Article 9(2) GDPR, as a declaration spells them."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_PARTY: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._%:-]+|group:[A-Za-z0-9][A-Za-z0-9._-]*")
_DURATION: Final = re.compile(
    r"P(?!$)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?!$)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?"
)
_MAX_TEXT: Final = 20_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bilingual:
    """One text in French and English."""

    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Notice:
    """The information notice that learners were shown."""

    iri: str
    version: str
    text: str


@dataclass(frozen=True, slots=True)
class Basis:
    """The declared legal basis: an IRI or a word of the basis vocabulary, and its reference."""

    type: str
    reference: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The policy template and its parameters; `each_purpose`: one offer for each purpose, for
    connectors that can declare theirs by the choice of an offer only.
    """

    template: str
    params: Mapping[str, object]
    each_purpose: bool = False


@dataclass(frozen=True, slots=True)
class SubjectColumn:
    """A column that holds identifiers of persons, and the namespace they belong to."""

    column: str
    namespace: str


@dataclass(frozen=True, slots=True)
class SpecialColumn:
    """A column with special categories of data, with its Art. 9 condition and reference.

    Both are empty when none is declared: the column then never leaves (S5).
    """

    column: str
    condition: str
    reference: str


@dataclass(frozen=True, slots=True)
class Intelligence:
    """Whether the use is one of artificial intelligence, and its reference under the AI Act."""

    use: bool
    reference: str


@dataclass(frozen=True, slots=True)
class ColumnNote:
    """What the steward says about one field; an empty member leaves what was inferred."""

    name: str
    type: str
    personal: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written: `encoding` one of ENCODINGS, the others one character each."""

    encoding: str
    delimiter: str
    quote: str


@dataclass(frozen=True, slots=True)
class About:
    """A steward's declaration. `audience` None means unknown; absent texts are empty.

    `time` names the column of a table that dates its rows; xAPI statements date themselves.
    `roster` lists the parties (DID or `group:NAME`) that hold the list of all persons; `ai` None
    means that nobody said. `service_condition`: a service, a price or a duty depends on what a
    person answers. `exclusive`: nobody else may get the data. `public_body`: the publisher is one.
    """

    id: str
    title: Bilingual
    description: Bilingual
    publisher: str
    kind: str
    category: str
    audience: str | None
    periodicity: str
    until: datetime | None
    retention: str
    retention_reason: str
    group: str
    notice: Notice | None
    basis: Basis | None
    policy: Terms | None
    decisions: tuple[str, ...]
    subjects: tuple[SubjectColumn, ...]
    special: tuple[SpecialColumn, ...]
    columns: tuple[ColumnNote, ...]
    dialect: Dialect
    time: str
    personal: bool
    dpia: str
    roster: tuple[str, ...]
    ai: Intelligence | None
    service_condition: bool
    exclusive: bool
    public_body: bool


def parse(data: bytes | str) -> About:
    """The declaration in a TOML text.

    Raises:
        Problem: `dataplane-about-toml`; or, naming the member, `dataplane-about-unknown`,
            `-missing`, `-type`, `-value`.
    """
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        table = tomllib.loads(text)
    except UnicodeDecodeError:
        raise Problem("dataplane-about-toml", reason="UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise Problem("dataplane-about-toml", reason=str(error)[:200]) from None
    root = _Table(table, "")
    about = _about(root)
    root.end()
    return about


def _about(root: "_Table") -> About:
    return About(
        id=root.text("id", required=True, pattern=_ID),
        title=root.table("title", _bilingual, required=True) or Bilingual("", ""),
        description=root.table("description", _bilingual) or Bilingual("", ""),
        publisher=root.text("publisher"),
        kind=root.text("kind", required=True, allowed=KINDS),
        category=root.text("category", pattern=_IRI),
        audience=root.text("audience", allowed=AUDIENCES) or None,
        periodicity=root.text("periodicity"),
        until=root.instant("until"),
        retention=root.text("retention", pattern=_DURATION),
        retention_reason=root.text("retention_reason"),
        group=root.text("group", pattern=_ID) or "public",
        notice=root.table("notice", _notice),
        basis=root.table("basis", _basis),
        policy=root.table("policy", _terms),
        decisions=root.texts("decisions", ROLES),
        subjects=root.tables("subjects", _subject),
        special=root.tables("special", _special),
        columns=root.tables("columns", _column),
        dialect=root.table("dialect", _dialect) or Dialect("utf-8", ",", '"'),
        time=root.text("time"),
        personal=root.yes_or_no("personal", default=True),
        dpia=root.text("dpia"),
        roster=root.words("roster", _PARTY),
        ai=root.table("ai", _intelligence),
        service_condition=root.yes_or_no("service_condition", default=False),
        exclusive=root.yes_or_no("exclusive", default=False),
        public_body=root.yes_or_no("public_body", default=False),
    )


def _bilingual(table: "_Table") -> Bilingual:
    return Bilingual(table.text("fr", required=True), table.text("en", required=True))


def _notice(table: "_Table") -> Notice:
    return Notice(
        table.text("iri", required=True, pattern=_IRI),
        table.text("version"),
        table.text("text"),
    )


def _basis(table: "_Table") -> Basis:
    return Basis(table.text("type", required=True), table.text("reference"))


def _terms(table: "_Table") -> Terms:
    return Terms(
        table.text("template", required=True),
        table.free("params"),
        table.yes_or_no("each_purpose", default=False),
    )


def _subject(table: "_Table") -> SubjectColumn:
    return SubjectColumn(
        table.text("column", required=True), table.text("namespace", required=True)
    )


def _special(table: "_Table") -> SpecialColumn:
    column = table.text("column", required=True)
    condition = table.text("condition", allowed=CONDITIONS)
    # A condition counts with its reference only, and a reference alone is a slip of the pen.
    stated = bool(condition) or "reference" in table
    if stated and not condition:
        raise Problem("dataplane-about-missing", where=table.name("condition"))
    return SpecialColumn(column, condition, table.text("reference", required=stated))


def _intelligence(table: "_Table") -> Intelligence:
    """`use` must be said: a reference alone is a slip of the pen."""
    if "use" not in table:
        raise Problem("dataplane-about-missing", where=table.name("use"))
    return Intelligence(table.yes_or_no("use", default=False), table.text("reference"))


def _column(table: "_Table") -> ColumnNote:
    return ColumnNote(
        table.text("name", required=True),
        table.text("type", allowed=FIELD_TYPES),
        table.text("personal", allowed=PERSONAL),
    )


def _dialect(table: "_Table") -> Dialect:
    found = Dialect(
        table.text("encoding", allowed=ENCODINGS) or "utf-8",
        table.character("delimiter", ","),
        table.character("quote", '"'),
    )
    if found.delimiter == found.quote:
        raise Problem("dataplane-about-value", where=table.name("quote"), allowed='"')
    return found


class _Table:
    """A TOML table being consumed: what is left at `end` is unknown."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self._left = dict(table)
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def text(
        self,
        name: str,
        *,
        required: bool = False,
        allowed: Iterable[str] = (),
        pattern: re.Pattern[str] | None = None,
    ) -> str:
        """A string, stripped; empty when absent."""
        value = self._take(name, str, "text", required=required)
        text = value.strip() if value is not None else ""
        if not text:
            if required:
                raise Problem("dataplane-about-missing", where=self.name(name))
            return ""
        choices = tuple(allowed)
        if len(text) > _MAX_TEXT or (choices and text not in choices):
            raise Problem(
                "dataplane-about-value", where=self.name(name), allowed=", ".join(choices)
            )
        if pattern is not None and not pattern.fullmatch(text):
            raise Problem("dataplane-about-value", where=self.name(name), allowed="-")
        return text

    def character(self, name: str, default: str) -> str:
        """One ASCII punctuation mark or the tab, which a strip would lose."""
        value = self._take(name, str, "text")
        if value is None:
            return default
        if value != "\t" and not (len(value) == 1 and value in string.punctuation):
            raise Problem("dataplane-about-value", where=self.name(name), allowed=', ; | \\t "')
        return value

    def table(
        self, name: str, read: Callable[["_Table"], T], *, required: bool = False
    ) -> T | None:
        """A sub-table, read to its end."""
        value = self._take(name, dict, "table", required=required)
        if value is None:
            return None
        table = _Table(value, self.name(name))
        found = read(table)
        table.end()
        return found

    def tables(self, name: str, read: Callable[["_Table"], T]) -> tuple[T, ...]:
        """An array of tables."""
        found = []
        for at, item in enumerate(self._take(name, list, "array") or []):
            where = f"{self.name(name)}[{at}]"
            if not isinstance(item, dict):
                raise Problem("dataplane-about-type", where=where, expected="table")
            table = _Table(item, where)
            found.append(read(table))
            table.end()
        return tuple(found)

    def texts(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """An array of distinct words out of `allowed`."""
        found = self._take(name, list, "array") or []
        if len(set(map(str, found))) != len(found) or not set(map(str, found)) <= set(allowed):
            raise Problem(
                "dataplane-about-value", where=self.name(name), allowed=", ".join(allowed)
            )
        return tuple(map(str, found))

    def words(self, name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """An array of distinct words of one form."""
        found = [str(one) for one in self._take(name, list, "array") or []]
        if len(set(found)) != len(found) or not all(map(pattern.fullmatch, found)):
            raise Problem("dataplane-about-value", where=self.name(name), allowed="did:…, group:…")
        return tuple(found)

    def free(self, name: str) -> Mapping[str, object]:
        """A table that someone else checks (template parameters)."""
        return self._take(name, dict, "table") or {}

    def instant(self, name: str) -> datetime | None:
        """A date (the end of that day), or a date-time with offset, as TOML value or text."""
        value = self._left.pop(name, None)
        if isinstance(value, str):
            try:
                value = (
                    date.fromisoformat(value)
                    if len(value) == len("2026-01-01")
                    else datetime.fromisoformat(value)
                )
            except ValueError:
                raise Problem("dataplane-about-value", where=self.name(name), allowed="-") from None
        if value is None:
            return None
        if isinstance(value, datetime):
            if value.tzinfo is not None:
                return value.astimezone(UTC)
        elif isinstance(value, date):
            return datetime.combine(value, time(23, 59, 59), UTC)
        raise Problem("dataplane-about-type", where=self.name(name), expected="date")

    def yes_or_no(self, name: str, *, default: bool) -> bool:
        """`yes`, `no`, or a TOML boolean."""
        value = self._left.pop(name, default)
        if isinstance(value, bool):
            return value
        if value in ("yes", "no"):
            return bool(value == "yes")
        raise Problem("dataplane-about-value", where=self.name(name), allowed="yes, no")

    def end(self) -> None:
        """Refuse what nobody asked for."""
        for name in sorted(self._left):
            raise Problem("dataplane-about-unknown", where=self.name(name)[:200])

    def _take(self, name: str, kind: type[T], expected: str, *, required: bool = False) -> T | None:
        value = self._left.pop(name, None)
        if value is None:
            if required:
                raise Problem("dataplane-about-missing", where=self.name(name))
            return None
        if not isinstance(value, kind):
            raise Problem("dataplane-about-type", where=self.name(name), expected=expected)
        return value

    def name(self, name: str) -> str:
        """Where a member stands, for problems."""
        return f"{self._where}.{name}" if self._where else name
