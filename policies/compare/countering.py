"""The counter-offer: the nearest policy to what was asked that the offer does cover."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from policies import odrl, values
from policies.compare.changed import ChangedOffer
from policies.compare.covering import differences, flatten, implied
from policies.compare.narrowing import change
from policies.compare.nearest import Nearest, by_operand, choosable, nearest
from policies.model import AnyConstraint, Constraint, Duty, Policy, Rule
from policies.naming import name
from policies.problem import Language, Problem
from policies.vocabulary import ODRL, action_covers

_DELETE: Final = ODRL + "delete"
_ELAPSED: Final = ODRL + "elapsedTime"
_MOST_RULES: Final = 32


@dataclass(frozen=True, slots=True)
class Counter:
    """What would be accepted.

    Attributes:
        policy: the whole counter-offer; the offer covers it.
        proposals: by operand, what it puts instead of what was asked.
        changed: the same as a changed offer (FORMATS), as far as that format can say it.
        complete: whether the changed offer alone, applied to what was asked, is covered too.
    """

    policy: Policy
    proposals: tuple[Nearest, ...]
    changed: ChangedOffer | None
    complete: bool

    def document(self) -> dict[str, Any]:
        """The counter-offer for machines."""
        return {
            "offer": odrl.wire(self.policy),
            "changed": None if self.changed is None else self.changed.document(),
            "complete": self.complete,
            "nearest": [each.document() for each in self.proposals],
        }

    def sentences(self, lang: Language) -> list[str]:
        """The proposals in words."""
        return [each.sentence(lang) for each in self.proposals]


def counter(offer: Policy, request: Policy) -> Counter | None:
    """The nearest counter-offer to a requested policy; None when no clause can be found.

    What was asked and is admitted stays as it was asked; what goes beyond is replaced by the
    nearest acceptable value; promises that were dropped come back. The result is checked: the
    offer covers it. A request of very many permissions is answered without: each costs a
    comparison with each one offered.
    """
    if len(request.permissions) > _MOST_RULES:
        return None
    proposals: list[Nearest] = []
    rules: list[Rule] = []
    for rule in request.permissions:
        fitting = _best(offer, rule)
        if fitting is None:
            return None
        made = _countered(fitting, rule, proposals)
        if made is None:
            return None
        rules.append(made)
    policy = replace(
        request,
        permissions=tuple(rules),
        prohibitions=_kept(offer.prohibitions, request.prohibitions),
        obligations=_kept(offer.obligations, request.obligations),
    )
    if not rules or differences(offer, policy):
        return None
    retention = _retention(request, policy)
    changed = ChangedOffer.of((c for each in proposals for c in each.constraints), retention)
    return Counter(policy, tuple(proposals), changed, _suffices(offer, request, changed))


def _best(offer: Policy, asked: Rule) -> Rule | None:
    """The offered permission that the asked one differs least from."""
    alone = replace(offer, prohibitions=(), obligations=())
    found: list[tuple[int, Rule]] = []
    for rule in offer.permissions:
        wider = action_covers(asked.action, rule.action)
        if not (wider or action_covers(rule.action, asked.action)):
            continue
        one = replace(alone, permissions=(rule,))
        differs = differences(one, replace(one, permissions=(asked,)))
        found.append((len(differs), rule))
    return min(found, key=lambda each: each[0], default=(0, None))[1]


def _countered(offered: Rule, asked: Rule, proposals: list[Nearest]) -> Rule | None:
    """The asked permission with everything that goes beyond the offered one replaced; None where
    nothing that the asker can choose meets the offered clauses.
    """
    mine = tuple(flatten(asked.constraints))
    theirs = tuple(flatten(offered.constraints))
    atoms = by_operand(each for each in theirs if isinstance(each, Constraint))
    asked_atoms = by_operand(each for each in mine if isinstance(each, Constraint))
    kept: list[AnyConstraint] = list(mine)
    for operand, outer in atoms.items():
        if all(implied(each, mine) for each in outer):
            continue
        found = nearest(operand, outer, asked_atoms.get(operand, []))
        if found is None and choosable(operand):
            return None
        added = tuple(outer) if found is None else found.constraints
        if found is not None:
            proposals.append(found)
            kept = [each for each in kept if not _about(each, operand)]
        kept += added
    for each in theirs:
        if not isinstance(each, Constraint) and not implied(each, tuple(kept)):
            kept.append(each)
    return replace(
        asked,
        action=asked.action if action_covers(offered.action, asked.action) else offered.action,
        constraints=tuple({name(each): each for each in kept}.values()),
        duties=_kept(offered.duties, asked.duties),
        target=asked.target or offered.target,
        assigner=asked.assigner or offered.assigner,
        assignee=asked.assignee or offered.assignee,
    )


def _about(each: AnyConstraint, operand: str) -> bool:
    return isinstance(each, Constraint) and each.left == operand


def _kept(offered: tuple[Any, ...], asked: tuple[Any, ...]) -> tuple[Any, ...]:
    """What was asked, with the offered promises that it does not keep put (back) in place."""
    one = Policy("Set", "")
    missing = tuple(each for each in offered if not _keeps(one, asked, each))
    actions = {each.action for each in missing}
    left = tuple(each for each in asked if each.action not in actions or each in offered)
    return (*left, *missing)


def _keeps(empty: Policy, asked: tuple[Any, ...], offered: Rule | Duty) -> bool:
    def side(parts: tuple[Any, ...]) -> Policy:
        if isinstance(offered, Duty):
            return replace(empty, obligations=parts)
        return replace(empty, prohibitions=parts)

    return not differences(side((offered,)), side(asked))


def _retention(request: Policy, countered: Policy) -> str | None:
    """The retention that the counter-offer shortens, where it does."""
    before, after = _deletions(request), _deletions(countered)
    return min(after - before, default=None)


def _deletions(policy: Policy) -> set[str]:
    duties: Iterable[Duty] = (
        *policy.obligations,
        *(duty for rule in policy.permissions for duty in rule.duties),
    )
    return {
        each.right[0].text
        for duty in duties
        if duty.action == _DELETE
        for each in flatten(duty.constraints)
        if isinstance(each, Constraint) and each.left == _ELAPSED
        if values.duration(each.right[0].text) is not None
    }


def _suffices(offer: Policy, request: Policy, changed: ChangedOffer | None) -> bool:
    if changed is None:
        return False
    try:
        return not differences(offer, change(request, changed))
    except Problem:
        return False
