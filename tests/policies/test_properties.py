"""What holds for every policy: adding prohibitions, unknowns and conditions never widens."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import odrl, operands
from policies.evaluate import Decision, Fact, Record, Request, World, decide
from policies.model import INTEGER, Constraint, Policy, Value, iri
from policies.operands import Phase
from policies.vocabulary import DPV, ODRL, PREAU

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PURPOSES = [
    *[PREAU + "EducationResearch"] * 2,
    DPV + "AcademicResearch",
    DPV + "Marketing",
    "urn:p",
]
UNKNOWN: dict[str, Any] = {"leftOperand": "urn:unknown", "operator": "eq", "rightOperand": "1"}


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


named = st.sampled_from([{"@id": each} for each in PURPOSES])
atoms = st.one_of(
    st.builds(
        atom,
        st.just("odrl:purpose"),
        st.sampled_from(["eq", "neq", "isA", "isAnyOf", "isNoneOf"]),
        named,
    ),
    st.builds(
        atom,
        st.just("odrl:count"),
        st.sampled_from(["eq", "neq", "lt", "lteq", "gt", "gteq"]),
        st.integers(0, 4),
    ),
    st.builds(
        atom,
        st.just("odrl:dateTime"),
        st.sampled_from(["lt", "lteq", "gt", "gteq", "eq"]),
        st.sampled_from(
            [
                "2026-12-01T12:00:00Z",
                "2027-01-01T00:00:00Z",
                {"@value": "2026-12-01", "@type": "xsd:date"},
                {"@value": "2026-12-01Z", "@type": "xsd:date"},
            ]
        ),
    ),
    st.just(atom("preau:consentStatus", "eq", {"@id": DPV + "ConsentGiven"})),
    st.just(UNKNOWN),
)
constraints = st.recursive(
    atoms,
    lambda inner: st.dictionaries(
        st.sampled_from(["and", "or", "xone", "andSequence"]),
        st.lists(inner, min_size=1, max_size=3),
        min_size=1,
        max_size=1,
    ),
    max_leaves=5,
)
# Weighted towards what permits: a property that never sees a permit proves nothing.
conditions: st.SearchStrategy[list[Any]] = st.just([]) | st.lists(constraints, max_size=2)
actions = st.sampled_from(
    [
        *["use"] * 4,
        "odrl:read",
        "odrl:distribute",
        "urn:act",
        {"@id": "odrl:read", "refinement": [atom("odrl:count", "lteq", 2)]},
    ]
)
targets = st.sampled_from(
    [
        *[None] * 5,
        "urn:t",
        "urn:album",
        "urn:other",
        {"@type": "AssetCollection", "uid": "urn:album"},
    ]
)
duties = st.lists(
    st.builds(
        lambda action, more: {"action": action, "constraint": more},
        st.sampled_from(["odrl:delete", "odrl:compensate", "urn:act"]),
        st.lists(
            st.sampled_from(
                [
                    atom("preau:duePhase", "eq", {"@id": "preau:BeforeUse"}),
                    atom("odrl:elapsedTime", "lteq", "P10D"),
                    UNKNOWN,
                ]
            ),
            max_size=2,
        ),
    ),
    max_size=2,
)


def _rule(action: object, target: object, some: list[Any], more: list[Any]) -> dict[str, Any]:
    rule: dict[str, Any] = {"action": action, "constraint": some}
    if target is not None:
        rule["target"] = target
    if more:
        rule["duty"] = more
    return rule


permissions = st.builds(_rule, actions, targets, conditions, st.just([]) | duties)
prohibitions = st.builds(_rule, actions, targets, conditions, st.just([]))
strategies = st.sampled_from([None, "perm", "prohibit", "invalid"])


def _policy(yes: list[Any], no: list[Any], owed: list[Any], conflict: str | None) -> dict[str, Any]:
    spelled: dict[str, Any] = {
        "@id": "urn:p",
        "@type": "Agreement",
        "timestamp": "2026-11-01T00:00:00Z",
        "permission": yes,
        "prohibition": no,
        "obligation": owed,
    }
    return {**spelled, "conflict": conflict} if conflict else spelled


policies = st.builds(
    _policy,
    st.lists(permissions, min_size=1, max_size=3),
    st.just([]) | st.lists(prohibitions, max_size=2),
    st.just([]) | duties,
    strategies,
)


@st.composite
def asks(draw: st.DrawFn) -> Any:
    """A way to ask any policy one and the same question."""
    claims = {ODRL + "purpose": Fact((iri(draw(st.sampled_from(PURPOSES))),))}
    facts: dict[str, Fact] = {}
    if draw(st.booleans()):
        facts[ODRL + "count"] = Fact((Value(str(draw(st.integers(0, 4))), INTEGER),))
    records = draw(st.sampled_from([None, (), (Record(ODRL + "compensate", NOW),)]))
    known: list[dict[str, tuple[str, ...]]] = [{}, {"urn:t": ()}, {"urn:t": ("urn:album",)}]
    members = draw(st.sampled_from(known))
    phase: Phase = draw(st.sampled_from(["negotiation", "transfer", "record"]))
    action = draw(
        st.sampled_from([*[ODRL + "use"] * 3, ODRL + "read", ODRL + "distribute", "urn:act"])
    )
    request = Request(action, "urn:t", "did:web:lab", claims)

    def ask(policy: Policy) -> Decision:
        return decide(policy, request, facts, NOW, phase, world=World(records, members))

    return ask


@given(policies, prohibitions, asks())
def test_adding_a_prohibition_never_widens(spelled: dict[str, Any], more: Any, ask: Any):
    before = ask(odrl.read(spelled))
    after = ask(odrl.read({**spelled, "prohibition": [*spelled["prohibition"], more]}))
    assert before.permitted or not after.permitted


@given(policies, duties, asks())
def test_adding_an_obligation_never_widens(spelled: dict[str, Any], more: Any, ask: Any):
    before = ask(odrl.read(spelled))
    after = ask(odrl.read({**spelled, "obligation": [*spelled["obligation"], *more]}))
    assert before.permitted or not after.permitted


@given(policies, constraints, asks())
def test_adding_a_condition_to_every_permission_never_widens(
    spelled: dict[str, Any], more: Any, ask: Any
):
    narrowed = [
        {**rule, "constraint": [*rule["constraint"], more]} for rule in spelled["permission"]
    ]
    before = ask(odrl.read(spelled))
    after = ask(odrl.read({**spelled, "permission": narrowed}))
    # A voided policy may stop being void when its permissions end: it is another policy then.
    if spelled.get("conflict") != "invalid":
        assert before.permitted or not after.permitted


@given(policies, asks())
def test_an_unknown_condition_never_permits(spelled: dict[str, Any], ask: Any):
    unknown = [
        {**rule, "constraint": [*rule["constraint"], UNKNOWN]} for rule in spelled["permission"]
    ]
    assert not ask(odrl.read({**spelled, "permission": unknown})).permitted


@given(policies, asks())
def test_an_unknown_prohibition_never_permits(spelled: dict[str, Any], ask: Any):
    bar = {"action": "use", "constraint": [UNKNOWN]}
    found = ask(odrl.read({**spelled, "prohibition": [*spelled["prohibition"], bar]}))
    if spelled.get("conflict") != "perm":
        assert not found.permitted


@given(policies, asks())
def test_permit_names_a_permission_that_holds(spelled: dict[str, Any], ask: Any):
    found = ask(odrl.read(spelled))
    held = {
        rule.name
        for rule in found.trace
        if rule.kind == "Permission" and rule.applies and rule.outcome in {"satisfied", "deferred"}
    }
    assert (found.permission in held) == found.permitted


@given(policies, asks())
def test_normal_form_is_idempotent_and_preserves_the_answer(spelled: dict[str, Any], ask: Any):
    read = odrl.read(spelled)
    normal = odrl.read(odrl.document(read))
    assert odrl.document(normal) == odrl.document(read)
    timed = replace(normal, timestamp=read.timestamp)  # an instant is no rule
    first, second = ask(read), ask(timed)
    assert (first.outcome, first.permission) == (second.outcome, second.permission)
    assert {rule.name: rule.outcome for rule in first.trace} == {
        rule.name: rule.outcome for rule in second.trace
    }


@given(
    st.lists(st.sampled_from(["odrl:read", "use", "odrl:sell"]), min_size=1, max_size=3),
    st.lists(st.sampled_from(["urn:t", "urn:album", "urn:x"]), min_size=1, max_size=3),
    conditions,
    asks(),
)
def test_compact_answers_as_atomic(acts: list[str], about: list[str], some: Any, ask: Any):
    rule = {"constraint": some}
    compact = {"@type": "Set", "permission": [{**rule, "action": acts, "target": about}]}
    shared = {"@type": "Set", "action": acts, "target": about, "permission": [rule]}
    atomic = {
        "@type": "Set",
        "permission": [{**rule, "action": act, "target": one} for act in acts for one in about],
    }
    answers = {ask(odrl.read(each)).outcome for each in (compact, shared, atomic)}
    assert len(answers) == 1


@given(st.sampled_from(["lt", "lteq", "eq", "gt", "gteq"]), st.integers(0, 4), st.integers(0, 4))
def test_what_implies_another_constraint_is_narrower(operator: str, inner: int, outer: int):
    one = odrl.read(_one(atom("odrl:count", operator, inner)))
    for wider in ("lt", "lteq", "eq", "neq", "gt", "gteq"):
        other = odrl.read(_one(atom("odrl:count", wider, outer)))
        narrow, wide = one.permissions[0].constraints[0], other.permissions[0].constraints[0]
        assert isinstance(narrow, Constraint)
        assert isinstance(wide, Constraint)
        operand = operands.find(ODRL + "count")
        assert operand is not None
        if operand.implies(narrow, wide):
            for count in range(6):
                fact = {ODRL + "count": Fact((Value(str(count), INTEGER),))}
                request = Request(ODRL + "use", "urn:t", "did:web:lab")
                before = decide(one, request, fact, NOW, "transfer")
                after = decide(other, request, fact, NOW, "transfer")
                assert after.permitted or not before.permitted


def _one(constraint: object) -> dict[str, Any]:
    return {"@type": "Set", "permission": [{"action": "use", "constraint": [constraint]}]}


@pytest.mark.parametrize("conflict", ["perm", "prohibit", "invalid"])
def test_lenient_is_asked_for_and_never_ours(conflict: str):
    spelled = _policy([_rule("use", None, [], [{"action": "odrl:compensate"}])], [], [], conflict)
    request = Request(ODRL + "use", "urn:t", "did:web:lab")
    assert not decide(odrl.read(spelled), request, {}, NOW, "transfer").permitted
    assert decide(odrl.read(spelled), request, {}, NOW, "transfer", lenient=True).permitted
