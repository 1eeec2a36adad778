"""Cells of a table: what a text is, and how a time in it is cut down. Pure.

Room: dataplane. A table has no types of its own, only texts; a column has a type when *all* its
cells have it. Only spellings that one reader reads like another count: `007`, `3,5` and numbers of
more digits than a double holds are texts, because a number's spelling must survive.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from connector.dataplane.codebook import UUID
from connector.dataplane.rows import EPOCH, MICROSECOND
from connector.dataplane.treat import generalise

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_EXACT: Final = 15
"""Decimal digits of an integer that every reader keeps."""
_LONGEST: Final = 30
BOOLEANS: Final[Mapping[str, bool]] = {
    spelling: value
    for word, value in (("true", True), ("false", False))
    for spelling in (word, word.upper(), word.capitalize())
}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}/[0-9]{2}/[0-9]{4}")
_INSTANT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r"( ?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
_FRENCH: Final = re.compile(
    r"([0-9]{2})/([0-9]{2})/([0-9]{4}) ([0-9]{2})[:h]([0-9]{2})(?::([0-9]{2}))?"
)
TIMES: Final = frozenset({"date", "dateTime"})


def is_number(text: str) -> bool:
    """A JSON number that every reader reads as the same value."""
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return False
    if text.lstrip("-").isdigit():
        return len(text.lstrip("-")) <= _EXACT
    return math.isfinite(float(text))


def is_date(text: str) -> bool:
    """A calendar day, `2011-09-01` or `01/09/2011`."""
    return _DATE.fullmatch(text) is not None and _day(text) is not None


def is_date_time(text: str) -> bool:
    """A day and an hour, as ISO 8601 (the zone may be missing) or `01/09/2011 08:30`."""
    return bool(_INSTANT.fullmatch(text) or _FRENCH.fullmatch(text))


def is_uuid(text: str) -> bool:
    """A UUID, with or without `urn:uuid:`."""
    return UUID.fullmatch(text) is not None


KINDS: Final[Mapping[str, Callable[[str], bool]]] = {
    "number": is_number,
    "boolean": BOOLEANS.__contains__,
    "uuid": is_uuid,
    "date": is_date,
    "dateTime": is_date_time,
}
"""The types a column may be found to have, besides `string`, and who tells."""


def record_time(text: str) -> int | None:
    """Microseconds since 1970 of a day or a time; without a zone it is read as UTC."""
    if is_date(text):
        day = _day(text)
        return None if day is None else _micros(datetime(day.year, day.month, day.day, tzinfo=UTC))
    instant = _instant(text)
    return None if instant is None else _micros(instant)


def cut_time(text: str, precision: str) -> str | None:
    """A date-time at a precision of `treat.PRECISIONS`; None when nothing of it may leave.

    With a zone it becomes UTC; without one it stays a time of its own place, in its own order of
    day and month: to add a zone would be to invent one.
    """
    instant = _instant(text)
    if instant is None or precision == "none":
        return None  # shaped like a time and none (a leap second, 31 February): it does not leave
    french, iso = _FRENCH.fullmatch(text), _INSTANT.fullmatch(text)
    if iso and iso[5]:
        try:
            return generalise(_micros(instant), precision)
        except OverflowError:  # the zone leads out of the years that exist
            return None
    minute = instant.strftime("%M") if precision == "minute" else "00"
    hour = "00" if precision == "day" else instant.strftime("%H")
    if french:
        return f"{text[:10]} {hour}:{minute}"
    return f"{text[:10]}T{hour}:{minute}:00"


def _day(text: str) -> date | None:
    """The day, the French order of day and month first."""
    if text[4] == "-":
        return _made(text[:4], text[5:7], text[8:])
    first, second, year = text.split("/")
    return _made(year, second, first) or _made(year, first, second)


def _made(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    french = _FRENCH.fullmatch(text)
    if french:
        day = _day(text[:10])
        text = f"{day}T{french[4]}:{french[5]}:{french[6] or '00'}"
    elif not _INSTANT.fullmatch(text):
        return None
    try:
        instant = datetime.fromisoformat(text.upper().replace(" Z", "Z").replace(",", "."))
    except ValueError:
        return _spaced(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _spaced(text: str) -> datetime | None:
    """`… +02:00`: some exports set the zone apart."""
    head, space, zone = text.rpartition(" ")
    if not space or zone[:1] not in "+-":
        return None
    return _instant(head + zone)


def _micros(instant: datetime) -> int:
    return (instant - EPOCH) // MICROSECOND
