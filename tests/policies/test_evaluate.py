"""Decisions: only permit permits, what is unknown is named, and nothing private is shared."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import explain, odrl
from policies.decision import Decision
from policies.evaluate import PERFORMED, Fact, Request, category, claims, decide, groups
from policies.model import DATETIME, Constraint, Policy, Value, iri
from policies.vocabulary import DPV, ODRL, PREAU

NOW = datetime(2026, 12, 1, tzinfo=UTC)
USE = ODRL + "use"
TARGET = "urn:data"
PURPOSE = PREAU + "EducationResearch"
CONSENT = {
    "leftOperand": "preau:consentStatus",
    "operator": "eq",
    "rightOperand": {"@id": DPV + "ConsentGiven"},
}


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


YES = atom("odrl:purpose", "eq", {"@id": PURPOSE})
NO = atom("odrl:purpose", "eq", {"@id": DPV + "Marketing"})
UNKNOWN = atom("https://example.org/x", "eq", "1")
LATER = CONSENT
LOGIC = {"T": YES, "F": NO, "U": UNKNOWN, "D": LATER}


def policy(*constraints: object, **members: object) -> Policy:
    rule = {"action": "use", "constraint": list(constraints)}
    return odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule], **members})


def ask(
    found: Policy,
    facts: dict[str, Fact] | None = None,
    *,
    action: str = USE,
    phase: Any = "negotiation",
    now: datetime = NOW,
    purpose: str | None = PURPOSE,
    assignee: str = "did:web:lab",
) -> Decision:
    claimed = {} if purpose is None else {ODRL + "purpose": Fact((iri(purpose),))}
    return decide(found, Request(action, TARGET, assignee, claimed), facts or {}, now, phase)


def test_a_permission_without_conditions_permits():
    made = ask(policy())
    assert (made.outcome, made.permitted) == ("permit", True)
    assert made.permission == odrl.name(policy().permissions[0])


def test_the_world_is_closed():
    assert ask(policy(), action=ODRL + "sell").outcome == "not-applicable"
    only = odrl.read({"@type": "Set", "prohibition": [{"action": "odrl:sell"}]})
    assert ask(only).outcome == "not-applicable"


def test_a_policy_without_rules_is_invalid():
    assert ask(Policy("Set", "urn:p")).outcome == "invalid"
    duties = odrl.read({"@type": "Set", "obligation": [{"action": "odrl:delete"}]})
    assert ask(duties).outcome == "invalid"


@pytest.mark.parametrize(
    ("constraint", "reason"),
    [
        (UNKNOWN, "unknown-operand"),
        (atom("partner", "eq", "gold"), "unknown-operand"),
        (atom("odrl:purpose", "gt", {"@id": PURPOSE}), "unknown-operator"),
        (atom("odrl:purpose", "https://example.org/near", {"@id": PURPOSE}), "unknown-operator"),
        (atom("odrl:purpose", "eq", "free text"), "value-type"),
        (atom("odrl:dateTime", "lt", "2027-01-01"), "value-type"),
        (
            atom("odrl:dateTime", "lt", {"@value": "2026-12-01T13:59:59", "@type": "xsd:dateTime"}),
            "incomparable",
        ),
        (atom("preau:membership", "isPartOf", {"@id": "group:labs"}), "missing-value"),
        (atom("odrl:delayPeriod", "lt", "P1D"), "duty-only"),
        ({"andSequence": [YES]}, "sequence"),
        (
            atom("odrl:purpose", "isA", [{"@id": PURPOSE}, {"@id": DPV + "Marketing"}]),
            "incomparable",
        ),
        (
            atom("preau:dataCategory", "isNoneOf", {"@id": "https://example.org/cat"}),
            "incomparable",
        ),
        (atom("preau:recipientCountry", "isPartOf", {"@id": "loc:EEA"}), "missing-value"),
    ],
)
def test_what_cannot_be_told_is_undetermined_and_named(constraint: dict[str, Any], reason: str):
    made = ask(policy(constraint), {PREAU + "dataCategory": category(personal=True)})
    assert made.outcome == "undetermined"
    traced = made.trace[0].constraints[0]
    assert (traced.outcome, traced.reason) == ("undetermined", reason)
    assert traced.path == "permission[0].constraint[0]"


def test_a_deferred_constraint_is_still_checked_for_form():
    made = ask(policy(atom("preau:consentStatus", "lt", {"@id": DPV + "ConsentGiven"})))
    assert made.outcome == "undetermined"


def test_a_deferred_constraint_neither_holds_nor_fails():
    made = ask(policy(YES, LATER))
    assert made.outcome == "permit"
    assert [odrl.name(each) for each in made.deferred] == [
        odrl.name(policy(LATER).permissions[0].constraints[0])
    ]
    assert made.trace[0].outcome == "deferred"


TABLES = {
    "and": {"TT": "T", "TF": "F", "TU": "U", "TD": "D", "FU": "F", "FD": "F", "UD": "U", "DD": "D"},
    "or": {"TT": "T", "TF": "T", "TU": "T", "TD": "T", "FF": "F", "FU": "U", "FD": "D", "UD": "U"},
    "xone": {
        "TT": "F",
        "TF": "T",
        "TU": "U",
        "TD": "D",
        "FF": "F",
        "FU": "U",
        "FD": "D",
        "UD": "U",
    },
}
OUTCOMES = {"T": "satisfied", "F": "unsatisfied", "U": "undetermined", "D": "deferred"}


@pytest.mark.parametrize(
    ("word", "row", "expected"),
    [(word, row, out) for word, rows in TABLES.items() for row, out in rows.items()],
)
def test_logic_is_three_valued(word: str, row: str, expected: str):
    for order in (row, row[::-1]):
        children: list[object] = [LOGIC[letter] for letter in order]
        if order == "TT":
            children[1] = atom("odrl:purpose", "isA", {"@id": PURPOSE})
        made = ask(policy({word: children}))
        assert made.trace[0].constraints[0].outcome == OUTCOMES[expected]
        assert made.permitted == (expected in "TD")


def test_a_constraint_said_twice_counts_once():
    assert ask(policy({"xone": [YES, dict(YES)]})).permitted


def test_xone_of_two_that_hold_fails_whatever_the_third_is():
    same = atom("odrl:purpose", "isA", {"@id": PURPOSE})
    made = ask(policy({"xone": [YES, same, UNKNOWN]}))
    assert made.trace[0].constraints[0].outcome == "unsatisfied"


# --- prohibitions and duties ---------------------------------------------------------------


def test_prohibition_wins():
    assert ask(policy(prohibition=[{"action": "use"}])).outcome == "deny"
    assert ask(policy(prohibition=[{"action": "use", "constraint": [YES]}])).outcome == "deny"
    assert ask(policy(prohibition=[{"action": "use", "constraint": [NO]}])).outcome == "permit"


@pytest.mark.parametrize("constraint", [UNKNOWN, LATER])
def test_a_prohibition_that_cannot_be_told_never_permits(constraint: dict[str, Any]):
    made = ask(policy(prohibition=[{"action": "use", "constraint": [constraint]}]))
    assert made.outcome == "undetermined"


def test_a_prohibition_of_another_action_is_a_promise():
    made = ask(policy(prohibition=[{"action": "odrl:distribute"}]))
    assert made.permitted
    assert [(p.kind, p.action) for p in made.duties] == [("prohibition", ODRL + "distribute")]
    again = ask(policy(prohibition=[{"action": "odrl:distribute"}]), action=ODRL + "distribute")
    assert again.outcome == "deny"


@pytest.mark.parametrize(
    "prohibition",
    [{"action": "https://example.org/act"}, {"action": "odrl:distribute", "constraint": [UNKNOWN]}],
)
def test_a_prohibition_nobody_can_read_never_permits(prohibition: dict[str, Any]):
    assert ask(policy(prohibition=[prohibition])).outcome == "undetermined"


def test_an_unknown_action_never_permits():
    assert ask(policy(), action="https://example.org/act").outcome == "undetermined"
    odd = odrl.read({"@type": "Set", "permission": [{"action": "https://example.org/act"}]})
    assert ask(odd).outcome == "undetermined"
    assert ask(odd, action="https://example.org/act").outcome == "undetermined"


def duty(action: str, *constraints: object) -> dict[str, object]:
    return {"action": action, "constraint": list(constraints)}


def with_duty(one: dict[str, object]) -> Policy:
    return odrl.read({"@type": "Offer", "permission": [{"action": "use", "duty": [one]}]})


BEFORE = atom("preau:duePhase", "eq", {"@id": "preau:BeforeUse"})


def test_a_post_duty_is_a_promise():
    made = ask(with_duty(duty("odrl:delete", atom("odrl:elapsedTime", "lteq", "P180D"))))
    assert made.permitted
    assert made.duties[0].kind == "duty"
    assert made.deferred == ()


@pytest.mark.parametrize(
    "one",
    [
        duty("https://example.org/act"),
        duty("odrl:compensate"),
        duty("odrl:delete", UNKNOWN),
        duty("odrl:delete", atom("odrl:elapsedTime", "lteq", "soon")),
        duty("odrl:delete", {"andSequence": [atom("odrl:elapsedTime", "lteq", "P1D")]}),
    ],
)
def test_a_duty_nobody_can_read_never_permits(one: dict[str, object]):
    assert ask(with_duty(one)).outcome == "undetermined"
    owed = policy(obligation=[one])
    assert ask(owed).outcome == "undetermined"


@pytest.mark.parametrize("when", [BEFORE, atom("odrl:event", "lt", {"@id": "odrl:policyUsage"})])
def test_a_pre_duty_blocks_until_it_was_performed(when: dict[str, object]):
    found = with_duty(duty("odrl:compensate", when))
    name = odrl.name(found.permissions[0].duties[0])
    assert ask(found).outcome == "undetermined"
    assert ask(found, {PERFORMED: Fact(())}).outcome == "deny"
    assert ask(found, {PERFORMED: Fact((iri(name),))}).outcome == "permit"


# --- values and where they may come from ------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "right", "requested", "outcome"),
    [
        ("isA", DPV + "AcademicResearch", PURPOSE, "permit"),
        ("isA", DPV + "ScientificResearch", PURPOSE, "permit"),
        ("isA", DPV + "NonCommercialResearch", PURPOSE, "permit"),
        ("isA", PURPOSE, DPV + "AcademicResearch", "deny"),
        ("eq", DPV + "AcademicResearch", PURPOSE, "deny"),
        ("isAnyOf", DPV + "CommercialResearch", PURPOSE, "deny"),
        ("isNoneOf", DPV + "CommercialResearch", PURPOSE, "permit"),
        ("isNoneOf", DPV + "AcademicResearch", PURPOSE, "deny"),
        ("isNoneOf", PURPOSE, DPV + "AcademicResearch", "undetermined"),
        ("isNoneOf", DPV + "Marketing", "https://example.org/p", "undetermined"),
        ("eq", "https://example.org/p", "https://example.org/p", "permit"),
        ("isA", DPV + "AcademicResearch", "http://www.w3.org/ns/odrl/2/academicResearch", "permit"),
    ],
)
def test_purposes_are_a_hierarchy(operator: str, right: str, requested: str, outcome: str):
    made = ask(policy(atom("odrl:purpose", operator, {"@id": right})), purpose=requested)
    assert made.outcome == outcome


def test_the_clock_is_now_whatever_is_claimed():
    ends = policy(atom("odrl:dateTime", "lt", "2026-12-01T00:00:00Z"))
    early = {ODRL + "dateTime": Fact((Value("2000-01-01T00:00:00Z", DATETIME),))}
    assert ask(ends, early).outcome == "deny"
    assert ask(ends, early, now=NOW - timedelta(microseconds=1)).outcome == "permit"


def test_a_start_date_waits_for_the_transfer():
    starts = policy(atom("odrl:dateTime", "gteq", "2027-01-01T00:00:00Z"))
    assert ask(starts).outcome == "permit"
    assert ask(starts, phase="transfer").outcome == "deny"
    assert ask(starts, phase="batch", now=NOW + timedelta(days=31)).outcome == "permit"


def test_only_the_application_may_be_claimed():
    member = policy(atom("preau:membership", "isPartOf", {"@id": "group:labs"}))
    claim = {PREAU + "membership": groups(["labs"])}
    request = Request(USE, TARGET, "did:web:lab", claim)
    assert decide(member, request, {}, NOW, "negotiation").outcome == "undetermined"
    assert decide(member, request, claim, NOW, "negotiation").outcome == "permit"
    assert ask(member, {PREAU + "membership": groups([])}).outcome == "deny"


def test_our_own_fact_wins_over_a_claim():
    made = ask(policy(YES), {ODRL + "purpose": Fact((iri(DPV + "Marketing"),))})
    assert made.outcome == "deny"


def test_the_assignee_is_the_authenticated_peer():
    mine = policy(assignee="did:web:lab")
    assert ask(mine).outcome == "permit"
    assert ask(mine, assignee="did:web:other").outcome == "not-applicable"
    rule = policy(atom("preau:assignee", "eq", {"@id": "did:web:lab"}))
    lie = {PREAU + "assignee": Fact((iri("did:web:lab"),))}
    assert ask(rule, lie, assignee="did:web:other").outcome == "deny"


def test_another_target_is_not_applicable():
    assert ask(policy(target="urn:other")).outcome == "not-applicable"


@pytest.mark.parametrize(("count", "outcome"), [("1", "permit"), ("3", "permit"), ("4", "deny")])
def test_count_is_the_number_of_this_release(count: str, outcome: str):
    three = policy(atom("odrl:count", "lteq", 3))
    fact = {ODRL + "count": Fact((Value(count, "http://www.w3.org/2001/XMLSchema#integer"),))}
    assert ask(three, fact, phase="transfer").outcome == outcome
    assert ask(three).outcome == "permit"
    assert ask(three, phase="transfer").outcome == "undetermined"


def test_elapsed_time_counts_from_the_agreement():
    agreed = odrl.read(
        {
            "@id": "urn:a",
            "@type": "Agreement",
            "timestamp": "2026-11-01T00:00:00Z",
            "permission": [
                {"action": "use", "constraint": [atom("odrl:elapsedTime", "lteq", "P30D")]}
            ],
        }
    )
    assert ask(agreed, phase="batch").outcome == "permit"
    assert ask(agreed, phase="batch", now=NOW + timedelta(seconds=1)).outcome == "deny"
    assert ask(agreed, phase="batch", now=NOW - timedelta(days=90)).outcome == "undetermined"


def test_countries_must_all_be_inside():
    inside = policy(atom("preau:recipientCountry", "isPartOf", {"@id": "loc:EEA"}))
    loc = "https://w3id.org/dpv/loc#"
    both = {PREAU + "recipientCountry": Fact((iri(loc + "FR"), iri(loc + "US")))}
    assert ask(inside, {PREAU + "recipientCountry": Fact((iri(loc + "FR"),))}).permitted
    assert ask(inside, both).outcome == "deny"


def test_claims_of_an_application(application: Any):
    found = claims(application)
    assert found[ODRL + "purpose"].values == (iri(PURPOSE),)
    assert found[PREAU + "recipientCountry"].values == (iri("https://w3id.org/dpv/loc#FR"),)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"conflict": "invalid", "prohibition": {"action": "use"}}, "which voids it"),
        ({"inheritFrom": "urn:q"}, "which is missing here"),
    ],
)
def test_why_a_whole_policy_was_not_evaluated_is_said(members: dict[str, Any], said: str):
    made = ask(policy(**members))
    assert [line for line in made.reasons("en") if said in line]
    assert made.reasons("fr") != made.reasons("en")
    assert made.internal()["note"] in {"conflict", "inherits"}


def test_now_needs_a_time_zone():
    with pytest.raises(ValueError, match="time zone"):
        ask(policy(), now=NOW.replace(tzinfo=None))


# --- renderings --------------------------------------------------------------------------------


def test_shared_says_whether_the_claim_met_it_and_no_more():
    facts = {PREAU + "membership": Fact((iri("group:secret"),), "peer-list:17", "declared")}
    made = ask(policy(NO, atom("preau:membership", "isPartOf", {"@id": "group:labs"})), facts)
    shared, internal = json.dumps(made.shared()), json.dumps(made.internal())
    assert "secret" in internal
    assert "secret" not in shared
    assert "peer-list" not in shared
    said = made.reasons("en")
    assert "You are not shown to be a member of the required group (“labs”)." in said
    assert any("marketing" in line for line in said)
    assert made.reasons("fr")[0] == "Refusé."
    assert explain.decision(made, "en") == said
    constraints = made.shared()["rules"][0]["constraints"]  # type: ignore[index]
    assert [each["met"] for each in constraints] == ["no", "no"]


def test_nothing_about_a_record_is_shared():
    for status in ("ConsentGiven", "ConsentWithdrawn"):
        fact = {PREAU + "consentStatus": Fact((iri(DPV + status),), "registry", "enforced")}
        made = ask(policy(LATER), fact, phase="record")
        assert made.outcome == ("permit" if status == "ConsentGiven" else "deny")
        assert made.shared() == {
            "v": 1,
            "phase": "record",
            "outcome": "not-shared",
            "rules": [],
        }
        assert made.reasons("fr") == []


def test_an_unknown_operand_is_named_to_the_reader():
    said = " ".join(ask(policy(UNKNOWN)).reasons("en"))
    assert "https://example.org/x" in said
    assert "unknown to this node" in said


# --- properties --------------------------------------------------------------------------------

atoms = st.sampled_from([YES, NO, UNKNOWN, LATER])
trees = st.recursive(
    atoms,
    lambda inner: st.builds(
        lambda word, items: {word: items},
        st.sampled_from(["and", "or", "xone"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@given(st.lists(trees, max_size=3), trees)
def test_adding_a_constraint_never_widens(constraints: list[Any], more: Any):
    if ask(policy(*constraints, more)).permitted:
        assert ask(policy(*constraints)).permitted


@given(st.lists(trees, max_size=3), st.lists(trees, max_size=2))
def test_adding_a_prohibition_never_widens(constraints: list[Any], more: list[Any]):
    forbidden = policy(*constraints, prohibition=[{"action": "use", "constraint": more}])
    if ask(forbidden).permitted:
        assert ask(policy(*constraints)).permitted


@given(st.lists(trees, max_size=3))
def test_an_unknown_conjunct_never_permits(constraints: list[Any]):
    assert not ask(policy(*constraints, UNKNOWN)).permitted


@given(st.lists(trees, max_size=4), st.randoms(use_true_random=False))
def test_order_and_normal_form_never_change_the_answer(constraints: list[Any], random: Any):
    found = policy(*constraints)
    shuffled = list(constraints)
    random.shuffle(shuffled)
    normal = odrl.read(odrl.document(found))
    answers = {ask(each).outcome for each in (found, policy(*shuffled), normal)}
    assert len(answers) == 1


@given(st.text(max_size=10), st.text(max_size=10), st.text(max_size=10))
def test_any_constraint_gets_an_answer(left: str, operator: str, right: str):
    odd = Constraint("x:" + left, "x:" + operator, (Value(right, "x:" + right), Value(right)))
    base = policy()
    rule = base.permissions[0].__class__("Permission", USE, (odd,))
    made = ask(Policy("Set", "urn:p", permissions=(rule,)))
    assert made.outcome == "undetermined"
    json.dumps([made.shared(), made.internal(), made.reasons("fr")])


def test_the_source_is_the_fact_s_own_or_the_operand_s():
    def source(fact: Fact) -> str:
        made = ask(policy(YES), {ODRL + "purpose": fact})
        return made.trace[0].constraints[0].source

    assert source(Fact((iri(PURPOSE),), "register:17")) == "register:17"
    assert source(Fact((iri(PURPOSE),))) == "application"


def test_time_elapses_from_the_very_instant_of_the_agreement():
    spelled = {
        "@id": "urn:a",
        "@type": "Agreement",
        "timestamp": "2026-12-01T00:00:00Z",
        "permission": {"action": "use", "constraint": atom("odrl:elapsedTime", "lteq", "PT0S")},
    }
    made = ask(odrl.read(spelled), phase="batch")
    traced = made.trace[0].constraints[0]
    assert (made.outcome, traced.source, traced.assurance) == ("permit", "ledger", "enforced")
