"""Covering, narrowing, counter-offers: sound, and never wider than before."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import odrl
from policies.application import Application, read
from policies.compare import (
    ChangedOffer,
    application_covers,
    change,
    differences,
    narrow,
    resubmit,
)
from policies.evaluate import Fact, Request, decide
from policies.model import INTEGER, STRING, Policy, Value, iri
from policies.problem import Problem
from policies.vocabulary import DPV, ODRL, PREAU, PURPOSES

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def policy(*constraints: object, duty: object = None, **members: object) -> Policy:
    rule: dict[str, object] = {"action": "use", "constraint": list(constraints)}
    if duty is not None:
        rule["duty"] = duty
    return odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule], **members})


def date(operator: str, year: int) -> dict[str, object]:
    return atom("odrl:dateTime", operator, f"{year}-01-01T00:00:00Z")


def purpose(operator: str, *names: str) -> dict[str, object]:
    return atom("odrl:purpose", operator, [{"@id": name} for name in names])


def fields(operator: str, *names: str) -> dict[str, object]:
    return atom("preau:fields", operator, list(names))


RESEARCH, OWN = DPV + "AcademicResearch", PREAU + "EducationResearch"


@pytest.mark.parametrize(
    ("outer", "inner", "covered"),
    [
        ([], [date("lt", 2027)], True),
        ([date("lt", 2027)], [], False),
        ([date("lt", 2027)], [date("lt", 2026)], True),
        ([date("lt", 2027)], [date("lteq", 2027)], False),
        ([date("lteq", 2027)], [date("lt", 2027)], True),
        ([date("gt", 2027)], [date("gteq", 2027)], False),
        ([date("gteq", 2027)], [date("eq", 2027)], True),
        ([date("lt", 2027)], [date("gteq", 2020)], False),
        ([date("neq", 2027)], [date("lt", 2027)], True),
        ([purpose("isA", RESEARCH)], [purpose("eq", OWN)], True),
        ([purpose("isA", OWN)], [purpose("eq", RESEARCH)], False),
        ([purpose("isAnyOf", RESEARCH, OWN)], [purpose("isA", OWN)], True),
        ([purpose("eq", RESEARCH)], [purpose("isA", RESEARCH)], False),
        ([purpose("isNoneOf", DPV + "CommercialResearch")], [purpose("isA", OWN)], True),
        ([purpose("isNoneOf", OWN)], [purpose("isA", RESEARCH)], False),
        ([purpose("isNoneOf", OWN)], [purpose("isNoneOf", RESEARCH)], True),
        ([fields("isPartOf", "a", "b")], [fields("isPartOf", "b")], True),
        ([fields("isPartOf", "b")], [fields("isPartOf", "a", "b")], False),
        ([fields("isNoneOf", "c")], [fields("isPartOf", "a")], True),
        ([fields("isNoneOf", "c")], [fields("isNoneOf", "c", "d")], True),
        ([{"and": [date("lt", 2027)]}], [date("lt", 2026)], True),
        ([date("lt", 2027)], [{"and": [date("lt", 2026)]}], True),
        ([{"or": [date("lt", 2027), purpose("isA", RESEARCH)]}], [purpose("eq", OWN)], True),
        ([date("lt", 2027)], [{"or": [date("lt", 2026)]}], False),
        ([atom("https://x.example/o", "eq", "1")], [atom("https://x.example/o", "eq", "1")], True),
        ([atom("https://x.example/o", "lt", 2)], [atom("https://x.example/o", "lt", 1)], False),
        (
            [atom("odrl:elapsedTime", "lteq", "P1M")],
            [atom("odrl:elapsedTime", "lteq", "P27D")],
            True,
        ),
        (
            [atom("odrl:elapsedTime", "lteq", "P1M")],
            [atom("odrl:elapsedTime", "lteq", "P30D")],
            False,
        ),
    ],
)
def test_covering(outer: list[object], inner: list[object], covered: bool):
    found = differences(policy(*outer), policy(*inner))
    assert (found == ()) is covered
    for each in found:
        assert each.fr != each.en
        assert set(each.document()) == {"operand", "outer", "inner", "fr", "en"}


def test_promises_must_be_kept():
    delete = [{"action": "odrl:delete", "constraint": [atom("odrl:elapsedTime", "lteq", "P180D")]}]
    sooner = [{"action": "odrl:delete", "constraint": [atom("odrl:elapsedTime", "lteq", "P90D")]}]
    event = atom("odrl:event", "eq", {"@id": "dpv:ConsentWithdrawn"})
    only_if = [{"action": "odrl:delete", "constraint": [*sooner[0]["constraint"], event]}]
    assert not differences(policy(duty=delete), policy(duty=sooner))
    assert differences(policy(duty=sooner), policy(duty=delete))
    assert differences(policy(duty=delete), policy(duty=only_if))
    assert differences(policy(duty=delete), policy())
    assert differences(policy(prohibition=[{"action": "odrl:distribute"}]), policy())
    assert differences(policy(obligation=delete), policy())
    assert not differences(
        policy(prohibition=[{"action": "odrl:distribute", "constraint": [date("lt", 2027)]}]),
        policy(prohibition=[{"action": "odrl:distribute"}]),
    )


def test_an_action_must_be_covered():
    share = odrl.read({"@id": "x", "@type": "Offer", "permission": [{"action": "odrl:sell"}]})
    assert differences(policy(), share)[0].operand == ODRL + "action"


def test_parties_that_are_named_must_stay():
    assert differences(policy(target="urn:a"), policy(target="urn:b"))
    assert not differences(policy(), policy(target="urn:b", assignee="did:web:x"))


# --- narrowing -----------------------------------------------------------------------------------


def test_narrow_adds_the_application(offer: Policy, application: Application):
    found = narrow(offer, application)
    assert found.target == application.dataset
    assert differences(offer, replace(found, target=None)) == ()
    assert application_covers(application, found) == ()
    assert narrow(found, application) == found
    assert application_covers(application, offer)


@pytest.mark.parametrize(
    ("changed", "covered"),
    [
        ({"fields": ["verb.id"]}, True),
        ({"fields": ["verb.id", "result.response"]}, True),
        ({"until": "2027-01-01"}, True),
        ({"purpose": PREAU + "LearningAnalyticsResearch"}, True),
        ({"period": {"from": "2021-06-01T00:00:00Z"}}, True),
        ({"period": {"to": "2030-01-01"}}, True),
        ({"params": {"count": 1, "retention": "P90D"}}, True),
        ({"params": {"precision": PREAU + "Day"}}, True),
    ],
)
def test_a_changed_offer_is_never_wider(
    offer: Policy,
    application: Application,
    changed: dict[str, Any],
    covered: bool,
):
    table = narrow(offer, application)
    found = change(table, ChangedOffer.read({"v": 1, **changed}))
    if "purpose" not in changed:
        assert differences(table, found) == ()
    assert (application_covers(application, found) == ()) is covered
    assert not odrl.same(table, found) or changed == {"period": {"to": "2030-01-01"}}


def test_a_redundant_constraint_is_dropped(offer: Policy, application: Application):
    found = change(narrow(offer, application), ChangedOffer.read({"v": 1, "fields": ["verb.id"]}))
    listed = [
        c for c in found.permissions[0].constraints if getattr(c, "left", "") == PREAU + "fields"
    ]
    assert [c.right for c in listed] == [(Value("verb.id", STRING),)]  # type: ignore[union-attr]


def test_a_purpose_replaces_the_one_asked_within_the_published_ones(
    offer: Policy, application: Application
):
    with pytest.raises(Problem) as caught:
        change(narrow(offer, application), ChangedOffer.read({"v": 1, "purpose": RESEARCH}))
    assert caught.value.code == "policy-changed-wider"
    table = narrow(policy(purpose("isA", RESEARCH)), application)
    found = change(table, ChangedOffer.read({"v": 1, "purpose": RESEARCH}))
    assert application_covers(application, found)


def test_a_longer_retention_is_refused(offer: Policy):
    with pytest.raises(Problem) as caught:
        change(offer, ChangedOffer.read({"v": 1, "params": {"retention": "P2Y"}}))
    assert caught.value.code == "policy-changed-wider"


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({}, "v"),
        ({"v": 1}, "document"),
        ({"v": 1, "colour": 1}, "colour"),
        ({"v": 1, "fields": []}, "fields"),
        ({"v": 1, "until": "soon"}, "until"),
        ({"v": 1, "period": {}}, "period"),
        ({"v": 1, "period": {"from": "2022-01-01", "to": "2021-01-01"}}, "period.to"),
        ({"v": 1, "params": {"retention": "long"}}, "params.retention"),
        ({"v": 1, "params": {"count": 0}}, "params.count"),
        (None, "document"),
    ],
)
def test_a_bad_changed_offer_is_located(data: object, path: str):
    with pytest.raises(Problem) as caught:
        ChangedOffer.read(data)
    assert caught.value.params["path"] == path


def test_resubmitting_takes_the_new_application(
    offer: Policy, asked: dict[str, Any], application: Application
):
    table = change(
        narrow(offer, application),
        ChangedOffer.read({"v": 1, "fields": ["verb.id"]}),
    )
    again = read({**asked, "fields": ["verb.id"], "purpose": PREAU + "LearningAnalyticsResearch"})
    found = resubmit(table, again)
    assert application_covers(again, found) == ()
    wider = read({**asked, "fields": ["verb.id", "actor"]})
    assert application_covers(wider, resubmit(table, wider)) == ()
    assert differences(table, resubmit(table, wider)) == ()


# --- soundness: covered means that evaluation permits no more -------------------------------------

orders = st.sampled_from(["lt", "lteq", "gt", "gteq", "eq", "neq"])
terms = st.sampled_from(sorted(PURPOSES))
sets = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True)
atoms = (
    st.builds(lambda op, n: atom("odrl:count", op, n), orders, st.integers(0, 4))
    | st.builds(purpose, st.sampled_from(["eq", "neq", "isA", "isNoneOf"]), terms)
    | st.builds(lambda one, two: purpose("isAnyOf", one, two), terms, terms)
    | st.builds(
        lambda op, names: fields(op, *names), st.sampled_from(["isPartOf", "isNoneOf"]), sets
    )
)
trees = st.recursive(
    atoms,
    lambda inner: st.builds(
        lambda word, items: {word: items},
        st.sampled_from(["and", "or", "xone"]),
        st.lists(inner, min_size=1, max_size=2),
    ),
    max_leaves=4,
)
lists = st.lists(trees, max_size=3)


@given(lists, lists, terms, st.integers(0, 4), sets)
def test_what_the_inner_permits_the_outer_permits(
    outer: list[Any], inner: list[Any], name: str, count: int, names: list[str]
):
    one, two = policy(*outer), policy(*inner)
    if differences(one, two):
        return
    facts = {
        ODRL + "purpose": Fact((iri(name),)),
        ODRL + "count": Fact((Value(str(count), INTEGER),)),
        PREAU + "fields": Fact(tuple(Value(each, STRING) for each in names)),
    }
    request = Request(ODRL + "use", None, "did:web:lab")
    answers = [decide(each, request, facts, NOW, "transfer").permitted for each in (one, two)]
    assert answers != [False, True]


@given(lists)
def test_a_policy_covers_itself_and_what_is_added(constraints: list[Any]):
    found = policy(*constraints)
    assert differences(found, found) == ()
    assert differences(found, policy(*constraints, date("lt", 2027))) == ()
