"""Lanes, group sizes, dominance, budgets: the most telling lane that holds every wish (X4)."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from policies import odrl, plan
from policies.application import Application
from policies.compare import narrow
from policies.evaluate import Request, claims, decide
from policies.model import BOOLEAN, INTEGER, Constraint, Policy, Value, iri
from policies.plan import Aggregates, Budgets, DatasetFacts, Needs, Plan, groups, needs
from policies.plan.groups import Wish, lane, wish, wishes
from policies.plan.shares import holds
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LAB = "did:web:lab.example"


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def level(operator: str, *names: str) -> dict[str, object]:
    return atom("preau:aggregationLevel", operator, [{"@id": PREAU + name} for name in names])


def size(operator: str, number: int) -> dict[str, object]:
    return atom("preau:minGroupSize", operator, number)


def share(operator: str, number: str) -> dict[str, object]:
    return atom("preau:dominanceShare", operator, {"@value": number, "@type": "xsd:decimal"})


def records(operator: str, number: int) -> dict[str, object]:
    return atom("preau:recordBudget", operator, number)


def constraints(*spelled: object) -> tuple[Any, ...]:
    rule = {"action": "use", "constraint": list(spelled)}
    read = odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule]})
    return read.permissions[0].constraints


def wished(*spelled: object) -> Wish:
    return wishes(constraints(*spelled))


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ([], ("rows", None)),
        ([level("eq", "Row")], ("rows", None)),
        ([level("isA", "GroupedRows")], ("k-microdata", Aggregates(10))),
        ([level("eq", "Aggregate")], ("aggregates", Aggregates(10, "0.8"))),
        ([level("isAnyOf", "Row", "Aggregate")], ("rows", None)),
        ([size("gteq", 12)], ("k-microdata", Aggregates(12))),
        ([size("gt", 12)], ("k-microdata", Aggregates(13))),
        ([size("eq", 7)], ("k-microdata", Aggregates(7))),
        ([size("gteq", 2)], ("k-microdata", Aggregates(5))),
        ([size("gteq", 5)], ("k-microdata", Aggregates(5))),
        ([size("gteq", 6), size("gteq", 9)], ("k-microdata", Aggregates(9))),
        ([size("gteq", 12), level("isA", "Aggregate")], ("aggregates", Aggregates(12, "0.8"))),
        ([share("lteq", "0.5")], ("aggregates", Aggregates(10, "0.5"))),
        ([share("lteq", "0.5"), share("lteq", "0.30")], ("aggregates", Aggregates(10, "0.3"))),
        ([share("lteq", "1")], ("aggregates", Aggregates(10, "1"))),
        ([share("lt", "0.5")], ("aggregates", Aggregates(10, "0.4999"))),
    ],
)
def test_the_lane(spelled: list[object], expected: tuple[str, Aggregates | None]):
    assert lane(wished(*spelled)) == expected


@pytest.mark.parametrize(
    ("spelled", "operand"),
    [
        ([level("eq", "Elsewhere")], "preau:aggregationLevel"),
        ([size("eq", 7), size("gteq", 8)], "preau:minGroupSize"),
        ([size("eq", 3)], "preau:minGroupSize"),
        ([size("eq", 7), size("eq", 8)], "preau:minGroupSize"),
        ([share("lteq", "0")], "preau:dominanceShare"),
        ([share("lteq", "1.5")], "preau:dominanceShare"),
    ],
)
def test_wishes_that_leave_nothing(spelled: list[object], operand: str):
    with pytest.raises(Problem) as caught:
        lane(wished(*spelled))
    assert caught.value.code == "policy-plan-contradiction"
    assert caught.value.params["operand"] == operand


@pytest.mark.parametrize(
    ("spelled", "most"),
    [
        ([records("lteq", 100)], 100),
        ([records("lt", 100)], 99),
        ([records("lt", 0)], 0),
        ([records("lt", 1)], 0),
        ([records("lteq", 0)], 0),
        ([records("lteq", -1)], 0),
        ([records("lteq", 100), records("lteq", 50)], 50),
        ([], None),
    ],
)
def test_a_budget_of_records(spelled: list[object], most: int | None):
    assert wished(*spelled).records == most
    assert lane(wished(*spelled)) == ("rows", None)


@pytest.mark.parametrize(
    "constraint",
    [
        Constraint(groups.SIZE, ODRL + "lteq", (Value("5", INTEGER),)),
        Constraint(groups.SIZE, ODRL + "gteq", (Value("five", INTEGER),)),
        Constraint(groups.SIZE, ODRL + "gteq", (Value("5", INTEGER), Value("6", INTEGER))),
        Constraint(groups.SIZE, ODRL + "gteq", (iri("urn:x"),)),
        Constraint(groups.SIZE, ODRL + "gteq", (Value("true", BOOLEAN),)),
        Constraint(groups.SHARE, ODRL + "gteq", (Value("5", INTEGER),)),
        Constraint(groups.RECORDS, ODRL + "eq", (Value("5", INTEGER),)),
        Constraint(ODRL + "count", ODRL + "lteq", (Value("5", INTEGER),)),
        Constraint(ODRL + "dateTime", ODRL + "lt", (Value("2027-01-01", "urn:t"),)),
    ],
)
def test_what_is_no_wish(constraint: Constraint):
    assert wish(constraint) is None


def test_a_share_may_be_a_whole_number():
    found = wish(Constraint(groups.SHARE, ODRL + "lteq", (Value("1", INTEGER),)))
    assert found == Wish(frozenset({"aggregates"}), dominance=Decimal(1))


def compiled(
    offer: Policy, application: Application, dataset: DatasetFacts, *spelled: object
) -> Plan:
    narrowed = narrow(offer, application)
    rule = narrowed.permissions[0]
    terms = replace(
        narrowed,
        permissions=(replace(rule, constraints=(*rule.constraints, *constraints(*spelled))),),
    )
    request = Request(ODRL + "use", dataset.id, LAB, claims(application))
    made = decide(terms, request, {}, NOW, "negotiation")
    found = plan.compile(terms, application, dataset, "urn:a", LAB, made)
    # P10: what configures the plan is satisfied, because the plan satisfies it.
    again = decide(terms, request, plan.facts(found), NOW, "batch")
    budget = any("recordBudget" in str(each) for each in spelled)
    assert again.permitted or budget  # a budget's value is the ledger's
    return found


def test_a_plan_of_figures(offer: Policy, application: Application, dataset: DatasetFacts):
    found = compiled(offer, application, dataset, size("gteq", 12), share("lteq", "0.6"))
    document: dict[str, Any] = found.document()
    assert (document["lane"], document["aggregates"]) == (
        "aggregates",
        {"k": 12, "dominance": "0.6"},
    )
    assert document["linkage"] == "no rows leave"
    assert needs(found) == Needs(frozenset({"aggregates"}), frozenset())
    assert Plan.read(document) == found


def test_a_plan_of_grouped_rows(offer: Policy, application: Application, dataset: DatasetFacts):
    found = compiled(offer, application, dataset, level("isA", "GroupedRows"))
    assert (found.lane, found.aggregates) == ("k-microdata", Aggregates(10))
    assert found.linkage == "not measured"
    assert Plan.read(found.document()) == found


def test_budgets_stand_in_the_plan(offer: Policy, application: Application, dataset: DatasetFacts):
    count = atom("odrl:count", "lteq", 3)
    found = compiled(offer, application, dataset, records("lteq", 500), count)
    assert found.budgets == Budgets(3, 500)
    assert found.document()["budgets"] == {"releases": 3, "records": 500}
    assert Plan.read(found.document()).budgets == Budgets(3, 500)


def test_an_offer_says_which_lane_it_needs(offer: Policy):
    assert needs(offer) == Needs(frozenset({"rows"}), frozenset())
    rule = offer.permissions[0]
    grouped = replace(rule, constraints=constraints(size("gteq", 12)))
    both = replace(offer, permissions=(rule, grouped))
    assert needs(both).lanes == {"rows", "k-microdata"}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"lane": "aggregates"}, "aggregates"),
        ({"aggregates": {"k": 10}}, "aggregates"),
        ({"lane": "aggregates", "aggregates": {"k": 4}}, "aggregates.k"),
        (
            {"lane": "aggregates", "aggregates": {"k": 10, "dominance": "0.80"}},
            "aggregates.dominance",
        ),
        (
            {"lane": "aggregates", "aggregates": {"k": 10, "dominance": "most"}},
            "aggregates.dominance",
        ),
        ({"budgets": {"records": -1}}, "budgets.records"),
        ({"budgets": {"rows": 1}}, "budgets.rows"),
        ({"triggers": [{"do": "sing"}]}, "triggers[0].do"),
        ({"triggers": {}}, "triggers"),
        ({"duties": [{"kind": "duty"}]}, "duties[0].action"),
        ({"rows": {"undated": False}}, "rows.undated"),
        ({"rows": {"undated": True, "from": "2026-01-01T00:00:00Z"}}, "rows.undated"),
        ({"treatments": {"actor": "x"}}, "treatments.ids"),
    ],
)
def test_a_bad_plan_is_located(change: dict[str, Any], path: str):
    found = Plan("a", "p", "d", plan.Rows(), (), None).document() | change
    with pytest.raises(Problem) as caught:
        Plan.read(found)
    assert caught.value.params["path"] == path


def test_parts_that_no_plan_holds_are_refused_by_name(
    offer: Policy, application: Application, dataset: DatasetFacts
):
    narrowed = replace(narrow(offer, application), conflict="perm")
    request = Request(ODRL + "use", dataset.id, LAB, claims(application))
    made = decide(narrowed, request, {}, NOW, "negotiation")
    with pytest.raises(Problem) as caught:
        plan.compile(narrowed, application, dataset, "urn:a", LAB, made)
    assert caught.value.code == "policy-plan-beyond"
    assert "conflict" in caught.value.text("en")


@pytest.mark.parametrize(
    ("spelled", "held"),
    [
        (atom("preau:consentStatus", "eq", {"@id": "dpv:RenewedConsentGiven"}), True),
        (atom("preau:learnerAge", "gteq", 15), True),
        (atom("urn:x", "eq", "1"), False),
        (atom("odrl:delayPeriod", "lteq", "P1D"), False),
        (atom("odrl:count", "gteq", 3), False),
        (atom("odrl:purpose", "gt", {"@id": "urn:x"}), False),
        (records("lteq", 3), True),
        ({"or": [atom("odrl:count", "lteq", 3), atom("preau:learnerAge", "gteq", 15)]}, False),
        ({"andSequence": [atom("preau:recordTime", "lt", "2027-01-01T00:00:00Z")]}, False),
        (
            {"or": [{"andSequence": [atom("preau:recordTime", "lt", "2027-01-01T00:00:00Z")]}]},
            False,
        ),
        ({"andSequence": [atom("odrl:dateTime", "lt", "2027-01-01T00:00:00Z")]}, True),
    ],
)
def test_what_the_compiler_holds(spelled: dict[str, object], held: bool):
    assert holds(constraints(spelled)[0]) is held
