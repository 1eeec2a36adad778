"""The lint: each rule finds its fault, says where, and says what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import odrl
from policies.evaluate import Fact, Request, decide, groups
from policies.lint import Declaration, lint, refusing
from policies.lint.contradiction import contradiction
from policies.model import INTEGER, Policy, Value, iri
from policies.problem import registered
from policies.vocabulary import DPV, EDU, ODRL, PREAU

CLEAN = Declaration(
    personal=True,
    audience="adults",
    basis="consent",
    notice="https://node.example/notice",
    retention_default="P365D",
    fields=frozenset({"actor", "verb.id"}),
)
END = {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": "2027-08-31T00:00:00Z"}


def offer(*constraints: object, action: str = "use", **members: object) -> Policy:
    rule = {"action": action, "constraint": [END, *constraints]}
    return odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule], **members})


def codes(policy: Policy, declaration: Declaration) -> dict[str, str]:
    """The findings that refuse, by code, with where; those that warn are tested by cases."""
    found = refusing(lint(policy, declaration))
    for each in found:
        document = each.document()
        assert each.code in registered()
        assert document["fr"] != document["en"]
        assert "{" not in str(document["fr"]) + str(document["en"]) + str(document["do"]["fr"])  # type: ignore[index]
    return {each.code.removeprefix("policy-lint-"): each.path for each in found}


def test_a_good_offer_has_no_finding():
    assert codes(offer(), CLEAN) == {}


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


@pytest.mark.parametrize(
    ("constraint", "code"),
    [
        (atom("https://example.org/x", "eq", "1"), "unknown-operand"),
        (atom("partner", "eq", "gold"), "unknown-operand"),
        (atom("odrl:purpose", "gt", {"@id": "dpv:Marketing"}), "unknown-operator"),
        ({"andSequence": [END]}, "unknown-operator"),
        (atom("odrl:dateTime", "lt", "2027-01-01"), "value-type"),
        (atom("odrl:delayPeriod", "lteq", "P1D"), "duty-only"),
        (atom("preau:fields", "isPartOf", ["actor", "colour"]), "unknown-field"),
        ({"or": [END, atom("odrl:count", "lteq", 3)]}, "no-enforcer"),
    ],
)
def test_a_clause_nobody_can_hold(constraint: dict[str, Any], code: str):
    assert (
        codes(offer(constraint), CLEAN)[code] == "permission[0].constraint[1]"
        or code == "unknown-operand"
    )


def test_unknown_actions_and_duties():
    found = codes(
        offer(
            prohibition=[{"action": "https://example.org/a"}],
            obligation=[{"action": "odrl:compensate"}],
        ),
        CLEAN,
    )
    assert found == {
        "unknown-action": "prohibition[0].action",
        "duty-without-phase": "obligation[0]",
    }


def test_an_offer_ends():
    endless = odrl.read({"@id": "p", "@type": "Offer", "permission": [{"action": "use"}]})
    assert codes(endless, CLEAN) == {"no-end": "permission[0]"}
    assert codes(endless, replace(CLEAN, until="2027-08-31T00:00:00Z")) == {}
    assert codes(endless, replace(CLEAN, until="some day")) == {"no-end": "permission[0]"}
    either = {"or": [END, END]}
    soft = odrl.read({"@type": "Offer", "permission": [{"action": "use", "constraint": [either]}]})
    assert "no-end" in codes(soft, CLEAN)


def test_what_has_ended_is_not_offered():
    now = datetime(2027, 8, 31, tzinfo=UTC)
    assert codes(offer(), replace(CLEAN, now=now)) == {"ended": "permission[0]"}
    assert codes(offer(), replace(CLEAN, now=now - timedelta(seconds=1))) == {}
    past = replace(CLEAN, until="2020-01-01T00:00:00Z", now=now - timedelta(days=1))
    assert codes(offer(), past) == {"ended": "until"}
    assert codes(offer(), replace(past, now=None)) == {}


@pytest.mark.parametrize(
    ("purpose", "known"),
    [
        ("preau:EducationResearch", True),
        ("dpv:AcademicResearch", True),
        ("odrl:academicResearch", True),
        ("preau:EducationResaerch", False),
        ("https://example.org/purposes/ours", False),
    ],
)
def test_a_purpose_nobody_knows_is_not_offered(purpose: str, known: bool):
    found = codes(offer(atom("odrl:purpose", "isAnyOf", [{"@id": purpose}])), CLEAN)
    assert found == ({} if known else {"unknown-purpose": "permission[0].constraint[1]"})


def test_personal_data_are_never_open():
    assert codes(offer(action="odrl:distribute"), CLEAN) == {"open-personal": "permission[0]"}
    assert codes(offer(action="odrl:sell"), CLEAN) == {"open-personal": "permission[0]"}
    assert codes(offer(action="odrl:distribute"), Declaration(personal=False)) == {}


@pytest.mark.parametrize("audience", ["minors", "mixed", None, "unknown", "everyone"])
def test_only_adults_on_consent(audience: str | None):
    assert "minors-on-consent" in codes(offer(), replace(CLEAN, audience=audience))
    task = replace(CLEAN, audience=audience, basis="public-task", notice=None)
    assert codes(offer(), task) == {}
    other = replace(task, basis="legitimate-interest")
    assert "minors-basis" in codes(offer(), other)


def test_basis_and_notice():
    assert "no-basis" in codes(offer(), replace(CLEAN, basis=None))
    assert "no-basis" in codes(offer(), replace(CLEAN, basis="because"))
    assert "no-notice" in codes(offer(), replace(CLEAN, notice=None))
    assert codes(offer(), Declaration(personal=False)) == {}


def test_a_long_retention_needs_a_reason():
    keep = {"action": "odrl:delete", "constraint": [atom("odrl:elapsedTime", "lteq", "P2Y")]}
    long = offer(obligation=[keep])
    assert codes(long, CLEAN) == {"retention": "obligation[0]"}
    assert codes(long, replace(CLEAN, retention_reason="replication study")) == {}
    assert "retention" in codes(long, replace(CLEAN, retention_reason=" "))
    assert codes(offer(), replace(CLEAN, retention="P400D")) == {"retention": "retention"}
    assert codes(offer(), replace(CLEAN, retention="for ever")) == {"retention": "retention"}
    assert codes(offer(), replace(CLEAN, retention="P365D")) == {}


def test_an_offer_permits_something():
    nothing = odrl.read({"@type": "Offer", "prohibition": [{"action": "use"}]})
    assert "no-permission" in codes(nothing, CLEAN)


def test_personal_rows_say_about_whom():
    assert codes(offer(), replace(CLEAN, subjects=False)) == {"no-subjects": "subjects"}
    nobody = replace(CLEAN, personal=False, subjects=False)
    assert codes(offer(), nobody) == {}


def test_rows_about_nobody_identify_nobody():
    nobody = replace(CLEAN, personal=False, identifying=frozenset({"mail"}))
    assert codes(offer(), nobody) == {"not-personal": "personal"}
    assert codes(offer(), replace(CLEAN, identifying=frozenset({"mail"}))) == {}


def test_terms_with_a_period_need_dated_rows():
    period = atom("preau:recordTime", "gteq", "2026-01-01T00:00:00Z")
    assert codes(offer(period), CLEAN) == {}
    assert codes(offer(period), replace(CLEAN, dated=False)) == {
        "undated": "permission[0].constraint[1]"
    }


# --- a rule found contradictory never permits -----------------------------------------------

COUNTS = st.builds(
    atom,
    st.just("odrl:count"),
    st.sampled_from(["eq", "neq", "lt", "lteq", "gt", "gteq"]),
    st.integers(0, 4).map(str),
)
PURPOSES = st.builds(
    lambda operator, terms: atom("odrl:purpose", operator, [{"@id": term} for term in terms]),
    st.sampled_from(["isAnyOf", "isNoneOf", "isPartOf"]),
    st.lists(
        st.sampled_from(["dpv:AcademicResearch", "preau:EducationResearch", "dpv:Marketing"]),
        min_size=1,
        max_size=2,
    ),
)
GROUPS = st.builds(
    lambda operator, name: atom("preau:membership", operator, {"@id": f"group:{name}"}),
    st.sampled_from(["isPartOf", "isNoneOf"]),
    st.sampled_from(["labs", "schools"]),
)
PARTS = st.one_of(COUNTS, PURPOSES, GROUPS)
ASKED = [
    (count, purpose, names)
    for count in range(1, 6)
    for purpose in (
        EDU + "ResearchDataManagement",
        PREAU + "EducationResearch",
        PREAU + "Statistics",
        DPV + "Marketing",
    )
    for names in ([], ["labs"], ["schools"], ["labs", "schools"])
]


@given(st.lists(PARTS, min_size=1, max_size=4), st.lists(PARTS, max_size=2))
@settings(max_examples=60, deadline=None)
def test_clauses_are_contradictory_iff_nothing_is_permitted(
    parts: list[dict[str, object]], branches: list[dict[str, object]]
):
    constraints = [*parts, {"or": branches}] if branches else parts
    rule = {"action": "use", "constraint": constraints}
    policy = odrl.read({"@type": "Offer", "permission": [rule]})
    found = [f for f in contradiction(policy) if f.code == "policy-lint-contradiction"]
    permitted = any(
        decide(
            policy,
            Request(ODRL + "use", None, None),
            {
                ODRL + "count": Fact((Value(str(count), INTEGER),)),
                ODRL + "purpose": Fact((iri(purpose),)),
                PREAU + "membership": groups(names),
            },
            datetime(2026, 12, 1, tzinfo=UTC),
            "transfer",
        ).permitted
        for count, purpose, names in ASKED
    )
    assert not (found and permitted)
    assert found or permitted or branches
