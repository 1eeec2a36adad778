"""Whether an agreement still stands: the next instant to look, and refusals that last."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import odrl, plan
from policies.application import Application
from policies.compare import narrow
from policies.evaluate import Request, claims, decide, groups
from policies.model import Policy
from policies.plan import DatasetFacts, Plan, Rows, Trigger
from policies.standing import lasting, next_change, next_instant
from policies.vocabulary import ODRL, PREAU

NOW = datetime(2027, 1, 1, tzinfo=UTC)
LAB = "did:web:lab.example"


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def date(operator: str, year: int) -> dict[str, object]:
    return atom("odrl:dateTime", operator, f"{year}-01-01T00:00:00Z")


def elapsed(operator: str, length: str) -> dict[str, object]:
    return atom("odrl:elapsedTime", operator, length)


GROUP = atom("preau:membership", "isPartOf", {"@id": "group:labs"})
MARKETING = atom("odrl:purpose", "isA", {"@id": "dpv:Marketing"})


def agreed(*constraints: object, **members: object) -> Policy:
    rule = {"action": "use", "constraint": list(constraints)}
    read = odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule], **members})
    return replace(read, kind="Agreement", target="urn:d", timestamp="2026-12-01T00:00:00Z")


@pytest.mark.parametrize(
    ("constraints", "lasts"),
    [
        ([date("lt", 2026)], True),
        ([date("lteq", 2026)], True),
        ([date("eq", 2026)], True),
        ([date("gteq", 2028)], False),
        ([date("gt", 2028)], False),
        ([date("neq", 2027)], False),
        ([date("gteq", 2028), date("lt", 2026)], True),
        ([elapsed("lteq", "P1D")], True),
        ([elapsed("gteq", "P1Y")], False),
        ([GROUP], False),
        ([GROUP, date("lt", 2026)], True),
        ([{"or": [GROUP, date("lt", 2026)]}], False),
        ([{"or": [date("lt", 2025), date("lt", 2026)]}], True),
        ([{"and": [GROUP, date("lt", 2026)]}], True),
        ([{"xone": [date("lt", 2026), GROUP]}], False),
        ([MARKETING], True),
    ],
)
def test_a_refusal_lasts_or_does_not(constraints: list[object], lasts: bool, asked: dict[str, Any]):
    policy = agreed(*constraints)
    request = Request(ODRL + "use", "urn:d", LAB, {})
    purpose = {ODRL + "purpose": claims_of(asked)}
    known = {PREAU + "membership": groups([])}
    made = decide(policy, replace(request, claims=purpose), known, NOW, "monitor")
    assert not made.permitted
    assert lasting(made) is lasts


def claims_of(asked: dict[str, Any]) -> Any:
    from policies.application import read

    return claims(read(asked))[ODRL + "purpose"]


@pytest.mark.parametrize(
    ("condition", "lasts"),
    [([], True), ([date("lt", 2028)], False), ([date("gteq", 2026)], True), ([GROUP], False)],
)
def test_a_prohibition_lasts_unless_its_condition_may_cease(condition: list[object], lasts: bool):
    policy = agreed(prohibition=[{"action": "use", "constraint": condition}])
    known = {PREAU + "membership": groups(["labs"])}
    made = decide(policy, Request(ODRL + "use", "urn:d", LAB, {}), known, NOW, "monitor")
    assert not made.permitted
    assert lasting(made) is lasts


def test_a_permit_is_no_refusal():
    made = decide(agreed(), Request(ODRL + "use", "urn:d", LAB, {}), {}, NOW, "monitor")
    assert made.permitted
    assert not lasting(made)


def test_the_next_instant_is_the_first_after():
    at = ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z", "2027-01-15T00:00:00Z")
    acts = ("begin", "end", "check")
    triggers = tuple(Trigger(do, at=when) for do, when in zip(acts, at, strict=True))  # type: ignore[arg-type]
    due = Trigger("due", at="2027-01-02T00:00:00Z", duty="x")
    found = Plan(
        "a", "p", "d", Rows(), (), None, triggers=(*triggers, due, Trigger("check", on="urn:o"))
    )
    assert next_instant(found, NOW) == datetime(2027, 1, 15, tzinfo=UTC)
    assert next_instant(found, NOW - timedelta(seconds=1)) == NOW
    assert next_instant(found, datetime(2027, 2, 1, tzinfo=UTC)) is None


INSTANTS = ["2026-12-01T00:00:00Z", "2026-12-02T00:00:00", "2026-12-03T00:00:00+05:00"]
CLAUSES = st.one_of(
    st.builds(
        lambda op, at: atom("odrl:dateTime", op, at),
        st.sampled_from(["lt", "lteq", "gt", "gteq", "eq", "neq"]),
        st.sampled_from(INSTANTS),
    ),
    st.builds(
        lambda op, day: atom(
            "odrl:dateTime", op, {"@value": f"2026-12-0{day}", "@type": "xsd:date"}
        ),
        st.sampled_from(["lt", "lteq", "gt", "gteq", "eq"]),
        st.integers(1, 4),
    ),
    st.builds(
        elapsed,
        st.sampled_from(["lt", "lteq", "gt", "gteq"]),
        st.sampled_from(["PT1H", "P1D", "P2DT1S"]),
    ),
)
TREES = st.recursive(
    CLAUSES,
    lambda inner: st.builds(
        lambda op, parts: {op: parts},
        st.sampled_from(["and", "or", "xone"]),
        st.lists(inner, min_size=1, max_size=2),
    ),
    max_leaves=4,
)
MOMENTS = st.builds(
    lambda hours, ticks: (
        datetime(2026, 11, 30, tzinfo=UTC) + timedelta(hours=hours, microseconds=ticks)
    ),
    st.integers(0, 24 * 6),
    st.integers(-1, 1),
)


@given(st.lists(TREES, max_size=3), st.lists(TREES, max_size=1), MOMENTS, MOMENTS)
def test_between_two_changes_the_clock_changes_nothing(
    permitting: list[Any], barring: list[Any], one: datetime, other: datetime
):
    duty = {"action": "odrl:delete", "constraint": [elapsed("lteq", "P1D")]}
    bars = [{"action": "use", "constraint": barring}] if barring else []
    policy = agreed(*permitting, prohibition=bars, obligation=[duty])
    early, late = sorted((one, other))
    change = next_change(policy, early)
    assert change is not None or late >= early
    if change is not None and late >= change:
        return
    request = Request(ODRL + "use", "urn:d", LAB, {})
    first, second = (decide(policy, request, {}, at, "batch") for at in (early, late))
    assert first.outcome == second.outcome
    assert first.permission == second.permission


def test_a_policy_without_dates_changes_only_when_it_begins():
    assert next_change(agreed(GROUP), NOW) is None
    began = datetime(2026, 12, 1, tzinfo=UTC)
    assert next_change(agreed(GROUP), began - timedelta(days=1)) == began
    assert next_change(agreed(date("lt", 2028)), NOW) == datetime(2028, 1, 1, tzinfo=UTC)


def test_triggers_name_every_instant_that_matters(
    offer: Policy, application: Application, dataset: DatasetFacts
):
    narrowed = narrow(offer, application)
    rule = narrowed.permissions[0]
    read = agreed(
        {"or": [date("lt", 2028), date("gteq", 2029)]},
        date("neq", 2030),
        date("gteq", 2026),
        elapsed("gteq", "PT1H"),
        {"or": [elapsed("lteq", "P1D"), GROUP]},
    )
    terms = replace(
        narrowed,
        kind="Agreement",
        timestamp="2026-12-01T00:00:00Z",
        permissions=(
            replace(rule, constraints=(*rule.constraints, *read.permissions[0].constraints)),
        ),
    )
    request = Request(ODRL + "use", dataset.id, LAB, claims(application))
    known = {PREAU + "membership": groups(["labs"])}
    made = decide(terms, request, known, NOW, "negotiation")
    compiled = plan.compile(terms, application, dataset, "urn:a", LAB, made)
    found = {(t.do, t.at or t.on) for t in compiled.triggers if t.do != "due"}
    assert found == {
        ("begin", "2026-01-01T00:00:00Z"),
        ("begin", "2026-12-01T01:00:00Z"),
        ("check", "2026-12-02T00:00:00Z"),
        ("check", "2026-12-02T00:00:01Z"),
        ("check", "2028-01-01T00:00:00Z"),
        ("check", "2028-01-01T00:00:00.000001Z"),
        ("check", "2029-01-01T00:00:00Z"),
        ("check", "2029-01-01T00:00:00.000001Z"),
        ("check", "2030-01-01T00:00:00Z"),
        ("check", "2030-01-01T00:00:00.000001Z"),
        ("check", PREAU + "membership"),
        ("end", "2027-08-31T00:00:00Z"),
    }
