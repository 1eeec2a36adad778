"""What a node must be able to run before it may offer a policy, or agree to a plan.

The compiler can express more than any one version of a node executes. A node asks here what an
offer would need, and says no at publishing, long before anybody has signed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from policies.model import AnyConstraint, Policy
from policies.plan import folding, groups, residue
from policies.plan.document import Plan
from policies.plan.shares import conjuncts, holds, per_row, unheld
from policies.plan.treatments import Lane


@dataclass(frozen=True, slots=True)
class Needs:
    """The lanes (X4) that must run, and the columns that rows must be able to answer for."""

    lanes: frozenset[Lane]
    columns: frozenset[str]


def needs(subject: Policy | Plan) -> Needs:
    """What an offer, or a compiled plan, needs of the node that will serve it.

    Raises:
        Problem: `policy-plan-contradiction`, `policy-plan-no-enforcer`: no plan holds the offer.
    """
    if isinstance(subject, Plan):
        where = subject.rows.where
        tests = () if where is None else tuple(residue.tests(where))
        return Needs(frozenset({subject.lane}), _columns(tests))
    found = [_of_permission(rule.constraints) for rule in subject.permissions]
    return Needs(
        frozenset().union(*(each.lanes for each in found)),
        frozenset().union(*(each.columns for each in found)),
    )


def _of_permission(constraints: tuple[AnyConstraint, ...]) -> Needs:
    asked = tuple(conjuncts(constraints))
    for each in asked:
        if not holds(each):
            raise unheld(each)
    lane, _ = groups.lane(groups.wishes(asked))
    left = [folding.predicate(each) for each in asked if per_row(each)]
    return Needs(frozenset({lane}), _columns(test for one in left for test in residue.tests(one)))


def _columns(tests: Iterable[residue.Test]) -> frozenset[str]:
    return frozenset(test.column for test in tests if folding.is_column(test))
