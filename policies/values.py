"""Typed literals: reading them, their canonical spelling, and their order.

`2027-01-01T00:00:00+01:00` and `2026-12-31T23:00:00Z` are one value and must have one content
name (decision C3); `P1M` and `P30D` are neither equal nor ordered. What we cannot type or order
is `None`, and `None` never permits.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from policies.model import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    STRING,
    Policy,
    Value,
)
from policies.vocabulary import XSD

_DURATION: Final = re.compile(
    r"(?P<sign>-?)P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?"
    r"(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)
_DATETIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)
_NANOSECONDS: Final = re.compile(r"(.*\.\d{6})\d{1,3}(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE: Final = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)(?P<zone>Z|[+-]\d\d:\d\d)?", re.ASCII)
_ZONES: Final = timedelta(hours=14)
_NONE: Final = timedelta(0)
TICK: Final = timedelta(microseconds=1)
"""The least time between two instants."""
_INTEGER: Final = re.compile(r"[+-]?\d{1,30}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})", re.ASCII)
_IRI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>\"{}|\\^`\x00-\x20]+")
_MAX_MONTHS: Final = 12 * 1000
_MAX_SECONDS: Final = 1000 * 366 * 86_400
_YEARS: Final = range(1000, 7001)  # adding any two durations stays inside Python's calendar

# The four instants of XML Schema 1.1 part 2, E.3.3: durations are ordered only when adding them
# to all four gives the same order.
_ANCHORS: Final = tuple(
    datetime(year, month, 1, tzinfo=UTC)
    for year, month in ((1696, 9), (1697, 2), (1903, 3), (1903, 7))
)


@dataclass(frozen=True, slots=True)
class Duration:
    """Calendar months and exact seconds; never negative in a policy of ours."""

    months: int
    seconds: int

    def after(self, instant: datetime) -> datetime:
        """The instant this duration after another (months first, day clipped to the month)."""
        return _add_months(instant, self.months) + timedelta(seconds=self.seconds)

    def text(self) -> str:
        """The canonical xsd:duration."""
        days, rest = divmod(self.seconds, 86_400)
        date = (f"{self.months}M" if self.months else "") + (f"{days}D" if days else "")
        return "P" + date + (f"T{rest}S" if rest or not date else "")


@dataclass(frozen=True, slots=True)
class Span:
    """All instants that a date (or a time without a zone) may mean, at the microsecond.

    `first` and `last` are included. They are UTC when `zoned`; otherwise they were written in
    a zone that is not known, at most 14 hours from UTC (XML Schema 1.1 part 2, 3.3.7.4).
    """

    first: datetime
    last: datetime
    zoned: bool

    @property
    def margin(self) -> timedelta:
        """How far from what is written the instants may be."""
        return _NONE if self.zoned else _ZONES

    def edges(self) -> frozenset[datetime]:
        """The instants from which a comparison of the clock with it may answer otherwise."""
        moved = (-self.margin, self.margin)
        ends = (self.first, self.last)
        return frozenset(e + m + later for e in ends for m in moved for later in (_NONE, TICK))


Parsed = datetime | Duration | int | Decimal | bool | str


@lru_cache(maxsize=4096)
def parse(value: Value) -> Parsed | None:
    """The typed content of a literal (text of an IRI); None when type or spelling is unknown."""
    if value.datatype is None:
        return value.text
    reader = _READERS.get(value.datatype)
    return None if reader is None else reader(value.text)


def instant(text: str) -> datetime | None:
    """The UTC instant of an RFC 3339 date-time with an offset; None for anything else."""
    if _DATETIME.fullmatch(text) is None:
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in _YEARS else None


@lru_cache(maxsize=1024)
def moment(text: str) -> datetime | None:
    """As `instant`, for a point in time that no clause names: clocks of other stacks count
    nanoseconds (an agreement's timestamp), which are cut to microseconds.
    """
    found = _NANOSECONDS.fullmatch(text)
    return instant(found[1] + found[2] if found else text)


def began(policy: Policy) -> datetime | None:
    """The instant from which elapsed time counts; None when the policy names none."""
    return None if policy.timestamp is None else moment(policy.timestamp)


@lru_cache(maxsize=4096)
def span(value: Value) -> Span | None:
    """The instants of a dateTime or date literal; None for any other value."""
    if value.datatype == DATE:
        return _day(value.text)
    if value.datatype != DATETIME:
        return None
    moment = instant(value.text)
    if moment is not None:
        return Span(moment, moment, zoned=True)
    loose = instant(value.text + "Z")
    return None if loose is None else Span(loose, loose, zoned=False)


def compare_times(operator: str, seen: Span, required: Span) -> bool | None:
    """A comparison (`eq neq lt lteq gt gteq`) that holds or fails for whatever is meant.

    A day stands for all its instants: `lteq` a day includes it, `lt` ends where it begins, `eq`
    is anywhere inside. None when it depends on the zone, or on the instant of the day.
    """
    if operator == "neq":
        equal = compare_times("eq", seen, required)
        return None if equal is None else not equal
    if seen.zoned == required.zoned:
        return _compare_spans(operator, seen, required)
    if operator == "eq":
        apart = seen.last + _ZONES < required.first or seen.first - _ZONES > required.last
        return False if apart else None
    moved = (_moved(required, -_ZONES), _moved(required, _ZONES))
    answers = {_compare_spans(operator, seen, each) for each in moved}
    return answers.pop() if len(answers) == 1 else None


def duration(text: str) -> Duration | None:
    """The duration of an xsd:duration (weeks allowed); None when negative, huge or malformed."""
    found = _DURATION.fullmatch(text)
    if found is None or found["sign"]:
        return None
    part = {name: int(found[name] or 0) for name in found.groupdict() if name != "sign"}
    months = part["years"] * 12 + part["months"]
    days = part["weeks"] * 7 + part["days"]
    seconds = ((days * 24 + part["hours"]) * 60 + part["minutes"]) * 60 + part["seconds"]
    if seconds > _MAX_SECONDS or months > _MAX_MONTHS:
        return None
    return Duration(months, seconds)


def show(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def canonical(text: str, datatype: str) -> str:
    """The canonical lexical form of a literal; the text itself where we cannot read it."""
    parsed = parse(Value(text, datatype))
    match parsed:
        case None | str():
            return text
        case bool():
            return "true" if parsed else "false"
        case datetime():
            return show(parsed)
        case Duration():
            return parsed.text()
        case Decimal():
            plain = format(parsed.normalize(), "f")
            return "0" if plain in {"-0", "0"} else plain
        case int():
            return str(parsed)


def is_iri(text: str) -> bool:
    """Whether a text looks like an absolute IRI (scheme and something after it)."""
    return _IRI.fullmatch(text) is not None


def order(left: Value, right: Value) -> int | None:
    """-1, 0 or 1 for ordered literals of one kind; None when they cannot be compared."""
    one, other = parse(left), parse(right)
    if isinstance(one, bool) or isinstance(other, bool):
        return None
    if isinstance(one, datetime) and isinstance(other, datetime):
        return (one > other) - (one < other)
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return (one > other) - (one < other)
    if isinstance(one, Duration) and isinstance(other, Duration):
        return _order_durations(one, other)
    return None


def _compare_spans(operator: str, seen: Span, required: Span) -> bool | None:
    match operator:
        case "lt":
            holds, fails = seen.last < required.first, seen.first >= required.first
        case "lteq":
            holds, fails = seen.last <= required.last, seen.first > required.last
        case "gt":
            holds, fails = seen.first > required.last, seen.last <= required.last
        case "gteq":
            holds, fails = seen.first >= required.first, seen.last < required.first
        case "eq":
            holds = required.first <= seen.first and seen.last <= required.last
            fails = seen.last < required.first or seen.first > required.last
        case _:
            return None
    return True if holds else False if fails else None


def _moved(span: Span, by: timedelta) -> Span:
    return Span(span.first + by, span.last + by, span.zoned)


def _day(text: str) -> Span | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    first = instant(f"{found['day']}T00:00:00{found['zone'] or 'Z'}")
    if first is None:
        return None
    return Span(first, first + timedelta(days=1) - TICK, zoned=found["zone"] is not None)


def _order_durations(one: Duration, other: Duration) -> int | None:
    ends = [(one.after(anchor), other.after(anchor)) for anchor in _ANCHORS]
    orders = {(left > right) - (left < right) for left, right in ends}
    return orders.pop() if len(orders) == 1 else None


def _add_months(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, _days_in(year, month + 1))
    return moment.replace(year=year, month=month + 1, day=day)


def _days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if _DECIMAL.fullmatch(text) else None
    except InvalidOperation:
        return None


def _boolean(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text)


_READERS: Final[Mapping[str, Callable[[str], Parsed | None]]] = {
    DATETIME: instant,
    XSD + "dateTimeStamp": instant,
    DURATION: duration,
    XSD + "dayTimeDuration": duration,
    XSD + "yearMonthDuration": duration,
    INTEGER: _integer,
    XSD + "int": _integer,
    XSD + "long": _integer,
    XSD + "nonNegativeInteger": _integer,
    XSD + "positiveInteger": _integer,
    DECIMAL: _decimal,
    BOOLEAN: _boolean,
    STRING: str,
}

CANONICAL_TYPES: Final[Mapping[str, str]] = {
    XSD + "dateTimeStamp": DATETIME,
    XSD + "dayTimeDuration": DURATION,
    XSD + "yearMonthDuration": DURATION,
    XSD + "int": INTEGER,
    XSD + "long": INTEGER,
    XSD + "nonNegativeInteger": INTEGER,
    XSD + "positiveInteger": INTEGER,
}


def literal(text: str, datatype: str, *, spelled: str | None = None) -> Value:
    """A literal in canonical spelling, derived number and duration types folded into one."""
    readable = parse(Value(text, datatype)) is not None
    folded = CANONICAL_TYPES.get(datatype, datatype) if readable else datatype
    return Value(canonical(text, folded), folded, spelled)
