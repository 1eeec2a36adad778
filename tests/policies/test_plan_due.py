"""Due dates of promises, and the instants at which an agreement is looked at again."""

from dataclasses import replace

import pytest

from policies import odrl, operands
from policies.decision import Promise
from policies.model import Policy
from policies.plan.due import duty, triggers
from policies.plan.duties import PlanDuty, Trigger
from policies.values import Duration
from policies.vocabulary import DPV, ODRL, PREAU

BEGAN = "2026-12-01T00:00:00Z"
CHANGING = {"peer-list", "credential", "peer-catalog"}


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def date(operator: str, text: str) -> dict[str, object]:
    kind = "xsd:dateTime" if "T" in text else "xsd:date"
    return atom("odrl:dateTime", operator, {"@value": text, "@type": kind})


def elapsed(operator: str, length: str) -> dict[str, object]:
    return atom("odrl:elapsedTime", operator, length)


def agreed(*constraints: object, began: str | None = BEGAN, **members: object) -> Policy:
    rule = {"action": "use", "constraint": list(constraints)}
    read = odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule], **members})
    return replace(read, kind="Agreement", timestamp=began)


# --- promises ------------------------------------------------------------------------------------


def promised(
    *constraints: object, action: str = ODRL + "delete", began: str | None = BEGAN
) -> PlanDuty:
    rule = agreed(*constraints, began=began).permissions[0]
    return duty(Promise("duty", "n", action, rule.constraints), agreed(began=began))


@pytest.mark.parametrize(
    ("constraints", "due"),
    [
        ([elapsed("lteq", "P180D")], "2027-05-30T00:00:00Z"),
        ([elapsed("lt", "P1D")], "2026-12-02T00:00:00Z"),
        ([elapsed("eq", "P1D")], "2026-12-02T00:00:00Z"),
        ([elapsed("gteq", "P1D")], None),
        ([date("lteq", "2027-01-01T00:00:00Z")], "2027-01-01T00:00:00Z"),
        ([date("lt", "2027-01-01T00:00:00Z")], "2027-01-01T00:00:00Z"),
        ([date("lt", "2027-01-01Z")], "2027-01-01T00:00:00Z"),
        ([date("lteq", "2027-01-01Z")], "2027-01-01T23:59:59.999999Z"),
        ([date("lteq", "2027-01-01")], "2027-01-01T09:59:59.999999Z"),  # where the day ends first
        ([date("gteq", "2027-01-01T00:00:00Z")], None),
        ([elapsed("lteq", "P1D"), date("lteq", "2027-01-01Z")], "2026-12-02T00:00:00Z"),
        ([], None),
    ],
)
def test_when_a_promise_is_due(constraints: list[object], due: str | None):
    found = promised(*constraints)
    assert (found.due, found.elapsed, found.within, found.on) == (due, None, None, None)


def test_an_agreement_without_an_instant_leaves_the_length():
    found = promised(elapsed("lteq", "P180D"), began=None)
    assert (found.due, found.elapsed) == (None, "P180D")
    both = promised(elapsed("lteq", "P180D"), date("lteq", "2027-01-01Z"), began=None)
    assert (both.due, both.elapsed) == ("2027-01-01T23:59:59.999999Z", None)


def test_a_delay_counts_from_an_event():
    event = atom("odrl:event", "gt", {"@id": "dpv:ConsentWithdrawn"})
    found = promised(event, atom("odrl:delayPeriod", "lteq", "P7D"))
    assert (found.on, found.within, found.due) == (DPV + "ConsentWithdrawn", "P7D", None)


@pytest.mark.parametrize(
    ("action", "assurance"),
    [
        (ODRL + "delete", "contractual"),
        (PREAU + "attestDeletion", "declared"),
        (PREAU + "reportPublication", "declared"),
    ],
)
def test_what_the_recipient_will_declare(action: str, assurance: str):
    assert promised(action=action) == PlanDuty("duty", "n", action, assurance)


# --- triggers ------------------------------------------------------------------------------------


