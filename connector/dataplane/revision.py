"""Revisions: the immutable form in which a node keeps what it may release (decision X1).

Room: dataplane. A revision is a folder:

- `rows.bin`       copies of the kept rows, one after another; of a table, each the JSON array
                   of its cells' texts;
- `index.bin`      columns over the rows in released order (random, chosen once): offset (u64),
                   time (i64, microseconds), length, flags, person reference (u32 each);
- `persons.bin`    u32 lists `count, numbers…` of rows with other than one person;
- `subjects.bin`   32-byte subject keys by dense number (a number belongs to this revision);
- `salts.bin`, `hashes.bin`  per row, 16 and 32 bytes: SHA-256(0 ‖ salt ‖ row) are the leaves of
                   the Merkle root, so erasing a row and its salt leaves other proofs whole (X6);
- `quarantine.csv` row number and reason of what was refused, never content (X7);
- `meta.json`      RevisionMeta; its last write makes the folder a revision.

It is built beside itself (`.partial`), fsynced, and renamed: there is no half revision. This file
knows storage only; what may leave is `release`'s business.
"""

import mmap
import sys
from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import orjson

from connector.dataplane.profile import Flag, Profile
from connector.dataplane.rows import MANY
from connector.dataplane.tables import TableNote
from connector.subjects.keys import KEY_BYTES
from policies.plan import Field
from policies.problem import Problem

FORMAT: Final = "rows-1"
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
ROW_BYTES: Final = 28
FILES: Final = (
    "rows.bin",
    "index.bin",
    "persons.bin",
    "subjects.bin",
    "salts.bin",
    "hashes.bin",
    "quarantine.csv",
)


@dataclass(frozen=True, slots=True)
class RevisionMeta:
    """What is known of a revision without opening its rows. Counts are exact: private.

    `quarantined` and `findings` count by reason; `root` is `sha-256:…` over salted row hashes;
    `table` is None for xAPI statements.
    """

    id: str
    rows: int
    persons: int
    verbs: Mapping[str, int]
    codebook: tuple[Field, ...]
    quarantined: Mapping[str, int]
    duplicates: int
    findings: Mapping[str, int]
    root: str
    first: int | None
    last: int | None
    sizes: Mapping[str, int]
    table: TableNote | None = None

    def document(self) -> dict[str, object]:
        """The content of `meta.json`."""
        table = {} if self.table is None else {"table": asdict(self.table)}
        return table | {
            "v": 1,
            "revision": self.id,
            "format": FORMAT,
            "byteorder": sys.byteorder,
            "rows": self.rows,
            "persons": self.persons,
            "verbs": dict(self.verbs),
            "codebook": [
                {
                    "name": field.name,
                    "pointer": field.pointer,
                    "column": field.column,
                    "type": field.type,
                    "personal": field.personal,
                }
                for field in self.codebook
            ],
            "quarantined": dict(self.quarantined),
            "duplicates": self.duplicates,
            "findings": dict(self.findings),
            "root": self.root,
            "first": self.first,
            "last": self.last,
            "sizes": dict(self.sizes),
        }

    @classmethod
    def read(cls, data: bytes) -> "RevisionMeta":
        """The meta of a `meta.json`.

        Raises:
            Problem: `dataplane-revision-damaged`.
        """
        try:
            found = orjson.loads(data)
            if (found["v"], found["format"], found["byteorder"]) != (1, FORMAT, sys.byteorder):
                raise Problem("dataplane-revision-damaged", file="meta.json")
            return cls(
                id=found["revision"],
                rows=found["rows"],
                persons=found["persons"],
                verbs=found["verbs"],
                codebook=tuple(Field(**field) for field in found["codebook"]),
                quarantined=found["quarantined"],
                duplicates=found["duplicates"],
                findings=found["findings"],
                root=found["root"],
                first=found["first"],
                last=found["last"],
                sizes=found["sizes"],
                table=_table(found.get("table")),
            )
        except (ValueError, KeyError, TypeError):
            raise Problem("dataplane-revision-damaged", file="meta.json") from None


