"""Looking for people in everything a node left on disk: every byte, and what bytes hold packed.

Files are searched as bytes; what is packed in them (gzip, zip, tar, any depth) is unpacked and
searched as well; a SQLite file also cell by cell, as its pages may split a text. Identifiers of
eight bytes or more are found anywhere, in any case, in UTF-8, windows-1252 or as JSON escapes.
Shorter ones stand inside innocent words and numbers: they count as a whole cell or a whole quoted
text; of less than four bytes, not at all.
"""

import gzip
import io
import json
import re
import sqlite3
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_TELLING: Final = 8
_LEAST: Final = 4
_WORD: Final = 4
_GZIP: Final = b"\x1f\x8b\x08"
_ZIP: Final = b"PK\x03\x04"
_SQLITE: Final = b"SQLite format 3\0"
_NO_WAL: Final = b"\1\1"
"""In a file's header: a database in memory cannot have a write-ahead log."""
_TAR: Final = slice(257, 262)
_QUOTED: Final = re.compile(rb'"([^"\\\x00-\x1f]{4,7})"')
_DEPTH: Final = 4

Exempt = Callable[[str], bool]
"""Whether a file, named by its path in the node's folder or in an archive, may hold identifiers."""


@dataclass(slots=True)
class Swept:
    """What was looked at, and which identifiers were found where."""

    files: int = 0
    packed: int = 0
    bytes: int = 0
    found: dict[str, str] = field(default_factory=dict)


class Sweeper:
    """A search for many identifiers at once."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        self._long: dict[int, list[tuple[int, bytes, str]]] = {}
        self._short: dict[bytes, str] = {}
        self.count = 0
        for name in sorted(set(identifiers)):
            spelled = set(_spellings(name))
            self.count += max(map(len, spelled), default=0) >= _LEAST
            for one in spelled:
                if len(one) >= _TELLING:
                    self._remember(one, name)
                elif len(one) >= _LEAST:
                    self._short[one] = name

    def _remember(self, one: bytes, name: str) -> None:
        """Wherever it stands, one of its first four windows of a word begins at a whole word."""
        for offset in range(_WORD):
            window = int.from_bytes(one[offset : offset + _WORD], sys.byteorder)
            self._long.setdefault(window, []).append((offset, one, name))

    def folder(self, root: Path, exempt: Exempt) -> Swept:
        """Search every file below a folder but the exempt ones; their names are looked at too."""
        swept = Swept()
        for path in sorted(one for one in root.rglob("*") if one.is_file()):
            where = path.relative_to(root).as_posix()
            if not exempt(where):
                self.file(path, where, swept, exempt)
        return swept

    def file(self, path: Path, where: str, swept: Swept, exempt: Exempt) -> None:
        """Search one file."""
        data = path.read_bytes()
        swept.files += 1
        swept.bytes += len(data)
        self._search(where.encode(), where, swept)
        if data.startswith(_SQLITE):  # opened beside the node: what is in its WAL is read as well
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                self._database(database, where, swept, exempt, _DEPTH)
            self._search(data, where, swept)
        else:
            self._data(data, where, swept, exempt, _DEPTH)

    def _database(
        self, database: sqlite3.Connection, where: str, swept: Swept, exempt: Exempt, depth: int
    ) -> None:
        """Every text and blob of every table."""
        for cell in _cells(database):
            if cell.lower() in self._short:
                swept.found.setdefault(self._short[cell.lower()], f"{where} (SQL)")
            self._data(cell, f"{where} (SQL)", swept, exempt, depth)

    def _data(self, data: bytes, where: str, swept: Swept, exempt: Exempt, depth: int) -> None:
        """Members of an archive, each as itself; anything else as it is, a damaged one too."""
        members = list(_members(data)) if depth else []
        for name, member in members:
            if not exempt(name):
                swept.packed += 1
                swept.bytes += len(member)
                self._search(name.encode(), where, swept)
                self._data(member, f"{where}!{name}", swept, exempt, depth - 1)
        if depth and data.startswith(_SQLITE):
            with suppress(sqlite3.Error), closing(sqlite3.connect(":memory:")) as database:
                database.deserialize(data[:18] + _NO_WAL + data[20:])
                self._database(database, where, swept, exempt, depth - 1)
        if not members:
            self._search(data, where, swept)

    def _search(self, data: bytes, where: str, swept: Swept) -> None:
        """Every whole word that an identifier could cover is looked at more closely."""
        low, long = data.lower(), self._long
        words = memoryview(low + bytes(-len(low) % _WORD)).cast("I")
        for place in [place for place, word in enumerate(words) if word in long]:
            for offset, one, name in long[words[place]]:
                start = place * _WORD - offset
                if start >= 0 and low.startswith(one, start):
                    swept.found.setdefault(name, where)
        if self._short:
            for text in set(_QUOTED.findall(low)) & self._short.keys():
                swept.found.setdefault(self._short[text], where)


def _spellings(name: str) -> Iterator[bytes]:
    yield name.encode().lower()
    if not name.isascii():
        yield name.encode("windows-1252", "replace").lower()
        yield json.dumps(name)[1:-1].encode().lower()


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What is packed in these bytes; nothing where they are no archive, or a damaged one."""
    try:
        if data.startswith(_GZIP):
            yield "gz", gzip.decompress(data)
        elif data.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in archive.namelist():
                    yield name, archive.read(name)
        elif data[_TAR] == b"ustar":
            with tarfile.open(fileobj=io.BytesIO(data)) as packed:
                for member in packed:
                    content = packed.extractfile(member) if member.isfile() else None
                    if content is not None:
                        yield member.name, content.read()
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError):
        return


def _cells(database: sqlite3.Connection) -> Iterator[bytes]:
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (name,) in tables:
        for row in database.execute(f'SELECT * FROM "{name}"'):  # noqa: S608  (its own names)
            for cell in row:
                if isinstance(cell, str):
                    yield cell.encode()
                elif isinstance(cell, bytes):
                    yield cell
