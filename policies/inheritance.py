"""inheritFrom: the rules of other policies that belong to this one (ODRL 2.2 section 2.9).

The caller knows where policies are; this module asks it, never fetches. A policy that cannot be
found, a cycle, and two conflict strategies that differ are refusals: a policy of which a part is
missing must not be evaluated as if it were whole.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from policies.model import Duty, Policy, Rule
from policies.problem import Problem

Lookup = Callable[[str], Policy | None]
Part = TypeVar("Part", Rule, Duty)

_MAX_POLICIES: Final = 64


def resolve(policy: Policy, lookup: Lookup) -> Policy:
    """The policy with all inherited rules added, and nothing left to inherit.

    Inherited rules come first, in the order named, each about the target and parties of the
    policy it stands in; then the policy's own.

    Args:
        policy: what inherits, directly or not.
        lookup: gives the policy with an IRI, None when there is none.

    Raises:
        Problem: `policy-inherits-unknown`, `policy-inherits-cycle`, `policy-inherits-conflict`,
            `policy-inherits-many`.
    """
    return _resolve(policy, lookup, (policy.id,), [0])


def _resolve(policy: Policy, lookup: Lookup, above: tuple[str, ...], count: list[int]) -> Policy:
    parents = []
    for iri in policy.inherits:
        if iri in above:
            raise Problem("policy-inherits-cycle", path="inheritFrom", policy=iri)
        count[0] += 1
        if count[0] > _MAX_POLICIES:
            raise Problem("policy-inherits-many", path="inheritFrom", expected=_MAX_POLICIES)
        found = lookup(iri)
        if found is None:
            raise Problem("policy-inherits-unknown", path="inheritFrom", policy=iri)
        parents.append(_resolve(found, lookup, (*above, iri), count))
    return _joined(policy, parents) if parents else policy


def _joined(policy: Policy, parents: list[Policy]) -> Policy:
    strategies = {each.conflict or "prohibit" for each in (policy, *parents)}
    if len(strategies) > 1:
        named = ", ".join(sorted(strategies))
        raise Problem("policy-inherits-conflict", path="conflict", found=named)
    return replace(
        policy,
        permissions=(*(r for p in parents for r in _own(p, p.permissions)), *policy.permissions),
        prohibitions=(*(r for p in parents for r in _own(p, p.prohibitions)), *policy.prohibitions),
        obligations=(*(r for p in parents for r in _own(p, p.obligations)), *policy.obligations),
        inherits=(),
    )


def _own(parent: Policy, rules: tuple[Part, ...]) -> list[Part]:
    """The rules with what they had from their policy written on themselves."""
    return [
        replace(
            rule,
            target=rule.target or parent.target,
            assigner=rule.assigner or parent.assigner,
            assignee=rule.assignee or parent.assignee,
        )
        for rule in rules
    ]
