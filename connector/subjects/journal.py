"""The consent journal: what was acknowledged to a person survives the loss of the database (S4).

Room: subjects. An append-only file of JSON lines, one per consent event, written and fsynced
*before* the event is committed and acknowledged. It may lie on another disk. Entries hold keyed
hashes, never identifiers; after restoring an older database they are replayed, idempotently.
A crash can tear only the last line, which nobody was told about: it is cut off when the journal
is opened.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import orjson

from policies.problem import Problem

Entry = dict[str, object]


class Journal:
    """An open journal; one owner at a time (the node's lock sees to that).

    `last` is the number of the last entry, 0 when empty. Numbers start at 1 and have no gaps.
    """

    def __init__(self, path: Path, file: FileIO, last: int) -> None:
        self._path = path
        self._file = file
        self.last = last

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Open or create the journal, cutting off a torn last line.

        Raises:
            Problem: `subjects-journal-damaged` (with the line), `subjects-journal-unusable`.
        """
        try:
            new = not path.exists()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            file = os.fdopen(descriptor, "r+b", buffering=0)
            if new:
                _sync_folder(path.parent)
        except OSError as error:
            raise Problem("subjects-journal-unusable", reason=error.strerror or "I/O") from None
        try:
            with path.open("rb") as reader:
                last, end = _scan(reader)
            file.truncate(end)
            file.seek(end)
        except Problem:
            file.close()
            raise
        return cls(path, file, last)

    def append(self, entries: Iterable[Mapping[str, object]]) -> int:
        """Write the entries and return the number of the last one once they are on the disk.

        All or none: when the disk refuses, the file is cut back to where it was.

        Raises:
            Problem: `subjects-journal-unusable`; nothing may be acknowledged then.
        """
        start = self._file.tell()
        last, lines = self.last, bytearray()  # one buffer: many small texts cost ten times theirs
        for last, entry in enumerate(entries, start=self.last + 1):
            lines += orjson.dumps({"n": last, **entry}, option=orjson.OPT_APPEND_NEWLINE)
        try:
            _write_all(self._file, lines)
            os.fsync(self._file.fileno())
        except OSError as error:
            self._cut_back(start)
            raise Problem("subjects-journal-unusable", reason=error.strerror or "I/O") from None
        self.last = last
        return last

    def replay(self, after: int = 0) -> Iterator[tuple[int, Entry]]:
        """Entries with a number above `after`, in order; safe beside appends."""
        return entries(self._path, after)

    def starts_like(self, extent: "Extent") -> bool:
        """Whether this journal is the one that `extent` describes, or that one gone on."""
        return self.last >= extent.entries and extent_of(self._path, extent.size) == extent

    def close(self) -> None:
        """Close the file; the journal cannot be used afterwards."""
        self._file.close()

    def _cut_back(self, end: int) -> None:
        """Leave no half entry behind; if even that fails, opening the journal cuts it off."""
        try:
            self._file.truncate(end)
            self._file.seek(end)
        except OSError:
            # The torn line is refused a sequel: whoever opens the journal next cuts it off.
            self._file.close()


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a journal reaches: `entries`, their `size` in bytes, the `digest` of these bytes."""

    entries: int
    size: int
    digest: str


def extent_of(path: Path, limit: int | None = None) -> Extent:
    """How far the journal at `path` reaches, or its first `limit` bytes; changes nothing.

    Raises:
        Problem: `subjects-journal-damaged`, `subjects-journal-unusable`.
    """
    sha256 = hashlib.sha256()
    try:
        with path.open("rb") as file:
            last, end = _scan(_hashed(file, sha256.update, limit))
    except OSError as error:
        raise Problem("subjects-journal-unusable", reason=error.strerror or "I/O") from None
    return Extent(last, end, f"sha-256:{sha256.hexdigest()}")


def _hashed(
    file: Iterable[bytes], update: Callable[[bytes], None], limit: int | None
) -> Iterator[bytes]:
    """The whole lines within the limit, each hashed as it passes."""
    end = 0
    for line in file:
        end += len(line)
        if not line.endswith(b"\n") or (limit is not None and end > limit):
            return
        update(line)
        yield line


def entries(path: Path, after: int = 0) -> Iterator[tuple[int, Entry]]:
    """The whole entries of the journal at `path` with a number above `after`, in order."""
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                return
            entry: Entry = orjson.loads(line)
            number = entry.pop("n")
            if isinstance(number, int) and number > after:
                yield number, entry


def _scan(file: Iterable[bytes]) -> tuple[int, int]:
    """The last entry's number and the end of the last whole line."""
    last = end = 0
    for line in file:
        if not line.endswith(b"\n"):
            break
        try:
            number = orjson.loads(line)["n"]
        except (ValueError, KeyError, TypeError):
            number = None
        if number != last + 1:
            raise Problem("subjects-journal-damaged", line=last + 1)
        last = number
        end += len(line)
    return last, end


def _write_all(file: FileIO, data: bytes | bytearray) -> None:
    """A raw file may take less than it is given (a full disk does)."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
