"""The only file that knows how ODRL is spelled: JSON in, typed policy out, and back.

`read` accepts what peers really write: compact terms, `odrl:` and other known prefixes, full
IRIs, single objects for lists, `{"@id": …}` for names, plain strings for typed values. It never
makes a poorer policy: whatever could change the meaning and is not understood (refinements,
remedies, units, unknown members) is a `Problem` that names the place, what was expected and what
to do. An *operand or action* nobody knows is kept: it can be shown, sent back, and evaluates to
`undetermined`. As a bare word (the protocol's own examples have some) it names nothing outside
its document, so it is kept under `BARE`, a name that nobody will ever register.

`wire` writes the form of the Dataspace Protocol 2025-1 (contract-schema.json): actions and
operands as strings, ODRL terms with the `odrl:` prefix, values as `{"@id"}` or
`{"@value", "@type"}`, rules and constraints in the order received, empty arrays omitted.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Final, TypeVar

import orjson

from policies import folded, operands, values
from policies.model import (
    BOOLEAN,
    DECIMAL,
    INTEGER,
    STRING,
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Policy,
    PolicyKind,
    Rule,
    RuleKind,
    Value,
)
from policies.naming import document, name, node, rules_digest, same
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU, PREFIXES, XSD

__all__ = ["document", "iri", "name", "node", "read", "rules_digest", "same", "wire"]

_LEFT_OPERANDS_WORDS: Final = (
    "absolutePosition absoluteSize absoluteSpatialPosition absoluteTemporalPosition count "
    "dateTime delayPeriod deliveryChannel device elapsedTime event fileFormat industry "
    "language media meteredTime payAmount percentage product purpose recipient "
    "relativePosition relativeSize relativeSpatialPosition relativeTemporalPosition "
    "resolution spatial spatialCoordinates system systemDevice timeInterval unitOfCount "
    "version virtualLocation"
)
LEFT_OPERANDS: Final = frozenset(_LEFT_OPERANDS_WORDS.split())
_ACTIONS_WORDS: Final = (
    "acceptTracking adHocShare aggregate annotate anonymize append appendTo archive "
    "attachPolicy attachSource attribute commercialize compensate concurrentUse copy delete "
    "derive digitize display distribute ensureExclusivity execute export extract extractChar "
    "extractPage extractWord give grantUse include index inform install lease lend license "
    "modify move nextPolicy obtainConsent pay play present preview print read reproduce "
    "reviewPolicy secondaryUse sell share shareAlike stream synchronize textToSpeech transfer "
    "transform translate uninstall use watermark write writeTo"
)
ACTIONS: Final = frozenset(_ACTIONS_WORDS.split())
_OPERATORS_WORDS: Final = "eq neq gt gteq lt lteq hasPart isA isAllOf isAnyOf isNoneOf isPartOf"
OPERATORS: Final = frozenset(_OPERATORS_WORDS.split())
LOGICAL: Final = ("and", "or", "xone", "andSequence")

BARE: Final = "urn:preau:bare:"
_EDC: Final = "https://w3id.org/edc/v0.0.1/ns/"
_KNOWN_BY_OTHERS: Final = {
    f"{prefix}inForceDate": ODRL + "dateTime" for prefix in ("", "edc:", _EDC)
}
"""Operands of other connectors that say what one of ODRL's says (EDC: an instant of use)."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,60}")
_MAX_DEPTH: Final = 16
_REMEMBERED_BYTES: Final = 65_536
_SYNONYMS: Final[Mapping[str, str]] = {
    "@id": "id",
    "uid": "id",
    "@type": "type",
    "@value": "value",
    "@language": "language",
    "dspace:timestamp": "timestamp",
    PREFIXES["dspace"] + "timestamp": "timestamp",
}
_TEXTS: Final = frozenset(
    {"@context", "title", "description", "name"}
    | {f"{base}{word}" for base in ("dct:", PREFIXES["dct"]) for word in ("title", "description")}
)
_KINDS: Final[Mapping[str, PolicyKind]] = {
    "Offer": "Offer",
    "Agreement": "Agreement",
    "Set": "Set",
    "Policy": "Set",
}
_PARTIES: Final = frozenset({"target", "assigner", "assignee"})
_POLICY: Final = _PARTIES | {
    "id",
    "type",
    "profile",
    "timestamp",
    "conflict",
    "permission",
    "prohibition",
    "obligation",
}
_DUTY: Final = _PARTIES | {"id", "type", "action", "constraint"}
_PERMISSION: Final = _DUTY | {"duty"}

