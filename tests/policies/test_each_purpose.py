"""One policy for each purpose."""

from policies import odrl
from policies.compare import differences
from policies.each_purpose import one_each
from policies.model import Policy, atoms

A, B, C = (f"https://example.org/purposes/{word}" for word in "abc")


def purpose(*names: str, operator: str = "isAnyOf") -> dict[str, object]:
    right = [{"@id": name} for name in names]
    return {"leftOperand": "odrl:purpose", "operator": operator, "rightOperand": right}


def policy(*permissions: list[dict[str, object]]) -> Policy:
    rules = [{"action": "use", "constraint": each} for each in permissions]
    return odrl.read({"@id": "o", "@type": "Offer", "permission": rules})


def named(found: Policy) -> set[str]:
    return {
        value.text
        for rule in found.permissions
        for atom in atoms(rule.constraints)
        for value in atom.right
    }


def test_each_is_narrower_than_the_whole_and_names_one():
    whole = policy([purpose(A, B)])
    made = one_each(whole)
    assert [named(each) for each in made] == [{A}, {B}]
    assert not any(differences(whole, each) for each in made)


def test_rules_for_other_purposes_go_and_rules_for_any_stay():
    whole = policy([purpose(A)], [purpose(B, C)], [])
    assert [len(each.permissions) for each in one_each(whole)] == [2, 2, 2]


def test_one_purpose_none_and_an_exclusion_are_left_as_they_are():
    for whole in (policy([purpose(A)]), policy([]), policy([purpose(A, B, operator="isNoneOf")])):
        assert one_each(whole) == (whole,)
