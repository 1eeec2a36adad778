"""Duties, obligations, remedies: fulfilled, violated or not set, and since or until when.

A duty blocks a permission (`unsatisfied`) when it is a pre-duty that was not performed, or any
duty that was violated: its time passed, or a record says so. A violated duty is made good when
it was performed late *and* all its consequences are fulfilled. A post-duty that is not yet due
is a promise (`deferred`). A duty that says neither when, nor was performed, is undetermined.

The constraints of a duty are of two kinds. Those about time (`elapsedTime`, `delayPeriod`,
`event`, `duePhase`, an end date) say when it is due. All others say whether there is a duty at
all: when one of them fails, a pre-duty is `inactive` and blocks nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from policies import operands, values
from policies.judge import AND, SEQUENCE, Scene, conjunction, first_fault
from policies.model import (
    ROLES,
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Rule,
    atoms,
    iri,
)
from policies.naming import name
from policies.operands import Operand
from policies.operands.base import EQ, LT, LTEQ
from policies.remember import by_identity
from policies.trace import ConstraintTrace, DutyState, Reason
from policies.values import Duration
from policies.vocabulary import ACTIONS, ODRL, PREAU, PROMISES, action_covers
from policies.world import PERFORMED, Record, Request, belongs

_ELAPSED: Final = ODRL + "elapsedTime"
_DATE: Final = ODRL + "dateTime"


def judge(scene: Scene, duty: Duty, path: str) -> ConstraintTrace:
    """What is known of one duty; see the module's docstring."""
    shape = (
        _known_shape(duty) if scene.registry is operands.REGISTRY else _shape(duty, scene.registry)
    )
    if shape.fault:
        return ConstraintTrace(path, duty, "undetermined", shape.fault)
    active = tuple(
        [scene.constraint(each, f"{path}.constraint[{index}]") for index, each in shape.conditions]
    )
    due = _due(scene, shape.timing)
    record = _record(scene, duty)
    if record is not None and record.state != "not-set":
        return _recorded(scene, duty, path, record, due)
    found = _State(path, duty, active, due, record.id if record is not None else None)
    if PERFORMED in scene.facts and iri(name(duty)) in scene.facts[PERFORMED].values:
        return found.trace("satisfied", "performed", "fulfilled", scene)
    if scene.world.records is not None and due is not None and scene.now > due:
        return _violated(scene, duty, path, None, due)
    return _open(scene, shape, found)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a duty says of itself, whoever asks and whenever.

    Attributes:
        fault: why it cannot be judged, "" when it can.
        timing: its constraints about time that must all hold.
        conditions: those that say whether there is a duty, with their places.
        before: whether it must be performed before the data is used.
        after: whether it is to be kept afterwards.
    """

    fault: Reason
    timing: tuple[Constraint, ...] = ()
    conditions: tuple[tuple[int, AnyConstraint], ...] = ()
    before: bool = False
    after: bool = False


def _shape(duty: Duty, registry: Mapping[str, Operand]) -> _Shape:
    if fault := _fault(duty, registry):
        return _Shape(fault)
    timing = [
        each
        for each in duty.constraints
        if any(_is_time(registry[atom.left], atom) for atom in atoms((each,)))
    ]
    return _Shape(
        "",
        tuple(_conjuncts(timing)),
        tuple((i, each) for i, each in enumerate(duty.constraints) if each not in timing),
        is_before(duty),
        duty.action in PROMISES or is_after(duty),
    )


@by_identity
def _known_shape(duty: Duty) -> _Shape:
    """The same among the operands of this house, which never change."""
    return _shape(duty, operands.REGISTRY)


def is_before(duty: Duty) -> bool:
    """Whether a duty says that it must be performed before the data is used."""
    return any(
        ((a.left, a.operator) == (PREAU + "duePhase", EQ) and iri(PREAU + "BeforeUse") in a.right)
        or ((a.left, a.operator) == (ODRL + "event", LT) and iri(ODRL + "policyUsage") in a.right)
        for a in atoms(duty.constraints)
    )


def is_after(duty: Duty) -> bool:
    """Whether a duty says that it is to be kept after the data was received."""
    return any(
        (a.left, a.operator) == (PREAU + "duePhase", EQ) and a.right == (iri(PREAU + "AfterUse"),)
        for a in atoms(duty.constraints)
    )


def infringement(scene: Scene, rule: Rule) -> datetime | None:
    """When a prohibition was first infringed, as far as records tell.

    A record that names the prohibition counts; one that does not is recognised by its action (as
    refined), target and party, for prohibitions without conditions (those of then are not known
    now).
    """
    if not scene.world.records:
        return None
    named = {name(rule), rule.id}
    found = [
        each.at
        for each in scene.world.records
        if each.at <= scene.now
        and (
            each.duty in named
            if each.duty is not None
            else not rule.constraints and _is_of(scene, each, rule, narrower=True)
        )
        and _is_refined(scene, each, rule)
    ]
    return min(found, default=None)


@dataclass(frozen=True, slots=True)
class _State:
    """What all traces of one duty have in common."""

    path: str
    duty: Duty
    active: tuple[ConstraintTrace, ...]
    due: datetime | None
    record: str | None

    def trace(
        self, outcome: str, reason: Reason, state: DutyState, scene: Scene
    ) -> ConstraintTrace:
        known = scene.facts.get(PERFORMED)
        return ConstraintTrace(
            self.path,
            self.duty,
            outcome,  # type: ignore[arg-type]
            reason,
            None,
            known.source if known is not None else "",
            known.assurance if known is not None else "contractual",
            self.active,
            state=state,
            due=self.due,
            record=self.record,
        )


def _open(scene: Scene, shape: _Shape, found: _State) -> ConstraintTrace:
    """A duty of which nothing is recorded and whose time has not passed."""
    if shape.after and not shape.before:
        return found.trace("deferred", "promise", "not-set", scene)
    condition = conjunction([each.outcome for each in found.active])
    if condition == "unsatisfied":
        return found.trace("satisfied", "inactive", "not-set", scene)
    if scene.lenient:
        return found.trace("deferred", "promise", "not-set", scene)
    if condition == "undetermined":
        return found.trace("undetermined", "missing-value", "not-set", scene)
    if not shape.before:
        return found.trace("undetermined", "no-phase", "not-set", scene)
    if PERFORMED not in scene.facts and scene.world.records is None:
        return found.trace("undetermined", "missing-value", "not-set", scene)
    return found.trace("unsatisfied", "not-performed", "not-set", scene)


def _recorded(
    scene: Scene, duty: Duty, path: str, record: Record, due: datetime | None
) -> ConstraintTrace:
    if record.state == "fulfilled" and (due is None or record.at <= due):
        return ConstraintTrace(
            path,
            duty,
            "satisfied",
            "performed",
            None,
            "record",
            "declared",
            at=record.at,
            state="fulfilled",
            due=due,
            record=record.id,
        )
    return _violated(scene, duty, path, record, due)


def _violated(
    scene: Scene, duty: Duty, path: str, record: Record | None, due: datetime | None
) -> ConstraintTrace:
    consequences = tuple(
        judge(scene, each, f"{path}.consequence[{index}]")
        for index, each in enumerate(duty.consequences)
    )
    late = record is not None and record.state == "fulfilled"
    good = bool(consequences) and all(each.state == "fulfilled" for each in consequences)
    remedied = late and good
    return ConstraintTrace(
        path,
        duty,
        "satisfied" if remedied else "unsatisfied",
        "remedied" if remedied else "violated",
        None,
        "record" if record is not None else "clock",
        "declared" if record is not None else "enforced",
        consequences,
        at=record.at if record is not None else None,
        state="violated",
        due=due,
        record=record.id if record is not None else None,
    )


def _record(scene: Scene, duty: Duty) -> Record | None:
    """The record that settles a duty: the first fulfilment, otherwise that it was violated,
    otherwise that neither is established.
    """
    if not scene.world.records:
        return None
    own = {name(duty), duty.id}
    found = [
        each
        for each in scene.world.records
        if each.at <= scene.now
        and (each.duty in own if each.duty is not None else _is_of(scene, each, duty))
        and _is_refined(scene, each, duty)
    ]
    order = {"fulfilled": 0, "violated": 1, "not-set": 2}
    return min(found, key=lambda each: (order[each.state], each.at), default=None)


def _is_of(scene: Scene, record: Record, part: Duty | Rule, *, narrower: bool = False) -> bool:
    """Whether a record that names no duty is about this one: same action, target and party, and
    not from before the agreement.
    """
    began = values.began(scene.policy)
    current = began is None or record.at >= began
    done = record.action == part.action or (narrower and action_covers(part.action, record.action))
    target = part.target or scene.policy.target
    party = part.assignee or scene.policy.assignee
    return (
        current
        and done
        and (target is None or _in(scene, record.target, target))
        and (party is None or _in(scene, record.party, party))
    )


def _in(scene: Scene, part: str | None, whole: str) -> bool:
    return part is not None and belongs(part, whole, scene.members)


def _is_refined(scene: Scene, record: Record, part: Duty | Rule) -> bool:
    """Whether what was done meets the refinements of the action. A record that names the part was
    made by somebody who checked that; a record that does not tells nothing of target and parties.
    """
    plain = not any(part.refined.of(role) for role in ROLES if role != "action")
    return record.duty is not None or (plain and _is_such(scene, record, part.refined.action))


def _is_such(scene: Scene, record: Record, refinements: tuple[AnyConstraint, ...]) -> bool:
    """Whether an act was as refined, by the record alone: nothing claimed or known of now is
    evidence of then. What a refinement only refers to is still looked up among the facts.
    """
    then = replace(
        scene,
        request=Request(record.action, record.target, record.party, record.facts),
        facts={key: fact for key, fact in scene.facts.items() if key not in scene.registry},
        now=record.at,
    )
    judged = [then.refinement(each, "", "action", record.facts).outcome for each in refinements]
    return conjunction(judged) == "satisfied"


def _fault(duty: Duty, registry: Mapping[str, Operand]) -> Reason:
    if duty.action not in ACTIONS:
        return "unknown-action"
    every = (*duty.constraints, *(each for role in ROLES for each in duty.refined.of(role)))
    return "sequence" if has_sequence(every) else first_fault(every, registry)


def has_sequence(constraints: tuple[AnyConstraint, ...]) -> bool:
    """Whether an order of events is asked for anywhere below."""
    return any(
        isinstance(each, LogicalConstraint)
        and (each.operator == SEQUENCE or has_sequence(each.operands))
        for each in constraints
    )


def _is_time(operand: Operand, atom: Constraint) -> bool:
    is_end = atom.left == _DATE and atom.operator in {LT, LTEQ}
    return operand.duty_only or atom.left == _ELAPSED or is_end


def _due(scene: Scene, timing: tuple[Constraint, ...]) -> datetime | None:
    """The last instant at which the duty is in time, where the policy alone fixes one."""
    ends = [end for each in timing if (end := _end(scene, each)) is not None]
    return min(ends, default=None)


def _end(scene: Scene, atom: Constraint) -> datetime | None:
    if atom.operator not in {LT, LTEQ} or len(atom.right) != 1:
        return None
    if atom.left == _DATE:
        span = values.span(atom.right[0])
        if span is None:
            return None
        # Only what is over in every zone is over.
        return span.margin + (span.first - values.TICK if atom.operator == LT else span.last)
    began = values.began(scene.policy)
    length = values.parse(atom.right[0])
    if atom.left != _ELAPSED or began is None or not isinstance(length, Duration):
        return None
    return length.after(began)


def _conjuncts(constraints: Iterable[AnyConstraint]) -> list[Constraint]:
    found: list[Constraint] = []
    for each in constraints:
        if isinstance(each, Constraint):
            found.append(each)
        elif each.operator == AND:
            found += _conjuncts(each.operands)
    return found
