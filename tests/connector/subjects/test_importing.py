"""Consent import: all rows or none, errors by row, nothing personal in an error."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from connector.subjects.importing import COLUMNS, ConsentRow, read
from connector.subjects.keys import Identifier
from policies.problem import Problem

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
PURPOSE = "https://w3id.org/preau/ns#EducationResearch"
GOOD: dict[str, str] = {
    "event_id": "e1",
    "id_type": "account",
    "id_value": "secret-learner",
    "id_home": "http://fun-mooc.fr",
    "recipient": "did:web:lab.example",
    "purpose": PURPOSE,
    "category": "https://w3id.org/preau/ns#LearningTraces",
    "status": "given",
    "at": "2026-08-01T10:00:00+02:00",
    "valid_until": "2027-08-01T00:00:00Z",
    "notice": "https://fun-mooc.fr/notice/1",
}


def as_csv(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    lines = [",".join(columns)]
    lines += [",".join(row.get(name, "") for name in columns) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def refused(data: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        read(data, now=NOW)
    document = json.dumps(caught.value.document())
    assert "secret-learner" not in document
    return caught.value


def test_csv_and_json_give_the_same_rows():
    expected = ConsentRow(
        1,
        "e1",
        Identifier("account", "secret-learner", "http://fun-mooc.fr"),
        "did:web:lab.example",
        PURPOSE,
        "https://w3id.org/preau/ns#LearningTraces",
        "given",
        datetime(2026, 8, 1, 8, 0, tzinfo=UTC),
        datetime(2027, 8, 1, tzinfo=UTC),
        "https://fun-mooc.fr/notice/1",
    )
    assert read(as_csv(GOOD), now=NOW) == (expected,)
    assert read(b"\xef\xbb\xbf" + as_csv(GOOD), now=NOW) == (expected,)
    assert read(json.dumps([GOOD]).encode(), now=NOW) == (expected,)


def test_the_order_of_columns_is_free_and_optional_ones_may_be_absent():
    columns = tuple(name for name in reversed(COLUMNS) if name not in ("valid_until", "notice"))
    (row,) = read(as_csv(GOOD, columns=columns), now=NOW)
    assert row.valid_until is None
    assert row.notice == ""


@pytest.mark.parametrize("status", ["given", "refused", "withdrawn", "objected", "lifted"])
def test_all_five_statuses(status: str):
    assert read(as_csv(GOOD | {"status": status}), now=NOW)[0].status == status


def test_groups_are_recipients():
    assert read(as_csv(GOOD | {"recipient": "group:labs"}), now=NOW)[0].recipient == "group:labs"


BAD = [
    ({"event_id": ""}, "event_id", "missing"),
    ({"event_id": "a b"}, "event_id", "malformed"),
    ({"id_type": "email"}, "id_type", "unknown"),
    ({"id_value": ""}, "id_value", "malformed"),
    ({"id_type": "mbox", "id_home": ""}, "id_value", "malformed"),
    ({"id_home": ""}, "id_home", "missing"),
    ({"id_home": "nowhere"}, "id_value", "malformed"),
    ({"recipient": "*"}, "recipient", "malformed"),
    ({"recipient": "group:*"}, "recipient", "malformed"),
    ({"recipient": "https://lab.example"}, "recipient", "malformed"),
    ({"recipient": ""}, "recipient", "missing"),
    ({"purpose": "https://example.org/anything"}, "purpose", "unknown"),
    ({"purpose": "*"}, "purpose", "malformed"),
    ({"category": "traces"}, "category", "malformed"),
    ({"category": ""}, "category", "missing"),
    ({"status": "Given"}, "status", "unknown"),
    ({"status": ""}, "status", "unknown"),
    ({"at": "2026-08-01"}, "at", "malformed"),
    ({"at": "2026-08-01T10:00:00"}, "at", "malformed"),
    ({"at": "2026-13-01T10:00:00Z"}, "at", "malformed"),
    ({"at": ""}, "at", "missing"),
    ({"at": "2026-09-01T08:05:01Z"}, "at", "future"),
    ({"valid_until": "soon"}, "valid_until", "malformed"),
    ({"valid_until": "2026-08-01T08:00:00Z"}, "valid_until", "before-at"),
    ({"notice": "see the wiki"}, "notice", "malformed"),
]


@pytest.mark.parametrize(("change", "column", "reason"), BAD)
def test_a_bad_row_refuses_the_file_and_is_named(change: dict[str, str], column: str, reason: str):
    problem = refused(as_csv(GOOD | {"event_id": "e0"}, GOOD | change))
    assert problem.code == "subjects-import-rows"
    assert problem.params["errors"] == [{"row": 2, "column": column, "reason": reason}]
    assert refused(json.dumps([GOOD | {"event_id": "e0"}, GOOD | change]).encode()).code == (
        "subjects-import-rows"
    )


def test_clocks_may_differ_by_five_minutes():
    at = (NOW + timedelta(minutes=5)).isoformat()
    assert read(as_csv(GOOD | {"at": at}), now=NOW)


def test_an_event_id_stands_once_in_a_file():
    problem = refused(as_csv(GOOD, GOOD))
    assert problem.params["errors"] == [{"row": 2, "column": "event_id", "reason": "repeated"}]


def test_every_error_is_counted_and_fifty_are_listed():
    problem = refused(as_csv(*[GOOD | {"event_id": f"e{n}", "status": "x"} for n in range(60)]))
    assert problem.params["count"] == 60
    errors = problem.params["errors"]
    assert isinstance(errors, list)
    assert len(errors) == 50


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "subjects-import-empty"),
        (as_csv(), "subjects-import-empty"),
        (b"[]", "subjects-import-empty"),
        (b"\xff\xfe", "subjects-import-unreadable"),
        (as_csv(GOOD).decode().encode("utf-16"), "subjects-import-unreadable"),
        (b"a\x00b", "subjects-import-unreadable"),
        (b"{}", "subjects-import-unreadable"),
        (b"[1]", "subjects-import-unreadable"),
        (b"[{", "subjects-import-unreadable"),
        (b'[{"event_id":"a","event_id":"b"}]', "subjects-import-unreadable"),
        (b"[" * 5000, "subjects-import-unreadable"),
        (as_csv(GOOD).replace(b"status", b"statut"), "subjects-import-columns"),
        (as_csv(GOOD).replace(b"notice", b"status", 1), "subjects-import-columns"),
        (as_csv(GOOD, columns=COLUMNS[1:]), "subjects-import-columns"),
        (b'[{"event_id":"e1"}]', "subjects-import-columns"),
        (json.dumps([GOOD | {"name": "x"}]).encode(), "subjects-import-columns"),
    ],
)
def test_unusable_files(data: bytes, code: str):
    assert refused(data).code == code


def test_a_row_of_another_width_and_a_value_of_another_type_are_row_errors():
    problem = refused(as_csv(GOOD) + b"e2,account\n")
    assert problem.params["errors"] == [{"row": 2, "column": "", "reason": "width"}]
    problem = refused(json.dumps([GOOD | {"at": 5}]).encode())
    assert problem.params["errors"] == [{"row": 1, "column": "at", "reason": "text"}]


def test_unclosed_quotes_are_unreadable():
    assert refused(as_csv(GOOD) + b'"e2,account').code == "subjects-import-unreadable"
