"""What is folded into a plan's predicate, when the agreement is made and when a part leaves."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policies import odrl
from policies.evaluate import Decision, Fact, Request, category, decide, groups
from policies.model import INTEGER, AnyConstraint, LogicalConstraint, Policy, Value, iri
from policies.plan import residue, specialise
from policies.plan.folding import is_column, known, left_over, predicate
from policies.plan.residue import FALSE, TRUE, UNKNOWN, Predicate, Test
from policies.problem import Problem
from policies.vocabulary import DPV, ODRL, PREAU

AGREED, LATER = datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)
LAB, OWN = "did:web:lab.example", PREAU + "EducationResearch"


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


AGE = atom("preau:learnerAge", "gteq", 15)
ADULT = atom("preau:learnerAge", "gteq", 18)
UNTIL = atom("odrl:dateTime", "lt", "2027-01-01T00:00:00Z")
GROUP = atom("preau:membership", "isPartOf", {"@id": "group:labs"})
COUNT = atom("odrl:count", "lteq", 3)
MINE = atom("preau:assignee", "eq", {"@id": LAB})
THEIRS = atom("preau:assignee", "eq", {"@id": "did:web:other.example"})
PERSONS = atom("preau:dataCategory", "isA", {"@id": "dpv:PersonalData"})
NOBODY = atom("preau:dataCategory", "isA", {"@id": "dpv:NonPersonalData"})
RESEARCH = atom("odrl:purpose", "isA", {"@id": OWN})
MARKETING = atom("odrl:purpose", "isA", {"@id": "dpv:Marketing"})
HOUR = atom("preau:timePrecision", "isA", {"@id": "preau:Hour"})
DAY = atom("preau:timePrecision", "isA", {"@id": "preau:Day"})
TREATED = {PREAU + "timePrecision": (iri(PREAU + "Hour"),)}


def policy(*constraints: object) -> Policy:
    rule = {"action": "use", "constraint": list(constraints)}
    return odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule]})


def one(spelled: object) -> AnyConstraint:
    return policy(spelled).permissions[0].constraints[0]


def asks(spelled: object) -> Predicate:
    return predicate(one(spelled))


def made(
    found: Policy, now: datetime = AGREED, phase: Any = "negotiation", held: str = "labs"
) -> Decision:
    claims = {ODRL + "purpose": Fact((iri(OWN),), "application", "declared")}
    facts = {
        PREAU + "membership": groups([held]),
        PREAU + "dataCategory": category(personal=True),
        ODRL + "count": Fact((Value("1", INTEGER),)),
    }
    return decide(found, Request(ODRL + "use", "urn:d", LAB, claims), facts, now, phase)


def left(*constraints: object) -> Predicate | None:
    found = policy(*constraints)
    return left_over(found.permissions[0], made(found), lambda: TREATED)


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (RESEARCH, None),
        (AGE, asks(AGE)),
        ({"or": [MARKETING, AGE]}, asks(AGE)),
        ({"or": [THEIRS, AGE]}, asks(AGE)),
        ({"or": [NOBODY, AGE]}, asks(AGE)),
        ({"or": [DAY, AGE]}, asks(AGE)),
        ({"or": [RESEARCH, AGE]}, None),
        ({"or": [MINE, AGE]}, None),
        ({"or": [PERSONS, AGE]}, None),
        ({"or": [HOUR, AGE]}, None),
        # What may change until a part is released is folded then.
        ({"or": [UNTIL, AGE]}, asks({"or": [UNTIL, AGE]})),
        ({"or": [GROUP, AGE]}, asks({"or": [GROUP, AGE]})),
        ({"or": [COUNT, AGE]}, asks({"or": [COUNT, AGE]})),
        ({"xone": [AGE, AGE]}, asks(AGE)),
        ({"and": [AGE, {"or": [MARKETING, ADULT]}]}, asks({"and": [AGE, ADULT]})),
    ],
)
def test_what_is_left_when_the_agreement_is_made(constraint: object, expected: Predicate | None):
    assert left(constraint) == expected


def test_what_no_row_can_meet_is_refused():
    with pytest.raises(Problem) as caught:
        left({"or": [THEIRS, {"xone": [MINE, PERSONS, AGE]}]})
    assert caught.value.code == "policy-plan-contradiction"
    assert caught.value.params["operand"] == "preau:learnerAge"


@pytest.mark.parametrize(
    ("now", "held", "constraint", "expected"),
    [
        (AGREED, "labs", {"or": [UNTIL, AGE]}, TRUE),
        (LATER, "labs", {"or": [UNTIL, AGE]}, asks(AGE)),
        (AGREED, "labs", {"or": [GROUP, AGE]}, TRUE),
        (AGREED, "others", {"or": [GROUP, AGE]}, asks(AGE)),
        (AGREED, "others", {"and": [{"or": [GROUP]}, AGE]}, FALSE),
        (LATER, "others", {"xone": [UNTIL, GROUP, AGE]}, asks(AGE)),
    ],
)
def test_what_is_left_when_a_part_is_released(
    now: datetime, held: str, constraint: object, expected: Predicate
):
    decided = made(policy(constraint), now, "batch", held)
    assert specialise(asks(constraint), decided) == expected


def test_what_a_decision_does_not_know_stays_asked():
    both = asks({"or": [UNTIL, AGE]})
    assert specialise(both, made(policy(GROUP), LATER, "batch")) == both


def test_a_column_is_answered_by_the_row_and_by_nothing_else():
    decided = made(policy(AGE), phase="record")  # of a record whose age nobody knows
    (tested,) = residue.tests(asks(AGE))
    assert known(decided) == {tested: None}
    assert specialise(asks(AGE), decided) == asks(AGE)
    assert known(made(policy(AGE))) == {}


def test_what_cannot_be_told_is_known_to_be_so():
    odd = policy({"or": [atom("odrl:dateTime", "lt", "2026-06-01T00:00:00"), AGE]})
    (constraint,) = odd.permissions[0].constraints
    found = specialise(predicate(constraint), made(odd, phase="batch"))
    assert found == residue.group("any", [UNKNOWN, asks(AGE)])


def test_columns():
    assert is_column(Test(PREAU + "learnerAge", ODRL + "gteq", ()))
    assert not is_column(Test(ODRL + "dateTime", ODRL + "lt", ()))
    assert not is_column(Test("urn:x", ODRL + "lt", ()))


def test_a_constraint_said_twice_counts_once():
    twice = LogicalConstraint(ODRL + "xone", (one(AGE), one(AGE)))
    assert predicate(twice) == asks(AGE)
    assert DPV in str(asks(PERSONS))
