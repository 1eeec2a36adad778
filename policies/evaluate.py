"""decide: one request against one policy. Pure, deterministic, fail-closed.

The rules, each of which the tests hold:

1. Only `permit` permits. Every other outcome denies: `deny`, `undetermined`, `not-applicable`
   (no permission covers the request; closed world), `invalid` (a policy without rules, or one
   that voids itself, see 9).
2. An unknown operand, operator, action or value type, an operator the operand does not have, a
   unit other than the value's, and a missing value in its own phase are `undetermined`, with a
   trace entry that names them.
3. A constraint none of whose phases is the current one is `deferred` (P10): it neither holds nor
   fails and goes whole into the plan. It is checked for form like any other, so that a deferred
   constraint is always one that can be evaluated later. Refinements are never deferred.
4. `and`, `or`, `xone` are three-valued, over sets: a constraint said twice counts once, as in its
   content name. `andSequence` holds when all hold since instants in that order; where these are
   not known it is undetermined.
5. A permission permits when it covers action, target and assignee, refinements included, and all
   its constraints are satisfied or deferred, and each duty is a promise, was performed, or is not
   due under its own conditions (`duties`).
6. A prohibition that covers the action and whose constraints hold denies, whatever is permitted.
   If it cannot be told whether it holds, now or only later, the answer is undetermined: nothing
   would enforce its negation. A prohibition of another action is a promise (contractual).
7. Duties are post-duties (promises with a due date) when their action only makes sense after
   receipt (`vocabulary.PROMISES`) or they say `preau:duePhase preau:AfterUse`; pre-duties when
   they say so (`preau:duePhase`, `odrl:event`); one that is neither is undetermined.
8. Only operands whose source is the application may take their value from the requester's claims;
   our own fact, if there is one, wins. The clock is `now`; the assignee is the authenticated
   peer; both whatever facts or claims say.
9. Conflicts (ADR 0016): prohibitions win, also where the policy does not say. Under `perm` a
   permission that holds wins. Under `invalid` the whole policy is void as soon as one action is
   both permitted and forbidden to this party on this target, asked for or not.
10. A policy that inherits rules nobody has added yet (`inheritance.resolve`) is undetermined.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

from policies import operands
from policies.decision import Answer, Decision, Note
from policies.judge import Scene, conjunction
from policies.model import Policy
from policies.operands import Operand, Phase
from policies.rules import obligation_trace, rule_trace
from policies.trace import Outcome, RuleTrace
from policies.vocabulary import ACTIONS, action_covers
from policies.world import (
    NOTHING,
    PERFORMED,
    Fact,
    Record,
    Request,
    World,
    category,
    claims,
    groups,
)

__all__ = [
    "PERFORMED",
    "Decision",
    "Fact",
    "Phase",
    "Record",
    "Request",
    "World",
    "category",
    "claims",
    "decide",
    "groups",
]

_HELD: Final[frozenset[Outcome]] = frozenset({"satisfied", "deferred"})

Verdict = tuple[Answer, RuleTrace | None, Note]


def decide(
    policy: Policy,
    request: Request,
    facts: Mapping[str, Fact],
    now: datetime,
    phase: Phase,
    *,
    world: World = NOTHING,
    registry: Mapping[str, Operand] = operands.REGISTRY,
    lenient: bool = False,
) -> Decision:
    """The decision on one request; see the rules in the module's docstring.

    Args:
        policy: offer, agreement or set.
        request: what is asked.
        facts: what this node knows, by operand IRI (memberships, counts, the plan's treatments),
            or by the IRI of a `rightOperandReference`.
        now: the current instant, with a time zone.
        phase: where we are; decides which constraints are evaluated and which are deferred.
        world: records of what was done, and who belongs to which collection.
        registry: the operands that can be evaluated.
        lenient: for oracles only, never for a decision of this node: a duty blocks only once it
            was violated, and a rule that names no action is about every action.

    Raises:
        ValueError: `now` has no time zone (a bug of ours).
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    scene = Scene(policy, request, facts, now, phase, world, registry, lenient)
    trace = (
        *[rule_trace(scene, r, f"permission[{i}]") for i, r in enumerate(policy.permissions)],
        *[rule_trace(scene, r, f"prohibition[{i}]") for i, r in enumerate(policy.prohibitions)],
        *[obligation_trace(scene, d, f"obligation[{i}]") for i, d in enumerate(policy.obligations)],
    )
    outcome, chosen, note = _answer(policy, trace)
    return Decision(
        outcome=outcome,
        phase=phase,
        at=now,
        action=request.action,
        target=request.target,
        assignee=request.assignee,
        upon=policy,
        trace=trace,
        chosen=chosen,
        note=note,
    )


def _answer(policy: Policy, trace: tuple[RuleTrace, ...]) -> Verdict:
    """The outcome, and the permission that permits: the first by content name, so that neither
    order nor spelling matters.
    """
    if policy.inherits:
        return "undetermined", None, "inherits"
    if not (policy.permissions or policy.prohibitions):
        return "invalid", None, ""
    yes, others = trace[: len(policy.permissions)], trace[len(policy.permissions) :]
    no, owed = others[: len(policy.prohibitions)], others[len(policy.prohibitions) :]
    if policy.conflict == "invalid" and (clash := _clash(yes, no)) is not None:
        return clash, None, "conflict"
    permissions = [t for t in yes if t.applies]
    held = [t for t in permissions if t.outcome in _HELD]
    obstacle = _obligated(owed)
    if not (policy.conflict == "perm" and held):
        barred = _barred(no)
        if barred == "deny":
            return "deny", None, ""
        obstacle = _worse(barred, obstacle)
    if not permissions:
        return "not-applicable", None, ""
    if not held:
        open_ = any(t.outcome == "undetermined" for t in permissions)
        return ("undetermined" if open_ else "deny"), None, ""
    if obstacle is not None:
        return obstacle, None, ""
    return "permit", held[0] if len(held) == 1 else min(held, key=lambda t: t.name), ""


def _barred(prohibitions: tuple[RuleTrace, ...]) -> Answer | None:
    """What the prohibitions answer: deny, undetermined, or nothing."""
    about = [t.outcome for t in prohibitions if t.applies]
    if "satisfied" in about:
        return "deny"
    unknown = "deferred" in about or "undetermined" in [t.outcome for t in prohibitions]
    return "undetermined" if unknown else None


def _obligated(obligations: tuple[RuleTrace, ...]) -> Answer | None:
    """What the obligations of the policy answer: an overdue one denies."""
    outcome = conjunction([t.outcome for t in obligations])
    if outcome == "unsatisfied":
        return "deny"
    return "undetermined" if outcome == "undetermined" else None


def _worse(one: Answer | None, other: Answer | None) -> Answer | None:
    return one if other is None else other if one is None or other == "deny" else one


def _clash(
    permissions: tuple[RuleTrace, ...], prohibitions: tuple[RuleTrace, ...]
) -> Answer | None:
    """Whether one action is both permitted and forbidden to this party on this target: "invalid"
    when it is, "undetermined" when that cannot be told, None when it is not.
    """
    yes, no = (
        {(t.rule.action, _in_force(t)) for t in traced} for traced in (permissions, prohibitions)
    )
    found = {
        conjunction([_overlap(one, other), holds, bars]) for one, holds in yes for other, bars in no
    }
    if "satisfied" in found or "deferred" in found:
        return "invalid"
    return "undetermined" if "undetermined" in found else None


def _in_force(rule: RuleTrace) -> Outcome:
    """Whether a rule holds for this party and target, whatever the action asked for."""
    premises = [each.outcome for each in rule.premises if each.role != "action"]
    blocked = [d.outcome for d in rule.duties if d.outcome == "unsatisfied"]
    duties = blocked if rule.kind == "Permission" else []
    return conjunction([*premises, *(each.outcome for each in rule.constraints), *duties])


@lru_cache(maxsize=4096)
def _overlap(one: str, other: str) -> Outcome:
    """Whether some action is covered by both."""
    if one not in ACTIONS or other not in ACTIONS:
        return "satisfied" if one == other else "undetermined"
    both = any(action_covers(one, each) and action_covers(other, each) for each in ACTIONS)
    return "satisfied" if both else "unsatisfied"
