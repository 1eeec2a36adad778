"""Reading what a rule is about: action, target and parties, plain or refined, one or several."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from policies.model import AnyConstraint, Refinements, Role
from policies.odrl.constraints import constraints
from policies.odrl.members import (
    Members,
    at,
    expect_type,
    listed,
    members,
    named,
    required,
)
from policies.odrl.words import ACTIONS, FUNCTIONS, terms, word
from policies.problem import Problem
from policies.vocabulary import ODRL

_ACTION: Final = frozenset({"id", "type", "rdf:value", "refinement"})
_THING: Final = frozenset({"id", "type", "source", "refinement", "partOf"})
_COLLECTIONS: Final[Mapping[Role, str]] = {
    "target": "AssetCollection",
    "assigner": "PartyCollection",
    "assignee": "PartyCollection",
}
_SINGLES: Final[Mapping[Role, str]] = {"target": "Asset", "assigner": "Party", "assignee": "Party"}


class Thing(NamedTuple):
    """One action, asset or party that a rule names: its IRI, and what narrows it."""

    iri: str
    refinement: tuple[AnyConstraint, ...] = ()
    collection: bool = False
    source: str | None = None
    part_of: tuple[str, ...] = ()


def things(found: Members, role: Role, where: str) -> tuple[Thing, ...]:
    """All that a rule names in one role, in the order given; () when it says nothing."""
    if role not in found:
        return ()
    items = listed(found, role, where)
    if not items:
        raise Problem("policy-shape", path=at(where, role), expected="IRI", found="[]")
    one = isinstance(found[role], Mapping | str) or len(items) == 1
    path = at(where, role)
    return tuple(
        dict.fromkeys(_one(item, path if one else located, role) for item, located in items)
    )


def refinements(chosen: Mapping[Role, Thing]) -> Refinements:
    """What narrows the roles of one atomic rule."""
    return Refinements(
        **{role: thing.refinement for role, thing in chosen.items()},
        collections=tuple(sorted(role for role, thing in chosen.items() if thing.collection)),
        sources=tuple(
            (role, thing.source) for role, thing in sorted(chosen.items()) if thing.source
        ),
        part_of=tuple(
            (role, whole)
            for role, thing in sorted(chosen.items())
            for whole in sorted(thing.part_of)
        ),
    )


def functions(found: Members, where: str) -> tuple[tuple[str, str], ...]:
    """Party functions and relations beside the ordinary ones, sorted."""
    pairs = (
        (ODRL + member, iri)
        for member in sorted(FUNCTIONS & found.keys())
        for iri in terms(found[member], at(where, member))
    )
    return tuple(sorted(set(pairs)))


def _one(data: object, where: str, role: Role) -> Thing:
    return _action(data, where) if role == "action" else _thing(data, where, role)


def _action(data: object, where: str) -> Thing:
    if not _is_detailed(data):
        return Thing(word(data, where, ACTIONS))
    found = members(data, where, _ACTION)
    expect_type(found, where, "Action")
    value = found["rdf:value"] if "rdf:value" in found else required(found, "id", where)
    path = at(where, "rdf:value") if "rdf:value" in found else where
    refinement = constraints(found, "refinement", where)
    return Thing(word(value, path, ACTIONS), refinement)


def _thing(data: object, where: str, role: Role) -> Thing:
    if not _is_detailed(data):
        return Thing(named(data, where))
    found = members(data, where, _THING)
    spelled = expect_type(found, where, _COLLECTIONS[role], _SINGLES[role])
    source = named(found["source"], at(where, "source")) if "source" in found else None
    iri = source if "id" not in found and source else named(required(found, "id", where), where)
    refinement = constraints(found, "refinement", where)
    collection = spelled == _COLLECTIONS[role] or "source" in found or bool(refinement)
    if collection and spelled == _SINGLES[role]:
        raise Problem("policy-type", path=at(where, "@type"), expected=_COLLECTIONS[role])
    part_of = terms(found["partOf"], at(where, "partOf")) if "partOf" in found else ()
    return Thing(iri, refinement, collection, source if source != iri else None, part_of)


def _is_detailed(data: object) -> bool:
    return isinstance(data, Mapping) and any(str(key) not in {"@id", "id", "uid"} for key in data)
