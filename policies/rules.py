"""Judging one permission, prohibition or obligation against a request.

A rule is about a request when action, target and party fit (premises); what cannot be told fits,
and then denies. Actions fit through the action tree, assets and parties through membership of
collections, all of them through refinements.
"""

from collections.abc import Mapping
from typing import Final

from policies import operands
from policies.duties import has_sequence, infringement
from policies.duties import judge as duty_trace
from policies.judge import Scene, conjunction, first_fault
from policies.model import Duty, Role, Rule
from policies.operands import Operand
from policies.remember import by_identity
from policies.trace import Outcome, Premise, Reason, RuleTrace
from policies.vocabulary import ACTIONS, action_covers
from policies.world import belongs

_OTHER: Final[dict[Role, Reason]] = {
    "target": "other-target",
    "assignee": "other-recipient",
}


def rule_trace(scene: Scene, rule: Rule, path: str) -> RuleTrace:
    """A permission or prohibition against the request."""
    # Lists first: a rule is judged often, and a generator costs a call an item.
    judged = [
        scene.constraint(each, f"{path}.constraint[{i}]") for i, each in enumerate(rule.constraints)
    ]
    duties = [duty_trace(scene, d, f"{path}.duty[{i}]") for i, d in enumerate(rule.duties)]
    premises = _premises(scene, rule, path)
    applies, reason = _applies(premises)
    outcome = conjunction([each.outcome for each in judged])
    owed = [duty.outcome for duty in duties]
    if "undetermined" in owed or "unsatisfied" in owed:
        outcome = conjunction([outcome, *owed])
    if rule.functions and applies:
        outcome, reason = "undetermined", "unknown-part"
    elif reason == "unknown-action":
        outcome = "undetermined"
    elif applies and "undetermined" in [each.outcome for each in premises]:
        outcome = conjunction([outcome, "undetermined"])
    elif reason in {"other-action", "other-variant"} and rule.kind == "Prohibition":
        outcome = _form_of_promise(scene, rule)
    at = infringement(scene, rule) if rule.kind == "Prohibition" else None
    if at is not None:
        duties = [duty_trace(scene, d, f"{path}.remedy[{i}]") for i, d in enumerate(rule.remedies)]
    traced = tuple(judged), tuple(duties)
    return RuleTrace(path, rule, applies, outcome, reason, *traced, premises, at)


def obligation_trace(scene: Scene, duty: Duty, path: str) -> RuleTrace:
    """An obligation of the policy, judged like a duty."""
    traced = duty_trace(scene, duty, path)
    return RuleTrace(
        path,
        duty,
        applies=True,
        outcome=traced.outcome,
        reason=traced.reason,
        duties=(traced,) if traced.state else (),
    )


def _applies(premises: tuple[Premise, ...]) -> tuple[bool, Reason]:
    """Whether a rule is about this request, and why not or why that cannot be told."""
    for each in premises:
        if each.outcome == "unsatisfied":
            return False, each.reason
    for each in premises:
        if each.outcome == "undetermined":
            return True, each.reason
    return True, ""


def _premises(scene: Scene, rule: Rule, path: str) -> tuple[Premise, ...]:
    """Target, party and action, each with its refinements; none for what the rule leaves open."""
    request = scene.request
    found = []
    for role, required, seen in (
        ("target", rule.target or scene.policy.target, request.target),
        ("assignee", rule.assignee or scene.policy.assignee, request.assignee),
    ):
        if required is not None:
            found.append(_thing(scene, rule, role, required, seen, path))  # type: ignore[arg-type]
    if rule.refined.assigner:
        assigner = rule.assigner or scene.policy.assigner or ""
        found.append(_refined(scene, rule, "assigner", assigner, None, ("satisfied", ""), path))
    if rule.action or not scene.lenient:
        judged = _action(rule.action, request.action)
        found.append(_refined(scene, rule, "action", rule.action, request.action, judged, path))
    return tuple(found)


def _action(granted: str, requested: str) -> tuple[Outcome, Reason]:
    if granted not in ACTIONS or requested not in ACTIONS:
        return "undetermined", "unknown-action"
    if action_covers(granted, requested):
        return "satisfied", ""
    return "unsatisfied", "other-action"


def _thing(
    scene: Scene, rule: Rule, role: Role, required: str, seen: str | None, path: str
) -> Premise:
    own = getattr(rule, role) is not None
    judged: tuple[Outcome, Reason] = ("satisfied", "")
    if seen is None or not belongs(seen, required, scene.members):
        unknown = role in rule.refined.collections and own and seen not in scene.world.members
        judged = (
            ("undetermined", "unknown-member")
            if unknown and seen is not None
            else ("unsatisfied", _OTHER[role])
        )
    return _refined(scene, rule, role, required, seen, judged, path)


def _refined(
    scene: Scene,
    rule: Rule,
    role: Role,
    required: str,
    seen: str | None,
    judged: tuple[Outcome, Reason],
    path: str,
) -> Premise:
    """A premise with the refinements of its role, which can only narrow it."""
    outcome, reason = judged
    refining = rule.refined.of(role)
    if not refining:
        return Premise(role, required, seen, outcome, reason)
    known = scene.request.about.get(role, {})
    traced = tuple(
        scene.refinement(each, f"{path}.{role}.refinement[{i}]", role, known)
        for i, each in enumerate(refining)
    )
    narrowed = conjunction([outcome, *(each.outcome for each in traced)])
    if narrowed != outcome:
        other = _OTHER.get(role, "other-variant")
        reason = other if narrowed == "unsatisfied" else reason or "missing-value"
    return Premise(role, required, seen, narrowed, reason, traced)


def _form_of_promise(scene: Scene, rule: Rule) -> Outcome:
    """A prohibition of another action is a promise, if its conditions are ones we can read."""
    if scene.registry is operands.REGISTRY:
        return _known_form(rule)
    return _form(rule, scene.registry)


def _form(rule: Rule, registry: Mapping[str, Operand]) -> Outcome:
    faulty = first_fault(rule.constraints, registry) or has_sequence(rule.constraints)
    return "undetermined" if faulty else "deferred"


@by_identity
def _known_form(rule: Rule) -> Outcome:
    """The same among the operands of this house, which never change."""
    return _form(rule, operands.REGISTRY)