T = TypeVar("T")
_RULES: Final = ("permission", "prohibition", "obligation")
_Rules = tuple[tuple[Rule, ...], tuple[Rule, ...], tuple[Duty, ...]]


def read(data: object, *, where: str = "") -> Policy:
    """The typed policy that a JSON value spells, in the order given.

    Args:
        data: the parsed JSON of one offer, agreement or set.
        where: path of this value in what the person sent, put before every located problem.

    Raises:
        Problem: `policy-…`, kind invalid, with `path`, what was found and what was expected.
    """
    members = _members(data, where, _POLICY, extensible=True)
    kind = _KINDS.get(_type(members, where) or "")
    if kind is None:
        raise Problem("policy-type", path=_at(where, "@type"), expected="Offer, Agreement, Set")
    if "conflict" in members:
        _conflict(members["conflict"], _at(where, "conflict"))
    permissions, prohibitions, obligations = _rules(members, where)
    policy = Policy(
        kind=kind,
        id=_optional(members, "id", where) or "",
        target=_optional(members, "target", where),
        assigner=_optional(members, "assigner", where),
        assignee=_optional(members, "assignee", where),
        permissions=permissions,
        prohibitions=prohibitions,
        obligations=obligations,
        timestamp=_timestamp(members, where),
        profile=_profile(members, where),
    )
    if not (policy.permissions or policy.prohibitions or policy.obligations):
        raise Problem("policy-no-rule", path=where or "policy")
    return policy


def wire(policy: Policy, **members: object) -> dict[str, object]:
    """The policy as Dataspace Protocol 2025-1 JSON, order and ids as received.

    Args:
        policy: what to write.
        members: further members of the policy object; they replace, and None removes, what the
            policy says (`target=None` for an offer in a catalog).
    """
    found: dict[str, object] = {"@id": policy.id} if policy.id else {}
    found["@type"] = policy.kind
    if policy.profile:
        found["profile"] = policy.profile[0] if len(policy.profile) == 1 else list(policy.profile)
    for member in ("target", "assigner", "assignee", "timestamp"):
        if (value := getattr(policy, member)) is not None:
            found[member] = value
    lists: tuple[tuple[str, tuple[Rule | Duty, ...]], ...] = (
        ("permission", policy.permissions),
        ("prohibition", policy.prohibitions),
        ("obligation", policy.obligations),
    )
    for member, parts in lists:
        if parts:
            found[member] = [_wire_rule(part) for part in parts]
    found.update(members)
    return {key: value for key, value in found.items() if value is not None}


def iri(text: str) -> str:
    """The full IRI that a full or prefixed spelling stands for.

    Raises:
        Problem: `policy-relative-name`, when it stands for none.
    """
    return _term(text, "iri", frozenset())


class _Spelled:
    """The rules of a policy as JSON, compared by their bytes; `where` is for problems only."""

    __slots__ = ("_bytes", "members", "where")

    def __init__(self, spelled: bytes, members: Mapping[str, object], where: str) -> None:
        self._bytes = spelled
        self.members = members
        self.where = where

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Spelled) and self._bytes == other._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)


def _rules(members: Mapping[str, object], where: str) -> _Rules:
    """The rules of a policy.

    The same rules are read at every step of a negotiation, in the offer and in the agreement. What
    is remembered is found by its own bytes, member order included, so it can be no other policy's;
    refusals are never remembered.
    """
    rules = {name: members[name] for name in _RULES if name in members}
    try:
        spelled = orjson.dumps(rules)
    except TypeError:
        return _read_rules(rules, where)
    if len(spelled) > _REMEMBERED_BYTES:
        return _read_rules(rules, where)
    return _remembered(_Spelled(spelled, rules, where))


@lru_cache(maxsize=256)
def _remembered(spelled: _Spelled) -> _Rules:
    return _read_rules(spelled.members, spelled.where)


