"""Tables on their way into a revision: one row, its persons, its time, and the codebook.

Room: dataplane; pure but for the lines it is given. A row is kept as the JSON array of its cells,
each the text it was. The persons of a row are those its declared subject columns name. The first
of these says whom the row is about and is never empty; the others may be (a tutor, a teacher).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from connector.dataplane import identifiers
from connector.dataplane.about import About, ColumnNote
from connector.dataplane.cells import KINDS, record_time
from connector.dataplane.csvfile import Table
from connector.dataplane.profile import Column, Profile
from connector.dataplane.rows import MANY, NO_TIME, RowFault, Walked
from connector.dataplane.sources import Line
from connector.subjects.keys import Identifier
from policies.plan import Field
from policies.problem import Phrase, Problem

_NO_NAMES: Final = (
    *(identifiers.nir, identifiers.ine, identifiers.email, identifiers.phone, identifiers.uai),
    *(KINDS["uuid"], KINDS["date"], KINDS["dateTime"]),
)
NIR: Final = "nir"
"""The type of a field that never leaves, whatever is agreed (X10)."""


@dataclass(frozen=True, slots=True)
class TableNote:
    """What a release must know of a table besides its rows: columns in order, the places of the
    subject columns with their namespaces, the place of the column that dates the rows, and what
    the profiler said (counts only).
    """

    header: tuple[str, ...]
    subjects: tuple[tuple[int, str], ...]
    time: int | None
    profile: tuple[Profile, ...]


class TableRows:
    """The rows of a CSV file for the walk of `building`.

    Raises:
        Problem: `dataplane-csv-…`, `dataplane-file-…`, `dataplane-column-unknown` (a declared
            column that the header does not have), `dataplane-column-subject`.
    """

    def __init__(
        self, lines: Iterable[Line], about: About, person: Callable[[Identifier], int]
    ) -> None:
        self._table = Table(lines, about.dialect)
        self._about = about
        self._person = person
        header = self._table.header
        _refuse_data(header)
        self._columns = [Column(name) for name in header]
        self._subjects = tuple(
            (self._place(subject.column), subject.namespace) for subject in about.subjects
        )
        self._time = self._place(about.time) if about.time else None
        self._notes = {note.name: note for note in about.columns}
        for name in [*self._notes, *(special.column for special in about.special)]:
            self._place(name)
        self._check_notes()
        self._typed = [
            (self._place(note.name), KINDS[note.type])
            for note in about.columns
            if note.type in KINDS
        ]

    def __iter__(self) -> Iterator[tuple[int, bytes, Walked | str]]:
        """Line number, stored bytes, and what was understood or why it was not."""
        for number, found in self._table.rows():
            if type(found) is str:
                yield number, b"", found
                continue
            try:
                walked = self._walk(found)
            except RowFault as fault:
                yield number, b"", fault.reason
                continue
            yield number, orjson.dumps(found), walked

    def codebook(self) -> tuple[tuple[Field, ...], int]:
        """The columns as fields, in their order; the steward's word before the profiler's."""
        return tuple(self._field(column.profile()) for column in self._columns), 0

    def note(self) -> TableNote:
        """What a release needs, once every row was seen."""
        profiles = tuple(column.profile() for column in self._columns)
        return TableNote(self._table.header, self._subjects, self._time, profiles)

    def _walk(self, cells: Sequence[str]) -> Walked:
        met: list[int] = []
        for rank, (place, namespace) in enumerate(self._subjects):
            value = cells[place]
            if not value.strip():
                if rank == 0:
                    raise RowFault("no-subject")
                continue
            try:
                met.append(self._person(Identifier("column", value, namespace)))
            except Problem:
                raise RowFault("subject-invalid") from None
        for place, is_one in self._typed:
            if cells[place] and not is_one(cells[place]):
                raise RowFault("type-invalid")
        time = self._row_time(cells)
        persons = tuple(dict.fromkeys(met))
        flags = (0 if len(persons) == 1 else MANY) | (NO_TIME if time is None else 0)
        self._profile(cells)
        return Walked("", time or 0, flags, persons, "")

    def _row_time(self, cells: Sequence[str]) -> int | None:
        text = "" if self._time is None else cells[self._time].strip()
        if not text:
            return None
        time = record_time(text)
        if time is None:
            raise RowFault("time-invalid")
        return time

    def _profile(self, cells: Sequence[str]) -> None:
        named = {cells[place] for place, _ in self._subjects}
        for place, (column, cell) in enumerate(zip(self._columns, cells, strict=True)):
            column.see(cell)
            if cell in named and cell and all(place != subject for subject, _ in self._subjects):
                column.copies += 1

    def _place(self, name: str) -> int:
        try:
            return self._table.header.index(name)
        except ValueError:
            raise Problem("dataplane-column-unknown", name=name[:200]) from None

    def _check_notes(self) -> None:
        """A subject column is a person's and stays one; no other column can become one here."""
        subjects = {self._table.header[place] for place, _ in self._subjects}
        for note in self._notes.values():
            told = (note.type or "agent", note.personal or "direct")
            if note.name in subjects and told != ("agent", "direct"):
                raise Problem("dataplane-column-subject", name=note.name)
            if note.name not in subjects and note.type == "agent":
                raise Problem("dataplane-column-subject", name=note.name)

    def _field(self, profile: Profile) -> Field:
        name = profile.name
        note = self._notes.get(name, ColumnNote(name, "", ""))
        kind, personal = note.type or profile.type, note.personal or profile.proposed
        if any(special.column == name for special in self._about.special):
            personal = "special"
        if any(self._table.header[place] == name for place, _ in self._subjects):
            kind, personal = "agent", "direct"
        if profile.nir:
            # The type is what no agreement can release; whether it may be published at all is
            # asked by `refuse_nir`.
            kind = NIR
        return Field(name, None, kind, personal, name)


def _refuse_data(header: Sequence[str]) -> None:
    """A first line that is a row: its cells would be published as names of columns.

    Raises:
        Problem: `dataplane-csv-header`; the cell itself is not repeated.
    """
    for place, name in enumerate(header, start=1):
        if any(is_one(name) for is_one in _NO_NAMES):
            reason = Phrase(
                f"data, not a name: column {place}", f"une donnée, pas un nom : colonne {place}"
            )
            raise Problem("dataplane-csv-header", reason=reason)


def refuse_nir(profiles: Iterable[Profile], about: About) -> None:
    """A social security number may be in a revision only in a column declared direct.

    Raises:
        Problem: `dataplane-nir`, naming the column and how many cells hold one.
    """
    dropped = {note.name for note in about.columns if note.personal == "direct"}
    for profile in profiles:
        if profile.nir and profile.name not in dropped:
            raise Problem("dataplane-nir", column=profile.name, count=profile.nir)
