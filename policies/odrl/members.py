"""The members of JSON objects under their compact names; every fault is located."""

import re
from collections.abc import Mapping
from typing import Final

from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU, PREFIXES, RDF

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_SYNONYMS: Final[Mapping[str, str]] = {
    "@id": "id",
    "uid": "id",
    "@type": "type",
    "@value": "value",
    "rdf:value": "rdf:value",
    RDF + "value": "rdf:value",
    "@language": "language",
    "dspace:timestamp": "timestamp",
    PREFIXES["dspace"] + "timestamp": "timestamp",
}
_TEXTS: Final = frozenset(
    {"title", "description", "name"}
    | {f"{base}{word}" for base in ("dct:", PREFIXES["dct"]) for word in ("title", "description")}
)

Members = dict[str, object]


def members(
    data: object, where: str, known: frozenset[str], *, extensible: bool = False
) -> Members:
    """The members of an object under their compact names; unknown ones are refused.

    Titles and the like are left out: they say nothing about what may be done, and so they may be
    nothing but texts. A policy may name its context; a context further inside is refused, since
    it could give any word below it another meaning.
    """
    if not isinstance(data, Mapping):
        raise Problem("policy-shape", path=where or "policy", expected="object", found=kind(data))
    found: Members = {}
    for key, value in data.items():
        short = _short(key)
        if short in _TEXTS:
            _expect_texts(value, at(where, clip(key)))
            continue
        if extensible and (key == "@context" or _is_extension(key)):
            continue
        if short not in known:
            expected = ", ".join(sorted(known))
            raise Problem("policy-unknown-member", path=at(where, clip(key)), expected=expected)
        if short in found:
            raise Problem("policy-duplicate-member", path=at(where, clip(key)))
        found[short] = value
    return found


def _expect_texts(data: object, where: str) -> None:
    for each in data if isinstance(data, list) else [data]:
        value = each.get("@value") if isinstance(each, Mapping) else each
        if not isinstance(value, str):
            raise Problem("policy-shape", path=where, expected="string", found=kind(each))


def typed(found: Mapping[str, object], where: str) -> str | None:
    """The class of an object, ODRL's without prefix; None when it says none."""
    if "type" not in found:
        return None
    value = found["type"]
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return text(value, at(where, "@type")).removeprefix(ODRL).removeprefix("odrl:")


def expect_type(found: Mapping[str, object], where: str, *allowed: str) -> str | None:
    """The class of an object that may only be one of these."""
    spelled = typed(found, where)
    if spelled is not None and spelled not in allowed:
        raise Problem("policy-type", path=at(where, "@type"), expected=", ".join(allowed))
    return spelled


def optional(found: Mapping[str, object], member: str, where: str) -> str | None:
    """The name that a member gives, None when it is absent."""
    return named(found[member], at(where, member)) if member in found else None


def required(found: Mapping[str, object], member: str, where: str) -> object:
    """The raw value of a member that must be there."""
    if member not in found:
        raise Problem("policy-missing-member", path=where or "policy", expected=member)
    return found[member]


def listed(found: Mapping[str, object], member: str, where: str) -> list[tuple[object, str]]:
    """The items of a member with their paths; a single object stands for a list of one."""
    value = found.get(member, [])
    path = at(where, member)
    items = value if isinstance(value, list) else [value]
    return [(item, at(path, index)) for index, item in enumerate(items)]


def named(data: object, where: str) -> str:
    """A string, `{"@id": string}`, or a list of exactly one of these."""
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if isinstance(data, Mapping):
        data = required(members(data, where, frozenset({"id"})), "id", where)
    return text(data, where)


def text(data: object, where: str) -> str:
    """A string that is not empty and can be written as UTF-8."""
    if not isinstance(data, str) or not data:
        raise Problem("policy-shape", path=where, expected="string", found=kind(data))
    if _SURROGATE.search(data):
        raise Problem("policy-shape", path=where, expected="Unicode text", found="surrogate")
    return data


def at(where: str, member: str | int) -> str:
    """The path of a member or of an item."""
    if isinstance(member, int):
        return f"{where}[{member}]"
    return f"{where}.{member}" if where else member


def kind(data: object) -> str:
    """What a JSON value is, in a word."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    if data == "":
        return "empty string"
    return names.get(type(data), "number" if isinstance(data, int | float) else "other")


def clip(spelled: object) -> str:
    """The beginning of a text, as it may stand in a problem."""
    return str(spelled)[:80].encode("utf-8", "replace").decode()


def _short(key: object) -> str:
    spelled = _SYNONYMS.get(str(key), str(key))
    spelled = spelled.removeprefix(ODRL).removeprefix("odrl:")
    return _SYNONYMS.get(spelled, spelled)


def _is_extension(key: object) -> bool:
    return str(key).startswith((PREAU, "preau:"))
