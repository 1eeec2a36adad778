"""Reading a policy: shared members go to the rules, compact rules become atomic ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from policies import values
from policies.model import (
    ROLES,
    AnyConstraint,
    Conflict,
    Duty,
    Policy,
    PolicyKind,
    Role,
    Rule,
    RuleKind,
)
from policies.odrl.constraints import constraints
from policies.odrl.members import (
    Members,
    at,
    clip,
    expect_type,
    listed,
    members,
    named,
    optional,
    text,
    typed,
)
from policies.odrl.remembered import by_bytes
from policies.odrl.things import Thing, functions, refinements, things
from policies.odrl.words import FUNCTIONS, terms
from policies.problem import Problem
from policies.vocabulary import ODRL, PREFIXES

_MAX_DEPTH: Final = 16
_MAX_ATOMS: Final = 256
_MAX_RULES: Final = 256
_KINDS: Final[Mapping[str, PolicyKind]] = {
    "Offer": "Offer",
    "Agreement": "Agreement",
    "Set": "Set",
    "Policy": "Set",
}
_CONFLICTS: Final[Mapping[str, Conflict]] = {
    spelled: word
    for word in ("perm", "prohibit", "invalid")
    for spelled in (word, "odrl:" + word, ODRL + word)
}
_METADATA: Final = {
    spelled: PREFIXES["dct"] + word
    for word in ("creator", "issued", "modified", "publisher", "replaces", "source")
    for spelled in ("dct:" + word, PREFIXES["dct"] + word)
}
_RULES: Final = ("permission", "prohibition", "obligation")
_PARTIES: Final[tuple[Role, ...]] = ("target", "assigner", "assignee")
_POLICY: Final = (
    frozenset({"id", "type", "profile", "timestamp", "conflict", "inheritFrom", "constraint"})
    | set(ROLES)
    | set(_RULES)
    | set(_METADATA)
)
_DUTY: Final = frozenset({"id", "type", "constraint", "consequence"}) | set(ROLES) | FUNCTIONS
_RULE: Final = frozenset({"id", "type", "constraint"}) | set(ROLES) | FUNCTIONS
_MEMBERS: Final[Mapping[RuleKind, frozenset[str]]] = {
    "Permission": _RULE | {"duty"},
    "Prohibition": _RULE | {"remedy"},
    "Duty": _DUTY,
}

_Rules = tuple[tuple[Rule, ...], tuple[Rule, ...], tuple[Duty, ...]]


def read(data: object, *, where: str = "") -> Policy:
    """The typed policy that a JSON value spells, in the order given.

    Args:
        data: the parsed JSON of one offer, agreement or set.
        where: path of this value in what the person sent, put before every located problem.

    Raises:
        Problem: `policy-…`, kind invalid, with `path`, what was found and what was expected.
    """
    return _read(data, where)


@by_bytes(most=256, longest=65_536)
def _read(data: object, where: str) -> Policy:
    found = members(data, where, _POLICY, extensible=True)
    kind = _KINDS.get(typed(found, where) or "")
    if kind is None:
        raise Problem("policy-type", path=at(where, "@type"), expected="Offer, Agreement, Set")
    plain, shared = _shared(found)
    permissions, prohibitions, obligations = _rules({**shared, **_only(found, _RULES)}, where)
    policy = Policy(
        kind=kind,
        id=optional(found, "id", where) or "",
        target=optional(plain, "target", where),
        assigner=optional(plain, "assigner", where),
        assignee=optional(plain, "assignee", where),
        permissions=permissions,
        prohibitions=prohibitions,
        obligations=obligations,
        timestamp=_timestamp(found, where),
        conflict=_conflict(found, where),
        inherits=terms(found["inheritFrom"], at(where, "inheritFrom"))
        if "inheritFrom" in found
        else (),
        profile=_profile(found, where),
        metadata=_metadata(found, where),
    )
    if not (permissions or prohibitions or obligations or policy.inherits):
        raise Problem("policy-no-rule", path=where or "policy")
    return policy


def _only(found: Members, names: tuple[str, ...]) -> Members:
    return {name: found[name] for name in names if name in found}


def _shared(found: Members) -> tuple[Members, Members]:
    """Members of the policy that its rules share (ODRL 2.2 section 2.7.1): a target or party
    that is one plain name stays with the policy, everything else goes to each rule.
    """
    plain: Members = {
        name: found[name] for name in _PARTIES if name in found and _is_plain(found[name])
    }
    rest = {
        name: found[name] for name in (*ROLES, "constraint") if name in found and name not in plain
    }
    return plain, rest


def _is_plain(value: object) -> bool:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return not isinstance(value, list | Mapping) or (
        isinstance(value, Mapping) and set(value) <= {"@id", "id", "uid"}
    )


@by_bytes(most=256, longest=65_536)
def _rules(found: Members, where: str) -> _Rules:
    """The rules of a policy; the same objects for the same bytes, in offers and agreements."""
    shared = _NOTHING
    if any(name in found for name in ("constraint", *ROLES)):
        shared = _Shared(
            constraints(found, "constraint", where),
            {role: things(found, role, where) for role in ROLES},
        )

    def each(member: str, kind: RuleKind) -> tuple[Rule | Duty, ...]:
        rules: list[Rule | Duty] = []
        for item, path in listed(found, member, where):
            alone = shared is _NOTHING
            rules += _alone(item, path, kind, 0) if alone else _atomic(item, path, kind, shared)
            if len(rules) > _MAX_RULES:  # members shared by many rules multiply
                raise Problem("policy-too-many", path=at(where, member), expected=_MAX_RULES)
        return tuple(rules)

    permissions = each("permission", "Permission")
    prohibitions = each("prohibition", "Prohibition")
    obligations = each("obligation", "Duty")
    return (
        tuple(rule for rule in permissions if isinstance(rule, Rule)),
        tuple(rule for rule in prohibitions if isinstance(rule, Rule)),
        tuple(duty for duty in obligations if isinstance(duty, Duty)),
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the policy says for all its rules; a rule's own action, target or party wins."""

    constraints: tuple[AnyConstraint, ...]
    things: Mapping[Role, tuple[Thing, ...]]


