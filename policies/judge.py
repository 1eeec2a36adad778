"""Judging one constraint: typed, three-valued, with its trace.

Constraints are judged on the state of the world, refinements on the request (the action, target
or party that is asked for). Nothing here knows about rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from policies import operands, values
from policies.model import (
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    AnyConstraint,
    Constraint,
    LogicalConstraint,
    Policy,
    Role,
    Value,
    atoms,
    iri,
)
from policies.operands import Operand, Phase
from policies.remember import by_identity
from policies.trace import ConstraintTrace, Outcome, Reason
from policies.values import Duration
from policies.vocabulary import ODRL
from policies.world import Fact, Request, World, memberships

AND: Final = ODRL + "and"
OR: Final = ODRL + "or"
SEQUENCE: Final = ODRL + "andSequence"

_FAILING: Final[tuple[Outcome, ...]] = ("unsatisfied", "undetermined", "deferred")
_NUMBERS: Final = frozenset({INTEGER, DECIMAL})
_TIMES: Final = frozenset({DATETIME, DATE})


@dataclass(frozen=True, slots=True)
class Scene:
    """One evaluation: the policy and everything known at this instant.

    `registry` holds the operands that can be evaluated. `lenient` is the reading of the FORCE
    suite: a duty blocks only once it was violated, a rule without an action is about every one.
    """

    policy: Policy
    request: Request
    facts: Mapping[str, Fact]
    now: datetime
    phase: Phase
    world: World
    registry: Mapping[str, Operand]
    lenient: bool
    members: Mapping[str, tuple[str, ...]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", memberships(self.policy, self.world))

    def constraint(self, constraint: AnyConstraint, path: str) -> ConstraintTrace:
        """One constraint, on the state of the world."""
        if isinstance(constraint, Constraint):
            return self._atom(constraint, path, None, {})
        return self._any(constraint, path, None, {})

    def refinement(
        self, constraint: AnyConstraint, path: str, role: Role, known: Mapping[str, Fact]
    ) -> ConstraintTrace:
        """One refinement, on what is known of the action, target or party asked for."""
        return self._any(constraint, path, role, known)

    def fault(self, constraint: Constraint) -> tuple[Operand | None, Reason]:
        """What is wrong with the form of an atomic constraint, whatever the phase."""
        if self.registry is operands.REGISTRY:
            return _known_fault(constraint)
        return _fault(constraint, self.registry)

    def fact(self, operand: Operand) -> Fact | None:
        """The value of an operand, only from the source that its registry entry names."""
        if operand.source == "clock":
            shown = values.literal(values.show(self.now), DATETIME)
            return Fact((shown,), "clock", "enforced", since=self.now)
        if operand.source == "authentication":
            who = self.request.assignee
            return None if who is None else Fact((iri(who),), "authentication", "attested")
        known = self.facts.get(operand.iri)
        if known is None and operand.source == "application":
            return self.request.claims.get(operand.iri)
        if known is None and operand.iri == ODRL + "elapsedTime":
            return self._elapsed()
        return known

    def _elapsed(self) -> Fact | None:
        began = values.began(self.policy)
        if began is None or self.policy.kind != "Agreement" or self.now < began:
            return None
        passed = Duration(0, int((self.now - began).total_seconds()))
        return Fact((Value(passed.text(), DURATION),), "ledger", "enforced")

    def _any(
        self,
        constraint: AnyConstraint,
        path: str,
        role: Role | None,
        known: Mapping[str, Fact],
    ) -> ConstraintTrace:
        if isinstance(constraint, Constraint):
            return self._atom(constraint, path, role, known)
        word = constraint.operator.removeprefix(ODRL)
        children = tuple(
            self._any(child, f"{path}.{word}[{i}]", role, known)
            for i, child in enumerate(constraint.operands)
        )
        outcome, reason = _combine(constraint, children)
        times = [child.at for child in children if child.at is not None]
        return ConstraintTrace(
            path,
            constraint,
            outcome,
            reason,
            children=children,
            at=max(times) if len(times) == len(children) and constraint.operator != OR else None,
        )

    def _atom(
        self, constraint: Constraint, path: str, role: Role | None, known: Mapping[str, Fact]
    ) -> ConstraintTrace:
        operand, fault = self.fault(constraint)
        if operand is None or fault:
            return ConstraintTrace(path, constraint, "undetermined", fault)
        source, held = operand.source, operand.assurance
        if role is None and operand.duty_only:
            return ConstraintTrace(path, constraint, "undetermined", "duty-only")
        if role is None and self.phase not in operand.phases_of(constraint):
            if _incomplete(constraint):  # a plan holds plain values only
                return ConstraintTrace(path, constraint, "undetermined", "later-phase")
            return ConstraintTrace(path, constraint, "deferred", "later-phase", None, source, held)
        fact = self.fact(operand) if role is None else self._about(operand, role, known)
        if fact is None:
            return ConstraintTrace(
                path, constraint, "undetermined", "missing-value", None, source, held
            )
        outcome, reason = self._compare(operand, constraint, fact)
        origin = fact.source or source
        return ConstraintTrace(
            path,
            constraint,
            outcome,
            reason,
            fact.values,
            origin,
            fact.assurance,
            at=fact.since,
        )

    def _compare(
        self, operand: Operand, constraint: Constraint, fact: Fact
    ) -> tuple[Outcome, Reason]:
        required = self._required(constraint)
        if required is None:
            return "undetermined", "missing-value"
        if required is not constraint.right and not _are_typed(required, operand.datatype):
            return "undetermined", "value-type"
        if fact.unit != constraint.unit:
            return "undetermined", "unit"
        answer = operand.compare(constraint.operator, fact.values, required)
        if answer is None:
            return "undetermined", "incomparable"
        return ("satisfied" if answer else "unsatisfied"), ""

    def _required(self, constraint: Constraint) -> tuple[Value, ...] | None:
        """The required values, those that the policy only refers to included."""
        required = constraint.right
        for reference in constraint.references:
            fact = self.facts.get(reference)
            if fact is None:
                return None
            required = (*required, *fact.values)
        return required

    def _about(self, operand: Operand, role: Role, known: Mapping[str, Fact]) -> Fact | None:
        """What is known of the thing asked for; our own clock and authentication always win."""
        if operand.source in {"clock", "authentication"}:
            return self.fact(operand)
        if operand.iri in known:
            return known[operand.iri]
        if role == "action" and operand.iri in self.request.claims:
            return self.request.claims[operand.iri]
        return self.facts.get(operand.iri)


def first_fault(constraints: tuple[AnyConstraint, ...], registry: Mapping[str, Operand]) -> Reason:
    """The first fault of form among constraints, "" when there is none."""
    for atom in atoms(constraints):
        if why := _fault(atom, registry)[1]:
            return why
    return ""


def _fault(
    constraint: Constraint, registry: Mapping[str, Operand]
) -> tuple[Operand | None, Reason]:
    operand = registry.get(constraint.left)
    if operand is None:
        return None, "unknown-operand"
    return operand, _form(constraint, operand)


@by_identity
def _known_fault(constraint: Constraint) -> tuple[Operand | None, Reason]:
    """The same among the operands of this house, which never change."""
    return _fault(constraint, operands.REGISTRY)


def _form(constraint: Constraint, operand: Operand) -> Reason:
    if constraint.operator not in operand.operators:
        return "unknown-operator"
    if not _are_typed(constraint.right, operand.datatype):
        return "value-type"
    # The policy's own word for the value seen; only a value that we know counts.
    return "" if constraint.status is None else "status"


def _are_typed(found: tuple[Value, ...], datatype: str | None) -> bool:
    return all(_has_type(value, datatype) for value in found)


def conjunction(outcomes: list[Outcome]) -> Outcome:
    """All of these: failing beats unknown, unknown beats later."""
    for outcome in _FAILING:
        if outcome in outcomes:
            return outcome
    return "satisfied"


def _has_type(value: Value, datatype: str | None) -> bool:
    if value.datatype is None or datatype is None:
        return value.datatype == datatype
    if datatype == DATETIME:
        return values.span(value) is not None
    if values.parse(value) is None:
        return False
    return value.datatype == datatype or {value.datatype, datatype} <= _NUMBERS


def _incomplete(constraint: Constraint) -> bool:
    return bool(constraint.references) or constraint.unit is not None


def _combine(
    constraint: LogicalConstraint, children: tuple[ConstraintTrace, ...]
) -> tuple[Outcome, Reason]:
    if constraint.operator == SEQUENCE:
        return _in_order(children)
    outcomes = [child.outcome for child in children]
    if constraint.operator == AND:
        return conjunction(outcomes), ""
    if constraint.operator == OR:
        return _disjunction(outcomes), ""
    # Over sets: a constraint said twice counts once, as in its content name.
    return _exactly_one(list({child.name: child.outcome for child in children}.values())), ""


def _in_order(children: tuple[ConstraintTrace, ...]) -> tuple[Outcome, Reason]:
    """All hold, each from an instant not before the one of its predecessor.

    Without these instants the order cannot be told; a plan cannot hold one either.
    """
    outcome = conjunction([child.outcome for child in children])
    if outcome in {"unsatisfied", "undetermined"}:
        return outcome, ""
    times = [child.at for child in children if child.at is not None]
    if outcome == "deferred" or len(times) != len(children):
        return "undetermined", "sequence"
    return ("satisfied" if times == sorted(times) else "unsatisfied"), "sequence"


def _disjunction(outcomes: list[Outcome]) -> Outcome:
    order: tuple[Outcome, ...] = ("satisfied", "undetermined", "deferred")
    return next((outcome for outcome in order if outcome in outcomes), "unsatisfied")


def _exactly_one(outcomes: list[Outcome]) -> Outcome:
    if outcomes.count("satisfied") > 1:
        return "unsatisfied"
    for outcome in ("undetermined", "deferred"):
        if outcome in outcomes:
            return "undetermined" if outcome == "undetermined" else "deferred"
    return "satisfied" if "satisfied" in outcomes else "unsatisfied"
