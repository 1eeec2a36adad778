"""Releasing rows of a table: agreed columns only, as NDJSON or as CSV (X5, X9).

Room: dataplane; pure. A released row is built cell by cell from the agreed columns, in the table's
order. Subject columns become pseudonyms; a cell that is wholly a UUID is re-keyed, one that is
wholly a time is cut down, in whatever column it stands.

The dialect of released CSV is one: UTF-8, comma, `"` doubled inside quotes, CR LF, a header line
in the first part. A text that a spreadsheet would take for a formula gets one apostrophe in
front, so a reader who wants the text back takes one away from each cell that begins with
apostrophes and then one of `= + - @` (or their full-width forms), tab, CR or LF. Numbers are no
formulas and stay as they are.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from connector.dataplane.cells import (
    BOOLEANS,
    cut_time,
    is_date,
    is_date_time,
    is_number,
    is_uuid,
)
from connector.dataplane.projection import Rekeyed, micros
from connector.dataplane.revision import Revision, RevisionMeta
from connector.dataplane.rows import MANY
from connector.dataplane.tables import NIR
from connector.dataplane.treat import PRECISIONS
from connector.subjects.keys import Identifier, canonical
from policies.plan import Plan, PlanField
from policies.plan.residue import Predicate
from policies.problem import Problem

NDJSON: Final = "ndjson"
CSV: Final = "csv"

_UUID_LENGTHS: Final = frozenset({36, 45})
_MAX_TIME: Final = 48
_FORMULA: Final = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
_QUOTED: Final = re.compile('[",\r\n]|^ | $')

Cell = str | bool | None
"""A released cell: text, boolean or nothing."""


class Number(str):
    """A released number, by its spelling."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class TableField:
    """An agreed column: its name, its place in the source, its type."""

    name: str
    place: int
    type: str


@dataclass(frozen=True, slots=True)
class TableProjection:
    """A compiled plan for a table: agreed columns in the table's order, record time [first, end)
    in microseconds, treatments, and the form that leaves.

    `precision` is one of `treat.PRECISIONS`, or None where the rows are about nobody and leave as
    they are; `subjects` are places and namespaces of all subject columns, agreed or not.
    """

    fields: tuple[TableField, ...]
    subjects: tuple[tuple[int, str], ...]
    first: int | None
    end: int | None
    precision: str | None
    form: str
    where: Predicate | None = None

    @classmethod
    def compile(cls, plan: Plan, meta: RevisionMeta, form: str = NDJSON) -> "TableProjection":
        """The projection of a plan for this revision of a table.

        Raises:
            Problem: `dataplane-plan-unsupported` (statements, a form or precision nobody knows, a
                person's column without treatments, a social security number);
                `dataplane-plan-drift` (a column that this revision does not have).
        """
        note = meta.table
        precision = None if plan.treatments is None else plan.treatments.time
        if note is None or form not in (NDJSON, CSV):
            raise Problem("dataplane-plan-unsupported", what=form if note else "xapi")
        if precision is None and (note.subjects or plan.rows.consent is not None):
            raise Problem("dataplane-plan-unsupported", what="treatments")
        if precision is not None and precision not in PRECISIONS:
            raise Problem("dataplane-plan-unsupported", what=f"time: {precision[:40]}")
        types = {field.name: field.type for field in meta.codebook}
        persons = {place for place, _ in note.subjects}
        found = [_field(field, note.header, types, persons) for field in plan.fields]
        return cls(
            fields=tuple(sorted(found, key=lambda field: field.place)),
            subjects=note.subjects,
            first=micros(plan.rows.start),
            end=micros(plan.rows.end),
            precision=precision,
            form=form,
            where=plan.rows.where,
        )

    @property
    def head(self) -> bytes:
        """What stands before the first row of all."""
        if self.form != CSV:
            return b""
        return csv_line([field.name for field in self.fields])


def _field(
    field: PlanField, header: Sequence[str], types: dict[str, str], persons: set[int]
) -> TableField:
    if field.column not in header:
        raise Problem("dataplane-plan-drift", name=field.name)
    place = header.index(str(field.column))
    if NIR in (field.type, types[str(field.column)]):
        raise Problem("dataplane-plan-unsupported", what=NIR)
    # What this revision says of a column decides as well: a plan cannot turn persons into texts.
    if types[str(field.column)] != field.type or (place in persons) != (field.type == "agent"):
        raise Problem("dataplane-plan-drift", name=field.name)
    return TableField(field.name, place, field.type)


