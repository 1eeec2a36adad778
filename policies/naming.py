"""The normal form of a policy and the content names in it (decision C3).

A rule, duty or constraint is named by what it says: `ni:///sha-256;` and the base64url SHA-256
over the JCS bytes of its normal form, which holds full IRIs, typed values in canonical spelling,
sets without duplicates in sorted order, children by their own names, and its own class. So one
constraint has one name in offer, agreement and trace, whatever its spelling, order or empty
arrays, and a permission never shares its name with a prohibition.
"""

import base64
import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

import orjson

from policies import remember
from policies.jcs import jcs
from policies.model import (
    ROLES,
    AnyConstraint,
    Conflict,
    Constraint,
    Duty,
    LogicalConstraint,
    Policy,
    Rule,
    Value,
)
from policies.remember import by_identity
from policies.vocabulary import ODRL

Node = dict[str, object]
T = TypeVar("T")

_MOST: Final = 8192
_KNOWN: Final[dict[int, tuple[AnyConstraint | Rule | Duty, str]]] = {}
_SEQUENCE: Final = ODRL + "andSequence"


def name(part: AnyConstraint | Rule | Duty) -> str:
    """The content name of a rule, duty or constraint."""
    # A part never changes and its name is asked for many times; finding it by identity spares
    # the hash of the whole part. What is kept here cannot be freed, so its id stays its own.
    known = _KNOWN.get(id(part))
    if known is not None:
        return known[1]
    named = _name(part)
    if len(_KNOWN) >= _MOST:
        _KNOWN.clear()
    _KNOWN[id(part)] = (part, named)
    return named


@lru_cache(maxsize=4096)
def _name(part: AnyConstraint | Rule | Duty) -> str:
    return "ni:///sha-256;" + _hash(_body(part, name, _unique_names))


def forget() -> None:
    """Drop all remembered names (for measuring)."""
    _KNOWN.clear()
    remember.forget()
    for remembered in (_name, _rules_digest, _spelled):
        remembered.cache_clear()


def document(policy: Policy) -> Node:
    """The policy in normal form, with the short member names of our own context.

    Used inside everything we sign. Lists are sorted by content name; absent parts are omitted.
    """
    found: Node = {"id": policy.id, "type": policy.kind}
    for member in ("target", "assigner", "assignee"):
        if (value := getattr(policy, member)) is not None:
            found[member] = value
    found |= _strategy(policy.conflict, policy.inherits)
    for member, parts in _rules(policy):
        if parts:
            found[member] = _sorted([orjson.loads(_written(part)) for part in parts])
    return found if policy.id else {k: v for k, v in found.items() if k != "id"}


def rules_digest(policy: Policy) -> str:
    """Base64url SHA-256 over the names of all rules: equal for policies that say the same.

    Independent of spelling, order, ids, target and parties. Offers are named by it.
    """
    named = tuple([(member, _names(parts)) for member, parts in _rules(policy)])
    return _rules_digest(named, policy.conflict, tuple(sorted(set(policy.inherits))))


@by_identity
def _names(parts: tuple[Rule | Duty, ...]) -> tuple[str, ...]:
    """The names of some rules; policies that were read of the same bytes share the tuple."""
    return tuple(sorted({name(part) for part in parts}))


@lru_cache(maxsize=1024)
def _rules_digest(
    named: tuple[tuple[str, tuple[str, ...]], ...],
    conflict: Conflict | None,
    inherits: tuple[str, ...],
) -> str:
    return _hash({**dict(named), **_strategy(conflict, inherits)})


def same(one: Policy, other: Policy) -> bool:
    """Whether two policies have the same rules, target and parties (kind and id apart)."""
    return rules_digest(one) == rules_digest(other) and (
        one.target,
        one.assigner,
        one.assignee,
    ) == (other.target, other.assigner, other.assignee)


def node(part: AnyConstraint | Rule | Duty) -> Node:
    """The normal form of one rule, duty or constraint, its name and its children included."""
    return {"id": name(part), **_body(part, node, _sorted)}


@by_identity
def _written(part: AnyConstraint | Rule | Duty) -> bytes:
    """The normal form as bytes: read again, it is a copy that whoever gets it may change."""
    return orjson.dumps(node(part))


