"""All that ODRL 2.2 can say beyond the protocol's wire: read, named, written, never dropped."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import explain, odrl
from policies.lint import Declaration, lint
from policies.model import INTEGER, PLAIN, Constraint, Policy, Refinements, Value, beyond
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU

LIMIT = {"leftOperand": "odrl:resolution", "operator": "lteq", "rightOperand": 1200}
YOUNG = {"leftOperand": "odrl:dateTime", "operator": "gt", "rightOperand": "2027-01-01T00:00:00Z"}


def only(**rule: object) -> dict[str, Any]:
    return {"@id": "urn:p", "@type": "Set", "permission": [{"action": "use", **rule}]}


FULL: dict[str, dict[str, Any]] = {
    "action refinement": only(action={"rdf:value": {"@id": "odrl:print"}, "refinement": [LIMIT]}),
    "action refinement by id": only(action={"@id": "odrl:print", "refinement": LIMIT}),
    "asset collection": only(
        target={"@type": "AssetCollection", "source": "urn:all", "refinement": [YOUNG]}
    ),
    "collection and its source": only(
        target={"@type": "AssetCollection", "uid": "urn:some", "source": "urn:all"}
    ),
    "party collection": only(
        assignee={"@type": "PartyCollection", "uid": "urn:team"},
        assigner={"@type": "Party", "uid": "urn:me", "partOf": "urn:us"},
    ),
    "logical refinement": only(action={"@id": "use", "refinement": {"or": [LIMIT, YOUNG]}}),
    "consequence": only(
        duty=[{"action": "odrl:compensate", "consequence": [{"action": "odrl:delete"}]}]
    ),
    "party function": only(duty=[{"action": "odrl:compensate", "compensatedParty": "urn:bank"}]),
    "remedy": {
        "@id": "urn:p",
        "@type": "Set",
        "prohibition": [{"action": "odrl:sell", "remedy": [{"action": "odrl:delete"}]}],
    },
    "unit": only(constraint=[{**LIMIT, "unit": "urn:dpi"}]),
    "status": only(constraint=[{**LIMIT, "status": 3}]),
    "reference": only(
        constraint=[
            {
                "leftOperand": "odrl:count",
                "operator": "lteq",
                "rightOperandReference": "urn:limit",
            }
        ]
    ),
    "conflict": {**only(), "conflict": "odrl:perm"},
    "invalid": {**only(), "conflict": "invalid"},
    "inheritance": {"@id": "urn:p", "@type": "Set", "inheritFrom": ["urn:q", "urn:r"]},
}


@pytest.mark.parametrize("spelled", FULL.values(), ids=FULL)
def test_what_was_read_is_written_and_named(spelled: dict[str, Any]):
    read = odrl.read(spelled)
    assert odrl.read(odrl.wire(read)) == read
    assert odrl.document(odrl.read(odrl.document(read))) == odrl.document(read)
    assert beyond(read)
    if read.permissions:
        plain = odrl.read(only(action=read.permissions[0].action))
        assert odrl.rules_digest(read) != odrl.rules_digest(plain)


@pytest.mark.parametrize("spelled", FULL.values(), ids=FULL)
def test_what_the_protocol_cannot_carry_is_not_published_and_is_told(spelled: dict[str, Any]):
    read = odrl.read(spelled)
    found = {
        finding.code
        for finding in lint(read, Declaration(personal=False, until="2027-01-01T00:00:00Z"))
    }
    assert "policy-lint-beyond-protocol" in found
    told = " ".join(explain.policy(read, "en"))
    base = read.permissions[0].action if read.permissions else "odrl:use"
    assert told != " ".join(explain.policy(odrl.read(only(action=base)), "en"))


def test_every_full_policy_has_its_own_name():
    digests = {odrl.rules_digest(odrl.read(each)) for each in FULL.values()}
    assert len(digests) == len(FULL) - 1  # an action refined by @id or rdf:value is the same


def test_a_unit_a_refinement_and_a_reference_are_typed():
    unit = odrl.read(FULL["unit"]).permissions[0].constraints[0]
    assert unit == Constraint(
        ODRL + "resolution", ODRL + "lteq", (Value("1200", INTEGER),), "urn:dpi"
    )
    refined = odrl.read(FULL["action refinement"]).permissions[0]
    assert refined.action == ODRL + "print"
    assert refined.refined.action == (odrl.read(only(constraint=LIMIT)).permissions[0].constraints)
    reference = odrl.read(FULL["reference"]).permissions[0].constraints[0]
    assert isinstance(reference, Constraint)
    assert (reference.right, reference.references) == ((), ("urn:limit",))


def test_a_data_type_is_the_type_of_the_value():
    typed = {
        "leftOperand": "urn:x",
        "operator": "eq",
        "rightOperand": "5.0",
        "dataType": "xsd:decimal",
    }
    other = {
        "leftOperand": "urn:x",
        "operator": "eq",
        "rightOperand": {"@value": "5", "@type": "xsd:decimal"},
    }
    assert odrl.same(odrl.read(only(constraint=typed)), odrl.read(only(constraint=other)))
    with pytest.raises(Problem) as caught:
        odrl.read(only(constraint={**other, "dataType": "xsd:integer"}))
    assert caught.value.code == "policy-value"


# --- compact rules become atomic ------------------------------------------------------------


def test_several_actions_and_targets_are_every_combination():
    read = odrl.read(
        only(
            **{"@id": "urn:r", "action": ["odrl:read", "odrl:print"], "target": ["urn:a", "urn:b"]}
        )
    )
    assert [(rule.action.removeprefix(ODRL), rule.target) for rule in read.permissions] == [
        ("read", "urn:a"),
        ("read", "urn:b"),
        ("print", "urn:a"),
        ("print", "urn:b"),
    ]
    assert {rule.id for rule in read.permissions} == {None}


def test_one_of_each_keeps_its_id():
    read = odrl.read(only(**{"@id": "urn:r", "action": ["odrl:read"], "target": ["urn:a"]}))
    assert read.permissions[0].id == "urn:r"


def test_members_of_the_policy_are_shared_by_its_rules():
    read = odrl.read(
        {
            "@type": "Set",
            "action": "odrl:read",
            "target": ["urn:a", "urn:b"],
            "assigner": "urn:me",
            "constraint": LIMIT,
            "permission": [{}, {"target": "urn:c", "constraint": YOUNG}],
            "prohibition": [{"action": "odrl:sell"}],
        }
    )
    assert [rule.target for rule in read.permissions] == ["urn:a", "urn:b", "urn:c"]
    assert {rule.action for rule in read.permissions} == {ODRL + "read"}
    assert [len(rule.constraints) for rule in read.permissions] == [1, 1, 2]
    assert [(rule.action, rule.target) for rule in read.prohibitions] == [
        (ODRL + "sell", "urn:a"),
        (ODRL + "sell", "urn:b"),
    ]
    assert (read.target, read.assigner) == (None, "urn:me")


def test_duties_are_atomic_too_and_share_nothing():
    read = odrl.read(
        {
            "@type": "Set",
            "constraint": LIMIT,
            "permission": [{"action": "use", "duty": {"action": ["odrl:delete", "odrl:inform"]}}],
        }
    )
    assert [duty.action.removeprefix(ODRL) for duty in read.permissions[0].duties] == [
        "delete",
        "inform",
    ]
    assert all(not duty.constraints for duty in read.permissions[0].duties)


words = st.sampled_from(["odrl:read", "odrl:print", "odrl:write"])
names = st.sampled_from(["urn:a", "urn:b", "urn:c"])


@given(
    st.lists(words, min_size=1, max_size=3),
    st.lists(names, min_size=1, max_size=3),
    st.lists(names, max_size=2),
)
def test_compact_and_atomic_are_one_policy(actions: list[str], targets: list[str], who: list[str]):
    compact = only(action=actions, target=targets, **({"assignee": who} if who else {}))
    atomic = [
        {"action": action, "target": target, **({"assignee": one} if one else {})}
        for action in actions
        for target in targets
        for one in (who or [""])
    ]
    shared = {
        "@type": "Set",
        "action": actions,
        "target": targets,
        **({"assignee": who} if who else {}),
        "permission": {},
    }
    written: Policy = odrl.read({"@type": "Set", "permission": atomic})
    assert odrl.rules_digest(odrl.read(compact)) == odrl.rules_digest(written)
    rules = odrl.read(shared)
    flat = {
        (rule.action, rule.target or rules.target, rule.assignee or rules.assignee)
        for rule in rules.permissions
    }
    assert flat == {(rule.action, rule.target, rule.assignee) for rule in written.permissions}


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    (only(action=[]), "policy-shape", "permission[0].action"),
    (
        only(target={"@type": "Asset", "uid": "urn:a", "refinement": LIMIT}),
        "policy-type",
        "permission[0].target.@type",
    ),
    (
        only(target={"@type": "PartyCollection", "uid": "urn:a"}),
        "policy-type",
        "permission[0].target.@type",
    ),
    (only(target={"@type": "AssetCollection"}), "policy-missing-member", "permission[0].target"),
    (
        only(target={"uid": "urn:a", "hasPolicy": "urn:b"}),
        "policy-unknown-member",
        "permission[0].target.hasPolicy",
    ),
    (only(action={"refinement": LIMIT}), "policy-missing-member", "permission[0].action"),
    (
        only(action=["use", {"@id": "use", "refinement": [{}]}]),
        "policy-missing-member",
        "permission[0].action[1].refinement[0]",
    ),
    (
        only(duty={"action": "odrl:delete", "remedy": []}),
        "policy-unknown-member",
        "permission[0].duty[0].remedy",
    ),
    (
        {
            "@type": "Set",
            "action": "use",
            "target": [f"urn:{n}" for n in range(256)],
            "permission": [{}] * 17,
        },
        "policy-too-many",
        "permission",
    ),
    (only(target=[f"urn:{n}" for n in range(300)]), "policy-too-many", "permission[0]"),
    ({"@type": "Set", "permission": [{"action": "use"}] * 257}, "policy-too-many", "permission"),
    (
        only(constraint=[{**LIMIT, "rightOperand": 10**40}]),
        "policy-shape",
        "permission[0].constraint[0].rightOperand",
    ),
    (
        {"@type": "Set", "constraint": [{"or": []}], "permission": {"action": "use"}},
        "policy-shape",
        "constraint[0].or",
    ),
    ({"@type": "Set", "target": [3], "permission": {"action": "use"}}, "policy-shape", "target"),
]


@pytest.mark.parametrize(("data", "code", "path"), FAULTS)
def test_faults_are_located(data: dict[str, Any], code: str, path: str):
    with pytest.raises(Problem) as caught:
        odrl.read(data)
    assert (caught.value.code, caught.value.params["path"]) == (code, path)


def test_duties_of_duties_have_an_end():
    deep: dict[str, Any] = {"action": "odrl:delete"}
    for _ in range(60):
        deep = {"action": "odrl:delete", "consequence": [deep]}
    with pytest.raises(Problem) as caught:
        odrl.read(only(duty=[deep]))
    assert caught.value.code == "policy-too-deep"


def test_a_document_s_own_texts_are_carried_and_say_nothing():
    said = {
        **only(),
        "dct:creator": "urn:me",
        "dct:issued": {"@value": "2026-01-01", "@type": "xsd:date"},
    }
    read = odrl.read(said)
    assert odrl.wire(read)["http://purl.org/dc/terms/creator"] == "urn:me"
    assert odrl.rules_digest(read) == odrl.rules_digest(odrl.read(only()))
    json.dumps(odrl.wire(read))


def test_plain_rules_stay_plain():
    assert odrl.read(only()).permissions[0].refined == PLAIN
    assert not PLAIN
    assert Refinements(collections=("target",))
    assert beyond(odrl.read({**only(), "conflict": "prohibit"})) == ()
    assert odrl.same(odrl.read({**only(), "conflict": "prohibit"}), odrl.read(only()))
    assert PREAU not in json.dumps(odrl.document(odrl.read(only())))


# --- anything may be wrong ------------------------------------------------------------------

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["use", "odrl:print", "urn:x", "eq", "\ud800", "AssetCollection", "P1D"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["@id", "uid", "@type", "@value", "source", "refinement", "action", "duty", "@list"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def _places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a JSON value."""
    found = [path]
    if isinstance(data, dict):
        for key, value in data.items():
            found += _places(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            found += _places(value, (*path, index))
    return found


def _replaced(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copied: Any = dict(data) if isinstance(data, dict) else list(data)
    copied[path[0]] = _replaced(data[path[0]], path[1:], value)
    return copied


@given(st.sampled_from(sorted(FULL)), st.data())
def test_a_damaged_policy_is_a_policy_or_a_problem(name: str, data: st.DataObject):
    path = data.draw(st.sampled_from(_places(FULL[name])))
    value = data.draw(junk)
    damaged = _replaced(FULL[name], path, value)
    if data.draw(st.booleans()) and isinstance(damaged, dict):
        damaged = {**damaged, data.draw(st.text(max_size=5)): data.draw(junk)}
    read = _read(damaged)
    if isinstance(read, Problem):
        assert read.kind == "invalid"
        json.dumps(read.document())
        return
    assert odrl.read(odrl.wire(read)) == read
    assert odrl.document(odrl.read(odrl.document(read))) == odrl.document(read)


def _read(data: object) -> Policy | Problem:
    try:
        return odrl.read(data)
    except Problem as problem:
        return problem
