"""Question files: strict, located, and the examples of the documentation."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import odrl, questions
from policies.model import DATE, INTEGER, Value
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU
from tests.support.source import ROOT

PAGE = ROOT / "docs" / "policy-files.md"


def example(kind: str) -> Any:
    found = re.findall(
        rf"^```json {kind}\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(found) == 1
    return json.loads(found[0])


def test_the_documented_example_is_answered_as_documented():
    found = questions.answer(odrl.read(example("policy")), questions.read(example("request")))
    assert found.items() >= example("answer").items()
    assert list(found) == [
        *("v", "outcome", "phase", "at", "action", "target", "assignee", "policy", "permission"),
        *("deferred", "duties", "reasons", "trace"),
    ]
    assert found["duties"] == [
        {
            "kind": "prohibition",
            "id": odrl.name(odrl.read(example("policy")).prohibitions[0]),
            "action": ODRL + "distribute",
        }
    ]


def test_every_member_and_reason_is_documented():
    text = PAGE.read_text("utf-8")
    source = (ROOT / "policies" / "trace.py").read_text("utf-8")
    reasons = re.search(r"^Reason = Literal\[(.*?)^\]", source, re.DOTALL | re.MULTILINE)
    assert reasons is not None
    for reason in re.findall(r'"([a-z-]+)"', reasons[1]):
        assert f"`{reason}`" in text, reason
    for member in questions._OPTIONAL | questions._REQUIRED | questions._FACT | questions._RECORD:
        assert f"`{member}`" in text, member


def ask(**members: object) -> dict[str, object]:
    return {"v": 1, "action": "use", "time": "2026-12-01T00:00:00Z", **members}


def test_a_fact_takes_the_type_of_its_operand_or_its_own():
    facts = {
        "odrl:count": {"value": "3"},
        "preau:dataCategory": {"values": ["dpv:PersonalData"], "source": "x"},
        "https://example.org/day": {"value": "2027-01-01", "type": "xsd:date"},
        "https://example.org/name": {"value": "dpv:Data", "type": "@id", "unit": "urn:u"},
        "preau:membership": {"values": []},
    }
    found = questions.read(ask(facts=facts)).facts
    assert found[ODRL + "count"].values == (Value("3", INTEGER),)
    assert found[PREAU + "dataCategory"].values[0].is_iri
    assert found["https://example.org/day"].values == (Value("2027-01-01", DATE),)
    assert found["https://example.org/name"].values[0].is_iri
    assert found[PREAU + "membership"].values == ()


FAULTS: list[tuple[object, str]] = [
    ([], "document"),
    ({}, "action"),
    ({**ask(), "v": 2}, "v"),
    (ask(now="x"), "now"),
    (ask(time="2026-12-01"), "time"),
    (ask(action=""), "action"),
    (ask(action=3), "action"),
    (ask(phase="later"), "phase"),
    (ask(facts=[]), "facts"),
    (ask(facts={"a b": {"value": 1}}), "facts.a b"),
    (ask(facts={"odrl:dateTime": {"value": "2026-12-01T00:00:00Z"}}), "facts.odrl:dateTime"),
    (ask(facts={"preau:assignee": {"value": "urn:x"}}), "facts.preau:assignee"),
    (ask(facts={"odrl:count": {"value": 1}, "count": {"value": 1}}), "facts.count"),
    (ask(facts={"odrl:count": {}}), "facts.odrl:count"),
    (ask(facts={"odrl:count": {"value": 1, "values": []}}), "facts.odrl:count"),
    (ask(facts={"odrl:count": {"values": 1}}), "facts.odrl:count.values"),
    (
        ask(facts={"odrl:count": {"value": "x", "type": "xsd:integer"}}),
        "facts.odrl:count.value",
    ),
    (ask(facts={"odrl:count": {"values": [None]}}), "facts.odrl:count.values[0]"),
    (ask(claims={"odrl:purpose": {"value": "x", "kept": 1}}), "claims.odrl:purpose.kept"),
    (
        ask(claims={"odrl:purpose": {"value": "x", "assurance": "sure"}}),
        "claims.odrl:purpose.assurance",
    ),
    (ask(about={"payee": {}}), "about.payee"),
    (ask(about={"action": {"odrl:count": 3}}), "about.action.odrl:count"),
    (ask(memberships={"urn:x": "urn:y"}), "memberships.urn:x"),
    (ask(records={}), "records"),
    (ask(records=[{"action": "odrl:delete"}]), "records[0].at"),
    (
        ask(records=[{"action": "odrl:delete", "at": "2026-12-01T00:00:00Z", "state": "done"}]),
        "records[0].state",
    ),
    (ask(policies=[{"@type": "Set", "permission": {"action": "use"}}]), "policies"),
    (ask(policies=[{"@type": "Set"}]), "policies[0]"),
]


@pytest.mark.parametrize(("data", "path"), FAULTS)
def test_faults_are_located(data: object, path: str):
    with pytest.raises(Problem) as caught:
        questions.read(data)
    assert caught.value.params["path"] == path
    assert caught.value.kind == "invalid"
    assert "{" not in caught.value.text("fr") + caught.value.remedy("en")


def test_inherited_policies_come_with_the_question():
    child = odrl.read({"@id": "urn:c", "@type": "Set", "inheritFrom": "urn:p"})
    parent = {"@id": "urn:p", "@type": "Set", "permission": {"action": "use"}}
    found = questions.answer(child, questions.read(ask(policies=[parent])))
    assert found["outcome"] == "permit"
    with pytest.raises(Problem) as caught:
        questions.answer(child, questions.read(ask()))
    assert caught.value.code == "policy-inherits-unknown"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
names = st.sampled_from(sorted(questions._OPTIONAL | questions._REQUIRED))


@given(st.dictionaries(names, anything) | anything)
def test_any_json_is_a_question_or_a_problem(data: object):
    for asked in (data, ask(**data) if isinstance(data, dict) else data):
        try:
            questions.read(asked)
        except Problem as problem:
            json.dumps(problem.document())


@given(st.dictionaries(st.sampled_from(["odrl:count", "urn:x", "purpose", "x y"]), anything))
def test_any_facts_are_facts_or_a_problem(data: dict[str, object]):
    for member in ("facts", "claims", "records"):
        try:
            questions.read(ask(**{member: data}))
        except Problem as problem:
            json.dumps(problem.document())
