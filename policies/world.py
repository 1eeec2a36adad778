"""What an evaluation knows: the request, facts by operand, records of what was done, membership.

Everything here is a value that somebody else found out; this room only reads it. What is absent
is unknown, never false: `Fact(())` says "none", no fact says "nobody can tell".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from policies.application import Application, countries
from policies.consent import GROUP
from policies.model import Policy, Role, Value, iri
from policies.operands import Assurance
from policies.trace import DutyState
from policies.vocabulary import DPV, ODRL, PREAU

PERFORMED: Final = PREAU + "performed"
"""Key of the fact that lists the content names of the duties performed so far."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Values of one operand, where they come from, how well they are held.

    No values at all is a fact too: "in no group", "no country declared" is `values=()`.
    `since` is the instant from which it holds, where the order of events matters; `unit` the IRI
    of the unit of its values.
    """

    values: tuple[Value, ...]
    source: str = ""
    assurance: Assurance = "declared"
    since: datetime | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an action on a target by an authenticated party, with its claims.

    `about` holds, by role and operand, what is known of the action, target or party asked for:
    refinements are judged on it. What is not there is looked up among the claims (for the
    action) or the facts (for target and parties).
    """

    action: str
    target: str | None
    assignee: str | None
    claims: Mapping[str, Fact] = field(default_factory=dict)
    about: Mapping[Role, Mapping[str, Fact]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """Something that was done, or that somebody established about a duty.

    Attributes:
        action: the action done.
        at: when.
        target, party: on what, by whom; None when the record does not say.
        duty: content name or received id of the duty (or prohibition) it is about; None when
            it is to be recognised by action, target and party.
        state: what the record establishes.
        facts: what is known of it by operand (an amount paid), for refinements.
        id: IRI of the record itself.
    """

    action: str
    at: datetime
    target: str | None = None
    party: str | None = None
    duty: str | None = None
    state: DutyState = "fulfilled"
    facts: Mapping[str, Fact] = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class World:
    """The state of the world beside the facts.

    Attributes:
        records: what was done so far; None when nobody keeps records, so that nothing can be
            told from their absence.
        members: for an asset or party, the collections it is directly in; an entry, even an
            empty one, says that these are all.
    """

    records: tuple[Record, ...] | None = None
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


NOTHING: Final = World()


def claims(application: Application) -> dict[str, Fact]:
    """What an application claims, by operand: purpose, and countries where it declares any."""
    found = {ODRL + "purpose": Fact((iri(application.purpose),), "application", "declared")}
    if places := countries(application):
        for left in (PREAU + "recipientCountry", PREAU + "processingLocation", ODRL + "spatial"):
            found[left] = Fact(places, "application", "declared")
    return found


def category(*, personal: bool) -> Fact:
    """What a dataset's declaration says about `preau:dataCategory`."""
    term = DPV + ("PersonalData" if personal else "NonPersonalData")
    return Fact((iri(term),), "dataset", "declared")


def groups(names: Iterable[str]) -> Fact:
    """What the operator's peer list says about `preau:membership`; no group is a fact too."""
    return Fact(tuple(iri(GROUP + each) for each in sorted(names)), "peer-list", "declared")


def memberships(policy: Policy, world: World) -> Mapping[str, tuple[str, ...]]:
    """Who is in which collection, by the world and by the policy's own `partOf` and `source`."""
    found = dict(world.members)
    for rule in (*policy.permissions, *policy.prohibitions):
        for role, whole in rule.refined.part_of:
            part = str(getattr(rule, role))
            found[part] = (*found.get(part, ()), whole)
        for role, source in rule.refined.sources:
            found[source] = (*found.get(source, ()), str(getattr(rule, role)))
    return found


def belongs(part: str, whole: str, members: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether something is a collection or, through any number of steps, in it."""
    if part == whole:
        return True
    seen, todo = {part}, [part]
    while todo:
        each = todo.pop()
        if each == whole:
            return True
        new = [outer for outer in members.get(each, ()) if outer not in seen]
        seen.update(new)
        todo.extend(new)
    return False
