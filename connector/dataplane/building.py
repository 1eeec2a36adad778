"""Building a revision: one walk over a source, all or nothing (decisions X1, X6, X7).

Room: dataplane. Every row is kept, dropped as a duplicate, or quarantined with its number and a
reason; too many faults refuse the file. Nothing is visible before the last rename.
"""

import hashlib
import os
import shutil
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, Self
from uuid import UUID

import orjson

from connector.dataplane.about import About, ColumnNote
from connector.dataplane.codebook import Node, fields
from connector.dataplane.revision import FILES, HASH_BYTES, SALT_BYTES, RevisionMeta
from connector.dataplane.rows import (
    MANY,
    NO_TIME,
    UNKNOWN_PERSON,
    RowFault,
    Walked,
    Walker,
    same_statement,
)
from connector.dataplane.sources import LINE_BYTES, Lines, open_lines, refuse_garbage
from connector.dataplane.tables import TableNote, TableRows, refuse_nir
from connector.dataplane.treat import block_of, ranks
from connector.subjects.keys import Identifier, canonical, key_of
from policies.plan import Field
from policies.problem import Problem

Random = Callable[[int], bytes]

MIN_BAD: Final = 10
MAX_BAD: Final = 0.001
_DROPPED: Final = 2**31
_CONFLICT: Final = -1
_STEP: Final = 1024
_FLUSH: Final = 2**20
_RANKED: Final = 2**14


def build(
    source: Path,
    *,
    folder: Path,
    declaration: About,
    subject_secret: bytes,
    random: Random,
    progress: Callable[[int], None] | None = None,
    max_bad: float = MAX_BAD,
    line_bytes: int = LINE_BYTES,
) -> RevisionMeta:
    """Make the revision `folder` from a file (of xAPI statements, or a table), return its meta.

    `random(n)` gives n unpredictable bytes; `progress(rows)` is called now and then. At most
    max(10, `max_bad` x rows) rows may be quarantined.

    Raises:
        Problem: `dataplane-file-…` (the file), `dataplane-bad-rows` (too many faults),
            `dataplane-no-rows`, `dataplane-column-…`, `dataplane-csv-…`, `dataplane-nir`,
            `dataplane-revision-exists`, `dataplane-disk`. Nothing remains then.
    """
    if folder.exists():
        raise Problem("dataplane-revision-exists")
    with _all_or_nothing(folder) as partial, open_lines(source, line_bytes=line_bytes) as lines:
        walk = _Walk(partial, subject_secret, random)
        kind = _Statements if declaration.kind == "xapi" else TableRows
        with walk:
            source_rows = kind(lines, declaration, walk.person)
            walk.run(source_rows, progress)
        walk.check(max_bad)
        note = source_rows.note()
        if note is not None:
            refuse_nir(note.profile, declaration)
        meta = walk.finish(*source_rows.codebook(), note)
        (partial / "meta.json").write_bytes(orjson.dumps(meta.document()))
    return meta


class _Statements:
    """The statements of a JSON Lines file, as `tables.TableRows` gives the rows of a table."""

    def __init__(self, lines: Lines, about: About, person: Callable[[Identifier], int]) -> None:
        self._lines = lines
        self._about = about
        self._walker = Walker(person)

    def __iter__(self) -> Iterator[tuple[int, bytes, Walked | str]]:
        """Line number, stored bytes, and what was understood or why it was not."""
        walk = self._walker.walk
        for number, line in self._lines:
            if line is None:
                yield number, b"", "line-too-long"
                continue
            if line.endswith(b"\r"):
                line = line[:-1]  # noqa: PLW2901  (the line end of another system)
            try:
                yield number, line, walk(line)
            except RowFault as fault:
                if fault.reason != "not-json" or self._is_row(number, line):
                    yield number, b"", fault.reason

    def codebook(self) -> tuple[tuple[Field, ...], int]:
        """The fields met, as declared where they are, and how many were left out."""
        root: Node = self._walker.root
        found, cut = fields(root)
        return _overridden(found, self._about), cut + root.overflow

    def note(self) -> TableNote | None:
        """Statements are no table."""
        return None

    def _is_row(self, number: int, line: bytes) -> bool:
        """Whether what is not JSON is one bad row: it may be blank, or a sign of a bad file."""
        if not line.strip(b" \t\r"):
            return False
        refuse_garbage(number, line)
        if not self._lines.terminated:
            raise Problem("dataplane-file-truncated")
        return True


