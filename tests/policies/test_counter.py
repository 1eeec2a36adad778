"""Counter-offers: the nearest acceptable value, checked; requests compared as evaluated."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import odrl
from policies.application import Application
from policies.compare import (
    ChangedOffer,
    answer,
    asked,
    change,
    counter,
    differences,
    files,
    narrow,
    same,
)
from policies.evaluate import Fact, Request, decide
from policies.model import DATETIME, INTEGER, Policy, Value, iri
from policies.problem import LANGUAGES, Problem
from policies.values import literal
from policies.vocabulary import DPV, ODRL, PREAU, PURPOSES
from tests.support.source import ROOT

NOW = datetime(2026, 12, 1, tzinfo=UTC)
PAGE = ROOT / "docs" / "policy-files.md"
RESEARCH, OWN = DPV + "AcademicResearch", PREAU + "EducationResearch"
Json = dict[str, Any]


def atom(left: str, operator: str, right: object) -> Json:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def date(operator: str, year: int, left: str = "odrl:dateTime") -> Json:
    return atom(left, operator, f"{year}-01-01T00:00:00Z")


def purpose(operator: str, *names: str) -> Json:
    return atom("odrl:purpose", operator, [{"@id": name} for name in names])


def fields(operator: str, *names: str) -> Json:
    return atom("preau:fields", operator, list(names))


def policy(*constraints: object, **members: object) -> Policy:
    rule: Json = {"action": "use", "constraint": list(constraints)}
    return odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule], **members})


@pytest.mark.parametrize(
    ("offered", "wanted", "expected"),
    [
        ([date("lt", 2027)], [date("lt", 2029)], [date("lt", 2027)]),
        ([date("lt", 2027)], [], [date("lt", 2027)]),
        ([date("lteq", 2027)], [date("eq", 2028)], [date("eq", 2027)]),
        ([date("lt", 2027)], [date("gteq", 2028)], [date("lt", 2027)]),
        ([date("lt", 2027)], [date("gteq", 2025), date("lt", 2029)], [date("gteq", 2025)]),
        (
            [atom("odrl:count", "lteq", 3)],
            [atom("odrl:count", "lteq", 5)],
            [atom("odrl:count", "lteq", 3)],
        ),
        (
            [atom("odrl:count", "lt", 3)],
            [atom("odrl:count", "eq", 5)],
            [atom("odrl:count", "eq", 2)],
        ),
        (
            [atom("odrl:elapsedTime", "lteq", "P30D")],
            [atom("odrl:elapsedTime", "lteq", "P1Y")],
            [atom("odrl:elapsedTime", "lteq", "P30D")],
        ),
        ([fields("isPartOf", "a", "b")], [fields("isPartOf", "b", "c")], [fields("isPartOf", "b")]),
        ([fields("isPartOf", "a", "b")], [fields("isPartOf", "c")], [fields("isPartOf", "a", "b")]),
        ([fields("isNoneOf", "c")], [fields("isPartOf", "b", "c")], [fields("isPartOf", "b")]),
        (
            [fields("isPartOf", "a", "b"), fields("isNoneOf", "a")],
            [fields("isPartOf", "a", "b")],
            [fields("isPartOf", "b")],
        ),
        ([purpose("isA", OWN)], [purpose("eq", RESEARCH)], [purpose("eq", OWN)]),
        (
            [purpose("isAnyOf", OWN, DPV + "Marketing")],
            [purpose("eq", RESEARCH)],
            [purpose("eq", OWN)],
        ),
        (
            [atom("preau:timePrecision", "isA", {"@id": PREAU + "Day"})],
            [atom("preau:timePrecision", "eq", {"@id": PREAU + "Minute"})],
            [atom("preau:timePrecision", "eq", {"@id": PREAU + "Day"})],
        ),
    ],
)
def test_the_nearest_acceptable_value(
    offered: list[Json], wanted: list[Json], expected: list[Json]
):
    found = counter(policy(*offered), policy(*wanted))
    assert found is not None
    assert differences(policy(*offered), found.policy) == ()
    names = {odrl.name(each) for each in found.policy.permissions[0].constraints}
    assert {odrl.name(c) for c in policy(*expected).permissions[0].constraints} <= names
    for lang in LANGUAGES:
        assert len(found.sentences(lang)) == 1


def test_what_nobody_can_choose_has_no_nearest_but_stays_a_clause():
    group = atom("preau:membership", "isPartOf", {"@id": "group:labs"})
    found = counter(policy(group, date("lt", 2027)), policy(date("lt", 2029)))
    assert found is not None
    assert [each.operand for each in found.proposals] == [ODRL + "dateTime"]
    assert differences(policy(group), found.policy) == ()
    assert not found.complete


def test_promises_that_were_dropped_come_back():
    delete = {"action": "odrl:delete", "constraint": [atom("odrl:elapsedTime", "lteq", "P90D")]}
    late = {"action": "odrl:delete", "constraint": [atom("odrl:elapsedTime", "lteq", "P180D")]}
    offer = policy(prohibition=[{"action": "odrl:distribute"}], obligation=[delete])
    found = counter(offer, policy(obligation=[late]))
    assert found is not None
    assert len(found.policy.obligations) == 1
    assert len(found.policy.prohibitions) == 1
    assert found.changed is not None
    assert found.changed.document() == {"v": 1, "params": {"retention": "P90D"}}


def test_no_counter_where_nothing_fits():
    share = odrl.read({"@id": "x", "@type": "Offer", "permission": [{"action": "odrl:sell"}]})
    assert counter(policy(), share) is None
    assert counter(policy(target="urn:a"), policy(target="urn:b")) is None
    many = odrl.read({"@id": "x", "@type": "Offer", "permission": [{"action": "use"}] * 33})
    assert counter(policy(), many) is None
    assert counter(policy(fields("isPartOf", "a"), fields("isNoneOf", "a")), policy()) is None


def test_a_changed_offer_says_the_counter_and_reads_back():
    offer = policy(
        purpose("isAnyOf", OWN),
        date("lt", 2027),
        date("gteq", 2020, "preau:recordTime"),
        date("lteq", 2022, "preau:recordTime"),
        fields("isPartOf", "a", "b"),
        atom("odrl:count", "lteq", 3),
    )
    wide = policy(
        purpose("eq", RESEARCH),
        date("lt", 2030),
        date("gteq", 2010, "preau:recordTime"),
        date("lt", 2030, "preau:recordTime"),
        fields("isPartOf", "b", "c"),
        atom("odrl:count", "lteq", 9),
    )
    found = counter(offer, wide)
    assert found is not None
    assert found.changed is not None
    document = found.changed.document()
    assert document == {
        "v": 1,
        "purpose": OWN,
        "fields": ["b"],
        "until": "2027-01-01T00:00:00Z",
        "period": {"from": "2020-01-01T00:00:00Z", "to": "2022-01-01T00:00:00.000001Z"},
        "params": {"count": 3},
    }
    assert ChangedOffer.read(json.loads(json.dumps(document))) == found.changed
    assert found.complete is False or differences(offer, change(wide, found.changed)) == ()
    assert json.loads(json.dumps(found.document()))["complete"] is found.complete


def test_the_counter_of_a_narrowed_offer_is_within_it(offer: Policy, application: Application):
    far = replace(application, asked=replace(application.asked, purpose=DPV + "Marketing"))
    wanted = narrow(offer, far)
    found = counter(offer, wanted)
    assert found is not None


# --- requests ----------------------------------------------------------------------------------


CLAUSES = st.one_of(
    st.builds(
        purpose,
        st.sampled_from(["isA", "eq", "neq", "isNoneOf"]),
        st.sampled_from(sorted(PURPOSES)[:12]),
    ),
    st.builds(date, st.sampled_from(["lt", "lteq", "neq"]), st.integers(2025, 2028)),
    st.builds(
        lambda op, n: atom("odrl:count", op, n),
        st.sampled_from(["lt", "lteq", "eq", "neq", "gteq", "gt"]),
        st.integers(1, 4),
    ),
    st.just(atom("preau:assignee", "isNoneOf", {"@id": "did:web:bad.example"})),
)
TREES = st.recursive(
    CLAUSES,
    lambda inner: st.builds(
        lambda op, parts: {op: parts},
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


def request(name: str) -> Request:
    claims = {
        ODRL + "purpose": Fact((iri(name),), "application", "declared"),
    }
    return Request(ODRL + "use", "urn:d", "did:web:lab.example", claims)


@given(st.lists(TREES, max_size=3), st.sampled_from(sorted(PURPOSES)[:12]))
def test_an_offer_covers_a_request_iff_evaluation_permits(clauses: list[Json], name: str):
    """Complete here: one value for each operand, `and` and `or`, every operator."""
    offer = policy(*clauses, prohibition=[{"action": "odrl:distribute"}])
    asking = request(name)
    permitted = decide(offer, asking, {}, NOW, "negotiation").permitted
    who = {PREAU + "assignee": Fact((iri("did:web:lab.example"),), "authentication", "attested")}
    covered = differences(offer, asked(offer, asking, who, NOW)) == ()
    assert covered is permitted
    found = answer(offer, asking, {}, NOW)
    assert found.covered is permitted
    assert bool(found.failing) or permitted
    if found.proposals:
        nearer = {p.operand: Fact(p.constraints[0].right, "", "declared") for p in found.proposals}
        again = replace(asking, claims={**asking.claims, **nearer})
        assert decide(offer, again, {}, NOW, "negotiation").permitted


POLICIES = st.builds(lambda parts: policy(*parts), st.lists(TREES, max_size=3))


@given(POLICIES, POLICIES, st.sampled_from(sorted(PURPOSES)[:12]), st.integers(1, 4))
def test_what_is_covered_is_permitted(offer: Policy, wanted: Policy, name: str, count: int):
    """Sound: a request that the covered terms permit is permitted by the offer."""
    made = counter(offer, wanted)
    facts = {ODRL + "count": Fact((literal(str(count), INTEGER),), "ledger", "enforced")}
    inner = [wanted] if differences(offer, wanted) == () else []
    for terms in [*inner, *([made.policy] if made else [])]:
        if decide(terms, request(name), facts, NOW, "transfer").permitted:
            assert decide(offer, request(name), facts, NOW, "transfer").permitted
    if made is not None:
        assert differences(offer, made.policy) == ()
        if made.complete:
            assert made.changed is not None
            assert differences(offer, change(wanted, made.changed)) == ()


def test_a_failing_clause_names_its_value():
    offer = policy(purpose("isA", OWN), atom("preau:membership", "eq", {"@id": "group:labs"}))
    found = answer(offer, request(RESEARCH), {}, NOW)
    assert {each.clause.left for each in found.failing} == {
        ODRL + "purpose",
        PREAU + "membership",
    }
    assert found.proposals == ()  # nobody chooses the groups it is in
    said = [each.document() for each in found.failing]
    assert said[0]["seen"] == [{"id": RESEARCH}]
    assert said[1]["seen"] is None
    assert said[0]["fr"] != said[0]["en"]


def test_the_nearest_request_is_proposed_through_alternatives():
    offer = policy(
        {"or": [atom("preau:membership", "eq", {"@id": "group:labs"}), purpose("isA", OWN)]}
    )
    found = answer(offer, request(RESEARCH), {}, NOW)
    assert [each.operand for each in found.proposals] == [ODRL + "purpose"]
    assert found.changed is not None
    assert found.changed.purpose == OWN


# --- equality, order and files -----------------------------------------------------------------


def test_equality_survives_order_spelling_and_empty_arrays():
    one = odrl.read(
        {
            "@id": "urn:a",
            "@type": "Offer",
            "permission": [
                {"action": "use", "constraint": [date("lt", 2027), purpose("isA", OWN)], "duty": []}
            ],
            "prohibition": [],
        }
    )
    full = {
        "leftOperand": {"@id": ODRL + "purpose"},
        "operator": ODRL + "isA",
        "rightOperand": [{"@id": OWN}],
    }
    end = {
        "leftOperand": ODRL + "dateTime",
        "operator": {"@id": "odrl:lt"},
        "rightOperand": {"@value": "2027-01-01T01:00:00+01:00", "@type": "xsd:dateTime"},
    }
    two = odrl.read(
        {
            "@id": "urn:b",
            "@type": "Offer",
            "permission": {"action": {"@id": ODRL + "use"}, "constraint": [full, end]},
            "obligation": [],
        }
    )
    bare = odrl.read(
        {"@id": "urn:b", "@type": "Offer", "permission": {"action": "use", "constraint": []}}
    )
    assert same(one, two)
    assert not same(one, bare)
    assert same(bare, policy())
    wired: Any = odrl.wire(one)
    lefts = [each["leftOperand"] for each in wired["permission"][0]["constraint"]]
    assert lefts == ["odrl:dateTime", "odrl:purpose"]  # as received: some peers compare literally


def example(kind: str) -> Any:
    found = re.findall(
        rf"^```json {kind}\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(found) == 1
    return json.loads(found[0])


def test_the_documented_comparison_is_as_documented():
    found = files.compared(odrl.read(example("offer")), example("asked"))
    expected = example("compared")
    assert found["counter"]["changed"] == expected.pop("changed")
    assert found["counter"]["complete"] is True
    assert found.items() >= expected.items()
    text = PAGE.read_text("utf-8")
    for member in (*found, *(f"counter.{name}" for name in found["counter"]), "outcome", "claims"):
        assert f"`{member}`" in text or f"`counter.{member}`" in text, member
    offered = odrl.read(example("offer"))
    assert files.compared(offered, example("offer")) == {
        "v": 1,
        "covered": True,
        "same": True,
        "differences": [],
        "counter": None,
    }


def test_a_request_file_is_compared_too():
    question = {
        "v": 1,
        "action": "use",
        "time": "2026-12-01T00:00:00Z",
        "claims": {"odrl:purpose": {"value": {"@id": RESEARCH}}},
    }
    found = files.compared(policy(purpose("isA", OWN)), question)
    assert (found["covered"], found["outcome"]) == (False, "deny")
    assert found["counter"]["claims"] == {ODRL + "purpose": [{"id": OWN}]}
    assert found["counter"]["changed"] == {"v": 1, "purpose": OWN}
    with pytest.raises(Problem):
        files.compared(policy(), {"v": 2})


def test_values_of_other_types_are_left_alone():
    assert ChangedOffer.of([]) is None
    odd = policy(atom("https://x.example/o", "eq", "1")).permissions[0].constraints[0]
    assert ChangedOffer.of([odd]) is None  # type: ignore[list-item]
    assert Value("2027-01-01T00:00:00Z", DATETIME) == literal("2027-01-01T00:00:00Z", DATETIME)
