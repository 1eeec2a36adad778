"""Applications: strict, dated, completed from drafts, repeated as constraints."""

from typing import Any

import pytest

from policies.application import asks_no_more, complete, constraints, draft, read
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU

NODE_KNOWS = {"v", "id", "type", "requester", "provider", "dataset", "offer", "issued"}


def test_it_reads_back(asked: dict[str, Any]):
    whole = {**asked, "population": "students", "code": "https://x.example"}
    found = read({**whole, "proof": {"a": 1}})
    assert read(found.document()) == found == read(whole)
    assert "proof" not in found.document()
    assert found.document() == whole
    assert found.digest.startswith("sha-256:")


def test_a_draft_is_completed(asked: dict[str, Any]):
    written = {key: value for key, value in asked.items() if key not in NODE_KNOWS}
    known = {key: asked[key] for key in NODE_KNOWS - {"v", "type"}}
    assert complete(draft(written), **known) == read(asked)


def test_dates_of_a_draft_include_the_last_day(asked: dict[str, Any]):
    written = {key: value for key, value in asked.items() if key not in NODE_KNOWS}
    written["period"] = {"from": "2021-01-01", "to": "2021-12-31"}
    del written["processors"]
    found = draft(written)
    assert (found.start, found.end) == ("2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z")
    assert found.processors == ()


def test_its_constraints(asked: dict[str, Any]):
    found = constraints(read(asked))
    assert [c.left for c in found] == [
        ODRL + "purpose",
        PREAU + "fields",
        PREAU + "recordTime",
        PREAU + "recordTime",
    ]


def test_asking_less(asked: dict[str, Any]):
    one, two = read(asked), read({**asked, "fields": ["actor"]})
    assert asks_no_more(two, one)
    assert not asks_no_more(one, two)


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"v": 2}, "v"),
    ({"v": True}, "v"),
    ({"type": "Request"}, "type"),
    ({"extra": 1}, "extra"),
    ({"id": "urn:uuid:ABC"}, "id"),
    ({"requester": "lab"}, "requester"),
    ({"dataset": "traces"}, "dataset"),
    ({"purpose": "research"}, "purpose"),
    ({"fields": []}, "fields"),
    ({"fields": ["a", "a"]}, "fields"),
    ({"fields": ["a", ""]}, "fields[1]"),
    ({"fields": "actor"}, "fields"),
    ({"period": {"from": "2021-01-01", "to": "2021-12-31"}}, "period"),
    ({"period": {"from": "2022-01-01T00:00:00Z", "to": "2021-01-01T00:00:00Z"}}, "period.to"),
    ({"period": {"from": "2022-01-01T00:00:00+01:00", "to": "x"}}, "period.from"),
    ({"period": None}, "period"),
    ({"project": {"title": "T"}}, "project.end"),
    ({"project": {"title": " ", "end": "2027-08-31"}}, "project.title"),
    ({"project": {"title": "T", "end": "2027-02-30"}}, "project.end"),
    ({"relation": {"type": "friend"}}, "relation.type"),
    ({"relation": {"type": "joint"}}, "relation.document"),
    ({"processors": [{"name": "H", "country": "fr", "hosting": "x"}]}, "processors[0].country"),
    ({"processors": [{"name": "H"}]}, "processors[0].country"),
    ({"processors": {}}, "processors"),
    ({"issued": "2026-11-30"}, "issued"),
    ({"proof": "x"}, "proof"),
]


@pytest.mark.parametrize(("change", "path"), FAULTS)
def test_a_fault_is_located(asked: dict[str, Any], change: dict[str, Any], path: str):
    with pytest.raises(Problem) as caught:
        read({**asked, **change})
    assert caught.value.code == "policy-application"
    assert caught.value.params["path"] == path


@pytest.mark.parametrize(
    "member", sorted(NODE_KNOWS | {"purpose", "fields", "period", "processors"})
)
def test_every_member_is_needed(asked: dict[str, Any], member: str):
    del asked[member]
    with pytest.raises(Problem):
        read(asked)


@pytest.mark.parametrize("data", [None, [], "x", 1, {}])
def test_anything_else_is_a_problem(data: object):
    for reader in (read, draft):
        with pytest.raises(Problem):
            reader(data)
