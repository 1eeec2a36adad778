"""Where rows come from: JSON Lines files, plain or gzip, as an iterator of numbered lines.

Room: dataplane. A fault of the file refuses the file (X7): unreadable, not UTF-8, binary, garbled
or truncated compression, a last line cut off. A fault of one row is the business of `revision`.
A line longer than the limit is never held in memory: it is yielded as None.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from policies.problem import Problem

LINE_BYTES: Final = 4 * 2**20
_BLOCK: Final = 2**20
_GZIP: Final = b"\x1f\x8b"
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_OTHER_BOMS: Final = (b"\xff\xfe", b"\xfe\xff")

Line = tuple[int, bytes | None]
"""Line number from 1, and its bytes without the line end; None when longer than the limit."""


class Lines:
    """The lines of an open file. After the last one `terminated` says whether it had its end."""

    def __init__(self, file: BinaryIO, *, line_bytes: int = LINE_BYTES) -> None:
        self._file = file
        self._limit = line_bytes
        self.terminated = True

    def __iter__(self) -> Iterator[Line]:
        """Each line once, in order.

        Raises:
            Problem: `dataplane-file-empty`, `-encoding`, `-garbled`, `-truncated`, `-unreadable`.
        """
        number = 0
        rest = b""
        too_long = False
        for block in self._blocks():
            *lines, tail = block.split(b"\n")
            if not lines:
                rest, too_long = self._join(rest, tail, too_long=too_long)
                continue
            rest, too_long = self._join(rest, lines[0], too_long=too_long)
            number += 1
            yield number, None if too_long else rest
            for line in lines[1:]:
                number += 1
                yield number, line if len(line) <= self._limit else None
            rest, too_long = self._join(b"", tail, too_long=False)
        if rest or too_long:
            self.terminated = False
            yield number + 1, None if too_long else rest

    def _join(self, rest: bytes, more: bytes, *, too_long: bool) -> tuple[bytes, bool]:
        if too_long or len(rest) + len(more) > self._limit:
            return b"", True
        return (rest + more if rest else more), False

    def _blocks(self) -> Iterator[bytes]:
        first = self._read()
        if first.startswith(_OTHER_BOMS):
            raise Problem("dataplane-file-encoding", line=1)
        first = first.removeprefix(_UTF8_BOM)
        if not first:
            raise Problem("dataplane-file-empty")
        yield first
        while block := self._read():
            yield block

    def _read(self) -> bytes:
        try:
            return self._file.read(_BLOCK)
        except EOFError:
            raise Problem("dataplane-file-truncated") from None
        except (gzip.BadGzipFile, zlib.error):
            raise Problem("dataplane-file-garbled") from None
        except OSError as error:
            raise Problem("dataplane-file-unreadable", reason=error.strerror or "I/O") from None


@contextmanager
def open_lines(path: Path, *, line_bytes: int = LINE_BYTES) -> Iterator[Lines]:
    """Open a file of JSON Lines; gzip is told by its first two bytes (a name may lie).

    Raises:
        Problem: `dataplane-file-unreadable`, or `dataplane-file-garbled` when the name ends in
            `.gz` and the content is not gzip.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Problem("dataplane-file-unreadable", reason=error.strerror or "I/O") from None
    with raw:
        start = raw.peek(2)[:2]
        if start == _GZIP:
            with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
                yield Lines(unpacked, line_bytes=line_bytes)  # type: ignore[arg-type]
            return
        if path.suffix == ".gz" and start:
            raise Problem("dataplane-file-garbled")
        yield Lines(raw, line_bytes=line_bytes)


def refuse_garbage(number: int, line: bytes) -> None:
    """Whether a line that is not JSON shows that the *file* is not what it should be.

    Raises:
        Problem: `dataplane-file-binary` (NUL bytes) or `dataplane-file-encoding` (not UTF-8).
    """
    if b"\x00" in line:
        raise Problem("dataplane-file-binary", line=number)
    try:
        line.decode()
    except UnicodeDecodeError:
        raise Problem("dataplane-file-encoding", line=number) from None
