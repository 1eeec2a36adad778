"""CSV as it arrives: records with their line numbers, under a declared dialect (X7).

Room: dataplane. The dialect is what the steward declared, never a guess: a guess that is wrong
once in a hundred files publishes a wrong table. What shows that the *file* is not what was declared
(encoding, NUL bytes, a header that is none, one column only, an end that is missing) refuses the
file; what is wrong with one row is told to the caller as a reason.

A quote that is opened and not closed must not swallow the rows after it. So a record of several
lines that turns out wrong costs its first line only, and reading goes on with the second.
"""

import csv
import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from connector.dataplane.about import Dialect
from connector.dataplane.sources import LINE_BYTES, Line
from policies.problem import Problem

MAX_COLUMNS: Final = 2_000
MAX_NAME: Final = 200
MAX_LINES: Final = 1_000
"""A record of more lines than this is an unclosed quote."""
MAX_RECORD: Final = 2 * LINE_BYTES
"""Characters that a record of several lines may have: no more is ever held."""

Record = tuple[int, list[str] | str]
"""The line a record begins on, and its cells, or why it is refused."""

_OTHERS: Final = ",;\t|"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_IN_NAME: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Table:
    """The records of a CSV file; `header` is read when it is made.

    Raises:
        Problem: `dataplane-csv-…` or `dataplane-file-…`, now or while rows are read.
    """

    def __init__(self, lines: Iterable[Line], dialect: Dialect) -> None:
        self._feed = _Feed(lines, dialect)
        self._dialect = dialect
        self.header = self._header()

    def rows(self) -> Iterator[Record]:
        """Every record after the header, blank lines left out.

        Reasons: line-too-long, not-csv, ragged, control-character.
        """
        width = len(self.header)
        for number, found in self._records():
            if type(found) is list:
                if len(found) != width:
                    self._feed.retreat()
                    yield number, "ragged"
                    continue
                if any(map(_CONTROL.search, found)):
                    yield number, "control-character"
                    continue
            yield number, found
        self._feed.check_end()

    def _header(self) -> tuple[str, ...]:
        for _, found in self._records():
            if type(found) is str:
                raise Problem("dataplane-csv-header", reason=found)
            return _names(found, self._dialect)
        raise Problem("dataplane-file-empty")

    def _records(self) -> Iterator[Record]:
        feed, dialect = self._feed, self._dialect
        reader = csv.reader(
            feed,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            doublequote=True,
            strict=True,
        )
        while True:
            feed.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _TooLongError:
                yield feed.start, "line-too-long"
                continue
            except csv.Error as error:
                if "unexpected end of data" in str(error) and feed.ended:
                    raise Problem("dataplane-file-truncated") from None
                feed.retreat()
                yield feed.start, "not-csv"
                continue
            if cells:
                yield feed.start, cells


class _TooLongError(Exception):
    """A line over the limit: its content was never kept."""


class _Feed:
    """Decoded lines for the csv module, which remembers those of the record under way."""

    def __init__(self, lines: Iterable[Line], dialect: Dialect) -> None:
        self._lines = iter(lines)
        self._encoding = dialect.encoding
        self._again: deque[tuple[int, str | None]] = deque()
        self._record: list[tuple[int, str | None]] = []
        self._foreign = self._utf8 = 0
        self._held = 0
        self.ended = False
        self.start = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._record) == MAX_LINES:
            raise csv.Error("too many lines")
        number, text = self._again.popleft() if self._again else self._read()
        self._record.append((number, text))
        self._held += len(text or "")
        if len(self._record) == 1:
            self.start = number
        elif self._held > MAX_RECORD:
            raise csv.Error("too many characters")
        if text is None:
            self._refuse_line()
        return str(text)

    def begin(self) -> None:
        """A new record begins with the next line."""
        self._record.clear()
        self._held = 0

    def retreat(self) -> None:
        """The record is wrong: give its lines back, but for the first."""
        self._again.extendleft(reversed(self._record[1:]))
        self._record.clear()

    def check_end(self) -> None:
        """A file declared in one byte a character, all of whose accents are UTF-8, is UTF-8."""
        if self._foreign and self._foreign == self._utf8:
            raise Problem("dataplane-csv-encoding", encoding=self._encoding, line=1)

    def _refuse_line(self) -> None:
        if len(self._record) > 1:  # an open quote before it: that line is to blame
            raise csv.Error("line too long")
        raise _TooLongError

    def _read(self) -> tuple[int, str | None]:
        try:
            number, line = next(self._lines)
        except StopIteration:
            self.ended = True
            raise
        if line is None:
            return number, None
        if b"\x00" in line:
            raise Problem("dataplane-file-binary", line=number)
        try:
            text = line.decode(self._encoding)
        except UnicodeDecodeError:
            raise Problem("dataplane-csv-encoding", encoding=self._encoding, line=number) from None
        if self._encoding != "utf-8" and not line.isascii():
            self._foreign += 1
            self._utf8 += _is_utf8(line)
        return number, text + "\n"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _names(cells: Sequence[str], dialect: Dialect) -> tuple[str, ...]:
    """The header as column names.

    Raises:
        Problem: `dataplane-csv-dialect` (one column), `dataplane-csv-header` (the reason).
    """
    names = tuple(unicodedata.normalize("NFC", cell).strip() for cell in cells)
    if len(names) < 2:
        text = names[0] if names else ""
        hints = [mark for mark in _OTHERS if mark != dialect.delimiter and mark in text]
        raise Problem(
            "dataplane-csv-dialect",
            delimiter=repr(dialect.delimiter),
            hint=" ".join(map(repr, hints)) or "–",
        )
    if len(names) > MAX_COLUMNS:
        raise Problem("dataplane-csv-header", reason=f"> {MAX_COLUMNS}")
    if "" in names:
        raise Problem("dataplane-csv-header", reason=f"empty name: column {names.index('') + 1}")
    twice = [name for at, name in enumerate(names) if name in names[:at]]
    if twice:
        raise Problem("dataplane-csv-header", reason=f"twice: {twice[0][:80]}")
    for name in names:
        if len(name) > MAX_NAME or _IN_NAME.search(name):
            raise Problem("dataplane-csv-header", reason=f"not a name: {name[:40]!r}")
    return names
