"""Partial evaluation: from a permission to what is left of it for each row.

Three times something becomes known. When the agreement is made: what the application claims, who
asks, what the dataset declares, and how the plan itself treats the data. When a part is released:
the clock, memberships, counts. In each row: the rest. What is known is folded into the predicate
by asking the evaluator's own trace, so a folded constraint means what a decision says it means.
"""

from collections.abc import Callable, Mapping
from typing import Final

from policies import operands
from policies.decision import Decision
from policies.model import AnyConstraint, Constraint, Rule, Value, atoms
from policies.naming import name
from policies.plan import residue
from policies.plan.residue import KINDS, Const, Predicate, Test, Truth
from policies.plan.shares import conjuncts, contradiction, of_row, per_row
from policies.remember import by_identity
from policies.trace import ConstraintTrace, Outcome

Known = Mapping[Test, Truth]
"""What is known of tests; a test that is not in it is not known yet."""

_FIXED: Final = frozenset({"application", "authentication", "dataset"})
_TRUTHS: Final[Mapping[Outcome, Truth]] = {
    "satisfied": True,
    "unsatisfied": False,
    "undetermined": None,
}


def left_over(
    permission: Rule, decided: Decision, configured: Callable[[], Mapping[str, tuple[Value, ...]]]
) -> Predicate | None:
    """What a permission still asks of each row, once all that the agreement fixes is folded.

    Args:
        permission: the one that permits.
        decided: the decision that made the agreement, with its trace.
        configured: the values that the plan itself gives, by operand.

    Returns:
        None when nothing is left to ask.

    Raises:
        Problem: `policy-plan-contradiction`: no row could ever leave.
    """
    asked, whole = _asked(permission)
    if not asked:
        return None
    fixed = {
        test: truth for test, truth in known(decided).items() if _source(test.column) in _FIXED
    }
    given = configured()
    left = residue.bind(whole, lambda one: _fold(one, fixed, given))
    if left == residue.TRUE:
        return None
    if isinstance(left, Const):
        row = next(atom.left for atom in atoms(asked) if of_row(atom))
        raise contradiction(row)
    return left


@by_identity
def _asked(permission: Rule) -> tuple[tuple[AnyConstraint, ...], Predicate]:
    """What a permission asks of each row, and all of it as one predicate, nothing folded."""
    asked = tuple(each for each in conjuncts(permission.constraints) if per_row(each))
    return asked, residue.group("all", [predicate(each) for each in asked])


def known(decided: Decision) -> Known:
    """What a decision's trace says of each test that it could answer, in its phase."""
    found: dict[Test, Truth] = {}
    for rule in decided.trace:
        for leaf in (leaf for top in rule.constraints for leaf in _leaves(top)):
            if isinstance(leaf.part, Constraint) and leaf.outcome != "deferred":
                found[residue.test(leaf.part)] = _TRUTHS[leaf.outcome]
    return found


def specialise(predicate: Predicate, decided: Decision) -> Predicate:
    """The predicate with everything that a decision knows folded in (at a part's release)."""
    facts = known(decided)

    def fold(one: Test) -> Predicate:
        return Const(facts[one]) if one in facts and not is_column(one) else one

    return residue.bind(predicate, fold)


def is_column(test: Test) -> bool:
    """Whether a test is about a column of a row."""
    operand = operands.find(test.column)
    return operand is not None and operand.phases == {"record"}


def predicate(constraint: AnyConstraint) -> Predicate:
    """The predicate that a constraint is, nothing folded.

    A constraint said twice counts once, as in its content name.
    """
    if isinstance(constraint, Constraint):
        return residue.test(constraint)
    parts = {name(child): predicate(child) for child in constraint.operands}
    return residue.group(KINDS[constraint.operator], list(parts.values()))


def _fold(one: Test, fixed: Known, configured: Mapping[str, tuple[Value, ...]]) -> Predicate:
    if one in fixed:
        return Const(fixed[one])
    if _source(one.column) == "plan":
        return Const(residue.compare(one, configured.get(one.column)))
    return one


def _source(column: str) -> str:
    operand = operands.find(column)
    return "" if operand is None else operand.source


def _leaves(trace: ConstraintTrace) -> list[ConstraintTrace]:
    if not trace.children:
        return [trace]
    return [leaf for child in trace.children for leaf in _leaves(child)]
