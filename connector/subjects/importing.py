"""Consent import: CSV or JSON bytes become typed rows, all or none (FORMATS "Consent import").

Room: subjects; pure. Rows hold identifiers in clear only until the registry has turned them into
keys; an error names its row and column, never a value.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from connector.subjects.keys import TYPES, Identifier, canonical
from policies.consent import STATUSES, Status
from policies.problem import Problem
from policies.vocabulary import PURPOSES, purpose

COLUMNS: Final = (
    "event_id",
    "id_type",
    "id_value",
    "id_home",
    "recipient",
    "purpose",
    "category",
    "status",
    "at",
    "valid_until",
    "notice",
)
OPTIONAL: Final = frozenset({"id_home", "valid_until", "notice"})
# Clocks of two machines differ by a little; more than this is a wrong date.
SKEW: Final = timedelta(minutes=5)
MAX_ERRORS: Final = 50

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)")
_RECIPIENT: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]+|group:[A-Za-z0-9][A-Za-z0-9._-]*")
_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`*]+")
_EVENT_ID: Final = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One event of an import, checked. `row` counts from 1 (the header is not a row)."""

    row: int
    event_id: str
    identifier: Identifier
    recipient: str
    purpose: str
    category: str
    status: Status
    at: datetime
    valid_until: datetime | None
    notice: str


@dataclass(frozen=True, slots=True)
class _Error(Exception):
    column: str
    reason: str


def read(data: bytes, *, now: datetime) -> tuple[ConsentRow, ...]:
    """All rows of a consent file, in file order.

    The form is told by the first character: `[` or `{` is JSON, anything else CSV. A purpose
    must have a place in the purpose tree, or a reviewed mapping into it (C5).

    Raises:
        Problem: `subjects-import-unreadable` (encoding, syntax), `subjects-import-columns`
            (missing or unknown columns), `subjects-import-empty`, or `subjects-import-rows`
            with `errors`: a list of {row, column, reason}, at most 50, and their `count`.
    """
    rows: list[ConsentRow] = []
    errors: list[dict[str, object]] = []
    seen: set[str] = set()
    for number, record in enumerate(_records(data), start=1):
        try:
            row = _row(number, record, now)
            if row.event_id in seen:
                raise _Error("event_id", "repeated")
        except _Error as error:
            errors.append({"row": number, "column": error.column, "reason": error.reason})
            continue
        seen.add(row.event_id)
        rows.append(row)
    if errors:
        first = errors[0]
        raise Problem(
            "subjects-import-rows",
            count=len(errors),
            row=first["row"],
            column=first["column"],
            reason=first["reason"],
            errors=errors[:MAX_ERRORS],
        )
    if not rows:
        raise Problem("subjects-import-empty")
    return tuple(rows)


def _records(data: bytes) -> Iterable[Sequence[object]]:
    """The records as values in the order of COLUMNS."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem("subjects-import-unreadable", reason="utf-8") from None
    if "\x00" in text:
        raise Problem("subjects-import-unreadable", reason="nul")
    return _json_records(text) if text.lstrip()[:1] in ("[", "{") else _csv_records(text)


def _json_records(text: str) -> Iterable[Sequence[object]]:
    try:
        value = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise Problem("subjects-import-unreadable", reason="json") from None
    if not isinstance(value, list):
        raise Problem("subjects-import-unreadable", reason="json-array")
    for item in value:
        if not isinstance(item, dict):
            raise Problem("subjects-import-unreadable", reason="json-object")
        _check_columns(item)
        yield ["" if item.get(name) is None else item[name] for name in COLUMNS]


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate member")
    return found


def _csv_records(text: str) -> Iterable[Sequence[object]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise Problem("subjects-import-empty")
        if len(set(header)) != len(header):
            raise Problem("subjects-import-columns", missing="", unknown="(twice)")
        _check_columns(header)
        places = [header.index(name) if name in header else None for name in COLUMNS]
        for record in reader:
            if not record:
                continue
            if len(record) != len(header):  # left to the row check, which names the row
                yield ()
                continue
            yield ["" if place is None else record[place] for place in places]
    except csv.Error:
        raise Problem("subjects-import-unreadable", reason="csv") from None


def _check_columns(names: Iterable[str]) -> None:
    given = set(names)
    missing = [name for name in COLUMNS if name not in given and name not in OPTIONAL]
    unknown = len(given - set(COLUMNS))
    if missing or unknown:
        raise Problem("subjects-import-columns", missing=", ".join(missing), unknown=unknown)


def _row(number: int, record: Sequence[object], now: datetime) -> ConsentRow:
    if len(record) != len(COLUMNS):
        raise _Error("", "width")
    for name, value in zip(COLUMNS, record, strict=True):
        if not isinstance(value, str):
            raise _Error(name, "text")
    texts = dict(zip(COLUMNS, map(str, record), strict=True))
    event_id = texts["event_id"]
    if not _EVENT_ID.fullmatch(event_id):
        raise _Error("event_id", "malformed" if event_id else "missing")
    use = _use(texts["recipient"], texts["purpose"], texts["category"])
    status = _status(texts["status"])
    at = _time("at", texts["at"])
    if at > now + SKEW:
        raise _Error("at", "future")
    until = _time("valid_until", texts["valid_until"]) if texts["valid_until"] else None
    if until is not None and until <= at:
        raise _Error("valid_until", "before-at")
    return ConsentRow(
        number,
        event_id,
        _identifier(texts),
        *use,
        status,
        at,
        until,
        _notice(texts["notice"]),
    )


# A file names few uses, instants, homes and notices, each many times: they are checked once, and
# a million rows share one text instead of having a copy each. Faults are never remembered.
@lru_cache(maxsize=256)
def _use(recipient: str, of: str, category: str) -> tuple[str, str, str]:
    """Recipient, purpose and category, checked."""
    for name, text, pattern in (
        ("recipient", recipient, _RECIPIENT),
        ("purpose", of, _IRI),
        ("category", category, _IRI),
    ):
        if not pattern.fullmatch(text):
            raise _Error(name, "malformed" if text else "missing")
    if purpose(of) not in PURPOSES:
        raise _Error("purpose", "unknown")
    return recipient, of, category


@lru_cache(maxsize=256)
def _shared(text: str) -> str:
    return text


def _status(text: str) -> Status:
    for status in STATUSES:
        if status == text:
            return status
    raise _Error("status", "unknown")


def _identifier(texts: dict[str, str]) -> Identifier:
    kind = next((name for name in TYPES if name == texts["id_type"]), None)
    if kind is None:
        raise _Error("id_type", "unknown")
    if kind in ("account", "column") and not texts["id_home"].strip():
        raise _Error("id_home", "missing")
    identifier = Identifier(kind, texts["id_value"], _shared(texts["id_home"]))
    try:
        canonical(identifier)
    except Problem:
        raise _Error("id_value", "malformed") from None
    return identifier


@lru_cache(maxsize=256)
def _notice(text: str) -> str:
    if text and not _IRI.fullmatch(text):
        raise _Error("notice", "malformed")
    return text


@lru_cache(maxsize=4096)
def _time(column: str, text: str) -> datetime:
    if not _TIME.fullmatch(text):
        raise _Error(column, "malformed" if text else "missing")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Error(column, "malformed") from None
