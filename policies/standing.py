"""Whether an agreement still stands: when to look at it again, and whether a refusal will last.

Pure: the node asks `next_instant` when to wake, decides in phase `monitor`, and asks `lasting`
whether what it found can ever change back. Time never goes back, so a date that has passed lasts;
a membership, a credential or an offer of the other side may come again.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from policies import operands, values
from policies.decision import Decision
from policies.model import ROLES, Constraint, Duty, LogicalConstraint, Policy, Rule, atoms
from policies.operands.base import GT, GTEQ, LT, LTEQ, NEQ
from policies.plan import Plan
from policies.trace import ConstraintTrace, RuleTrace
from policies.vocabulary import ODRL

_AND: Final = ODRL + "and"
_CHANGING: Final = frozenset({"peer-list", "credential", "peer-catalog"})
_SECOND: Final = timedelta(seconds=1)
_CLOCK: Final = frozenset({ODRL + "dateTime", ODRL + "elapsedTime"})


def next_instant(plan: Plan, after: datetime) -> datetime | None:
    """The first instant after another at which what a plan allows may change by itself.

    Due dates of promises are no such instant: they change nothing that this node may release.
    """
    moments = [values.instant(each.at or "") for each in plan.triggers if each.do != "due"]
    return min((at for at in moments if at is not None and at > after), default=None)


def next_change(policy: Policy, after: datetime) -> datetime | None:
    """The first instant after another at which the clock alone may change a decision.

    Every instant that any clause of the policy names counts, those of duties too: between two of
    them the same facts give the same outcome.
    """
    return min((at for at in _named(policy) if at > after), default=None)


def _named(policy: Policy) -> Iterator[datetime]:
    rules: tuple[Rule | Duty, ...] = (
        *policy.permissions,
        *policy.prohibitions,
        *policy.obligations,
    )
    began = values.began(policy)
    for atom in (atom for rule in rules for atom in _atoms(rule)):
        for value in atom.right:
            spanned, length = values.span(value), values.parse(value)
            if spanned is not None:
                yield from spanned.edges()
            elif isinstance(length, values.Duration) and began is not None:
                yield from (length.after(began), length.after(began) + _SECOND)
    if began is not None:
        yield began


def _atoms(part: Rule | Duty) -> Iterator[Constraint]:
    """Every atomic constraint of a rule, of its duties, and of what follows from those."""
    yield from atoms(part.constraints)
    for role in ROLES:
        yield from atoms(part.refined.of(role))
    later = part.remedies if isinstance(part, Rule) else part.consequences
    duties = part.duties if isinstance(part, Rule) else ()
    for duty in (*duties, *later):
        yield from _atoms(duty)


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
