"""Whether an agreement still stands: when to look at it again, and whether a refusal will last.

Pure: the node asks `next_instant` when to wake, decides in phase `monitor`, and asks `lasting`
whether what it found can ever change back. Time never goes back, so a date that has passed lasts;
a membership, a credential or an offer of the other side may come again.
"""

from datetime import datetime
from typing import Final

from policies import operands, values
from policies.model import Constraint, LogicalConstraint
from policies.operands.base import GT, GTEQ, LT, LTEQ, NEQ
from policies.plan import Plan
from policies.trace import ConstraintTrace, Decision, RuleTrace
from policies.vocabulary import ODRL

_AND: Final = ODRL + "and"
_CHANGING: Final = frozenset({"peer-list", "credential", "peer-catalog"})
_CLOCK: Final = frozenset({ODRL + "dateTime", ODRL + "elapsedTime"})


def next_instant(plan: Plan, after: datetime) -> datetime | None:
    """The first instant after another at which what a plan allows may change by itself.

    Due dates of promises are no such instant: they change nothing that this node may release.
    """
    moments = [values.instant(each.at or "") for each in plan.triggers if each.do != "due"]
    return min((at for at in moments if at is not None and at > after), default=None)


def lasting(decided: Decision) -> bool:
    """Whether a refusal can never turn into a permit again, whatever changes outside."""
    if decided.permitted:
        return False
    barring = [t for t in decided.trace if t.kind == "Prohibition" and t.applies]
    if any(t.outcome == "satisfied" and not _may_cease(t) for t in barring):
        return True
    permissions = [t for t in decided.trace if t.kind == "Permission" and t.applies]
    return not any(_may_hold(t) for t in permissions)


def _may_hold(rule: RuleTrace) -> bool:
    """Whether a permission's constraints may all hold one day (its duties may be done late)."""
    return all(_reachable(each) for each in rule.constraints)


def _may_cease(rule: RuleTrace) -> bool:
    """Whether a prohibition that holds may stop holding."""
    return any(_changes(leaf, _ENDING) for leaf in _leaves(rule.constraints))


def _reachable(trace: ConstraintTrace) -> bool:
    """Whether a constraint holds, or may hold one day."""
    if trace.outcome in {"satisfied", "deferred"}:
        return True
    if isinstance(trace.part, LogicalConstraint):
        found = [_reachable(child) for child in trace.children]
        return all(found) if trace.part.operator == _AND else any(found)
    return _changes(trace, _BEGINNING)


_BEGINNING: Final = frozenset({GT, GTEQ, NEQ})
_ENDING: Final = frozenset({LT, LTEQ})


def _changes(leaf: ConstraintTrace, operators: frozenset[str]) -> bool:
    """Whether what others say, or the passing of time, may change a leaf's outcome."""
    if not isinstance(leaf.part, Constraint):
        return True
    operand = operands.find(leaf.part.left)
    if operand is not None and operand.source in _CHANGING:
        return True
    return leaf.part.left in _CLOCK and leaf.part.operator in operators


def _leaves(traces: tuple[ConstraintTrace, ...]) -> list[ConstraintTrace]:
    return [
        leaf
        for trace in traces
        for leaf in (_leaves(trace.children) if trace.children else [trace])
    ]
