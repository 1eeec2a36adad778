"""What a trace holds as evidence: the values seen, where from, how well held, and since when."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from policies import odrl
from policies.evaluate import PERFORMED, Decision, Fact, Record, Request, World, decide
from policies.model import INTEGER, Value, iri
from policies.trace import ConstraintTrace, Premise
from policies.vocabulary import ODRL
from policies.world import NOTHING

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LAB = "did:web:lab.example"
USE, READ = ODRL + "use", ODRL + "read"


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def decided(
    rule: dict[str, Any],
    facts: dict[str, Fact] | None = None,
    *,
    asked: str = USE,
    target: str | None = "urn:data",
    assignee: str | None = LAB,
    world: World = NOTHING,
    lenient: bool = False,
    members: dict[str, Any] | None = None,
) -> Decision:
    spelled = {"@id": "urn:a", "@type": "Agreement", "timestamp": "2026-11-01T12:00:00Z"}
    policy = odrl.read({**spelled, "permission": [{"action": "use", **rule}], **(members or {})})
    request = Request(asked, target, assignee)
    return decide(policy, request, facts or {}, NOW, "transfer", world=world, lenient=lenient)


def evidence(traced: ConstraintTrace) -> tuple[object, ...]:
    seen = None if traced.seen is None else [value.text for value in traced.seen]
    return traced.outcome, seen, traced.source, traced.assurance, traced.at


# --- constraints ---------------------------------------------------------------------------------

SINCE = datetime(2026, 11, 5, tzinfo=UTC)
THREE = Fact((Value("3", INTEGER),), "ledger:7", "attested", SINCE)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (
            atom("odrl:dateTime", "lt", "2027-01-01T00:00:00Z"),
            ("satisfied", ["2026-12-01T12:00:00Z"], "clock", "enforced", NOW),
        ),
        (
            atom("preau:assignee", "eq", {"@id": LAB}),
            ("satisfied", [LAB], "authentication", "attested", None),
        ),
        (
            atom("odrl:elapsedTime", "lteq", "P60D"),
            ("satisfied", ["P30D"], "ledger", "enforced", None),
        ),
        (
            atom("odrl:count", "lteq", 3),
            ("satisfied", ["3"], "ledger:7", "attested", SINCE),
        ),
        (
            atom("odrl:purpose", "eq", {"@id": "urn:p"}),
            ("undetermined", None, "application", "declared", None),
        ),
        (
            atom("preau:consentStatus", "eq", {"@id": "dpv:ConsentGiven"}),
            ("deferred", None, "consent-registry", "enforced", None),
        ),
        (
            atom("urn:operand", "eq", "1"),
            ("undetermined", None, "", "contractual", None),
        ),
    ],
)
def test_the_evidence_for_a_constraint(constraint: dict[str, object], expected: object):
    made = decided({"constraint": [constraint]}, {ODRL + "count": THREE})
    assert evidence(made.trace[0].constraints[0]) == expected


def test_nobody_authenticated_is_nobody():
    made = decided({"constraint": [atom("preau:assignee", "eq", {"@id": LAB})]}, assignee=None)
    assert evidence(made.trace[0].constraints[0])[:2] == ("undetermined", None)


def test_a_conjunction_holds_since_its_last_part():
    early = Fact((iri("urn:p"),), since=datetime(2026, 11, 2, tzinfo=UTC))
    facts = {ODRL + "count": THREE, ODRL + "purpose": early}
    parts = [atom("odrl:count", "lteq", 3), atom("odrl:purpose", "eq", {"@id": "urn:p"})]
    for word, since in (("and", SINCE), ("xone", SINCE), ("or", None)):
        traced = decided({"constraint": [{word: parts}]}, facts).trace[0].constraints[0]
        assert traced.at == since, word


# --- premises ------------------------------------------------------------------------------------


def premises(made: Decision) -> list[Premise]:
    return list(made.trace[0].premises)


def test_the_premises_of_a_rule_that_names_everything():
    made = decided({"target": "urn:data", "assignee": LAB})
    assert premises(made) == [
        Premise("target", "urn:data", "urn:data", "satisfied"),
        Premise("assignee", LAB, LAB, "satisfied"),
        Premise("action", USE, USE, "satisfied"),
    ]


def test_a_rule_takes_target_and_parties_from_its_policy():
    made = decided({}, members={"target": "urn:data", "assignee": "urn:x"})
    assert [(each.role, each.required) for each in premises(made)] == [
        ("target", "urn:data"),
        ("assignee", "urn:x"),
        ("action", USE),
    ]


@pytest.mark.parametrize(
    ("rule", "asked", "expected"),
    [
        (
            {"target": "urn:x"},
            {},
            Premise("target", "urn:x", "urn:data", "unsatisfied", "other-target"),
        ),
        (
            {"target": "urn:x"},
            {"target": None},
            Premise("target", "urn:x", None, "unsatisfied", "other-target"),
        ),
        (
            {"assignee": "urn:x"},
            {},
            Premise("assignee", "urn:x", LAB, "unsatisfied", "other-recipient"),
        ),
        ({"action": "odrl:read"}, {}, Premise("action", READ, USE, "unsatisfied", "other-action")),
        (
            {"action": "urn:act"},
            {},
            Premise("action", "urn:act", USE, "undetermined", "unknown-action"),
        ),
        (
            {"action": "use"},
            {"asked": "urn:act"},
            Premise("action", USE, "urn:act", "undetermined", "unknown-action"),
        ),
        (
            {"target": {"@type": "AssetCollection", "@id": "urn:x"}},
            {},
            Premise("target", "urn:x", "urn:data", "undetermined", "unknown-member"),
        ),
        (
            {"target": {"@type": "AssetCollection", "@id": "urn:x"}},
            {"target": None},
            Premise("target", "urn:x", None, "unsatisfied", "other-target"),
        ),
        (
            {"target": {"@type": "AssetCollection", "@id": "urn:x"}},
            {"world": World(members={"urn:data": ()})},
            Premise("target", "urn:x", "urn:data", "unsatisfied", "other-target"),
        ),
    ],
)
def test_why_a_premise_fails(rule: dict[str, Any], asked: dict[str, Any], expected: Premise):
    assert expected in premises(decided(rule, **asked))


def test_the_party_that_grants_is_a_premise_where_it_is_refined():
    who = {
        "@type": "PartyCollection",
        "refinement": [atom("odrl:count", "lteq", 3)],
        "@id": "urn:me",
    }
    made = decided({"assigner": who}, {ODRL + "count": THREE})
    (found,) = [each for each in premises(made) if each.role == "assigner"]
    assert (found.required, found.seen) == ("urn:me", None)
    assert (found.outcome, found.reason) == ("satisfied", "")
    assert [each.outcome for each in found.refinements] == ["satisfied"]
    assert "assigner" not in [each.role for each in premises(decided({"assigner": "urn:me"}))]


def test_a_rule_about_every_action_is_for_oracles_only():
    """Lenient: a rule without an action fits any; one that names an action fits as ever."""
    named = decided({"action": "odrl:read"}, lenient=True)
    assert (named.outcome, premises(named)[-1].outcome) == ("not-applicable", "unsatisfied")
    assert decided({"action": "use"}, lenient=True).permitted
    policy = odrl.read({"@type": "Set", "permission": [{"action": "use"}]})
    every = replace(policy, permissions=(replace(policy.permissions[0], action=""),))
    for asked in (USE, READ, "urn:act"):
        request = Request(asked, "urn:data", LAB)
        made = decide(every, request, {}, NOW, "transfer", lenient=True)
        assert (made.outcome, premises(made)) == ("permit", [])
        assert decide(every, request, {}, NOW, "transfer").outcome == "undetermined"


# --- duties --------------------------------------------------------------------------------------

BEFORE = atom("preau:duePhase", "eq", {"@id": "preau:BeforeUse"})
LIMIT = atom("odrl:elapsedTime", "lteq", "P20D")
DUE = datetime(2026, 11, 21, 12, tzinfo=UTC)


def duty(made: Decision) -> tuple[object, ...]:
    (traced,) = made.trace[0].duties
    return (*evidence(traced), traced.reason, traced.state, traced.due, traced.record)


def owing(*constraints: object, **more: object) -> dict[str, Any]:
    return {"duty": [{"action": "odrl:compensate", "constraint": list(constraints), **more}]}


def kept(*records: Record) -> World:
    return World(records)


def paid(day: int, **more: Any) -> Record:
    return Record(
        ODRL + "compensate", datetime(2026, 11, day, tzinfo=UTC), id=f"urn:r{day}", **more
    )


def test_a_duty_of_which_nobody_knows():
    assert duty(decided(owing(BEFORE))) == (
        *("undetermined", None, "", "contractual", None),
        *("missing-value", "not-set", None, None),
    )


def test_a_duty_by_a_fact_has_the_fact_s_source():
    name = odrl.name(
        odrl.read({"@type": "Set", "permission": [{"action": "use", **owing(BEFORE)}]})
        .permissions[0]
        .duties[0]
    )
    done = Fact((iri(name),), "desk", "attested")
    assert duty(decided(owing(BEFORE), {PERFORMED: done})) == (
        *("satisfied", None, "desk", "attested", None),
        *("performed", "fulfilled", None, None),
    )
    other = Fact((iri("urn:other"),), "desk", "attested")
    assert duty(decided(owing(BEFORE), {PERFORMED: other})) == (
        *("unsatisfied", None, "desk", "attested", None),
        *("not-performed", "not-set", None, None),
    )


def test_a_duty_by_a_record():
    at = datetime(2026, 11, 10, tzinfo=UTC)
    assert duty(decided(owing(LIMIT), world=kept(paid(10)))) == (
        *("satisfied", None, "record", "declared", at),
        *("performed", "fulfilled", DUE, "urn:r10"),
    )
    late = datetime(2026, 11, 25, tzinfo=UTC)
    assert duty(decided(owing(LIMIT), world=kept(paid(25)))) == (
        *("unsatisfied", None, "record", "declared", late),
        *("violated", "violated", DUE, "urn:r25"),
    )


def test_a_duty_overdue_by_the_clock():
    assert duty(decided(owing(LIMIT), world=kept())) == (
        *("unsatisfied", None, "clock", "enforced", None),
        *("violated", "violated", DUE, None),
    )


def test_a_duty_that_was_not_violated_blocks_nothing_for_oracles():
    assert duty(decided(owing(), lenient=True)) == (
        *("deferred", None, "", "contractual", None),
        *("promise", "not-set", None, None),
    )


def test_a_record_that_establishes_nothing_is_still_named():
    found = duty(decided(owing(BEFORE), world=kept(paid(10, state="not-set"))))
    assert found == (
        *("unsatisfied", None, "", "contractual", None),
        *("not-performed", "not-set", None, "urn:r10"),
    )


@pytest.mark.parametrize(
    ("records", "chosen"),
    [
        ([paid(12), paid(10)], "urn:r10"),
        ([paid(9, state="violated"), paid(10)], "urn:r10"),
        ([paid(9, state="not-set"), paid(10, state="violated")], "urn:r10"),
        ([paid(9, state="not-set")], None),  # overdue by the clock
    ],
)
def test_which_record_settles_a_duty(records: list[Record], chosen: str | None):
    """The first fulfilment, otherwise that it was violated, otherwise what is not established."""
    assert duty(decided(owing(LIMIT), world=kept(*records)))[-1] == chosen


def test_late_and_made_good():
    more = {"consequence": [{"action": "odrl:inform"}]}
    informed = Record(ODRL + "inform", datetime(2026, 11, 26, tzinfo=UTC))
    made = decided(owing(LIMIT, **more), world=kept(paid(25), informed))
    assert duty(made)[5:] == ("remedied", "violated", DUE, "urn:r25")
    (consequence,) = made.trace[0].duties[0].children
    assert (consequence.path, consequence.state) == (
        "permission[0].duty[0].consequence[0]",
        "fulfilled",
    )
