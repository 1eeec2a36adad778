"""Dates and times: days, zones, and what depends on either."""

from datetime import UTC, datetime, timedelta

import pytest

from policies.model import DATE, DATETIME, INTEGER, Value
from policies.values import compare_times, span


def day(text: str) -> Value:
    return Value(text, DATE)


def time(text: str) -> Value:
    return Value(text, DATETIME)


def test_a_day_is_all_its_instants():
    found = span(day("2026-12-01Z"))
    assert found is not None
    assert found.first == datetime(2026, 12, 1, tzinfo=UTC)
    assert found.last == datetime(2026, 12, 2, tzinfo=UTC) - timedelta(microseconds=1)
    assert found.zoned


def test_a_zone_moves_the_day():
    found = span(day("2026-12-01+05:30"))
    assert found is not None
    assert found.first == datetime(2026, 11, 30, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        day("2026-13-01"),
        day("2026-12-01T00:00:00Z"),
        time("2026-12-01"),
        time("soon"),
        Value("2026-12-01", INTEGER),
        Value("urn:x"),
        day("0026-12-01"),
    ],
)
def test_anything_else_has_no_instants(value: Value):
    assert span(value) is None


TABLE = {
    # seen, required: lt, lteq, gt, gteq, eq, neq
    ("2026-12-01Z", "2026-12-01Z"): "FTFTTF",
    ("2026-12-01Z", "2026-12-02Z"): "TTFFFT",
    ("2026-12-02Z", "2026-12-01Z"): "FFTTFT",
    # a day seen, an instant required: unknown where it depends on the instant
    ("2026-12-01Z", "2026-12-01T12:00:00Z"): "??????",
    ("2026-12-01Z", "2026-12-01T00:00:00Z"): "F??T??",
    ("2026-12-01Z", "2026-12-01T23:59:59.999999Z"): "?TF???",
    ("2026-12-01Z", "2026-12-02T00:00:00Z"): "TTFFFT",
    # neither with a zone: the same zone is meant
    ("2026-12-01T12:00:00", "2026-12-01T12:00:00"): "FTFTTF",
    ("2026-12-01T12:00:00", "2026-12-01"): "FTFTTF",
    # one with a zone
    ("2026-12-01T12:00:00Z", "2026-12-01T12:00:00"): "??????",
    ("2026-12-01T12:00:00Z", "2026-12-02T02:00:00"): "?TF???",
    ("2026-12-01T12:00:00Z", "2026-12-02T02:00:00.000001"): "TTFFFT",
    ("2026-12-01T12:00:00Z", "2026-11-30T22:00:00"): "F??T??",
    ("2026-12-01T12:00:00Z", "2026-11-30T21:59:59.999999"): "FFTTFT",
}


@pytest.mark.parametrize(("pair", "answers"), TABLE.items())
def test_comparisons(pair: tuple[str, str], answers: str):
    one, other = (span(time(text) if "T" in text else day(text)) for text in pair)
    assert one is not None
    assert other is not None
    found = [compare_times(word, one, other) for word in ("lt", "lteq", "gt", "gteq", "eq", "neq")]
    assert "".join({True: "T", False: "F", None: "?"}[each] for each in found) == answers


def test_another_operator_is_not_guessed():
    one = span(time("2026-12-01T12:00:00Z"))
    assert one is not None
    assert compare_times("isA", one, one) is None
