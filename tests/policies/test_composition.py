"""Composing: associative, commutative, idempotent; and it never permits more than each part."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import odrl
from policies.composition import compose, digest, join, normal
from policies.evaluate import Fact, Request, decide
from policies.model import INTEGER, Policy, Value, iri
from policies.naming import rules_digest
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LAB, SCHOOL = "did:web:lab.example", "did:web:school.example"
ATOMS = (
    [
        {"leftOperand": "odrl:purpose", "operator": "isA", "rightOperand": {"@id": purpose}}
        for purpose in ("preau:EducationResearch", "dpv:AcademicResearch", "dpv:Marketing")
    ]
    + [
        {"leftOperand": "odrl:count", "operator": "lteq", "rightOperand": n}
        for n in ("1", "2", "3")
    ]
    + [{"leftOperand": "preau:assignee", "operator": "eq", "rightOperand": {"@id": LAB}}]
)
ACTIONS = ["odrl:use", "odrl:read", "odrl:distribute", "odrl:sell", "odrl:transfer"]
DUTIES = [{"action": "odrl:attribute"}, {"action": "odrl:delete"}]

atoms = st.sampled_from(ATOMS)
constraints = st.recursive(
    atoms,
    lambda inner: st.builds(
        lambda word, parts: {word: parts},
        st.sampled_from(["and", "or", "xone"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)


def rules(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    parts: dict[str, st.SearchStrategy[Any]] = {
        "action": st.sampled_from(ACTIONS),
        "constraint": st.lists(constraints, max_size=3),
    }
    if kind == "permission":
        parts["duty"] = st.lists(st.sampled_from(DUTIES), max_size=2)
    party = st.fixed_dictionaries({}, optional={"assignee": st.sampled_from([LAB, SCHOOL])})
    return st.builds(dict.__or__, st.fixed_dictionaries(parts), party)


def offer(**members: object) -> Policy:
    return odrl.read({"@type": "Offer", **members})


policies = st.builds(
    lambda permissions, prohibitions, obligations: offer(
        permission=permissions, prohibition=prohibitions, obligation=obligations
    ),
    st.lists(rules("permission"), min_size=1, max_size=3),
    st.lists(rules("prohibition"), max_size=2),
    st.lists(st.sampled_from(DUTIES), max_size=2),
)


@given(policies)
def test_normal_form_is_idempotent(one: Policy):
    assert normal(normal(one)) == normal(one)
    assert digest(normal(one)) == digest(one)


@given(policies)
def test_composing_is_idempotent(one: Policy):
    assert join(one, one) == normal(one)


@given(policies, policies)
def test_composing_is_commutative(one: Policy, other: Policy):
    assert join(one, other) == join(other, one)


@given(policies, policies, policies)
@settings(max_examples=50)
def test_composing_is_associative(one: Policy, two: Policy, three: Policy):
    assert join(join(one, two), three) == join(one, join(two, three))


REQUESTS = [
    (action, who, purpose, count)
    for action in ACTIONS
    for who in (LAB, SCHOOL)
    for purpose in ("LearningAnalyticsResearch", "Statistics")
    for count in (1, 3)
]


def outcomes(policy: Policy) -> list[str]:
    """What comes of every request, when everything is known."""
    found: list[str] = []
    for action, who, purpose, count in REQUESTS:
        facts = {
            ODRL + "purpose": Fact((iri(PREAU + purpose),)),
            ODRL + "count": Fact((Value(str(count), INTEGER),)),
        }
        request = Request(odrl.iri(action), None, who)
        found.append(decide(policy, request, facts, NOW, "transfer").outcome)
    return found


@given(policies)
@settings(max_examples=40)
def test_normal_form_permits_the_same(one: Policy):
    before, after = outcomes(one), outcomes(normal(one))
    assert [each == "permit" for each in before] == [each == "permit" for each in after]


@given(policies, policies)
@settings(max_examples=30)
def test_a_composition_permits_what_both_permit(one: Policy, other: Policy):
    both = zip(outcomes(one), outcomes(other), outcomes(join(one, other)), strict=True)
    for first, second, together in both:
        assert (together == "permit") == (first == second == "permit")


def use(*constraints: object, **members: object) -> Policy:
    return offer(permission=[{"action": "use", "constraint": list(constraints)}], **members)


def test_prohibition_wins():
    free = offer(permission=[{"action": "use"}, {"action": "odrl:distribute"}])
    closed = use(prohibition=[{"action": "odrl:distribute"}])
    made = compose([free, closed])
    assert [rule.action for rule in made.permissions] == [ODRL + "use"]
    assert [rule.action for rule in made.prohibitions] == [ODRL + "distribute"]


def test_the_order_of_parts_does_not_matter():
    parts = [use(ATOMS[0]), use(ATOMS[3], ATOMS[3]), use({"and": [ATOMS[6], ATOMS[0]]})]
    names = {compose(list(order)).id for order in permutations(parts)}
    assert len(names) == 1
    assert names == {"ni:///sha-256;" + rules_digest(compose(parts))}


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "nothing"),
        ([use(prohibition=[{"action": "use"}])], "nothing"),
        ([use(), offer(permission=[{"action": "odrl:sell"}])], "nothing"),
        ([use(target="urn:a"), use(target="urn:b")], "differ"),
        ([use(), odrl.read({"@type": "Set", "permission": [{"action": "use"}]})], "differ"),
    ],
)
def test_what_cannot_be_composed_is_refused(parts: list[Policy], code: str):
    with pytest.raises(Problem) as caught:
        compose(parts)
    assert caught.value.code == f"policy-compose-{code}"
