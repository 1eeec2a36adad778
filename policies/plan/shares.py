"""What each constraint of a permission asks of the plan, and the intersection of all.

Every conjunct is held by its share of the plan, by what is left of it for each row (`folding`), or
by being evaluated again at transfer and at every part. One that nothing holds refuses the plan
(P10). An empty intersection refuses it too.
"""

from collections.abc import Iterable
from typing import Final

from policies import operands, values
from policies.model import (
    DURATION,
    AnyConstraint,
    Constraint,
    LogicalConstraint,
    Rule,
    Value,
    atoms,
)
from policies.naming import name
from policies.operands import Share
from policies.plan.groups import given
from policies.plan.residue import KINDS
from policies.problem import Problem
from policies.remember import by_identity
from policies.vocabulary import ODRL, PREAU, compact

_AND: Final = ODRL + "and"
_PER_ROW: Final = frozenset({"record"})


@by_identity
def shares(permission: Rule) -> Share:
    """The intersection of the shares of all conjuncts.

    Raises:
        Problem: `policy-plan-no-enforcer`, `policy-plan-contradiction`.
    """
    total = Share()
    for constraint in conjuncts(permission.constraints):
        total = _intersect(total, _share(constraint))
    return total


def conjuncts(constraints: tuple[AnyConstraint, ...]) -> Iterable[AnyConstraint]:
    """The constraints that must all hold, those under `and` one by one."""
    for each in constraints:
        if isinstance(each, LogicalConstraint) and each.operator == _AND:
            yield from conjuncts(each.operands)
        else:
            yield each


def holds(constraint: AnyConstraint) -> bool:
    """Whether the compiler finds something that holds a conjunct of a permission."""
    try:
        _share(constraint)
    except Problem:
        return False
    return True


def per_row(constraint: AnyConstraint) -> bool:
    """Whether a conjunct leaves something to be asked of each row (see `folding`)."""
    if isinstance(constraint, Constraint):
        return of_row(constraint) and _atom_share(constraint) is None
    return any(of_row(atom) for atom in atoms((constraint,)))


def unheld(constraint: AnyConstraint) -> Problem:
    """The refusal of a constraint that nothing would enforce."""
    lefts = sorted({compact(atom.left) for atom in atoms((constraint,))})
    return Problem("policy-plan-no-enforcer", constraint=name(constraint), operand=", ".join(lefts))


def contradiction(operand: str) -> Problem:
    """The refusal of clauses that leave nothing."""
    return Problem("policy-plan-contradiction", operand=compact(operand))


@by_identity
def _share(constraint: AnyConstraint) -> Share:
    """What holds one constraint; refuses what nothing holds."""
    for atom in atoms((constraint,)):
        operand = operands.find(atom.left)
        if operand is None or operand.duty_only or atom.operator not in operand.operators:
            raise unheld(constraint)
    if isinstance(constraint, LogicalConstraint):
        sound = all(of_row(atom) or _again(atom) for atom in atoms((constraint,)))
        if sound and not (per_row(constraint) and _ordered(constraint)):
            return Share()
        raise unheld(constraint)
    share = _atom_share(constraint)
    if share is not None:
        return share
    operand = operands.find(constraint.left)
    if of_row(constraint) or (operand and operand.share is None and _again(constraint)):
        return Share()
    raise unheld(constraint)


def _ordered(constraint: AnyConstraint) -> bool:
    """Whether an order of events is asked for anywhere in it: no row can tell that."""
    if isinstance(constraint, Constraint):
        return False
    return constraint.operator not in KINDS or any(map(_ordered, constraint.operands))


def _atom_share(constraint: Constraint) -> Share | None:
    operand = operands.find(constraint.left)
    return None if operand is None or operand.share is None else operand.share(constraint)


def of_row(constraint: Constraint) -> bool:
    """Whether a constraint is about what only a row can tell."""
    operand = operands.find(constraint.left)
    return operand is not None and operand.phases == _PER_ROW


def _again(constraint: Constraint) -> bool:
    """Whether a constraint is evaluated again before every part."""
    operand = operands.find(constraint.left)
    return operand is not None and "batch" in operand.phases_of(constraint)


def _intersect(one: Share, other: Share) -> Share:
    long = {flag for flag in (one.longitudinal, other.longitudinal) if flag is not None}
    if len(long) > 1:
        raise contradiction(PREAU + "longitudinal")
    return Share(
        fields=meet(one.fields, other.fields),
        without=one.without | other.without,
        start=max(given(one.start, other.start), default=None),
        end=min(given(one.end, other.end), default=None),
        releases=min(given(one.releases, other.releases), default=None),
        identifiers=meet(one.identifiers, other.identifiers),
        times=meet(one.times, other.times),
        longitudinal=next(iter(long), None),
        elapsed=_shorter(one.elapsed, other.elapsed),
        scoped="consent" if "consent" in (one.scoped, other.scoped) else one.scoped or other.scoped,
    )


def meet(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    """What both sets admit; None admits everything."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _shorter(one: values.Duration | None, other: values.Duration | None) -> values.Duration | None:
    if one is None or other is None:
        return other if one is None else one
    order = values.order(Value(one.text(), DURATION), Value(other.text(), DURATION))
    if order is None:
        raise contradiction(ODRL + "elapsedTime")
    return one if order <= 0 else other
