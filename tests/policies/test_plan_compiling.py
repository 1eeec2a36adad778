"""From an agreement to its plan: what is refused, and what stands in the plan whatever is asked."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from policies import odrl, plan
from policies.application import Application, read
from policies.evaluate import Decision, Fact, Request, claims, decide
from policies.model import Policy
from policies.naming import rules_digest
from policies.plan import DatasetFacts, Field, Plan, Rows
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LAB = "did:web:lab.example"
PLAIN = DatasetFacts("urn:d", (Field("verb", "/verb"),), personal=False, basis=None, category="x")
PERSONAL = replace(PLAIN, personal=True, basis="public-task")


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def records(operator: str, year: int) -> dict[str, object]:
    return atom("preau:recordTime", operator, f"{year}-01-01T00:00:00Z")


PURPOSE = atom("odrl:purpose", "isA", {"@id": PREAU + "EducationResearch"})


def agreed(*constraints: object, target: str | None = "urn:d", **members: object) -> Policy:
    rule = {"action": "use", "constraint": list(constraints)}
    read = odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule], **members})
    return replace(read, kind="Agreement", target=target)


def permit(policy: Policy, application: Application | None = None) -> Decision:
    asked = {ODRL + "purpose": Fact(())} if application is None else claims(application)
    return decide(policy, Request(ODRL + "use", "urn:d", LAB, asked), {}, NOW, "negotiation")


def compiled(
    policy: Policy, application: Application | None = None, dataset: DatasetFacts = PLAIN
) -> Plan:
    made = permit(policy, application)
    return plan.compile(policy, application, dataset, "urn:a", LAB, made)


@pytest.fixture
def request_of(asked: dict[str, Any]) -> Application:
    return read({**asked, "fields": ["verb"]})


def test_what_a_plan_is_about():
    policy = agreed()
    found = compiled(policy)
    assert (found.agreement, found.dataset) == ("urn:a", "urn:d")
    assert found.policy == "ni:///sha-256;" + rules_digest(policy)
    assert found.rows == Rows()
    assert compiled(agreed(target=None)).dataset == "urn:d"


def test_an_agreement_on_something_else_is_refused():
    other = replace(agreed(), target="urn:other")
    made = decide(other, Request(ODRL + "use", "urn:other", LAB), {}, NOW, "negotiation")
    with pytest.raises(Problem) as caught:
        plan.compile(other, None, PLAIN, "urn:a", LAB, made)
    assert caught.value.code == "policy-plan-target"
    assert caught.value.params["target"] == "urn:other"


def test_a_decision_on_other_rules_is_refused_even_by_the_same_permission():
    wider = agreed(prohibition=[{"action": "odrl:sell"}])
    with pytest.raises(Problem) as caught:
        plan.compile(agreed(), None, PLAIN, "urn:a", LAB, permit(wider))
    assert caught.value.code == "policy-plan-other-policy"


def test_facts_come_from_the_plan_and_are_enforced():
    found = compiled(agreed())
    assert plan.facts(found) == {
        key: Fact(held, "plan", "enforced") for key, held in found.values().items()
    }


@pytest.mark.parametrize(
    ("constraints", "first", "last"),
    [
        ([], 2021, 2022),
        ([records("gteq", 2020), records("lt", 2023)], 2021, 2022),
        ([records("gteq", 2021)], 2021, 2022),
    ],
)
def test_the_period_is_what_policy_and_application_share(
    constraints: list[object], first: int, last: int, request_of: Application
):
    rows = compiled(agreed(*constraints), request_of).rows
    assert rows == Rows(datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC))


def test_a_policy_alone_gives_its_own_period():
    assert compiled(agreed(records("gteq", 2021))).rows == Rows(datetime(2021, 1, 1, tzinfo=UTC))
    last = datetime(2022, 1, 1, tzinfo=UTC)
    assert compiled(agreed(records("lt", 2022))).rows == Rows(end=last)
    undated = compiled(agreed(records("lt", 2022)), dataset=replace(PLAIN, dated=False))
    assert undated.rows == Rows(undated=True)


@pytest.mark.parametrize("constraint", [records("gteq", 2022), records("lt", 2021)])
def test_a_period_without_an_instant_is_refused(
    constraint: dict[str, object], request_of: Application
):
    with pytest.raises(Problem) as caught:
        compiled(agreed(constraint), request_of)
    assert caught.value.code == "policy-plan-contradiction"
    assert caught.value.params["operand"] == "preau:recordTime"


@pytest.mark.parametrize("basis", plan.BASES)
def test_every_basis_but_consent_knows_objections(basis: str, request_of: Application):
    rows = compiled(agreed(), request_of, replace(PERSONAL, basis=basis)).rows
    assert rows.consent is not None
    assert rows.consent.mode == ("consent" if basis == "consent" else "objection")
    scope = rows.consent.scope
    assert (scope.recipient, scope.purpose, scope.category) == (LAB, request_of.purpose, "x")


def test_the_bases_are_those_of_the_law():
    assert (
        *("consent", "public-task", "legal-obligation", "contract"),
        *("legitimate-interest", "vital-interest"),
    ) == plan.BASES


def test_the_duties_and_the_budgets_stand_in_the_plan():
    delete = {"action": "odrl:delete"}
    found = compiled(
        agreed(
            atom("odrl:count", "lteq", 2), atom("preau:recordBudget", "lt", 9), obligation=delete
        )
    )
    assert (found.budgets.releases, found.budgets.records) == (2, 8)
    assert [each.kind for each in found.duties] == ["obligation"]
