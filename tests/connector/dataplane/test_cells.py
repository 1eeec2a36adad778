"""Cells: which texts are numbers, days and times, and what is left of a time."""

import pytest

from connector.dataplane.cells import KINDS, cut_time, record_time


def kind(text: str) -> str:
    found = [name for name, is_one in KINDS.items() if is_one(text)]
    assert len(found) < 2
    return found[0] if found else "string"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "number"),
        ("-12.50", "number"),
        ("1e3", "number"),
        ("0.30000000000000004", "number"),
        ("007", "string"),
        ("+5", "string"),
        ("3,5", "string"),
        (" 1", "string"),
        ("1E400", "string"),
        ("1234567890123456", "string"),
        ("٣", "string"),
        ("NaN", "string"),
        ("true", "boolean"),
        ("FALSE", "boolean"),
        ("oui", "string"),
        ("2024-02-29", "date"),
        ("2023-02-29", "string"),
        ("31/12/2010", "date"),
        ("12/31/2010", "date"),
        ("2024-03-01T10:20:30Z", "dateTime"),
        ("2024-03-01 10:20", "dateTime"),
        ("01/03/2024 10:20", "dateTime"),
        ("2024-99-99T99:99:99Z", "dateTime"),
        ("2024-03", "string"),
        ("00000000-0000-4000-8000-000000000001", "uuid"),
    ],
)
def test_kinds(text: str, expected: str):
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "minute", "hour", "day"),
    [
        (
            "2024-03-01T23:50:30.5+02:00",
            "2024-03-01T21:50:00Z",
            "2024-03-01T21:00:00Z",
            "2024-03-01T00:00:00Z",
        ),
        (
            "2024-03-01 10:20:30",
            "2024-03-01T10:20:00",
            "2024-03-01T10:00:00",
            "2024-03-01T00:00:00",
        ),
        ("01/03/2024 10h20", "01/03/2024 10:20", "01/03/2024 10:00", "01/03/2024 00:00"),
    ],
)
def test_times_are_cut(text: str, minute: str, hour: str, day: str):
    cut = [cut_time(text, precision) for precision in ("minute", "hour", "day", "none")]
    assert cut == [minute, hour, day, None]


@pytest.mark.parametrize(
    "text", ["2024-02-31 10:00", "2016-12-31T23:59:60Z", "0001-01-01T00:00:00+14:00"]
)
def test_what_looks_like_a_time_and_is_none_does_not_leave(text: str):
    assert cut_time(text, "hour") is None


def test_record_times():
    assert record_time("1970-01-02") == 86_400_000_000
    assert record_time("02/01/1970") == 86_400_000_000
    assert record_time("1970-01-01 01:00:00") == 3_600_000_000
    assert record_time("1970-01-01T01:00:00 +01:00") == 0
    assert record_time("1970-01-01") == 0
    assert record_time("yesterday") is None
