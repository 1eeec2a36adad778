"""Reading, naming and writing ODRL: every spelling one policy, nothing dropped, schema-valid."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import odrl, templates
from policies.model import BOOLEAN, DATETIME, INTEGER, Constraint, Policy, Value
from policies.problem import Problem
from policies.vocabulary import DPV, ODRL, PREAU

PURPOSE = DPV + "AcademicResearch"


def policy(*constraints: object, **members: object) -> dict[str, Any]:
    return {
        "@id": "urn:x",
        "@type": "Offer",
        "permission": [{"action": "use", "constraint": list(constraints)}],
        **members,
    }


def atom(left: str = "odrl:purpose", operator: str = "eq", right: object = None) -> dict[str, Any]:
    right = {"@id": "dpv:AcademicResearch"} if right is None else right
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


SPELLINGS = [
    policy(atom()),
    policy(atom("purpose")),
    policy(atom(ODRL + "purpose", ODRL + "eq", {"@id": PURPOSE})),
    policy(atom("odrl:purpose", "odrl:eq", [{"@id": PURPOSE}])),
    policy(atom("odrl:purpose", "eq", PURPOSE)),
    policy(atom("odrl:purpose", "eq", "dpv:AcademicResearch")),
    policy(atom("odrl:purpose", "eq", {"@value": PURPOSE, "@type": "xsd:anyURI"})),
    policy({**atom(), "@type": "Constraint", "@id": "urn:c"}, obligation=[], prohibition=[]),
    {
        ODRL + "uid": "urn:x",
        "type": "odrl:Offer",
        "odrl:permission": {
            "odrl:action": {"@id": "odrl:use"},
            ODRL + "constraint": {
                "odrl:leftOperand": {"@id": "odrl:purpose"},
                "odrl:operator": {"@id": "odrl:eq"},
                "odrl:rightOperand": {"@id": PURPOSE},
            },
        },
    },
]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_every_spelling_is_one_policy(spelled: dict[str, Any]):
    read = odrl.read(spelled)
    assert odrl.rules_digest(read) == odrl.rules_digest(odrl.read(SPELLINGS[0]))
    assert odrl.document(read) == odrl.document(odrl.read(SPELLINGS[0]))


def test_the_document_reads_back():
    read = odrl.read(policy(atom(), {"or": [atom(), atom("preau:fields", "isPartOf", ["b", "a"])]}))
    assert odrl.document(odrl.read(odrl.document(read))) == odrl.document(read)


def test_values_have_one_spelling():
    spelled = [
        "2026-12-31T23:00:00Z",
        "2027-01-01T00:00:00+01:00",
        {"@value": "2026-12-31T23:00:00.000Z", "@type": "xsd:dateTime"},
        {"@value": "2026-12-31T23:00:00Z", "@type": "xsd:dateTimeStamp"},
    ]
    read = [odrl.read(policy(atom("dateTime", "lt", value))) for value in spelled]
    assert len({odrl.rules_digest(each) for each in read}) == 1
    assert isinstance(read[0].permissions[0].constraints[0], Constraint)
    assert read[0].permissions[0].constraints[0].right[0].datatype == DATETIME


def test_numbers_and_truth_values_are_typed():
    three = odrl.read(policy(atom("odrl:count", "lteq", 3))).permissions[0].constraints[0]
    yes = odrl.read(policy(atom(PREAU + "longitudinal", "eq", True))).permissions[0].constraints[0]
    assert isinstance(three, Constraint)
    assert isinstance(yes, Constraint)
    assert three.right == (Value("3", INTEGER),)
    assert yes.right == (Value("true", BOOLEAN),)


def test_order_and_repetition_do_not_change_the_names():
    one, two = atom(), atom("odrl:count", "lteq", 3)
    first, second = odrl.read(policy(one, two)), odrl.read(policy(two, one, two))
    assert odrl.same(first, second)
    assert odrl.wire(first) != odrl.wire(second)


def test_a_sequence_keeps_its_order():
    one, two = atom(), atom("odrl:count", "lteq", 3)
    first = odrl.read(policy({"andSequence": [one, two]}))
    second = odrl.read(policy({"andSequence": [two, one]}))
    assert not odrl.same(first, second)
    assert odrl.same(odrl.read(policy({"and": [one, two]})), odrl.read(policy({"and": [two, one]})))


def test_a_class_is_part_of_a_name():
    found = odrl.read(
        {
            "@id": "urn:x",
            "@type": "Set",
            "permission": [{"action": "odrl:delete", "duty": [{"action": "odrl:delete"}]}],
            "prohibition": [{"action": "odrl:delete"}],
        }
    )
    bare = odrl.read({"@type": "Set", "permission": [{"action": "odrl:delete"}]})
    names = {
        odrl.name(bare.permissions[0]),
        odrl.name(found.permissions[0]),
        odrl.name(found.permissions[0].duties[0]),
        odrl.name(found.prohibitions[0]),
    }
    assert len(names) == 4
    assert all(name.startswith("ni:///sha-256;") and "=" not in name for name in names)


FAULTS: list[tuple[Any, str, str]] = [
    (None, "policy-shape", "policy"),
    ([], "policy-shape", "policy"),
    ({}, "policy-type", "@type"),
    ({"@type": "Ticket"}, "policy-type", "@type"),
    ({"@type": "Offer"}, "policy-no-rule", "policy"),
    (policy(inheritFrom=[]), "policy-shape", "inheritFrom"),
    (policy(inheritFrom=["urn:x", "y"]), "policy-relative-name", "inheritFrom[1]"),
    (policy(conflict="permission"), "policy-conflict", "conflict"),
    (policy({**atom(), "unit": "x"}), "policy-relative-name", "permission[0].constraint[0].unit"),
    (
        policy(atom(), {**atom(), "refinement": []}),
        "policy-unknown-member",
        "permission[0].constraint[1].refinement",
    ),
    (
        policy({**atom(), "dataType": "x"}),
        "policy-relative-name",
        "permission[0].constraint[0].dataType",
    ),
    (
        {"@type": "Offer", "permission": [{"action": "use", "remedy": []}]},
        "policy-unknown-member",
        "permission[0].remedy",
    ),
    (
        {"@type": "Offer", "prohibition": [{"action": "use", "duty": []}]},
        "policy-unknown-member",
        "prohibition[0].duty",
    ),
    (
        {"@type": "Offer", "permission": [{"action": {"@id": "use", "implies": "odrl:print"}}]},
        "policy-unknown-member",
        "permission[0].action.implies",
    ),
    ({"@type": "Offer", "permission": [{}]}, "policy-missing-member", "permission[0]"),
    ({"@type": "Offer", "permission": ["use"]}, "policy-shape", "permission[0]"),
    (
        {"@type": "Offer", "permission": [{"action": "use", "@type": "Prohibition"}]},
        "policy-type",
        "permission[0].@type",
    ),
    (policy(atom("a b")), "policy-relative-name", "permission[0].constraint[0].leftOperand"),
    (policy(atom(operator="near")), "policy-relative-name", "permission[0].constraint[0].operator"),
    (
        policy(atom(right={"@id": "lab"})),
        "policy-relative-name",
        "permission[0].constraint[0].rightOperand.@id",
    ),
    (policy(atom(right=[])), "policy-shape", "permission[0].constraint[0].rightOperand"),
    (policy(atom(right=[["x"]])), "policy-shape", "permission[0].constraint[0].rightOperand[0]"),
    (
        policy(atom(right={"@value": "x", "@language": "fr"})),
        "policy-unknown-member",
        "permission[0].constraint[0].rightOperand.@language",
    ),
    (
        policy({"and": [atom()], "or": [atom()]}),
        "policy-unknown-member",
        "permission[0].constraint[0].or",
    ),
    (policy({"or": []}), "policy-shape", "permission[0].constraint[0].or"),
    (
        {"@type": "Offer", "permission": [{"action": "use"}], "odrl:permission": []},
        "policy-duplicate-member",
        "odrl:permission",
    ),
    (policy(timestamp="yesterday"), "policy-value", "timestamp"),
]


@pytest.mark.parametrize(("data", "code", "path"), FAULTS)
def test_what_could_change_the_meaning_is_refused_at_its_place(data: Any, code: str, path: str):
    with pytest.raises(Problem) as caught:
        odrl.read(data)
    assert (caught.value.code, caught.value.params["path"]) == (code, path)
    assert caught.value.kind == "invalid"
    assert "{" not in caught.value.text("fr") + caught.value.remedy("en")


def test_a_place_begins_where_the_policy_stood():
    with pytest.raises(Problem) as caught:
        odrl.read(policy(atom("a b")), where="offer")
    assert caught.value.params["path"] == "offer.permission[0].constraint[0].leftOperand"


def test_nesting_has_an_end():
    deep: dict[str, Any] = atom()
    for _ in range(40):
        deep = {"and": [deep]}
    with pytest.raises(Problem) as caught:
        odrl.read(policy(deep))
    assert caught.value.code == "policy-too-deep"


def test_harmless_members_are_allowed():
    extra = {
        "@context": "x",
        "profile": "urn:p",
        "title": "T",
        "description": {"@value": "D", "@language": "fr"},
        PREAU + "signedDocument": {"@id": "urn:d"},
        "conflict": "odrl:prohibit",
    }
    assert odrl.same(odrl.read(policy(atom(), **extra)), odrl.read(policy(atom())))


def test_unknown_full_names_are_kept():
    read = odrl.read(policy(atom("https://example.org/x", "https://example.org/op")))
    constraint = read.permissions[0].constraints[0]
    assert isinstance(constraint, Constraint)
    assert (constraint.left, constraint.operator) == (
        "https://example.org/x",
        "https://example.org/op",
    )


def test_an_unknown_bare_word_is_kept_and_sent_back():
    spelled = policy(atom("partner", "eq", "gold"))
    read = odrl.read(spelled)
    assert isinstance(read.permissions[0].constraints[0], Constraint)
    assert read.permissions[0].constraints[0].left == odrl.BARE + "partner"
    assert odrl.wire(read)["permission"] == [
        {"action": "use", "constraint": [atom("partner", "eq", "gold")]}
    ]


def test_wire_keeps_order_ids_and_spelling():
    spelled = policy(
        {
            **atom("odrl:purpose", "isAnyOf", [PURPOSE, {"@id": DPV + "ScientificResearch"}]),
            "@id": "urn:c",
        },
        atom("odrl:dateTime", "lt", "2027-01-01T00:00:00+01:00"),
        profile="urn:p",
    )
    assert odrl.wire(odrl.read(spelled)) == spelled


def test_wire_members_replace_and_remove():
    read = odrl.read(policy(atom(), target="urn:t"))
    written = odrl.wire(read, target=None, **{PREAU + "digest": "sha-256:x"})
    assert "target" not in written
    assert written[PREAU + "digest"] == "sha-256:x"


# --- the protocol's own schema --------------------------------------------------------------


@pytest.fixture
def contract(official: Callable[[str], Path]) -> Callable[[str], Any]:
    root = official("dsp-2025-1")
    schemas = [json.loads(path.read_bytes()) for path in root.rglob("*-schema.json")]
    assert len(schemas) == 26
    by_id = {schema["$id"]: schema for schema in schemas}
    base = "https://w3id.org/dspace/2025/1/negotiation/contract-schema.json"
    registry = jsonschema_rs.Registry(list(by_id.items()), draft=jsonschema_rs.Draft201909)

    def validator(definition: str) -> Any:
        return jsonschema_rs.Draft201909Validator(
            {"$ref": f"{base}#/definitions/{definition}"}, registry=registry
        )

    return validator


@pytest.mark.parametrize("name", templates.names())
def test_templates_on_the_wire_are_valid(name: str, contract: Callable[[str], Any]):
    for vector in templates.vectors(name):
        offer = templates.build(name, vector["params"])
        contract("Offer").validate(odrl.wire(offer))
        contract("MessageOffer").validate(odrl.wire(offer, target="urn:d"))
        parties = {"assigner": "did:web:a", "assignee": "did:web:b", "target": "urn:d"}
        agreement = odrl.wire(offer, **{"@type": "Agreement"}, **parties)
        contract("Agreement").validate(agreement)


def test_official_examples_are_read(official: Callable[[str], Path]):
    found = 0
    for path in sorted(official("dsp-2025-1").rglob("example/*.json")):
        for offer in _policies(json.loads(path.read_bytes())):
            read = odrl.read(offer)
            assert odrl.read(odrl.wire(read)) == read
            found += 1
    assert found >= 8


def _policies(data: Any) -> list[dict[str, Any]]:
    if isinstance(data, list):
        return [policy for each in data for policy in _policies(each)]
    if not isinstance(data, dict):
        return []
    if data.get("@type") in {"Offer", "Agreement"} and (
        "permission" in data or "prohibition" in data
    ):
        return [data]
    return [policy for each in data.values() for policy in _policies(each)]


# --- properties -----------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=True)
    | st.text(max_size=8)
    | st.sampled_from(
        ["use", "odrl:use", "purpose", "eq", "lt", "Offer", PURPOSE, "P1D", "x:y", "\ud800"]
    )
)
members = st.text(max_size=6) | st.sampled_from(
    [
        "@id",
        "@type",
        "@value",
        "permission",
        "prohibition",
        "obligation",
        "action",
        "constraint",
        "leftOperand",
        "operator",
        "rightOperand",
        "duty",
        "and",
        "or",
        "xone",
        "odrl:action",
        "target",
        "profile",
        "timestamp",
        "@list",
    ]
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(members, inner, max_size=5),
    max_leaves=20,
)
values = st.sampled_from(
    [
        PURPOSE,
        "dpv:ScientificResearch",
        {"@id": PURPOSE},
        3,
        2.5,
        True,
        "2027-01-01T00:00:00Z",
        "free",
    ]
)
atoms = st.builds(
    atom,
    st.sampled_from(["purpose", "odrl:dateTime", PREAU + "fields", "https://example.org/x"]),
    st.sampled_from(["eq", "lt", "isAnyOf", "isPartOf"]),
    values | st.lists(values, min_size=1, max_size=3),
)
constraints = st.recursive(
    atoms,
    lambda inner: st.dictionaries(
        st.sampled_from(["and", "or", "xone"]),
        st.lists(inner, min_size=1, max_size=3),
        min_size=1,
        max_size=1,
    ),
    max_leaves=6,
)
policies = st.lists(constraints, max_size=4).map(lambda found: policy(*found))


@given(anything)
def test_any_json_is_a_policy_or_a_problem(data: object):
    _policy_or_problem(data)


@given(st.dictionaries(members, anything, max_size=4))
def test_any_rule_is_a_policy_or_a_problem(rule: dict[str, object]):
    _policy_or_problem({"@type": "Offer", "permission": [{"action": "use", **rule}]})


@given(anything)
def test_any_constraint_is_a_policy_or_a_problem(data: object):
    _policy_or_problem(policy(data))
    _policy_or_problem(policy(atom(right=data)))


def _policy_or_problem(data: object) -> None:
    read = _read(data)
    if isinstance(read, Problem):
        assert (read.code.startswith("policy-"), read.kind) == (True, "invalid")
        json.dumps(read.document())
        return
    assert odrl.rules_digest(odrl.read(odrl.wire(read))) == odrl.rules_digest(read)


def _read(data: object) -> Policy | Problem:
    try:
        return odrl.read(data)
    except Problem as problem:
        return problem


@given(policies)
def test_reading_what_was_written_gives_the_same(data: dict[str, Any]):
    read = odrl.read(data)
    assert odrl.read(odrl.wire(read)) == read
    assert odrl.rules_digest(odrl.read(odrl.document(read))) == odrl.rules_digest(read)


@given(policies, st.randoms(use_true_random=False))
def test_order_never_changes_the_digest(data: dict[str, Any], random: Any):
    shuffled = json.loads(json.dumps(data))
    random.shuffle(shuffled["permission"][0]["constraint"])
    assert odrl.rules_digest(odrl.read(shuffled)) == odrl.rules_digest(odrl.read(data))


def test_what_was_read_before_is_found_by_its_own_bytes_only():
    first = odrl.read(policy(atom("odrl:count", "lteq", 1)))
    assert odrl.read(policy(atom("odrl:count", "lteq", 1))) == first
    others = [1.0, True, "1", {"@value": "1", "@type": "xsd:integer"}]
    typed = [odrl.read(policy(atom("odrl:count", "lteq", other))) for other in others]
    values = {str(one.permissions[0].constraints[0]) for one in (first, *typed)}
    assert len(values) >= 4
    swapped = policy(atom("odrl:dateTime", "lt", "2027-01-01"), atom())
    straight = policy(atom(), atom("odrl:dateTime", "lt", "2027-01-01"))
    assert odrl.read(swapped).permissions != odrl.read(straight).permissions
    for _ in range(2):  # a refusal is made anew, with the place where it stands now
        with pytest.raises(Problem) as caught:
            odrl.read(policy(atom("odrl:count", "lteq", [])), where="offer")
        assert str(caught.value.params["path"]).startswith("offer.")


def test_parts_of_the_same_bytes_are_the_same_objects():
    before = atom(
        "odrl:dateTime", "lt", {"@value": "2027-01-01T00:00:00Z", "@type": "xsd:dateTime"}
    )
    duty = {"action": "odrl:delete", "constraint": [before]}
    one = odrl.read({**policy(atom(), before), "obligation": [duty]})
    other = odrl.read({**policy(before, atom()), "obligation": [duty], "assigner": "urn:a"})
    first, second = one.permissions[0], other.permissions[0]
    assert first is not second
    assert first.constraints[0] is second.constraints[1]
    assert one.obligations[0] is other.obligations[0]
    assert one.obligations[0].constraints[0] is first.constraints[1]


def test_what_is_remembered_is_not_what_its_source_became():
    spelled = policy(atom(), atom("odrl:spatial", "eq", {"@id": "urn:here"}))
    whole = odrl.read(spelled)
    del spelled["permission"][0]["constraint"][1]
    assert len(odrl.read(spelled).permissions[0].constraints) == 1
    assert odrl.read(policy(atom(), atom("odrl:spatial", "eq", {"@id": "urn:here"}))) == whole


def test_each_refusal_names_its_own_place():
    bad = {**atom(), "colour": "blue"}
    for place in range(3):
        with pytest.raises(Problem) as caught:
            odrl.read(policy(*[atom()] * place, bad))
        assert caught.value.params["path"] == f"permission[0].constraint[{place}].colour"
