"""Linkage of tables, measured: how far the released columns of a person's rows point to them (X5).

Room: dataplane; pure over an open revision. The same questions as in `risk`, on rows cut by the
code that releases them: every column that a plan could release, at each time precision, and, apart
from these, what is left when none of them leaves (pseudonyms and re-keyed ids: how many rows a
person has). Two recipients hold the same columns then; with equal columns no join of single rows
finds more than the join of whole traces, since a row that stands once makes its trace unique.
"""

from collections.abc import Set as AbstractSet
from typing import Final

import orjson

from connector.dataplane.revision import Revision
from connector.dataplane.risk import (
    FLOOR,
    MAX_ROWS,
    Measured,
    Traces,
    consents,
    figures,
    may_leave,
    sample,
)
from connector.dataplane.rows import UNKNOWN_PERSON
from connector.dataplane.table_release import NDJSON, TableCutter, TableField, TableProjection
from connector.dataplane.treat import PRECISIONS
from policies.plan import Field

_MASKED: Final = frozenset({"agent", "uuid"})


def measure_table(
    revision: Revision,
    key: bytes,
    *,
    special: AbstractSet[str] = frozenset(),
    max_rows: int = MAX_ROWS,
) -> Measured:
    """Measure an open revision of a table under one pseudonym a person.

    `special` names the special-category columns that have a declared condition: the others never
    leave. `key` as in `risk.measure`; a row of several persons belongs to each of them.
    """
    chosen = sample(revision, key, max_rows)
    views = [
        _View(revision, time, special, extensions=extensions)
        for time in PRECISIONS
        for extensions in (False, True)
    ]
    rows = 0
    for row in range(revision.rows):
        if revision.flags[row] & UNKNOWN_PERSON:
            continue
        persons = [person for person in revision.persons(row) if chosen[person]]
        if not persons:
            continue
        rows += 1
        for view in views:
            view.add(revision, row, persons)
    persons = views[0].traces.persons()
    enough = len(persons) >= FLOOR
    return Measured(
        rows=rows,
        persons=len(persons),
        sampled=sum(chosen) < len(chosen),
        histories={},
        figures=figures(views, consents(key, revision.meta.persons)),
        rows_unique={v.time: v.alone.unique() for v in views if v.extensions} if enough else {},
    )


class _View:
    """One treatment: rows as it would release them, the traces they form, and the rows alone."""

    def __init__(
        self, revision: Revision, time: str, special: AbstractSet[str], *, extensions: bool
    ) -> None:
        self.time = time
        self.extensions = extensions
        self.traces = Traces(revision.meta.persons)
        self.alone = Traces(revision.rows if extensions else 0)
        self._cutter = TableCutter(
            _projection(revision, time, special, extensions=extensions), _nobody
        )

    def add(self, revision: Revision, row: int, persons: list[int]) -> None:
        """One more row of these persons."""
        cells = self._cutter.row(revision, row)
        for slot in self._cutter.slots:
            slot.put("")
        self._cutter.slots.clear()
        encoded = orjson.dumps([None if cell is None else [str(cell)] for cell in cells])
        for person in persons:
            self.traces.add(person, encoded)
        if self.extensions:
            self.alone.add(row, encoded)


def _projection(
    revision: Revision, time: str, special: AbstractSet[str], *, extensions: bool
) -> TableProjection:
    note = revision.meta.table
    header, subjects = (note.header, note.subjects) if note else ((), ())
    kept = [
        TableField(field.name, header.index(str(field.column)), field.type)
        for field in revision.meta.codebook
        if _leaves(field, special) and (extensions or field.type in _MASKED)
    ]
    return TableProjection(tuple(kept), subjects, None, None, time, NDJSON)


def _leaves(field: Field, special: AbstractSet[str]) -> bool:
    return may_leave(field) and (field.personal != "special" or field.name in special)


def _nobody(_: int) -> str:
    return ""