class TableCutter:
    """Cuts rows down to a projection; `slots` gathers the re-keyed ids for the caller to fill."""

    def __init__(self, projection: TableProjection, name_of: Callable[[int], str]) -> None:
        self._projection = projection
        self._name_of = name_of
        self.slots: list[Rekeyed] = []

    def row(self, revision: Revision, row: int) -> list[Cell]:
        """The agreed cells of a row, in order."""
        cells: list[str] = orjson.loads(revision.line(row))
        persons = self._persons(revision, row, cells)
        out: list[Cell] = []
        for field in self._projection.fields:
            text = cells[field.place]
            if field.type == "agent":
                out.append(self._name_of(persons[field.place]) if field.place in persons else None)
            elif text:
                out.append(self._cell(field, text, out))
            else:
                out.append(None)
        return out

    def _persons(self, revision: Revision, row: int, cells: Sequence[str]) -> dict[int, int]:
        """Place of each filled subject column -> dense number, as the walk gave them."""
        filled = [
            (place, space) for place, space in self._projection.subjects if cells[place].strip()
        ]
        numbers = revision.persons(row)
        if not revision.flags[row] & MANY:
            return {place: numbers[0] for place, _ in filled}
        order: dict[str, int] = {}
        found: dict[int, int] = {}
        for place, namespace in filled:
            text = canonical(Identifier("column", cells[place], namespace))
            found[place] = numbers[order.setdefault(text, len(order))]
        return found

    def _cell(self, field: TableField, text: str, out: list[Cell]) -> Cell:
        if field.type == "number" and is_number(text):
            return Number(text)
        if field.type == "boolean" and text in BOOLEANS:
            return BOOLEANS[text]
        precision = self._projection.precision
        if precision is None:
            return text
        bare = text.strip()
        if len(bare) in _UUID_LENGTHS and is_uuid(bare):
            self.slots.append(Rekeyed(out, len(out), bare))
            return bare
        if len(bare) <= _MAX_TIME and bare[:2].isdigit():
            if is_date_time(bare):
                return cut_time(bare, precision)
            if precision == "none" and is_date(bare):
                return None
        return text


def encode_row(projection: TableProjection, cells: Sequence[Cell]) -> bytes:
    """A row as it leaves, with its line end."""
    if projection.form == CSV:
        return csv_line(cells)
    named = {
        field.name: orjson.Fragment(cell.encode()) if type(cell) is Number else cell
        for field, cell in zip(projection.fields, cells, strict=True)
    }
    return orjson.dumps(named) + b"\n"


def csv_line(cells: Sequence[Cell]) -> bytes:
    """One line of the released dialect (see the module's docstring)."""
    line = ",".join(map(_written, cells))
    # A lone empty cell would be a blank line, which readers skip.
    return (line or '""').encode() + b"\r\n"


def unescaped(text: str) -> str:
    """A cell of released CSV without the apostrophe that kept it from being a formula."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _written(cell: Cell) -> str:
    if cell is None:
        return ""
    if type(cell) is bool:
        return "true" if cell else "false"
    text = str(cell)
    if _FORMULA.match(text) and not is_number(text):
        text = "'" + text
    if _QUOTED.search(text):
        text = '"' + text.replace('"', '""') + '"'
    return text


class TableEncoder:
    """The rows of one part as lines; a chunk at a time, so that ids are re-keyed in batches."""

    def __init__(
        self,
        revision: Revision,
        projection: TableProjection,
        name_of: Callable[[int], str],
        rekey: Callable[[list[str]], list[str]],
    ) -> None:
        self._revision = revision
        self._projection = projection
        self._cutter = TableCutter(projection, name_of)
        self._rekey = rekey
        self.head = projection.head

    def row(self, row: int) -> Any:  # noqa: ANN401  (what `written` takes)
        """A row cut down, its ids still waiting."""
        return self._cutter.row(self._revision, row)

    def written(self, pending: Sequence[tuple[int, Any]]) -> Iterator[tuple[int, bytes]]:
        """These rows as lines, their ids filled in."""
        slots = self._cutter.slots
        if slots:
            texts = self._rekey([slot.text for slot in slots])
            for slot, text in zip(slots, texts, strict=True):
                slot.put(text)
            slots.clear()
        return ((row, encode_row(self._projection, cells)) for row, cells in pending)
