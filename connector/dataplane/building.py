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

from connector.dataplane.about import About
from connector.dataplane.codebook import fields
from connector.dataplane.revision import FILES, SALT_BYTES, RevisionMeta
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
from connector.dataplane.treat import ranks
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
    """Make the revision `folder` from a file of xAPI statements, and return its meta.

    `random(n)` gives n unpredictable bytes; `progress(rows)` is called now and then. At most
    max(10, `max_bad` x rows) rows may be quarantined.

    Raises:
        Problem: `dataplane-file-…` (the file), `dataplane-bad-rows` (too many faults),
            `dataplane-no-rows`, `dataplane-kind`, `dataplane-column-unknown`,
            `dataplane-revision-exists`, `dataplane-disk`. Nothing remains then.
    """
    if declaration.kind != "xapi":
        raise Problem("dataplane-kind", kind=declaration.kind)
    if folder.exists():
        raise Problem("dataplane-revision-exists")
    with _all_or_nothing(folder) as partial, open_lines(source, line_bytes=line_bytes) as lines:
        walk = _Walk(partial, subject_secret, random)
        with walk:
            walk.run(lines, progress)
        walk.check(max_bad)
        meta = walk.finish(declaration)
        (partial / "meta.json").write_bytes(orjson.dumps(meta.document()))
    return meta


class _Walk:
    """The state of one walk. Rows are numbered as kept; the released order comes at the end."""

    def __init__(self, folder: Path, secret: bytes, random: Random) -> None:
        self._folder = folder
        self._secret = secret
        self._random = random
        self._numbers: dict[bytes, int] = {}
        self._walker = Walker(self._person)
        self._ids: dict[str, int] = {}
        self._offsets = array("Q")
        self._times = array("q")
        self._lengths = array("I")
        self._flags = array("I")
        self._references = array("I")
        self._lists = array("I")
        self._lines = array("Q")
        self._verb_of = array("I")
        self._verbs: dict[str, int] = {}
        self._hashes: list[bytes] = []
        self._salts: list[bytes] = []
        self._size = 0
        self._buffer: list[bytes] = []
        self._buffered = 0
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

    def _person(self, identifier: Identifier) -> int:
        key = key_of(self._secret, canonical(identifier))
        return self._numbers.setdefault(key, len(self._numbers))

    def run(self, lines: Lines, progress: Callable[[int], None] | None) -> None:
        """Take every line."""
        pool = b""
        at = 0
        number = 0
        for number, line in lines:
            if line is None:
                self._fault(number, "line-too-long")
                continue
            if line.endswith(b"\r"):
                line = line[:-1]  # noqa: PLW2901  (the line end of another system)
            try:
                walked = self._walker.walk(line)
            except RowFault as fault:
                self._refused(number, line, fault.reason, lines)
                continue
            if at == len(pool):
                pool, at = self._random(SALT_BYTES * _STEP), 0
            salt = pool[at : at + SALT_BYTES]
            at += SALT_BYTES
            self._keep(number, line, walked, salt)
            if progress is not None and number % _STEP == 0:
                progress(number)
        self._flush()
        self._read = number

    def _refused(self, number: int, line: bytes, reason: str, lines: Lines) -> None:
        """One bad row, or a sign that the whole file is bad."""
        if reason == "not-json":
            if not line.strip(b" \t\r"):
                return  # a blank line is no row
            refuse_garbage(number, line)
            if not lines.terminated:
                raise Problem("dataplane-file-truncated")
        self._fault(number, reason)

    def _fault(self, number: int, reason: str) -> None:
        self._first_bad = self._first_bad or number
        self._bad[reason] += 1
        self._quarantine.write(b"%d,%s\n" % (number, reason.encode()))

    def _keep(self, number: int, line: bytes, walked: Walked, salt: bytes) -> None:
        row = len(self._offsets)
        other = self._ids.setdefault(walked.id, row)
        if other != row:
            self._again(number, line, walked.id, other)
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
        self._salts.append(salt)
        self._hashes.append(hashlib.sha256(b"\0" + salt + line).digest())
        self._size += len(line)
        self._buffer.append(line)
        self._buffered += len(line)
        if self._buffered >= _FLUSH:
            self._flush()

    def _again(self, number: int, line: bytes, id: str, other: int) -> None:
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
        _write_all(self._rows.fileno(), b"".join(self._buffer))
        self._buffer.clear()
        self._buffered = 0

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

    def finish(self, declaration: About) -> RevisionMeta:
        """Order the rows, write the columns, and describe the result."""
        if self._dropped:
            self._compact()
        if self._bad or self._duplicates:
            self._renumber()
        n = len(self._offsets)
        weights = ranks(self._random(32), range(n))
        order = sorted(range(n), key=weights.__getitem__)
        hashes = [self._hashes[row] for row in order]
        columns = (self._offsets, self._times, self._lengths, self._flags, self._references)
        with (self._folder / "index.bin").open("wb") as file:
            for column in columns:
                file.write(array(column.typecode, map(column.__getitem__, order)).tobytes())
        keys = sorted(self._numbers, key=self._numbers.__getitem__)
        self._write("persons.bin", [self._lists.tobytes()])
        self._write("subjects.bin", keys)
        self._write("salts.bin", (self._salts[row] for row in order))
        self._write("hashes.bin", hashes)
        return self._meta(declaration, merkle_root(hashes))

    def _meta(self, declaration: About, root: str) -> RevisionMeta:
        found, cut = fields(self._walker.root)
        verbs = Counter(self._verb_of)
        times = [
            time
            for time, flags in zip(self._times, self._flags, strict=True)
            if not flags & NO_TIME
        ]
        findings = {
            "fields-cut": cut + self._walker.root.overflow,
            "no-verb": verbs[self._verbs.get("", -1)],
            "no-time": len(self._times) - len(times),
            "unknown-person": sum(1 for flags in self._flags if flags & UNKNOWN_PERSON),
        }
        return RevisionMeta(
            id=UUID(bytes=self._random(16), version=4).urn,
            rows=len(self._offsets),
            persons=len(self._numbers),
            verbs={verb: verbs[code] for verb, code in self._verbs.items() if verb and verbs[code]},
            codebook=_overridden(found, declaration),
            quarantined=dict(self._bad),
            duplicates=self._duplicates,
            findings={code: count for code, count in findings.items() if count},
            root=root,
            first=min(times, default=None),
            last=max(times, default=None),
            sizes={name: (self._folder / name).stat().st_size for name in FILES},
        )

    def _write(self, name: str, parts: Iterable[bytes]) -> None:
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
        self._salts = [self._salts[row] for row in kept]
        self._hashes = [self._hashes[row] for row in kept]

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


def _overridden(found: tuple[Field, ...], declaration: About) -> tuple[Field, ...]:
    """The codebook with what the steward declared about columns."""
    wanted = {column.name: column for column in declaration.columns}
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


def merkle_root(leaves: list[bytes]) -> str:
    """`sha-256:…`, the RFC 6962 tree hash over leaf hashes (which carry the 0 prefix already)."""
    sha256 = hashlib.sha256
    level = leaves
    while len(level) > 1:
        above = [
            sha256(b"\1" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        # The tree of RFC 6962 promotes a lone last node unchanged.
        level = above + level[len(above) * 2 :]
    return f"sha-256:{level[0].hex() if level else sha256().hexdigest()}"


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


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