def _table(found: Any) -> TableNote | None:  # noqa: ANN401  (JSON; a wrong form is caught)
    if found is None:
        return None
    return TableNote(
        header=tuple(found["header"]),
        subjects=tuple((place, namespace) for place, namespace in found["subjects"]),
        time=found["time"],
        profile=tuple(
            Profile(**{**one, "flags": tuple(Flag(**flag) for flag in one["flags"])})
            for one in found["profile"]
        ),
    )


class Revision:
    """An open revision: memory-mapped, read only; usable as a context manager.

    The columns `times` (microseconds since 1970), `flags` (see `rows`) and `references` are
    indexed by row number, 0 to `rows` - 1, in released order. A reference is a person's dense
    number, or a place in the person lists when the row has the flag MANY.
    """

    def __init__(self, folder: Path, meta: RevisionMeta) -> None:
        self.folder = folder
        self.meta = meta
        self.rows = meta.rows
        self._maps: list[mmap.mmap] = []
        self._views: list[memoryview] = []
        self._rows = self._map("rows.bin")
        index = self._map("index.bin")
        n = meta.rows
        self.offsets = self._column(index, 0, 8 * n, "Q")
        self.times = self._column(index, 8 * n, 16 * n, "q")
        self.lengths = self._column(index, 16 * n, 20 * n, "I")
        self.flags = self._column(index, 20 * n, 24 * n, "I")
        self.references = self._column(index, 24 * n, 28 * n, "I")
        self._subjects = self._map("subjects.bin")
        self._persons = array("I")
        self._persons.frombytes((folder / "persons.bin").read_bytes())

    @classmethod
    def open(cls, folder: Path) -> "Revision":
        """Map a revision.

        Raises:
            Problem: `dataplane-revision-missing`; `dataplane-revision-damaged` with the file
                whose size is not the one recorded.
        """
        try:
            meta = RevisionMeta.read((folder / "meta.json").read_bytes())
            for name, size in meta.sizes.items():
                if (folder / name).stat().st_size != size:
                    raise Problem("dataplane-revision-damaged", file=name)
            if meta.sizes["index.bin"] != meta.rows * ROW_BYTES:
                raise Problem("dataplane-revision-damaged", file="index.bin")
            return cls(folder, meta)
        except (OSError, KeyError):
            raise Problem("dataplane-revision-missing") from None

    def line(self, row: int) -> bytes:
        """The stored bytes of a row."""
        start = self.offsets[row]
        return bytes(self._rows[start : start + self.lengths[row]])

    def persons(self, row: int) -> tuple[int, ...]:
        """The dense numbers of every person in a row."""
        reference = self.references[row]
        if not self.flags[row] & MANY:
            return (reference,)
        return self.listed(reference)

    def listed(self, reference: int) -> tuple[int, ...]:
        """The person list at a reference (rows with MANY)."""
        count = self._persons[reference]
        return tuple(self._persons[reference + 1 : reference + 1 + count])

    def subject(self, number: int) -> bytes:
        """The 32-byte key of a dense number."""
        return bytes(self._subjects[KEY_BYTES * number : KEY_BYTES * (number + 1)])

    def subjects(self) -> list[bytes]:
        """All subject keys, by dense number."""
        return [self.subject(number) for number in range(self.meta.persons)]

    def close(self) -> None:
        """Give the mappings back."""
        while self._views:
            self._views.pop().release()
        while self._maps:
            self._maps.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _map(self, name: str) -> memoryview:
        if not self.meta.sizes[name]:  # a table about nobody has no subjects; nothing maps nothing
            return memoryview(b"")
        with (self.folder / name).open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._maps.append(mapped)
        view = memoryview(mapped)
        self._views.append(view)
        return view

    def _column(
        self, view: memoryview, start: int, end: int, kind: Literal["Q", "q", "I"]
    ) -> memoryview:
        part = view[start:end]
        column = part.cast(kind)
        self._views += [part, column]
        return column
