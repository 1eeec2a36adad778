"""The school authority's table, read with nothing but `csv` and `tomllib`: what must arrive.

The other side of the comparison, as `source` is for traces: no code is shared with the rooms that
read, profile and release tables. A row leaves unless one of the persons it names objects.
"""

import csv
import gzip
import hashlib
import io
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from connector.cli.story.treated import Row
from policies.problem import Problem

OBJECTORS: Final = 3
_GZIP: Final = b"\x1f\x8b"
_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
_UUID: Final = re.compile(
    r"(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE
)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d\S*|\d\d/\d\d/\d{4} \d\d[:h]\d\d\S*")
_STEPS: Final = {"minute": "%H:%M", "hour": "%H:00", "day": "00:00"}


@dataclass(frozen=True, slots=True)
class Declared:
    """What the steward declares, as far as the demo has to know it (FORMATS "About")."""

    id: str
    category: str
    purpose: str
    group: str | None
    until: str
    subjects: Mapping[str, str]
    dialect: Mapping[str, str]
    withheld: frozenset[str]
    direct: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> "Declared":
        """From an ABOUT.toml.

        Raises:
            Problem: `demo-table-about`, naming what is missing or does not suit the story.
        """
        try:
            about = tomllib.loads(path.read_text("utf-8-sig"))
            policy = about["policy"]["params"]
            subjects = {one["column"]: one["namespace"] for one in about["subjects"]}
            named = {one["name"]: one.get("personal") for one in about.get("columns", ())}
            special = {one["column"] for one in about.get("special", ()) if "condition" not in one}
            made = cls(
                id=about["id"],
                category=about["category"],
                purpose=policy["purposes"][0],
                group=policy.get("group"),
                until=str(policy["until"])[:10],
                subjects=subjects,
                dialect=about.get("dialect", {}),
                withheld=frozenset(special | {one for one in named if named[one] == "special"}),
                direct=frozenset(one for one in named if named[one] == "direct"),
            )
            if about["kind"] != "csv" or about["basis"]["type"] == "consent" or not subjects:
                raise Problem("demo-table-about", path=str(path), where="kind, basis, subjects")
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise Problem("demo-table-about", path=str(path), where=str(error)[:80]) from None
        return made


