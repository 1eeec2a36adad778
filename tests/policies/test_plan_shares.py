"""What constraints ask of a plan together: the intersection of their shares."""

from datetime import UTC, datetime
from typing import Any

import pytest

from policies import odrl
from policies.model import Rule
from policies.operands import Share
from policies.plan.shares import conjuncts, holds, meet, per_row, shares, unheld
from policies.problem import Problem
from policies.values import Duration
from policies.vocabulary import PREAU

DAY = 86_400
YES = {"@value": "true", "@type": "xsd:boolean"}
NO = {"@value": "false", "@type": "xsd:boolean"}


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def permission(*constraints: object) -> Rule:
    rule = {"action": "use", "constraint": list(constraints)}
    return odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule]}).permissions[0]


def elapsed(length: str) -> dict[str, object]:
    return atom("odrl:elapsedTime", "lteq", length)


def fields(operator: str, *names: str) -> dict[str, object]:
    return atom("preau:fields", operator, list(names))


def records(operator: str, year: int) -> dict[str, object]:
    return atom("preau:recordTime", operator, f"{year}-01-01T00:00:00Z")


CONSENT = atom("preau:consentStatus", "eq", {"@id": "dpv:ConsentGiven"})
OBJECTION = atom("preau:objectionStatus", "eq", {"@id": "preau:NoOpenObjection"})
DAYS = atom("preau:timePrecision", "eq", {"@id": "preau:Day"})
COARSE = atom("preau:timePrecision", "isAnyOf", [{"@id": "preau:Hour"}, {"@id": "preau:Day"}])
LONG, SHORT = atom("preau:longitudinal", "eq", YES), atom("preau:longitudinal", "eq", NO)


def year(number: int) -> datetime:
    return datetime(number, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ([], Share()),
        ([elapsed("P10D")], Share(elapsed=Duration(0, 10 * DAY))),
        ([elapsed("P10D"), elapsed("P20D")], Share(elapsed=Duration(0, 10 * DAY))),
        ([elapsed("P1Y"), elapsed("P9M")], Share(elapsed=Duration(9, 0))),
        (
            [fields("isPartOf", "a", "b"), fields("isPartOf", "b", "c")],
            Share(fields=frozenset("b")),
        ),
        ([fields("isNoneOf", "a"), fields("isNoneOf", "b")], Share(without=frozenset("ab"))),
        (
            [
                records("gteq", 2020),
                records("gteq", 2021),
                records("lt", 2024),
                records("lt", 2023),
            ],
            Share(start=year(2021), end=year(2023)),
        ),
        ([atom("odrl:count", "lteq", 5), atom("odrl:count", "lteq", 3)], Share(releases=3)),
        ([COARSE, DAYS], Share(times=frozenset({PREAU + "Day", PREAU + "NoTime"}))),
        ([LONG, LONG], Share(longitudinal=True)),
        ([SHORT], Share(longitudinal=False)),
        ([CONSENT], Share(scoped="consent")),
        ([OBJECTION], Share(scoped="objection")),
        ([CONSENT, OBJECTION], Share(scoped="consent")),
        (
            [{"and": [elapsed("P9D"), {"and": [CONSENT]}]}],
            Share(None, elapsed=Duration(0, 9 * DAY), scoped="consent"),
        ),
    ],
)
def test_shares_are_intersected_in_any_order(constraints: list[object], expected: Share):
    assert shares(permission(*constraints)) == expected
    assert shares(permission(*constraints[::-1])) == expected


@pytest.mark.parametrize(
    ("constraints", "operand"),
    [
        ([elapsed("P1M"), elapsed("P30D")], "odrl:elapsedTime"),
        ([LONG, SHORT], "preau:longitudinal"),
    ],
)
def test_what_cannot_be_intersected_is_named(constraints: list[object], operand: str):
    with pytest.raises(Problem) as caught:
        shares(permission(*constraints))
    assert caught.value.code == "policy-plan-contradiction"
    assert caught.value.params["operand"] == operand


def test_nothing_said_admits_everything():
    some = frozenset("ab")
    assert meet(None, None) is None
    assert meet(some, None) == meet(None, some) == some
    assert meet(some, frozenset("bc")) == frozenset("b")


@pytest.mark.parametrize(
    ("constraint", "asked"),
    [
        (atom("preau:learnerAge", "gteq", 15), True),
        (records("lt", 2027), False),  # the period of the plan
        (CONSENT, False),  # its consent scope
        (atom("odrl:purpose", "isA", {"@id": "dpv:Marketing"}), False),
        ({"or": [CONSENT, DAYS]}, True),
        ({"or": [elapsed("P1D"), DAYS]}, False),
    ],
)
def test_what_is_asked_of_each_row(constraint: dict[str, Any], asked: bool):
    assert per_row(permission(constraint).constraints[0]) is asked


def test_a_refusal_names_every_operand_once():
    either = {"or": [elapsed("P1D"), atom("urn:x", "eq", "1"), elapsed("P2D")]}
    (constraint,) = permission(either).constraints
    assert not holds(constraint)
    problem = unheld(constraint)
    assert problem.code == "policy-plan-no-enforcer"
    assert problem.params["operand"] == "odrl:elapsedTime, urn:x"


def test_an_order_of_events_is_no_conjunction():
    (order,) = permission({"andSequence": [elapsed("P1D"), elapsed("P2D")]}).constraints
    assert list(conjuncts((order,))) == [order]
