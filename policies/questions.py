"""Question and answer files: what `preau policy decide` reads and writes (docs/policy-files.md).

A question is a request with everything that is known: claims, facts, records, memberships, the
time. Strict: an unknown member, a value without a readable type, or a fact that could never count
is a located `Problem`. Nothing is looked up anywhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, cast, get_args

from policies import odrl, operands, values
from policies.evaluate import Decision, Fact, Record, Request, World, decide
from policies.inheritance import resolve
from policies.model import Policy, Role, Value
from policies.odrl import constraints, words
from policies.operands import Assurance, Phase
from policies.operands.base import PHASES
from policies.problem import Problem
from policies.strict import Members
from policies.texts import phrase
from policies.trace import ConstraintTrace, DutyState

_CODE: Final = "policy-question"
_REQUIRED: Final = frozenset({"v", "action", "time"})
_OPTIONAL: Final = frozenset(
    {"target", "assignee", "phase", "claims", "facts", "about", "memberships", "records"}
    | {"policies"}
)
_FACT: Final = frozenset({"type", "source", "assurance", "since", "unit"})
_RECORD: Final = frozenset({"target", "party", "duty", "state", "facts", "id"})
_ROLES: Final[tuple[Role, ...]] = ("action", "target", "assigner", "assignee")
_ASSURANCES: Final[tuple[str, ...]] = get_args(Assurance)
_STATES: Final[tuple[str, ...]] = get_args(DutyState)
_GIVEN: Final = {"clock": "time", "authentication": "assignee"}


@dataclass(frozen=True, slots=True)
class Question:
    """A request with everything that is known about it."""

    request: Request
    facts: Mapping[str, Fact]
    now: datetime
    phase: Phase
    world: World
    policies: Mapping[str, Policy]


def read(data: object) -> Question:
    """The question that a JSON document is.

    Raises:
        Problem: `policy-question` or `policy-…`, with the path and what was expected there.
    """
    members = Members(data, _CODE, "", _REQUIRED, _OPTIONAL)
    members.constant("v", 1)
    facts = _facts(members, "facts")
    request = Request(
        action=words.word(members.value("action"), "action", words.ACTIONS),
        target=members.text("target") if "target" in members else None,
        assignee=members.text("assignee") if "assignee" in members else None,
        claims=_facts(members, "claims"),
        about=_about(members),
    )
    return Question(
        request=request,
        facts=facts,
        now=_instant(members, "time"),
        phase=cast("Phase", members.one_of("phase", PHASES))
        if "phase" in members
        else "negotiation",
        world=World(_records(members), _memberships(members)),
        policies=_policies(members),
    )


def answer(policy: Policy, question: Question) -> dict[str, object]:
    """The decision as the document that `preau policy decide --json` prints.

    Raises:
        Problem: `policy-inherits-…`, when the policies inherited are not in the question.
    """
    whole = resolve(policy, question.policies.get)
    decided = decide(
        whole,
        question.request,
        question.facts,
        question.now,
        question.phase,
        world=question.world,
    )
    return document(decided)


def document(decided: Decision) -> dict[str, object]:
    """The answer document of a decision: outcome, duties with their state, the whole trace."""
    said = decided.internal()
    trace = said.pop("rules")
    known = {each.name: each for rule in decided.trace for each in rule.duties}
    duties = [
        {
            "kind": each.kind,
            "id": each.name,
            "action": each.action,
            **(_state(known[each.name]) if each.name in known else {}),
        }
        for each in decided.duties
    ]
    reasons = {"fr": decided.reasons("fr"), "en": decided.reasons("en")}
    return {**said, "duties": duties, "reasons": reasons, "trace": trace}


def _state(traced: ConstraintTrace) -> dict[str, object]:
    found: dict[str, object] = {"state": traced.state or "not-set"}
    if traced.due is not None:
        found["due"] = values.show(traced.due)
    return found


def _instant(members: Members, member: str) -> datetime:
    moment = values.instant(members.text(member))
    if moment is None:
        raise members.problem(member, "a time such as 2027-01-31T12:00:00Z")
    return moment


def _object(members: Members, member: str) -> Mapping[str, object]:
    value = members.value(member) if member in members else {}
    if not isinstance(value, Mapping):
        raise members.problem(member, "object")
    return value


def _facts(members: Members, member: str) -> dict[str, Fact]:
    return _each_fact(_object(members, member), _path(members, member))


def _each_fact(data: Mapping[str, object], where: str) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    for name, value in data.items():
        path = f"{where}.{name[:80]}"
        iri = words.word(name, path, words.LEFT_OPERANDS)
        operand = operands.find(iri)
        if operand is not None and operand.source in _GIVEN:
            given = _GIVEN[operand.source]
            raise _Place(path).problem("", "nothing: its value is the member {given}", given=given)
        if iri in found:
            raise _Place(path).problem("", "each operand once")
        found[iri] = _fact(value, iri, path)
    return found


def _fact(data: object, left: str, where: str) -> Fact:
    """`{"value": …}` or `{"values": […]}`, with type, source, assurance, since and unit."""
    if not isinstance(data, Mapping) or ("value" in data) == ("values" in data):
        raise _Place(where).problem("", "an object with value or values, one of them")
    many = "values" in data
    members = Members(data, _CODE, where, frozenset({"values" if many else "value"}), _FACT)
    spelled = members.value("values") if many else [members.value("value")]
    if not isinstance(spelled, list):
        raise members.problem("values", "a list")
    name = "values" if many else "value"
    read = tuple(
        _value(each, left, members, f"{where}.{name}" + (f"[{index}]" if many else ""))
        for index, each in enumerate(spelled)
    )
    return Fact(
        values=read,
        source=members.optional_text("source") or "",
        assurance=cast("Assurance", members.one_of("assurance", _ASSURANCES))
        if "assurance" in members
        else "declared",
        since=_instant(members, "since") if "since" in members else None,
        unit=words.term(members.value("unit"), f"{where}.unit", frozenset())
        if "unit" in members
        else None,
    )


def _value(data: object, left: str, members: Members, where: str) -> Value:
    """A value as in a policy; `type` is a datatype, or "@id" for names."""
    if "type" not in members:
        return constraints.value(data, left, None, where)
    if members.value("type") == "@id":
        return Value(words.term(data, where, frozenset()))
    datatype = words.term(members.value("type"), f"{members.where}.type", frozenset())
    found = constraints.value(data, left, datatype, where)
    if values.parse(found) is None and values.span(found) is None:
        raise _Place(where).problem("", "a value of type {datatype}", datatype=datatype)
    return found


def _about(members: Members) -> dict[Role, dict[str, Fact]]:
    if "about" not in members:
        return {}
    roles = Members(members.value("about"), _CODE, "about", frozenset(), frozenset(_ROLES))
    return {role: _facts(roles, role) for role in _ROLES if role in roles}


def _memberships(members: Members) -> dict[str, tuple[str, ...]]:
    found = {}
    for name, value in _object(members, "memberships").items():
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise members.problem(f"memberships.{name[:80]}", "a list of collections")
        found[name] = tuple(value)
    return found


def _records(members: Members) -> tuple[Record, ...] | None:
    if "records" not in members:
        return None
    value = members.value("records")
    if not isinstance(value, list):
        raise members.problem("records", "a list")
    return tuple(_record(each, f"records[{index}]") for index, each in enumerate(value))


def _record(data: object, where: str) -> Record:
    members = Members(data, _CODE, where, frozenset({"action", "at"}), _RECORD)
    return Record(
        action=words.word(members.value("action"), f"{where}.action", words.ACTIONS),
        at=_instant(members, "at"),
        target=members.optional_text("target"),
        party=members.optional_text("party"),
        duty=members.optional_text("duty"),
        state=cast("DutyState", members.one_of("state", _STATES))
        if "state" in members
        else "fulfilled",
        facts=_facts(members, "facts"),
        id=members.optional_text("id"),
    )


def _policies(members: Members) -> dict[str, Policy]:
    if "policies" not in members:
        return {}
    value = members.value("policies")
    if not isinstance(value, list):
        raise members.problem("policies", "a list of policies")
    read = [odrl.read(each, where=f"policies[{index}]") for index, each in enumerate(value)]
    found = {each.id: each for each in read}
    if len(found) != len(read) or "" in found:
        raise members.problem("policies", "policies with an @id of their own")
    return found


def _path(members: Members, member: str) -> str:
    return ".".join(part for part in (members.where, member) if part)


class _Place(NamedTuple):
    """A path in the document, for faults that `Members` does not know of."""

    where: str

    def problem(self, member: str, expected: str, **values: object) -> Problem:
        """A located problem of this document."""
        path = ".".join(part for part in (self.where, member) if part)
        clean = path.encode("utf-8", "replace").decode()
        return Problem(_CODE, path=clean, expected=phrase(expected, **values))
