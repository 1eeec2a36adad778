"""What was promised, by when, and at which instants and changes the agreement is looked at."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from policies import operands, values
from policies.model import DATETIME, Constraint, Policy, Rule, atoms
from policies.operands.base import EQ, GT, GTEQ, LT, LTEQ
from policies.plan.duties import PlanDuty, Trigger
from policies.plan.shares import conjuncts
from policies.trace import Promise
from policies.vocabulary import ODRL, PREAU

_DATE: Final = ODRL + "dateTime"
_ELAPSED: Final = ODRL + "elapsedTime"
_TICK: Final = timedelta(microseconds=1)
_CHANGING: Final = frozenset({"peer-list", "credential", "peer-catalog"})
"""Sources whose values may change at any moment, without a date that tells when."""
_DECLARED: Final = frozenset({PREAU + "attestDeletion", PREAU + "reportPublication"})


def duty(promise: Promise, agreement: Policy) -> PlanDuty:
    """A promise with its due date, counted from the agreement's instant where it names one."""
    limits = {atom.left: atom for atom in atoms(promise.constraints)}
    elapsed = _limit(limits.get(_ELAPSED))
    within = _limit(limits.get(ODRL + "delayPeriod"))
    event = limits.get(ODRL + "event")
    due = _after(agreement, elapsed)
    date = limits.get(_DATE)
    if due is None and date is not None and date.operator in {LT, LTEQ}:
        due = values.instant(date.right[0].text)
    return PlanDuty(
        kind=promise.kind,
        id=promise.name,
        action=promise.action,
        assurance="declared" if promise.action in _DECLARED else "contractual",
        due=None if due is None else values.show(due),
        elapsed=elapsed.text() if elapsed is not None and due is None else None,
        within=None if within is None else within.text(),
        on=event.right[0].text if event is not None else None,
    )


def _limit(atom: Constraint | None) -> values.Duration | None:
    if atom is None or atom.operator not in {LT, LTEQ, EQ}:
        return None
    return values.duration(atom.right[0].text)


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
    for atom in conjuncts(permission.constraints):
        if not isinstance(atom, Constraint):
            continue
        moment = _moment(atom, agreement)
        if moment is None:
            continue
        if atom.left == _DATE and atom.operator in {LT, LTEQ}:
            edge = moment + _TICK if atom.operator == LTEQ else moment
            yield Trigger("end", at=values.show(edge))
        elif atom.operator in {GT, GTEQ}:
            yield Trigger("begin", at=values.show(moment))


def _checks(permission: Rule, agreement: Policy) -> Iterable[Trigger]:
    """Where only another look tells: alternatives, exact dates, prohibitions, what others say."""
    plain = {
        atom
        for atom in conjuncts(permission.constraints)
        if isinstance(atom, Constraint) and atom.operator in {LT, LTEQ, GT, GTEQ}
    }
    barring = [c for rule in agreement.prohibitions for c in rule.constraints]
    for atom in atoms((*permission.constraints, *barring)):
        operand = operands.find(atom.left)
        if operand is not None and operand.source in _CHANGING:
            yield Trigger("check", on=atom.left)
        moment = None if atom in plain else _moment(atom, agreement)
        if moment is not None:
            yield Trigger("check", at=values.show(moment))
            yield Trigger("check", at=values.show(moment + _after_it(atom)))


def _moment(atom: Constraint, agreement: Policy) -> datetime | None:
    """The instant that a constraint on the clock names, absolutely or since the agreement."""
    if atom.left == _ELAPSED and len(atom.right) == 1:
        length = values.parse(atom.right[0])
        return _after(agreement, length) if isinstance(length, values.Duration) else None
    if atom.left != _DATE or atom.right[0].datatype != DATETIME:
        return None
    moment = values.parse(atom.right[0])
    return moment if isinstance(moment, datetime) else None


def _after_it(atom: Constraint) -> timedelta:
    """How much later an edge is passed: elapsed time is counted in whole seconds."""
    return timedelta(seconds=1) if atom.left == _ELAPSED else _TICK
