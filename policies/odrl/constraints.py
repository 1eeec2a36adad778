"""Reading constraints and the values in them."""

from collections.abc import Mapping
from decimal import Decimal
from math import isfinite
from typing import Final

from policies import folded, operands, values
from policies.model import (
    BOOLEAN,
    DECIMAL,
    INTEGER,
    STRING,
    AnyConstraint,
    Constraint,
    LogicalConstraint,
    Value,
)
from policies.odrl.members import (
    Members,
    at,
    clip,
    expect_type,
    kind,
    listed,
    members,
    named,
    optional,
    required,
    text,
)
from policies.odrl.remembered import by_bytes
from policies.odrl.words import LEFT_OPERANDS, LOGICAL, OPERATORS, expand, term, terms, word
from policies.problem import Problem
from policies.vocabulary import ODRL, XSD

_MAX_DEPTH: Final = 16
_LARGEST: Final = 10**30  # as `values` reads them; Python refuses to write the very long ones
_ATOMIC: Final = frozenset(
    {"id", "type", "leftOperand", "operator", "rightOperand", "rightOperandReference"}
    | {"unit", "dataType", "status"}
)
_KNOWN: Final = _ATOMIC | set(LOGICAL)
_REFERENCE: Final = "rightOperandReference"


def constraints(found: Members, member: str, where: str) -> tuple[AnyConstraint, ...]:
    """All constraints (or refinements) that a member lists."""
    return tuple(constraint(item, path, 0) for item, path in listed(found, member, where))


@by_bytes(most=4096, longest=4096)
def constraint(data: object, where: str, depth: int) -> AnyConstraint:
    """One constraint, atomic or logical.

    Raises:
        Problem: `policy-…`, located.
    """
    if depth > _MAX_DEPTH:
        raise Problem("policy-too-deep", path=where, expected=_MAX_DEPTH)
    found = members(data, where, _KNOWN)
    logical = next((each for each in LOGICAL if each in found), None)
    if logical is not None:
        return _logical(found, logical, where, depth)
    expect_type(found, where, "Constraint", "AtomicConstraint")
    spelled = required(found, "leftOperand", where)
    left = word(spelled, at(where, "leftOperand"), LEFT_OPERANDS)
    datatype = _datatype(found, where)
    right, is_list = _right(found, left, datatype, where)
    return Constraint(
        left=left,
        operator=_operator(found, where),
        right=right,
        unit=_iri(found, "unit", where),
        references=_references(found, where),
        status=_status(found, left, where),
        id=optional(found, "id", where),
        listed=is_list,
    )


def _logical(found: Members, logical: str, where: str, depth: int) -> LogicalConstraint:
    expect_type(found, where, "Constraint", "LogicalConstraint")
    extra = sorted(set(found) - {"id", "type", logical})
    if extra:
        raise Problem("policy-unknown-member", path=at(where, extra[0]), expected=logical)
    value = found[logical]
    if isinstance(value, Mapping) and set(value) == {"@list"}:
        value = value["@list"]
    items = value if isinstance(value, list) else [value]
    path = at(where, logical)
    if not items:
        raise Problem("policy-shape", path=path, expected="constraints", found="[]")
    return LogicalConstraint(
        operator=ODRL + logical,
        operands=tuple(
            constraint(item, at(path, index), depth + 1) for index, item in enumerate(items)
        ),
        id=optional(found, "id", where),
    )


def _operator(found: Members, where: str) -> str:
    path = at(where, "operator")
    spelled = named(required(found, "operator", where), path)
    # `term-lteq` is the word of the protocol's own JSON-LD context.
    return term("lteq" if spelled == "term-lteq" else spelled, path, OPERATORS)


def _right(
    found: Members, left: str, datatype: str | None, where: str
) -> tuple[tuple[Value, ...], bool]:
    """The required values, and whether they were written as an array."""
    path = at(where, "rightOperand")
    if "rightOperand" not in found:
        if _REFERENCE not in found:
            required(found, "rightOperand", where)
        return (), False
    right = folded.value(found["rightOperand"])
    if not isinstance(right, list):
        return (value(right, left, datatype, path),), False
    if not right:
        raise Problem("policy-shape", path=path, expected="value", found="[]")
    each = (value(item, left, datatype, at(path, index)) for index, item in enumerate(right))
    return tuple(each), True


def _references(found: Members, where: str) -> tuple[str, ...]:
    return terms(found[_REFERENCE], at(where, _REFERENCE)) if _REFERENCE in found else ()


def _status(found: Members, left: str, where: str) -> Value | None:
    return value(found["status"], left, None, at(where, "status")) if "status" in found else None


def _iri(found: Members, member: str, where: str) -> str | None:
    return term(found[member], at(where, member), frozenset()) if member in found else None


def _datatype(found: Members, where: str) -> str | None:
    return _iri(found, "dataType", where)


def value(data: object, left: str, datatype: str | None, where: str) -> Value:
    """One value of a left operand; `datatype` types what has no type, and must agree with what
    has one.
    """
    if datatype is None:
        return _spelled(data, left, where)
    if isinstance(data, str):
        return values.literal(text(data, where), datatype)
    found = _spelled(data, left, where)
    if found.is_iri or found.datatype != values.literal(found.text, datatype).datatype:
        raise Problem("policy-value", path=where, expected=datatype, found=clip(found.text))
    return found


def _spelled(data: object, left: str, where: str) -> Value:
    match data:
        case bool():
            return values.literal("true" if data else "false", BOOLEAN)
        case int() if abs(data) < _LARGEST:
            return values.literal(str(data), INTEGER)
        case float() if isfinite(data):
            return values.literal(format(Decimal(repr(data)), "f"), DECIMAL)
        case str():
            return _untyped(text(data, where), left)
        case Mapping():
            return _object(data, left, where)
    raise Problem(
        "policy-shape", path=where, expected="string, @id, @value + @type", found=kind(data)
    )


def _object(data: Mapping[object, object], left: str, where: str) -> Value:
    found = members(data, where, frozenset({"id", "value", "type"}))
    if set(found) == {"id"}:
        return Value(term(found["id"], at(where, "@id"), frozenset()))
    if "value" not in found or "id" in found:
        raise Problem("policy-shape", path=where, expected="@id, @value + @type", found="object")
    value = _scalar(found["value"], where)
    if "type" not in found:
        return _spelled(value, left, at(where, "@value"))
    datatype = term(found["type"], at(where, "@type"), frozenset())
    lexical = text(value, where) if isinstance(value, str) else _spelled(value, "", where).text
    if datatype == XSD + "anyURI" and values.is_iri(lexical):
        return Value(lexical)
    return values.literal(lexical, datatype)


def _scalar(value: object, where: str) -> object:
    if isinstance(value, str | int | float | bool):
        return value
    raise Problem("policy-shape", path=at(where, "@value"), expected="string", found=kind(value))


def _untyped(spelled: str, left: str) -> Value:
    """A plain string takes the type its operand declares, when it can be read as such."""
    operand = operands.find(left)
    if operand is not None and operand.datatype is None:
        full = expand(spelled)
        return Value(full, None, spelled) if values.is_iri(full) else Value(full, STRING, spelled)
    if operand is not None and operand.datatype is not None:
        typed = values.literal(spelled, operand.datatype, spelled=spelled)
        if values.parse(typed) is not None:
            return typed
    return Value(spelled, STRING, spelled)
