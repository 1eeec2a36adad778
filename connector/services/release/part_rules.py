"""What one part may hold, as of now: the plan with the present folded in, and what budgets leave.

A plan's row predicate may depend on more than the row (the clock, a membership): that is bound
here, by the evaluator's own trace. The commit of a part asks again and, when the answer moved,
the part is encoded again, exactly as for consent (X2).
"""

from dataclasses import dataclass, replace

from connector.services.consent.bitmaps import groups_of
from connector.services.node import Node
from connector.services.release.releases import Release, judge
from connector.store import parts as rows
from connector.store.store import Tx
from policies.plan import Plan, specialise


@dataclass(frozen=True, slots=True)
class PartRules:
    """The plan for one part, and how many records it may hold at most (None: no budget)."""

    plan: Plan
    records: int | None

    def allow(self, count: int, again: "PartRules") -> bool:
        """Whether a part of so many rows, made under these rules, still fits under those of now."""
        fits = again.records is None or count <= again.records
        return fits and self.plan == again.plan


def part_rules(node: Node, tx: Tx, release: Release, number: int) -> PartRules:
    """The rules of part `number` of a release, now."""
    plan, budget = release.plan, release.plan.budgets.records
    if plan.rows.where is not None:
        where = plan.rows.where
        groups = groups_of(tx, release.transfer.peer)
        for phase in ("transfer", "batch"):
            decided = judge(node, tx, release.transfer, release.agreement, phase, groups)
            where = specialise(where, decided)
        plan = replace(plan, rows=replace(plan.rows, where=where))
    if budget is None:
        return PartRules(plan, None)
    besides = (release.transfer.pid, number)  # about to be issued, perhaps again (X3)
    spent = rows.released(tx, agreement=release.agreement.id, besides=besides)
    return PartRules(plan, max(0, budget - spent))