class _Walk:
    """The state of one walk. Rows are numbered as kept; the released order comes at the end."""

    def __init__(self, folder: Path, secret: bytes, random: Random) -> None:
        self._folder = folder
        self._secret = secret
        self._random = random
        self._numbers: dict[bytes, int] = {}
        self._ids: dict[bytes, int] = {}
        self._offsets = array("Q")
        self._times = array("q")
        self._lengths = array("I")
        self._flags = array("I")
        self._references = array("I")
        self._lists = array("I")
        self._lines = array("Q")
        self._verb_of = array("I")
        self._verbs: dict[str, int] = {}
        self._hashes = bytearray()
        self._salts = bytearray()
        self._size = 0
        self._buffer = bytearray()
        self._read = 0
        self._bad: Counter[str] = Counter()
        self._first_bad = 0
        self._duplicates = 0
        self._dropped = 0

    def __enter__(self) -> Self:
        self._rows = (self._folder / "rows.bin").open("w+b", buffering=0)
        self._quarantine = (self._folder / "quarantine.csv").open("wb")
        self._quarantine.write(b"row,reason\n")
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()
        self._quarantine.close()

    def person(self, identifier: Identifier) -> int:
        """The dense number of a person; raises Problem for a malformed identifier."""
        key = key_of(self._secret, canonical(identifier))
        return self._numbers.setdefault(key, len(self._numbers))

    def run(
        self,
        rows: Iterable[tuple[int, bytes, Walked | str]],
        progress: Callable[[int], None] | None,
    ) -> None:
        """Take every row: keep it, or quarantine it for its reason."""
        pool = b""
        at = 0
        number = 0
        for number, line, walked in rows:
            if type(walked) is str:
                self._fault(number, walked)
                continue
            if at == len(pool):
                pool, at = self._random(SALT_BYTES * _STEP), 0
            salt = pool[at : at + SALT_BYTES]
            at += SALT_BYTES
            self._keep(number, line, walked, salt)  # type: ignore[arg-type]  # told by its type
            if progress is not None and number % _STEP == 0:
                progress(number)
        self._flush()
        self._read = number

    def _fault(self, number: int, reason: str) -> None:
        self._first_bad = self._first_bad or number
        self._bad[reason] += 1
        self._quarantine.write(b"%d,%s\n" % (number, reason.encode()))

    def _keep(self, number: int, line: bytes, walked: Walked, salt: bytes) -> None:
        row = len(self._offsets)
        # Rows of a table have no id: two equal ones are two.
        id = block_of(walked.id) if walked.id else b""
        other = self._ids.setdefault(id, row) if id else row
        if other != row:
            self._again(number, line, id, other)
            return
        persons = walked.persons
        if walked.flags & MANY:
            self._references.append(len(self._lists))
            self._lists.append(len(persons))
            self._lists.extend(persons)
        else:
            self._references.append(persons[0])
        self._offsets.append(self._size)
        self._lengths.append(len(line))
        self._times.append(walked.time)
        self._flags.append(walked.flags)
        self._lines.append(number)
        self._verb_of.append(self._verbs.setdefault(walked.verb, len(self._verbs)))
        self._salts += salt
        self._hashes += hashlib.sha256(b"\0" + salt + line).digest()
        self._size += len(line)
        self._buffer += line
        if len(self._buffer) >= _FLUSH:
            self._flush()

    def _again(self, number: int, line: bytes, id: bytes, other: int) -> None:
        """A statement id seen before: an equal row is dropped, a different one damns both."""
        if other != _CONFLICT:
            self._flush()
            first = os.pread(self._rows.fileno(), self._lengths[other], self._offsets[other])
            if same_statement(first, line):
                self._duplicates += 1
                return
            self._ids[id] = _CONFLICT
            self._flags[other] |= _DROPPED
            self._dropped += 1
            self._fault(self._lines[other], "id-conflict")
        self._fault(number, "id-conflict")

    def _flush(self) -> None:
        _write_all(self._rows.fileno(), self._buffer)
        self._buffer = bytearray()

    def check(self, max_bad: float) -> None:
        """Refuse the file when too many rows are bad, or none is left."""
        bad = self._bad.total()
        limit = max(MIN_BAD, int(max_bad * self._read))
        if bad > limit:
            raise Problem(
                "dataplane-bad-rows",
                count=bad,
                rows=self._read,
                limit=limit,
                first=self._first_bad,
                reasons=", ".join(f"{reason}: {n}" for reason, n in sorted(self._bad.items())),
            )
        if len(self._offsets) == self._dropped:
            raise Problem("dataplane-no-rows")

    def finish(self, codebook: tuple[Field, ...], cut: int, note: TableNote | None) -> RevisionMeta:
        """Order the rows, write the columns, and describe the result."""
        self._ids.clear()  # the largest part of what a walk remembers
        if self._dropped:
            self._compact()
        if self._bad or self._duplicates:
            self._renumber()
        n = len(self._offsets)
        order = _order(self._random(32), n)
        columns = (self._offsets, self._times, self._lengths, self._flags, self._references)
        with (self._folder / "index.bin").open("wb") as file:
            for column in columns:
                file.write(array(column.typecode, map(column.__getitem__, order)).tobytes())
        keys = sorted(self._numbers, key=self._numbers.__getitem__)
        self._write("persons.bin", [self._lists.tobytes()])
        self._write("subjects.bin", keys)
        self._write("salts.bin", [_taken(self._salts, order, SALT_BYTES)])
        hashes = _taken(self._hashes, order, HASH_BYTES)
        self._write("hashes.bin", [hashes])
        return self._meta(codebook, cut, merkle_root(hashes), note)

    def _meta(
        self, codebook: tuple[Field, ...], cut: int, root: str, note: TableNote | None
    ) -> RevisionMeta:
        verbs = Counter(self._verb_of)
        undated = sum(1 for flags in self._flags if flags & NO_TIME)
        findings = {
            "fields-cut": cut,
            "no-verb": 0 if note else verbs[self._verbs.get("", -1)],
            "no-time": 0 if note and note.time is None else undated,
            "unknown-person": sum(1 for flags in self._flags if flags & UNKNOWN_PERSON),
        }
        return RevisionMeta(
            id=UUID(bytes=self._random(16), version=4).urn,
            rows=len(self._offsets),
            persons=len(self._numbers),
            verbs={verb: verbs[code] for verb, code in self._verbs.items() if verb and verbs[code]},
            codebook=codebook,
            quarantined=dict(self._bad),
            duplicates=self._duplicates,
            findings={code: count for code, count in findings.items() if count},
            root=root,
            first=min(self._dated(), default=None),
            last=max(self._dated(), default=None),
            sizes={name: (self._folder / name).stat().st_size for name in FILES},
            table=note,
        )

    def _dated(self) -> Iterator[int]:
        columns = zip(self._times, self._flags, strict=True)
        return (time for time, flags in columns if not flags & NO_TIME)

    def _write(self, name: str, parts: Iterable[bytes | bytearray]) -> None:
        with (self._folder / name).open("wb") as file:
            file.writelines(parts)

    def _compact(self) -> None:
        """Take conflicting rows out of every column, and out of the copy."""
        kept = [row for row, flags in enumerate(self._flags) if not flags & _DROPPED]
        with (
            (self._folder / "rows.bin").open("rb") as old,
            (self._folder / "rows.new").open("wb") as new,
        ):
            size = 0
            for row in kept:
                new.write(os.pread(old.fileno(), self._lengths[row], self._offsets[row]))
                self._offsets[row] = size
                size += self._lengths[row]
        (self._folder / "rows.new").replace(self._folder / "rows.bin")
        self._offsets = _picked(self._offsets, kept)
        self._times = _picked(self._times, kept)
        self._lengths = _picked(self._lengths, kept)
        self._flags = _picked(self._flags, kept)
        self._references = _picked(self._references, kept)
        self._verb_of = _picked(self._verb_of, kept)
        self._salts = _taken(self._salts, kept, SALT_BYTES)
        self._hashes = _taken(self._hashes, kept, HASH_BYTES)

    def _renumber(self) -> None:
        """Forget persons who are in no kept row."""
        new: dict[int, int] = {}
        lists = array("I")
        for row, reference in enumerate(self._references):
            if self._flags[row] & MANY:
                count = self._lists[reference]
                numbers = self._lists[reference + 1 : reference + 1 + count]
                self._references[row] = len(lists)
                lists.append(count)
                lists.extend(new.setdefault(number, len(new)) for number in numbers)
            else:
                self._references[row] = new.setdefault(reference, len(new))
        self._lists = lists
        self._numbers = {key: new[number] for key, number in self._numbers.items() if number in new}


