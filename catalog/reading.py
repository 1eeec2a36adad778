"""Reading members of signed documents strictly: each fault names its place as a JSON pointer.

Unknown members are refused, missing ones named, types exact. Shared by the readers of dataset
documents and heads; what the members mean is theirs.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from catalog import values
from policies.problem import Problem

Node = Mapping[str, object]


def node(value: object, where: str, required: Collection[str], optional: Collection[str]) -> Node:
    """The value as an object with all required, any optional and no other members.

    Raises:
        Problem: `catalog-member-invalid`, `catalog-member-missing`, `catalog-member-unknown`.
    """
    if not isinstance(value, Mapping):
        raise wrong(where, "{…}")
    for name in required:
        if name not in value:
            raise Problem("catalog-member-missing", where=where or "/", name=name)
    for name in value:
        if name not in required and name not in optional:
            raise Problem("catalog-member-unknown", where=where or "/", name=str(name)[:80])
    return value


def nodes(parent: Node, name: str, where: str) -> list[tuple[object, str]]:
    """The items of an array member, each with its place; an absent member has none."""
    items = parent.get(name, [])
    if not isinstance(items, list | tuple):
        raise wrong(f"{where}/{name}", "[…]")
    return [(item, f"{where}/{name}/{index}") for index, item in enumerate(items)]


def constant(parent: Node, name: str, where: str, expected: object) -> None:
    """That a member has one certain value (and type: `true` is not 1)."""
    found = parent[name]
    if found != expected or isinstance(found, bool) != isinstance(expected, bool):
        raise wrong(f"{where}/{name}", str(expected))


def text(parent: Node, name: str, where: str) -> str:
    """A member that is a string."""
    value = parent[name]
    if not isinstance(value, str):
        raise wrong(f"{where}/{name}", '"…"')
    return value


def optional_text(parent: Node, name: str, where: str) -> str | None:
    """A member that is a string or absent."""
    return text(parent, name, where) if name in parent else None


def whole(parent: Node, name: str, where: str) -> int:
    """A member that is an integer."""
    value = parent[name]
    if type(value) is not int:
        raise wrong(f"{where}/{name}", "0, 1, 2, …")
    return value


def flag(parent: Node, name: str, where: str) -> bool:
    """A member that is a boolean."""
    value = parent[name]
    if type(value) is not bool:
        raise wrong(f"{where}/{name}", "true | false")
    return value


def instant(parent: Node, name: str, where: str) -> datetime:
    """A member that is an instant in our spelling (RFC 3339, UTC, `Z`)."""
    value = values.parse_instant(parent[name])
    if value is None:
        raise wrong(f"{where}/{name}", "2026-11-23T08:00:00Z")
    return value


def word(parent: Node, name: str, where: str, choices: Mapping[str, str]) -> str:
    """The word of `choices` (word -> IRI) whose IRI the member holds."""
    for choice, iri in choices.items():
        if parent[name] == iri:
            return choice
    raise wrong(f"{where}/{name}", " | ".join(choices.values()))


def wrong(where: str, expected: str) -> Problem:
    """The problem of a member that is not what it should be."""
    return Problem("catalog-member-invalid", where=where or "/", expected=expected)
