"""The nine examples of the W3C formal-semantics draft: activation and control state.

Slips of the examples, read as what is meant: the requests of C name `billie1` where the policies
name `billie`; a payment date is written with a blank; times have no zone (read as UTC).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from policies import odrl, operands
from policies.decision import Decision
from policies.evaluate import Fact, Record, Request, World, decide
from policies.judge import conjunction
from policies.model import DECIMAL, INTEGER, STRING, Value
from policies.operands import Operand
from policies.operands.base import EQ, ORDERED, PHASES, exact, exactly_implies, ordered
from policies.operands.base import ordered_implies as implied
from policies.vocabulary import ODRL

EXPECTED = {
    "A11": ("Active", "Permit"),
    "A12": ("Inactive", "Deny"),
    "B11": ("Active", "Permit"),
    "B12": ("Active", "Deny"),
    "C11": ("Inactive", "Deny"),
    "C12": ("Active", "Permit"),
    "C21": ("Active", "Permit"),
    "C22": ("Inactive", "Deny"),
    "C23": ("Active", "Permit"),
}


def operand(iri: str, datatype: str, *, is_ordered: bool) -> Operand:
    """An operand of the examples that no node of ours has a source for."""
    return Operand(
        iri=iri,
        datatype=datatype,
        operators=ORDERED if is_ordered else frozenset({EQ}),
        phases=frozenset(PHASES),
        source="dataset",
        assurance="declared",
        fr=iri,
        en=iri,
        compare=ordered if is_ordered else exact,
        implies=implied if is_ordered else exactly_implies,
    )


REGISTRY = {
    **operands.REGISTRY,
    ODRL + "resolution": operand(ODRL + "resolution", INTEGER, is_ordered=True),
    ODRL + "payAmount": operand(ODRL + "payAmount", DECIMAL, is_ordered=True),
    "ex:dayOfWeek": operand("ex:dayOfWeek", STRING, is_ordered=False),
}


def load(root: Path, pattern: str) -> Any:
    found = sorted(root.rglob(pattern))
    return json.loads(found[0].read_text("utf-8")) if found else None


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace(" ", "T")).replace(tzinfo=UTC)


def run(root: Path, name: str) -> Decision:
    policy = odrl.read(load(root, f"policy{name[:2]}.json"))
    asked = load(root, f"evaluationrequest{name}.json")
    parameter, state = asked["requestParameters"], load(root, f"state{name}.json")
    now, claims = datetime(2025, 1, 1, tzinfo=UTC), {}
    if "DateTime" in parameter["describesFeature"]:
        now = moment(parameter["value"]["@value"])
    else:
        claims[ODRL + "resolution"] = Fact(
            (Value(parameter["value"]["@id"], INTEGER),), unit=parameter["describesFeature"]
        )
    records: tuple[Record, ...] = ()
    if state:
        paid = state["context"]
        at = moment(paid["pay:paymentDate"]["@value"])
        records = (Record(ODRL + "compensate", at, duty=paid["conditionId"]),)
    party = asked.get("evaluatedParty", "").replace("billie1", "billie")
    return decide(
        policy,
        Request(odrl.iri(asked["evaluatedAction"]), asked["evaluatedTarget"], party, claims),
        {"ex:dayOfWeek": Fact((Value(now.strftime("%A"), STRING),))},
        now,
        "transfer",
        world=World(records),
        registry=REGISTRY,
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_activation_and_control_state(name: str, official: Callable[[str], Path]):
    root = official("odrl/formal-semantics/examples")
    decided = run(root, name)
    rule = decided.trace[0]
    # There, activation looks at constraints and conditions; refinements concern the request.
    state = conjunction([each.outcome for each in (*rule.constraints, *rule.duties)])
    found = (
        "Active" if state == "satisfied" else "Inactive",
        "Permit" if decided.permitted else "Deny",
    )
    assert found == EXPECTED[name]
    report = json.dumps(load(root, f"compliancereport*{name}.json"))
    assert f"report:{found[0]}" in report
    assert f"report:{found[1]}" in report


def test_an_operand_without_a_source_never_permits(official: Callable[[str], Path]):
    """The same with our own registry: what nobody can evaluate stays undetermined."""
    root = official("odrl/formal-semantics/examples")
    policy = odrl.read(load(root, "policyB1.json"))
    asked = Request(ODRL + "print", "http://example.com/document/1234", "urn:x")
    decided = decide(policy, asked, {}, datetime(2025, 1, 1, tzinfo=UTC), "transfer")
    assert decided.outcome == "undetermined"
