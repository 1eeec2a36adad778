"""What was promised, by when, and at which instants and changes the agreement is looked at."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from policies import operands, values
from policies.decision import Promise
from policies.model import Constraint, Policy, Rule, atoms
from policies.naming import name
from policies.operands.base import EQ, GT, GTEQ, LT, LTEQ
from policies.plan.duties import PlanDuty, Trigger
from policies.plan.shares import conjuncts
from policies.remember import by_identity
from policies.vocabulary import DECLARED, ODRL

_DATE: Final = ODRL + "dateTime"
_ELAPSED: Final = ODRL + "elapsedTime"
_TIMED: Final = frozenset({_DATE, _ELAPSED})
_CHANGING: Final = frozenset({"peer-list", "credential", "peer-catalog"})
"""Sources whose values may change at any moment, without a date that tells when."""


def duty(promise: Promise, agreement: Policy) -> PlanDuty:
    """A promise with its due date, counted from the agreement's instant where it names one."""
    if not promise.constraints:
        return _promised(promise)
    limits = {atom.left: atom for atom in atoms(promise.constraints)}
    elapsed = _limit(limits.get(_ELAPSED))
    within = _limit(limits.get(ODRL + "delayPeriod"))
    event = limits.get(ODRL + "event")
    due = _after(agreement, elapsed)
    if due is None:
        due = _end(limits.get(_DATE))
    return _promised(
        promise,
        due=None if due is None else values.show(due),
        elapsed=elapsed.text() if elapsed is not None and due is None else None,
        within=None if within is None else within.text(),
        on=event.right[0].text if event is not None else None,
    )


def _promised(
    promise: Promise,
    due: str | None = None,
    elapsed: str | None = None,
    within: str | None = None,
    on: str | None = None,
) -> PlanDuty:
    held = "declared" if promise.action in DECLARED else "contractual"
    return PlanDuty(promise.kind, promise.name, promise.action, held, due, elapsed, within, on)


@by_identity
def _limit(atom: Constraint | None) -> values.Duration | None:
    if atom is None or atom.operator not in {LT, LTEQ, EQ}:
        return None
    return values.duration(atom.right[0].text)


@by_identity
def _end(atom: Constraint | None) -> datetime | None:
    """When a bound on the clock ends what it bounds, at the latest: of a day its begin (`lt`) or
    its end, in the first zone where that is.
    """
    span = values.span(atom.right[0]) if atom is not None else None
    if atom is None or span is None or atom.operator not in {LT, LTEQ}:
        return None
    return (span.first if atom.operator == LT else span.last) - span.margin


def _after(agreement: Policy, elapsed: values.Duration | None) -> datetime | None:
    began = values.began(agreement)
    return None if began is None or elapsed is None else elapsed.after(began)


def triggers(
    permission: Rule,
    agreement: Policy,
    duties: tuple[PlanDuty, ...],
    elapsed: values.Duration | None,
) -> tuple[Trigger, ...]:
    """Everything at which the agreement is to be looked at again, in a fixed order.

    Args:
        permission: the one that permits.
        agreement: the policy agreed on; its prohibitions may begin to hold.
        duties: the promises, each with its due date.
        elapsed: how long after the agreement data is served, when that is limited.
    """
    found = set(_bounds(permission, agreement))
    found |= set(_checks(permission, agreement))
    if elapsed is not None:
        end = _after(agreement, elapsed)
        found.add(
            Trigger("end", elapsed=elapsed.text())
            if end is None
            else Trigger("end", at=values.show(end))
        )
    for duty in duties:
        if duty.due or duty.elapsed or duty.on:
            found.add(Trigger("due", duty.due, duty.elapsed, duty.on, duty.id))
    order = sorted(
        found, key=lambda t: (t.do, t.at or "", t.elapsed or "", t.on or "", t.duty or "")
    )
    return tuple(order)


def _bounds(permission: Rule, agreement: Policy) -> Iterable[Trigger]:
    """The instants at which a conjunct of the permission begins or ceases to hold for good."""
    for atom in _timed_conjuncts(permission):
        if (end := _end(atom) if atom.left == _DATE else None) is not None:
            after = values.TICK if atom.operator == LTEQ else timedelta(0)
            yield Trigger("end", at=values.show(end + after))
        elif (begin := _begin(atom, agreement)) is not None:
            yield Trigger("begin", at=values.show(begin))


def _checks(permission: Rule, agreement: Policy) -> Iterable[Trigger]:
    """Where only another look tells: alternatives, exact dates, prohibitions, what others say."""
    plain = {
        name(atom) for atom in _timed_conjuncts(permission) if atom.operator in {LT, LTEQ, GT, GTEQ}
    }
    for rule in (permission, *agreement.prohibitions):
        for atom in _changing(rule):
            operand = operands.find(atom.left)
            if operand is not None and operand.source in _CHANGING:
                yield Trigger("check", on=atom.left)
            if atom.left in _TIMED and name(atom) not in plain:
                for edge in sorted(_edges(atom, agreement)):
                    yield Trigger("check", at=values.show(edge))


@by_identity
def _timed_conjuncts(permission: Rule) -> tuple[Constraint, ...]:
    """The conjuncts of a permission that are about the clock."""
    return tuple(
        each
        for each in conjuncts(permission.constraints)
        if isinstance(each, Constraint) and each.left in _TIMED
    )


@by_identity
def _changing(rule: Rule) -> tuple[Constraint, ...]:
    """All constraints of a rule, alternatives included, whose answer may change by itself."""
    return tuple(
        atom
        for atom in atoms(rule.constraints)
        if atom.left in _TIMED
        or ((operand := operands.find(atom.left)) and operand.source in _CHANGING)
    )


def _begin(atom: Constraint, agreement: Policy) -> datetime | None:
    """The first instant at which a lower bound on the clock holds in every zone."""
    edges = _edges(atom, agreement)
    if not edges or atom.operator not in {GT, GTEQ}:
        return None
    span = values.span(atom.right[0])
    if span is None:  # elapsed time
        return max(edges) if atom.operator == GT else min(edges)
    return span.margin + (span.last + values.TICK if atom.operator == GT else span.first)


def _edges(atom: Constraint, agreement: Policy) -> frozenset[datetime]:
    """The instants from which a constraint on the clock may answer otherwise: those of the date it
    names, or that of elapsed time, which is counted in whole seconds.
    """
    if atom.left not in _TIMED or len(atom.right) != 1:
        return frozenset()
    span, length = values.span(atom.right[0]), values.parse(atom.right[0])
    if span is not None:
        return span.edges()
    end = _after(agreement, length) if isinstance(length, values.Duration) else None
    return frozenset() if end is None else frozenset({end, end + timedelta(seconds=1)})