def _read_rules(members: Mapping[str, object], where: str) -> _Rules:
    return (
        _each(members, "permission", where, _rule("Permission")),
        _each(members, "prohibition", where, _rule("Prohibition")),
        _each(members, "obligation", where, _duty),
    )


# --- reading -------------------------------------------------------------------------------


def _members(
    data: object, where: str, known: frozenset[str], *, extensible: bool = False
) -> dict[str, object]:
    """The members of an object under their compact names; unknown ones are refused."""
    if not isinstance(data, Mapping):
        raise Problem("policy-shape", path=where or "policy", expected="object", found=_kind(data))
    found: dict[str, object] = {}
    for key, value in data.items():
        short = _short(key)
        if short in _TEXTS or (extensible and _is_extension(key)):
            continue
        if short not in known:
            expected = ", ".join(sorted(known))
            raise Problem("policy-unknown-member", path=_at(where, _clip(key)), expected=expected)
        if short in found:
            raise Problem("policy-duplicate-member", path=_at(where, _clip(key)))
        found[short] = value
    return found


def _short(key: object) -> str:
    text = str(key)
    text = _SYNONYMS.get(text, text)
    return _SYNONYMS.get(
        text.removeprefix(ODRL).removeprefix("odrl:"), text.removeprefix(ODRL).removeprefix("odrl:")
    )


def _is_extension(key: object) -> bool:
    return str(key).startswith((PREAU, "preau:"))


def _type(members: Mapping[str, object], where: str) -> str | None:
    if "type" not in members:
        return None
    value = members["type"]
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return _text(value, _at(where, "@type")).removeprefix(ODRL).removeprefix("odrl:")


def _expect_type(members: Mapping[str, object], where: str, *allowed: str) -> None:
    found = _type(members, where)
    if found is not None and found not in allowed:
        raise Problem("policy-type", path=_at(where, "@type"), expected=", ".join(allowed))


def _optional(members: Mapping[str, object], member: str, where: str) -> str | None:
    if member not in members:
        return None
    return _name(members[member], _at(where, member))


def _timestamp(members: Mapping[str, object], where: str) -> str | None:
    value = members.get("timestamp")
    if value is None:
        return None
    path = _at(where, "timestamp")
    if isinstance(value, Mapping):
        value = _members(value, path, frozenset({"value", "type"})).get("value")
    text = _text(value, path)
    if values.moment(text) is None:
        raise Problem("policy-value", path=path, expected="2027-01-31T12:00:00Z", found=_clip(text))
    return text


def _profile(members: Mapping[str, object], where: str) -> tuple[str, ...]:
    value = members.get("profile", [])
    path = _at(where, "profile")
    return tuple(_name(each, path) for each in (value if isinstance(value, list) else [value]))


def _conflict(value: object, path: str) -> None:
    """Prohibitions win here; a policy that asks for another strategy is not ours to evaluate."""
    if _name(value, path) not in {"prohibit", "odrl:prohibit", ODRL + "prohibit"}:
        raise Problem("policy-conflict", path=path, expected="odrl:prohibit")


def _each(
    members: Mapping[str, object], member: str, where: str, reader: Callable[[object, str], T]
) -> tuple[T, ...]:
    value = members.get(member, [])
    path = _at(where, member)
    items = value if isinstance(value, list) else [value]
    return tuple(reader(item, f"{path}[{index}]") for index, item in enumerate(items))


def _rule(kind: RuleKind) -> Callable[[object, str], Rule]:
    known = _PERMISSION if kind == "Permission" else _DUTY

    def reader(data: object, where: str) -> Rule:
        members = _members(data, where, known)
        _expect_type(members, where, kind)
        return Rule(
            kind=kind,
            action=_action(members, where),
            constraints=_each(members, "constraint", where, _constraint),
            duties=_each(members, "duty", where, _duty),
            target=_optional(members, "target", where),
            assigner=_optional(members, "assigner", where),
            assignee=_optional(members, "assignee", where),
            id=_optional(members, "id", where),
        )

    return reader


def _duty(data: object, where: str) -> Duty:
    members = _members(data, where, _DUTY)
    _expect_type(members, where, "Duty")
    return Duty(
        action=_action(members, where),
        constraints=_each(members, "constraint", where, _constraint),
        target=_optional(members, "target", where),
        assigner=_optional(members, "assigner", where),
        assignee=_optional(members, "assignee", where),
        id=_optional(members, "id", where),
    )


