"""inheritFrom: joined by the caller's lookup, refused where a part is missing."""

from datetime import UTC, datetime

import pytest

from policies import odrl
from policies.evaluate import Request, decide
from policies.inheritance import resolve
from policies.model import Policy
from policies.problem import Problem
from policies.vocabulary import ODRL


def policy(name: str, *parents: str, **members: object) -> Policy:
    spelled = {"@id": f"urn:{name}", "@type": "Set", "permission": [{"action": f"odrl:{name}"}]}
    named = {"inheritFrom": [f"urn:{each}" for each in parents]} if parents else {}
    return odrl.read({**spelled, **named, **members})


def joined(*found: Policy) -> Policy:
    return resolve(found[0], {each.id: each for each in found}.get)


def actions(found: Policy) -> list[str]:
    return [rule.action.removeprefix(ODRL) for rule in found.permissions]


def test_inherited_rules_come_first_in_the_order_named():
    found = joined(
        policy("use", "read", "print"), policy("read", "play"), policy("print"), policy("play")
    )
    assert actions(found) == ["play", "read", "print", "use"]
    assert (found.inherits, found.id) == ((), "urn:use")


def test_nothing_to_inherit_changes_nothing():
    alone = policy("use")
    assert joined(alone) is alone


def test_rules_keep_target_and_parties_of_their_own_policy():
    parent = policy(
        "read",
        target="urn:t",
        assigner="urn:me",
        assignee="urn:you",
        prohibition={"action": "odrl:sell", "target": "urn:own"},
        obligation={"action": "odrl:delete"},
    )
    found = joined(policy("use", "read", target="urn:x"), parent)
    (rule, own), (bar,), (owed,) = found.permissions, found.prohibitions, found.obligations
    assert (rule.target, rule.assigner, rule.assignee) == ("urn:t", "urn:me", "urn:you")
    assert (own.target, found.target) == (None, "urn:x")
    assert (bar.target, bar.assignee) == ("urn:own", "urn:you")
    assert (owed.target, owed.assigner) == ("urn:t", "urn:me")


def test_one_parent_may_be_inherited_twice():
    found = joined(policy("use", "read", "print"), policy("read", "play"),
                   policy("print", "play"), policy("play"))  # fmt: skip
    assert actions(found) == ["play", "read", "play", "print", "use"]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([policy("use", "read")], "policy-inherits-unknown"),
        ([policy("use", "use")], "policy-inherits-cycle"),
        ([policy("use", "read"), policy("read", "use")], "policy-inherits-cycle"),
        ([policy("use", "read"), policy("read", "read")], "policy-inherits-cycle"),
        (
            [policy("use", "read", conflict="perm"), policy("read")],
            "policy-inherits-conflict",
        ),
    ],
)
def test_a_policy_with_a_part_missing_is_refused(found: list[Policy], code: str):
    with pytest.raises(Problem) as caught:
        joined(*found)
    assert caught.value.code == code
    assert "{" not in caught.value.text("fr") + caught.value.remedy("en")


def test_the_strategies_that_differ_are_named():
    with pytest.raises(Problem) as caught:
        joined(policy("use", "read", conflict="perm"), policy("read"))
    assert caught.value.params["found"] == "perm, prohibit"


def test_said_or_not_prohibit_is_one_strategy():
    assert joined(policy("use", "read", conflict="prohibit"), policy("read")).permissions


def test_there_is_an_end():
    parents = {f"urn:{n}": odrl.read({"@id": f"urn:{n}", "@type": "Set",
               "permission": {"action": "use"}}) for n in range(65)}  # fmt: skip
    few = odrl.read({"@id": "urn:c", "@type": "Set", "inheritFrom": list(parents)[:64]})
    assert len(resolve(few, parents.get).permissions) == 64
    many = odrl.read({"@id": "urn:c", "@type": "Set", "inheritFrom": list(parents)})
    with pytest.raises(Problem) as caught:
        resolve(many, parents.get)
    assert caught.value.code == "policy-inherits-many"


def test_a_policy_not_yet_joined_permits_nothing():
    now = datetime(2026, 12, 1, tzinfo=UTC)
    found = decide(policy("use", "read"), Request(ODRL + "use", None, None), {}, now, "transfer")
    assert (found.outcome, found.note) == ("undetermined", "inherits")