_NOTHING: Final = _Shared((), {})


@by_bytes(most=1024, longest=16_384)
def _alone(data: object, where: str, kind: RuleKind, depth: int) -> tuple[Rule | Duty, ...]:
    """The atomic rules of one rule for which the policy says nothing else."""
    return _atomic(data, where, kind, _NOTHING, depth)


def _atomic(
    data: object, where: str, kind: RuleKind, shared: _Shared, depth: int = 0
) -> tuple[Rule | Duty, ...]:
    """The atomic rules that one rule spells: one for each combination of the actions, targets
    and parties it names (ODRL 2.2 section 2.7.2).
    """
    if depth > _MAX_DEPTH:
        raise Problem("policy-too-deep", path=where, expected=_MAX_DEPTH)
    found = members(data, where, _MEMBERS[kind])
    expect_type(found, where, kind)
    each = {role: things(found, role, where) or shared.things.get(role, ()) for role in ROLES}
    if not each["action"]:
        raise Problem("policy-missing-member", path=where, expected="action")
    named_roles = [role for role in ROLES if each[role]]
    combined = list(product(*(each[role] for role in named_roles)))
    if len(combined) > _MAX_ATOMS:
        raise Problem("policy-too-many", path=where, expected=_MAX_ATOMS)
    whole = _rule(found, where, kind, shared, depth)
    return tuple(
        _about(whole, dict(zip(named_roles, chosen, strict=True)), alone=len(combined) == 1)
        for chosen in combined
    )


def _rule(found: Members, where: str, kind: RuleKind, shared: _Shared, depth: int) -> Rule | Duty:
    """Everything that a rule says beside its action, target and parties."""

    def duties(member: str) -> tuple[Duty, ...]:
        return tuple(
            duty
            for item, path in listed(found, member, where)
            for duty in _alone(item, path, "Duty", depth + 1)
            if isinstance(duty, Duty)
        )

    every = (*constraints(found, "constraint", where), *shared.constraints)
    others = functions(found, where)
    name = optional(found, "id", where)
    if kind == "Duty":
        return Duty("", every, consequences=duties("consequence"), functions=others, id=name)
    return Rule(
        kind,
        "",
        every,
        duties=duties("duty"),
        remedies=duties("remedy"),
        functions=others,
        id=name,
    )


def _about(whole: Rule | Duty, chosen: Mapping[Role, Thing], *, alone: bool) -> Rule | Duty:
    """The rule for one combination; of several, none keeps the id that stood for all."""
    spelled = {role: thing.iri for role, thing in chosen.items()}
    return replace(
        whole,
        action=spelled["action"],
        target=spelled.get("target"),
        assigner=spelled.get("assigner"),
        assignee=spelled.get("assignee"),
        refined=refinements(chosen),
        id=whole.id if alone else None,
    )


def _timestamp(found: Members, where: str) -> str | None:
    value = found.get("timestamp")
    if value is None:
        return None
    path = at(where, "timestamp")
    if isinstance(value, Mapping):
        value = members(value, path, frozenset({"value", "type"})).get("value")
    spelled = text(value, path)
    if values.moment(spelled) is None:
        found_text = clip(spelled)
        raise Problem("policy-value", path=path, expected="2027-01-31T12:00:00Z", found=found_text)
    return spelled


def _profile(found: Members, where: str) -> tuple[str, ...]:
    value = found.get("profile", [])
    path = at(where, "profile")
    return tuple(named(each, path) for each in (value if isinstance(value, list) else [value]))


def _conflict(found: Members, where: str) -> Conflict | None:
    if "conflict" not in found:
        return None
    path = at(where, "conflict")
    strategy = _CONFLICTS.get(named(found["conflict"], path))
    if strategy is None:
        raise Problem("policy-conflict", path=path, expected="perm, prohibit, invalid")
    return strategy


def _metadata(found: Members, where: str) -> tuple[tuple[str, str], ...]:
    """Texts about the policy as a document, as received."""
    return tuple(
        (_METADATA[member], _plain_text(found[member], at(where, member)))
        for member in found
        if member in _METADATA
    )


def _plain_text(value: object, where: str) -> str:
    if isinstance(value, Mapping) and "@value" in value:
        return text(members(value, where, frozenset({"value", "type", "language"}))["value"], where)
    return named(value, where)