def found(policy: Policy, *duties: PlanDuty, length: str | None = None) -> list[str]:
    limit = None if length is None else Duration(0, int(length) * 86_400)
    listed = triggers(policy.permissions[0], policy, duties, limit)
    return [f"{each.do} {each.at or each.elapsed or each.on}" for each in listed]


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (date("lt", "2027-01-01T00:00:00Z"), ["end 2027-01-01T00:00:00Z"]),
        (date("lteq", "2027-01-01T00:00:00Z"), ["end 2027-01-01T00:00:00.000001Z"]),
        (date("gteq", "2027-01-01T00:00:00Z"), ["begin 2027-01-01T00:00:00Z"]),
        (date("gt", "2027-01-01T00:00:00Z"), ["begin 2027-01-01T00:00:00.000001Z"]),
        (date("lt", "2027-01-01Z"), ["end 2027-01-01T00:00:00Z"]),
        (date("lteq", "2027-01-01Z"), ["end 2027-01-02T00:00:00Z"]),
        (date("gteq", "2027-01-01Z"), ["begin 2027-01-01T00:00:00Z"]),
        (date("gt", "2027-01-01Z"), ["begin 2027-01-02T00:00:00Z"]),
        # Without a zone: what holds everywhere is permitted, and nothing else.
        (date("lt", "2027-01-01"), ["end 2026-12-31T10:00:00Z"]),
        (date("lteq", "2027-01-01"), ["end 2027-01-01T10:00:00Z"]),
        (date("gteq", "2027-01-01"), ["begin 2027-01-01T14:00:00Z"]),
        (date("gt", "2027-01-01"), ["begin 2027-01-02T14:00:00Z"]),
        (elapsed("gteq", "P1D"), ["begin 2026-12-02T00:00:00Z"]),
        (elapsed("gt", "P1D"), ["begin 2026-12-02T00:00:01Z"]),
        (elapsed("lteq", "P1D"), []),  # the share of the plan holds it
        (
            date("eq", "2027-01-01T00:00:00Z"),
            ["check 2027-01-01T00:00:00.000001Z", "check 2027-01-01T00:00:00Z"],
        ),
        (
            {"or": [date("eq", "2027-01-01Z"), elapsed("lteq", "P1D")]},
            [
                "check 2026-12-02T00:00:00Z",
                "check 2026-12-02T00:00:01Z",
                "check 2027-01-01T00:00:00.000001Z",
                "check 2027-01-01T00:00:00Z",
                "check 2027-01-01T23:59:59.999999Z",
                "check 2027-01-02T00:00:00Z",
            ],
        ),
        (atom("odrl:count", "lteq", 3), []),
        (atom("preau:recordTime", "lt", "2027-01-01T00:00:00Z"), []),
        ({"and": [date("lt", "2027-01-01Z")]}, ["end 2027-01-01T00:00:00Z"]),
    ],
)
def test_the_instants_that_a_permission_names(constraint: object, expected: list[str]):
    assert found(agreed(constraint)) == expected


def test_nothing_elapses_since_no_agreement():
    assert found(agreed(elapsed("gteq", "P1D"), {"or": [elapsed("eq", "P1D")]}, began=None)) == []
    assert found(agreed(began=None), length="10") == ["end P10D"]
    assert found(agreed(), length="10") == ["end 2026-12-11T00:00:00Z"]


@pytest.mark.parametrize(
    "left", [each.iri for each in operands.REGISTRY.values() if each.source in CHANGING]
)
def test_what_others_say_is_checked_whenever_it_changes(left: str):
    assert found(agreed(atom(left, "eq", {"@id": "urn:x"}))) == [f"check {left}"]


def test_there_are_operands_of_every_changing_source():
    sources = {each.source for each in operands.REGISTRY.values()}
    assert sources >= CHANGING


def test_a_prohibition_may_begin_to_hold():
    bars = {"action": "odrl:sell", "constraint": [date("gteq", "2027-01-01T00:00:00Z")]}
    assert found(agreed(prohibition=[bars])) == [
        "check 2027-01-01T00:00:00.000001Z",
        "check 2027-01-01T00:00:00Z",
    ]


def test_promises_with_a_time_or_an_event_are_triggers():
    dated = PlanDuty("duty", "a", ODRL + "delete", due="2027-01-01T00:00:00Z")
    lasting = PlanDuty("duty", "b", ODRL + "delete", elapsed="P1D")
    on = PlanDuty("duty", "c", ODRL + "delete", on=DPV + "ConsentWithdrawn", within="P1D")
    never = PlanDuty("prohibition", "d", ODRL + "sell")
    policy = agreed()
    assert triggers(policy.permissions[0], policy, (never, on, lasting, dated), None) == (
        Trigger("due", on=DPV + "ConsentWithdrawn", duty="c"),
        Trigger("due", elapsed="P1D", duty="b"),
        Trigger("due", at="2027-01-01T00:00:00Z", duty="a"),
    )


def test_triggers_stand_in_a_fixed_order():
    group = atom("preau:membership", "isPartOf", {"@id": "group:labs"})
    one = agreed(date("lt", "2027-01-01Z"), date("lt", "2028-01-01Z"), group)
    other = agreed(group, date("lt", "2028-01-01Z"), date("lt", "2027-01-01Z"))
    duties = (
        PlanDuty("duty", "b", ODRL + "delete", elapsed="P1D"),
        PlanDuty("duty", "a", ODRL + "delete", elapsed="P1D"),
        PlanDuty("duty", "c", ODRL + "delete", elapsed="P2D"),
    )
    expected = triggers(one.permissions[0], one, duties, None)
    assert triggers(other.permissions[0], other, duties[::-1], None) == expected
    assert [each.duty for each in expected if each.do == "due"] == ["a", "b", "c"]
    assert [each.do for each in expected] == ["check", "due", "due", "due", "end", "end"]


def test_changes_and_events_stand_in_the_order_of_their_names():
    changing = [each.iri for each in operands.REGISTRY.values() if each.source in CHANGING]
    policy = agreed(*(atom(left, "eq", {"@id": "urn:x"}) for left in changing))
    events = [f"urn:event{n}" for n in range(6)]
    duties = tuple(
        PlanDuty("duty", f"n{7 - n}", ODRL + "delete", on=on) for n, on in enumerate(events)
    )
    listed = triggers(policy.permissions[0], policy, duties, None)
    assert [each.on for each in listed] == [*sorted(changing), *events]
    same = tuple(replace(each, on=None, due="2027-01-01T00:00:00Z") for each in duties)
    listed = triggers(policy.permissions[0], policy, same, None)
    assert [each.duty for each in listed][-6:] == [f"n{n}" for n in range(2, 8)]