def value_node(value: Value) -> Node:
    """The normal form of one value."""
    if value.datatype is None:
        return {"id": value.text}
    return {"value": value.text, "type": value.datatype}


def _body(
    part: AnyConstraint | Rule | Duty,
    child: Callable[[AnyConstraint | Duty], T],
    unique: Callable[[list[T]], list[T]],
) -> Node:
    """What a part says, without its name; children written by `child` (whole, or by name only,
    as they stand in their parent's hash), and made a sorted set by `unique`.
    """
    if isinstance(part, Constraint):
        return _constraint(part)
    if isinstance(part, LogicalConstraint):
        children = [child(each) for each in part.operands]
        kept = children if part.operator == _SEQUENCE else unique(children)
        return {"type": "LogicalConstraint", part.operator.removeprefix(ODRL): kept}
    body: Node = {"type": part.kind if isinstance(part, Rule) else "Duty"}
    for role in ROLES:
        if (value := getattr(part, role)) is not None:
            body[role] = value
    if part.refined:
        body |= _refined(part, child, unique)
    later = part.remedies if isinstance(part, Rule) else part.consequences
    lists: tuple[tuple[str, tuple[AnyConstraint | Duty, ...]], ...] = (
        ("constraint", part.constraints),
        ("duty", part.duties if isinstance(part, Rule) else ()),
        ("remedy" if isinstance(part, Rule) else "consequence", later),
    )
    for member, parts in lists:
        if parts:
            body[member] = unique([child(each) for each in parts])
    for member, value in sorted(set(part.functions)):
        body.setdefault(member.removeprefix(ODRL), []).append(value)  # type: ignore[attr-defined]
    return body


def _constraint(part: Constraint) -> Node:
    body: Node = {"type": "Constraint", "leftOperand": part.left, "operator": part.operator}
    if part.right or not part.references:
        body["rightOperand"] = [value_node(v) for v in sorted(set(part.right), key=_spelled)]
    if part.references:
        body["rightOperandReference"] = sorted(set(part.references))
    if part.unit is not None:
        body["unit"] = part.unit
    if part.status is not None:
        body["status"] = value_node(part.status)
    return body


def _refined(
    part: Rule | Duty,
    child: Callable[[AnyConstraint | Duty], T],
    unique: Callable[[list[T]], list[T]],
) -> Node:
    """Action, target and parties that are more than an IRI, as ODRL writes them."""
    found: Node = {}
    for role in ROLES:
        each: Node = {}
        if (value := getattr(part, role)) is not None:
            each["id"] = value
        if role in part.refined.collections:
            each["type"] = "AssetCollection" if role == "target" else "PartyCollection"
        if sources := [source for named, source in part.refined.sources if named == role]:
            each["source"] = sources[0]
        if conditions := part.refined.of(role):
            each["refinement"] = unique([child(one) for one in conditions])
        if wholes := sorted({whole for named, whole in part.refined.part_of if named == role}):
            each["partOf"] = wholes
        if set(each) - {"id"}:
            found[role] = each
    return found


def _strategy(conflict: Conflict | None, inherits: tuple[str, ...]) -> Node:
    """What a policy says about itself beside its rules; the ordinary policy says nothing."""
    found: Node = {}
    if conflict not in {None, "prohibit"}:
        found["conflict"] = conflict
    if inherits:
        found["inheritFrom"] = sorted(set(inherits))
    return found


@lru_cache(maxsize=8192)
def _spelled(value: Value) -> bytes:
    return jcs(value_node(value))


def _unique_names(names: list[str]) -> list[str]:
    return sorted(set(names))


def _sorted(nodes: list[Node]) -> list[Node]:
    unique = {str(each["id"]): each for each in nodes}
    return [unique[key] for key in sorted(unique)]


def _rules(policy: Policy) -> tuple[tuple[str, tuple[Rule | Duty, ...]], ...]:
    return (
        ("permission", policy.permissions),
        ("prohibition", policy.prohibitions),
        ("obligation", policy.obligations),
    )


def _hash(value: object) -> str:
    digest = hashlib.sha256(jcs(value)).digest()
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