def _picked(column: "array[int]", kept: list[int]) -> "array[int]":
    return array(column.typecode, map(column.__getitem__, kept))


def _taken(column: bytearray, rows: Iterable[int], size: int) -> bytearray:
    """The entries of a column of fixed size, for these rows; joined one by one, to stay small."""
    found = bytearray()
    for row in rows:
        found += column[row * size : (row + 1) * size]
    return found


def _order(key: bytes, n: int) -> "array[int]":
    """The numbers below n in the order of their keyed ranks, made in steps to stay small."""
    weights = array("Q")
    for start in range(0, n, _RANKED):
        weights.extend(ranks(key, range(start, min(n, start + _RANKED))))
    return array("I", sorted(range(n), key=weights.__getitem__))


def _overridden(found: tuple[Field, ...], declaration: About) -> tuple[Field, ...]:
    """The codebook with what the steward declared about columns."""
    wanted = {column.name: column for column in declaration.columns}
    for special in declaration.special:
        note = wanted.get(special.column, ColumnNote(special.column, "", ""))
        wanted[special.column] = replace(note, personal="special")
    for name in wanted.keys() - {field.name for field in found}:
        raise Problem("dataplane-column-unknown", name=name)
    changed = []
    for field in found:
        column = wanted.get(field.name)
        if column is not None:
            field = replace(  # noqa: PLW2901  (a changed copy)
                field,
                type=column.type or field.type,
                personal=column.personal or field.personal,
            )
        changed.append(field)
    return tuple(changed)


def merkle_root(leaves: bytes | bytearray) -> str:
    """`sha-256:…`, the RFC 6962 tree hash over leaf hashes (which carry the 0 prefix already),
    32 bytes each, one after another.
    """
    sha256 = hashlib.sha256
    level = leaves
    while len(level) > HASH_BYTES:
        above = bytearray()
        for at in range(0, len(level) - HASH_BYTES, 2 * HASH_BYTES):
            above += sha256(b"\1" + level[at : at + 2 * HASH_BYTES]).digest()
        # The tree of RFC 6962 promotes a lone last node unchanged.
        level = above + level[len(above) * 2 :]
    return f"sha-256:{level.hex() if level else sha256().hexdigest()}"


@contextmanager
def _all_or_nothing(folder: Path) -> Iterator[Path]:
    """A `.partial` folder that becomes `folder` when the block succeeds, and vanishes otherwise."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a crash
    try:
        partial.mkdir(mode=0o700, parents=True)
        yield partial
        for path in [*partial.iterdir(), partial]:
            _sync(path)
        partial.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None
    except BaseException:
        # Cancelled, refused or broken: whatever it was, no half revision stays.
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
