"""One question, many datasets: each distinct policy is decided once.

A catalog of ten thousand datasets has a few dozen distinct policies: the same rules about another
target. A rule that names no target of its own asks nothing of the target, so one decision answers
for all datasets that carry it. Nothing is remembered beyond one question: facts and clock change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from policies.decision import Decision
from policies.evaluate import decide
from policies.model import Policy
from policies.naming import rules_digest
from policies.operands import Phase
from policies.world import NOTHING, Fact, Request, World

_Key = tuple[object, ...]


class Question:
    """What one party asks now, put to as many policies as there are.

    Decisions are those of `evaluate.decide` for the policy's own target, but for one thing: a
    decision that answers for several datasets names no target.
    """

    def __init__(
        self,
        action: str,
        assignee: str | None,
        claims: Mapping[str, Fact],
        facts: Mapping[str, Fact],
        now: datetime,
        phase: Phase,
        *,
        world: World = NOTHING,
    ) -> None:
        self._request = Request(action, None, assignee, claims)
        self._facts, self._now, self._phase, self._world = facts, now, phase, world
        # By identity first: reading remembers rules, so equal ones are mostly the same objects.
        # The policy is kept, so that the identities stay its own.
        self._known: dict[_Key, tuple[Policy, Decision]] = {}
        self._digests: dict[_Key, Decision] = {}

    def decide(self, policy: Policy) -> Decision:
        """The decision on using the policy's own target."""
        key = (
            id(policy.permissions),
            id(policy.prohibitions),
            id(policy.obligations),
            policy.kind,
            policy.assigner,
            policy.assignee,
            policy.timestamp,
            policy.conflict,
            policy.inherits,
        )
        known = self._known.get(key)
        if known is not None:
            return known[1]
        if self._world.records or _names_targets(policy):
            return self._ask(policy, policy.target)
        named = (rules_digest(policy), *key[3:])
        decision = self._digests.get(named)
        if decision is None:
            decision = self._ask(replace(policy, target=None), None)
            self._digests[named] = decision
        self._known[key] = (policy, decision)
        return decision

    def decide_all(self, policies: Iterable[Policy]) -> list[Decision]:
        """The decisions on several policies, in their order."""
        return [self.decide(policy) for policy in policies]

    def _ask(self, policy: Policy, target: str | None) -> Decision:
        request = replace(self._request, target=target)
        return decide(policy, request, self._facts, self._now, self._phase, world=self._world)


def _names_targets(policy: Policy) -> bool:
    """Whether any rule says something about its target that the policy does not."""
    return any(
        rule.target is not None or rule.refined
        for rule in (*policy.permissions, *policy.prohibitions)
    )