class Table:
    """The rows of a table, and who of the persons in it objects."""

    def __init__(self, path: Path, about: Path) -> None:
        self.path = path
        self.about = about
        self.declared = Declared.read(about)
        self.header, self.rows = self._read()
        if len(self.persons) <= OBJECTORS:
            raise Problem("demo-table-empty", path=str(path))

    @cached_property
    def persons(self) -> frozenset[tuple[str, str]]:
        """(namespace, identifier) of everybody whom the rows name."""
        return frozenset[tuple[str, str]]().union(*map(self._named, self.rows))

    @cached_property
    def objectors(self) -> tuple[tuple[str, str], ...]:
        """Three persons, by a rule anybody can compute: the lowest hashes."""
        key = self.who
        named = {(self.declared.subjects[key], row[key].strip()) for row in self.rows}
        ordered = sorted(named, key=lambda one: hashlib.sha256(f"preau:{one[1]}".encode()).digest())
        return tuple(ordered[:OBJECTORS])

    @property
    def who(self) -> str:
        """The column that says whose a row is: the first declared."""
        return next(iter(self.declared.subjects))

    @cached_property
    def leaving(self) -> tuple[dict[str, str], ...]:
        """The rows that must arrive: those that name no objector."""
        against = set(self.objectors)
        return tuple(row for row in self.rows if not against & self._named(row))

    @cached_property
    def objecting(self) -> tuple[dict[str, str], ...]:
        """The rows that must not."""
        against = set(self.objectors)
        return tuple(row for row in self.rows if against & self._named(row))

    def identifiers(self, *more: str) -> frozenset[str]:
        """Every value of the columns that identify somebody: subjects, direct ones, and `more`."""
        columns = {*self.declared.subjects, *self.declared.direct, *more} & set(self.header)
        return frozenset(row[name].strip() for row in self.rows for name in columns) - {""}

    def sent(self, row: Mapping[str, str], columns: Sequence[str], time: str) -> Row:
        """A row of the source as it must look at the other side, for comparison."""
        return _row(row, self.who, columns, set(self.declared.subjects), time)

    def arrived(self, row: Mapping[str, str], columns: Sequence[str]) -> Row:
        """A received row, for comparison."""
        plain = {name: _unescaped(cell) for name, cell in row.items()}
        return _row(plain, self.who, columns, set(self.declared.subjects), None)

    def _named(self, row: Mapping[str, str]) -> frozenset[tuple[str, str]]:
        subjects = self.declared.subjects.items()
        return frozenset((space, row[name].strip()) for name, space in subjects if row[name])

    def _read(self) -> tuple[tuple[str, ...], tuple[dict[str, str], ...]]:
        dialect = self.declared.dialect
        try:
            data = self.path.read_bytes()
            data = gzip.decompress(data) if data[:2] == _GZIP else data
            text = data.decode(dialect.get("encoding", "utf-8")).removeprefix("\ufeff")
            lines = csv.reader(
                io.StringIO(text, newline=""),
                delimiter=dialect.get("delimiter", ","),
                quotechar=dialect.get("quote", '"'),
                strict=True,
            )
            header = tuple(next(lines, ()))
            rows = tuple(self._kept(header, lines))
        except (OSError, EOFError, ValueError, LookupError, csv.Error) as error:
            fault = getattr(error, "strerror", None) or str(error)[:80]
            raise Problem("demo-table-unreadable", path=str(self.path), fault=fault) from None
        return header, rows

    def _kept(self, header: Sequence[str], lines: Iterator[list[str]]) -> Iterator[dict[str, str]]:
        """Rows the node does not set aside: whole ones that say whose they are."""
        place = header.index(self.who)
        for cells in lines:
            if len(cells) == len(header) and cells[place].strip():
                yield dict(zip(header, cells, strict=True))


def received(path: Path) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Header and rows of a received CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        return tuple(rows.fieldnames or ()), list(rows)


def _row(
    cells: Mapping[str, str], who: str, columns: Sequence[str], persons: set[str], time: str | None
) -> Row:
    """Whose, which ids, and all the rest; `time` cuts the times of the source, None nothing."""
    ids: list[str] = []
    kept: list[Any] = []
    for name in columns:
        text = cells[name]
        if name in persons or _UUID.fullmatch(text.strip()):
            if name != who and text:
                ids.append(text.strip().lower())
            kept.append(bool(text))
        elif time is not None and _TIME.fullmatch(text.strip()):
            kept.append(_cut(text.strip(), time))
        else:
            kept.append(text.lower() if text.lower() in ("true", "false") else text)
    return Row(cells[who].strip(), tuple(ids), repr(kept))


def _cut(text: str, time: str) -> str:
    """A time as the node sends it: UTC when it has a zone, its own place's time otherwise."""
    if time not in _STEPS:
        return ""
    if text[2] == "/":
        moment = datetime.strptime(text[:16].replace("h", ":"), "%d/%m/%Y %H:%M")  # noqa: DTZ007
        return text[:10] + " " + moment.strftime(_STEPS[time])
    moment = datetime.fromisoformat(text.upper().replace(",", "."))
    if moment.tzinfo is None:
        return text[:10] + moment.strftime(f"T{_STEPS[time]}:00")
    return moment.astimezone(UTC).strftime(f"%Y-%m-%dT{_STEPS[time]}:00Z")


def _unescaped(text: str) -> str:
    """A cell without the apostrophe that kept it from being a formula (docs/tables.md)."""
    bare = text.lstrip("'")
    return text[1:] if bare != text and bare.startswith(_FORMULA) else text
