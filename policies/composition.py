"""compose: several policies as one that permits only what each of them permits.

Permissions are joined two by two: on the narrower of both actions where one includes the other,
with the constraints and duties of both; prohibitions and obligations are united; a permission that
an unconditional prohibition covers is gone (prohibition wins). The result is in normal form: sets
without repetition in the order of their content names, nested `and` opened, and of two permissions
of one action the one left out that only says less. So composing is associative, commutative and
idempotent, and `digest` tells whether two compositions say the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from itertools import product
from typing import Final, TypeVar

from policies.model import AnyConstraint, Duty, LogicalConstraint, Policy, Rule, beyond
from policies.naming import name, rules_digest
from policies.problem import Problem
from policies.vocabulary import ODRL, action_covers

_AND: Final = ODRL + "and"
Part = TypeVar("Part", AnyConstraint, Duty, Rule)


def compose(policies: Sequence[Policy]) -> Policy:
    """What all these policies permit together, in normal form, under the name of its rules.

    Raises:
        Problem: `policy-compose-nothing` (no policy given, or nothing that all of them permit),
            `policy-compose-differ` (other kind, target, party or instant), `policy-compose-beyond`
            (parts that are joined with nothing: refinements, remedies, inheritance, strategies).
    """
    if not policies:
        raise Problem("policy-compose-nothing")
    made = reduce(join, policies[1:], normal(policies[0]))
    if not made.permissions:
        raise Problem("policy-compose-nothing")
    return replace(made, id="ni:///sha-256;" + digest(made))


def join(one: Policy, other: Policy) -> Policy:
    """Two policies as one, in normal form; it may permit nothing.

    Raises:
        Problem: as `compose`.
    """
    if one.kind != other.kind:
        raise Problem("policy-compose-differ", member="@type", one=one.kind, other=other.kind)
    pairs = product(normal(one).permissions, normal(other).permissions)
    met = [rule for pair in pairs if (rule := _meet(*pair)) is not None]
    joined = replace(
        one,
        id="",
        target=_same("target", one.target, other.target),
        assigner=_same("assigner", one.assigner, other.assigner),
        assignee=_same("assignee", one.assignee, other.assignee),
        timestamp=_same("timestamp", one.timestamp, other.timestamp),
        conflict=one.conflict or other.conflict,
        metadata=(),
        profile=tuple(sorted({*one.profile, *other.profile})),
        permissions=tuple(met),
        prohibitions=one.prohibitions + other.prohibitions,
        obligations=one.obligations + other.obligations,
    )
    return normal(joined)


def normal(policy: Policy) -> Policy:
    """The policy in normal form: it says the same, in whatever order it was written.

    Raises:
        Problem: `policy-compose-beyond`.
    """
    _plain(policy)
    prohibitions = _set(map(_rule, policy.prohibitions))
    kept = [rule for rule in map(_rule, policy.permissions) if not _barred(rule, prohibitions)]
    return replace(
        policy,
        profile=tuple(sorted(set(policy.profile))),
        permissions=_widest(_set(kept)),
        prohibitions=prohibitions,
        obligations=_set(map(_duty, policy.obligations)),
    )


def digest(policy: Policy) -> str:
    """Base64url SHA-256 of what the policy says in normal form; target, parties and ids apart."""
    return rules_digest(normal(policy))


def _meet(one: Rule, other: Rule) -> Rule | None:
    """The permission that both give together, None where they have nothing in common."""
    if action_covers(one.action, other.action):
        action = other.action
    elif action_covers(other.action, one.action):
        action = one.action
    else:
        return None
    for mine, theirs in (
        (one.target, other.target),
        (one.assigner, other.assigner),
        (one.assignee, other.assignee),
    ):
        if None not in (mine, theirs) and mine != theirs:
            return None
    return _rule(
        replace(
            one,
            action=action,
            target=one.target or other.target,
            assigner=one.assigner or other.assigner,
            assignee=one.assignee or other.assignee,
            constraints=one.constraints + other.constraints,
            duties=one.duties + other.duties,
            id=None,
        )
    )


def _widest(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Rules without those that another one of the same action includes."""
    return tuple(
        rule for rule in rules if not any(_asks_more(rule, each) for each in rules if each != rule)
    )


def _asks_more(rule: Rule, wider: Rule) -> bool:
    """Whether a rule says what another one of its action says, only to fewer or asking more."""
    return (
        rule.action == wider.action
        and wider.target in {None, rule.target}
        and wider.assigner in {None, rule.assigner}
        and wider.assignee in {None, rule.assignee}
        and _names(wider.constraints) <= _names(rule.constraints)
        and _names(wider.duties) <= _names(rule.duties)
    )


def _barred(rule: Rule, prohibitions: tuple[Rule, ...]) -> bool:
    """Whether a prohibition forbids the whole of a permission, to everybody and on everything."""
    return any(
        action_covers(each.action, rule.action)
        and not each.constraints
        and each.target in {None, rule.target}
        and each.assignee in {None, rule.assignee}
        for each in prohibitions
    )


def _rule(rule: Rule) -> Rule:
    duties = _set(map(_duty, rule.duties))
    return replace(rule, constraints=_constraints(rule.constraints), duties=duties, id=None)


def _duty(duty: Duty) -> Duty:
    return replace(duty, constraints=_constraints(duty.constraints), id=None)


def _constraints(parts: Iterable[AnyConstraint]) -> tuple[AnyConstraint, ...]:
    return _set(_opened(parts))


def _opened(parts: Iterable[AnyConstraint]) -> Iterable[AnyConstraint]:
    """Constraints that must all hold, those under `and` one by one; inner ones in normal form."""
    for part in parts:
        if not isinstance(part, LogicalConstraint):
            yield part
        elif part.operator == _AND:
            yield from _opened(part.operands)
        else:
            yield replace(part, operands=tuple(map(_inner, part.operands)), id=None)


def _inner(part: AnyConstraint) -> AnyConstraint:
    """A branch of `or`, `xone` or `andSequence`; an `and` in it stays one branch."""
    if not isinstance(part, LogicalConstraint):
        return part
    inner = tuple(map(_inner, part.operands))
    return replace(part, operands=_constraints(inner) if part.operator == _AND else inner, id=None)


def _set(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Each part once, in the order of content names."""
    found = {name(part): part for part in parts}
    return tuple(found[key] for key in sorted(found))


def _names(parts: Iterable[AnyConstraint | Duty]) -> frozenset[str]:
    return frozenset(map(name, parts))


def _same(member: str, one: str | None, other: str | None) -> str | None:
    if one is not None and other is not None and one != other:
        raise Problem("policy-compose-differ", member=member, one=one, other=other)
    return one if one is not None else other


def _plain(policy: Policy) -> None:
    """Refuse what this module would have to ignore."""
    if found := beyond(policy):
        raise Problem("policy-compose-beyond", member=", ".join(found))