def _action(members: Mapping[str, object], where: str) -> str:
    return _word(_required(members, "action", where), _at(where, "action"), ACTIONS)


def _constraint(data: object, where: str, depth: int = 0) -> AnyConstraint:
    if depth > _MAX_DEPTH:
        raise Problem("policy-too-deep", path=where, expected=_MAX_DEPTH)
    atomic = frozenset({"id", "type", "leftOperand", "operator", "rightOperand"})
    members = _members(data, where, atomic | set(LOGICAL))
    logical = [word for word in LOGICAL if word in members]
    if logical:
        return _logical(members, logical, where, depth)
    _expect_type(members, where, "Constraint", "AtomicConstraint")
    left = _word(_required(members, "leftOperand", where), _at(where, "leftOperand"), LEFT_OPERANDS)
    path = _at(where, "operator")
    spelled = _name(_required(members, "operator", where), path)
    operator = _term("lteq" if spelled == "term-lteq" else spelled, path, OPERATORS)
    right = _required(members, "rightOperand", where)
    return Constraint(
        left=left,
        operator=operator,
        right=_values(right, left, _at(where, "rightOperand")),
        id=_optional(members, "id", where),
        listed=isinstance(right, list),
    )


def _logical(
    members: Mapping[str, object], logical: Sequence[str], where: str, depth: int
) -> LogicalConstraint:
    _expect_type(members, where, "Constraint", "LogicalConstraint")
    extra = sorted(set(members) - {"id", "type", logical[0]})
    if extra:
        raise Problem("policy-unknown-member", path=_at(where, extra[0]), expected=logical[0])
    word = logical[0]
    value = members[word]
    if isinstance(value, Mapping) and set(value) == {"@list"}:
        value = value["@list"]
    items = value if isinstance(value, list) else [value]
    path = _at(where, word)
    if not items:
        raise Problem("policy-shape", path=path, expected="constraints", found="[]")
    return LogicalConstraint(
        operator=ODRL + word,
        operands=tuple(
            _constraint(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(items)
        ),
        id=_optional(members, "id", where),
    )


def _values(data: object, left: str, where: str) -> tuple[Value, ...]:
    data = folded.value(data)
    if not isinstance(data, list):
        return (_value(data, left, where),)
    if not data:
        raise Problem("policy-shape", path=where, expected="value", found="[]")
    return tuple(_value(item, left, f"{where}[{index}]") for index, item in enumerate(data))


def _value(data: object, left: str, where: str) -> Value:
    match data:
        case bool():
            return values.literal("true" if data else "false", BOOLEAN)
        case int():
            return values.literal(str(data), INTEGER)
        case float() if isfinite(data):
            return values.literal(format(Decimal(repr(data)), "f"), DECIMAL)
        case str():
            return _untyped(_text(data, where), left)
        case Mapping():
            return _typed(data, left, where)
    raise Problem(
        "policy-shape", path=where, expected="string, @id, @value + @type", found=_kind(data)
    )


def _typed(data: Mapping[object, object], left: str, where: str) -> Value:
    members = _members(data, where, frozenset({"id", "value", "type"}))
    if set(members) == {"id"}:
        return Value(_term(members["id"], _at(where, "@id"), frozenset()))
    if "value" not in members or "id" in members:
        raise Problem("policy-shape", path=where, expected="@id, @value + @type", found="object")
    if "type" not in members:
        return _value(_scalar(members["value"], where), left, _at(where, "@value"))
    datatype = _term(members["type"], _at(where, "@type"), frozenset())
    value = _scalar(members["value"], where)
    text = _value(value, "", where).text if not isinstance(value, str) else _text(value, where)
    if datatype == XSD + "anyURI" and values.is_iri(text):
        return Value(text)
    return values.literal(text, datatype)


def _scalar(value: object, where: str) -> object:
    if isinstance(value, str | int | float | bool):
        return value
    raise Problem("policy-shape", path=_at(where, "@value"), expected="string", found=_kind(value))


def _untyped(text: str, left: str) -> Value:
    """A plain string takes the type its operand declares, when it can be read as such."""
    operand = operands.find(left)
    if operand is not None and operand.datatype is None:
        spelled = _expand(text)
        return Value(spelled, None, text) if values.is_iri(spelled) else Value(text, STRING, text)
    if operand is not None and operand.datatype is not None:
        typed = values.literal(text, operand.datatype, spelled=text)
        if values.parse(typed) is not None:
            return typed
    return Value(text, STRING, text)


def _term(data: object, where: str, bare: frozenset[str]) -> str:
    """The full IRI of a term; a bare word only when ODRL has it."""
    text = _name(data, where)
    if text in bare:
        return ODRL + text
    spelled = _expand(text)
    if not values.is_iri(spelled):
        raise Problem("policy-relative-name", path=where, found=_clip(text))
    return spelled


def _word(data: object, where: str, known: frozenset[str]) -> str:
    """As `_term`, for operands and actions: an unknown bare word is kept as such."""
    text = _name(data, where)
    if known is LEFT_OPERANDS and text in _KNOWN_BY_OTHERS:
        return _KNOWN_BY_OTHERS[text]
    if text not in known and _WORD.fullmatch(text):
        return BARE + text
    return _term(text, where, known)


def _expand(text: str) -> str:
    prefix, colon, rest = text.partition(":")
    return PREFIXES[prefix] + rest if colon and prefix in PREFIXES else text


def _required(members: Mapping[str, object], member: str, where: str) -> object:
    if member not in members:
        raise Problem("policy-missing-member", path=where or "policy", expected=member)
    return members[member]


def _name(data: object, where: str) -> str:
    """A string, `{"@id": string}`, or a list of exactly one of these."""
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if isinstance(data, Mapping):
        members = _members(data, where, frozenset({"id"}))
        data = _required(members, "id", where)
    return _text(data, where)


def _text(data: object, where: str) -> str:
    if not isinstance(data, str) or not data:
        raise Problem("policy-shape", path=where, expected="string", found=_kind(data))
    if _SURROGATE.search(data):
        raise Problem("policy-shape", path=where, expected="Unicode text", found="surrogate")
    return data


def _at(where: str, member: str) -> str:
    return f"{where}.{member}" if where else member


def _kind(data: object) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    if data == "":
        return "empty string"
    return names.get(type(data), "number" if isinstance(data, int | float) else "other")


def _clip(text: object) -> str:
    return str(text)[:80].encode("utf-8", "replace").decode()


# --- writing -------------------------------------------------------------------------------


def _wire_rule(part: Rule | Duty) -> dict[str, object]:
    found: dict[str, object] = {} if part.id is None else {"@id": part.id}
    found["action"] = "use" if part.action == ODRL + "use" else _wire_term(part.action)
    for member in ("target", "assigner", "assignee"):
        if (value := getattr(part, member)) is not None:
            found[member] = value
    if part.constraints:
        found["constraint"] = [_wire_constraint(each) for each in part.constraints]
    if isinstance(part, Rule) and part.duties:
        found["duty"] = [_wire_rule(duty) for duty in part.duties]
    return found


def _wire_constraint(constraint: AnyConstraint) -> dict[str, object]:
    found: dict[str, object] = {} if constraint.id is None else {"@id": constraint.id}
    if isinstance(constraint, LogicalConstraint):
        word = constraint.operator.removeprefix(ODRL)
        found[word] = [_wire_constraint(child) for child in constraint.operands]
        return found
    operator = constraint.operator.removeprefix(ODRL)
    written = [_wire_value(value) for value in constraint.right]
    found["leftOperand"] = _wire_term(constraint.left)
    found["operator"] = operator if operator in OPERATORS else constraint.operator
    listed = constraint.listed or len(written) != 1
    found["rightOperand"] = written if listed else written[0]
    return found


def _wire_value(value: Value) -> object:
    if value.spelled is not None:
        return value.spelled
    if value.datatype is None:
        return {"@id": value.text}
    return {"@value": value.text, "@type": value.datatype}


def _wire_term(term: str) -> str:
    if term.startswith(BARE):
        return term.removeprefix(BARE)
    return "odrl:" + term.removeprefix(ODRL) if term.startswith(ODRL) else term
