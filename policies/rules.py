"""Judging one permission, prohibition or obligation against a request.

A rule is about a request when action, target and party fit (premises); what cannot be told fits,
and then denies. Actions fit through the action tree, assets and parties through membership of
collections, all of them through refinements.
"""

from typing import Final

from policies.duties import has_sequence, infringement
from policies.duties import judge as duty_trace
from policies.judge import Scene, conjunction
from policies.model import AnyConstraint, Duty, Role, Rule
from policies.trace import Outcome, Premise, Reason, RuleTrace
from policies.vocabulary import ACTIONS, action_covers
from policies.world import belongs

_OTHER: Final[dict[Role, Reason]] = {
    "target": "other-target",
    "assignee": "other-recipient",
}


def rule_trace(scene: Scene, rule: Rule, path: str) -> RuleTrace:
    """A permission or prohibition against the request."""
    traced = tuple(
        scene.constraint(each, f"{path}.constraint[{i}]") for i, each in enumerate(rule.constraints)
    )
    duties = tuple(duty_trace(scene, d, f"{path}.duty[{i}]") for i, d in enumerate(rule.duties))
    premises = _premises(scene, rule, path)
    applies, reason = _applies(premises)
    outcome = conjunction([each.outcome for each in traced])
    if any(duty.outcome in {"undetermined", "unsatisfied"} for duty in duties):
        outcome = conjunction([outcome, *(each.outcome for each in duties)])
    if rule.functions and applies:
        outcome, reason = "undetermined", "unknown-part"
    elif reason == "unknown-action":
        outcome = "undetermined"
    elif applies and any(each.outcome == "undetermined" for each in premises):
        outcome = conjunction([outcome, "undetermined"])
    elif reason in {"other-action", "other-variant"} and rule.kind == "Prohibition":
        outcome = _form_of_promise(scene, rule.constraints)
    at = infringement(scene, rule) if rule.kind == "Prohibition" else None
    if at is not None:
        duties = tuple(
            duty_trace(scene, d, f"{path}.remedy[{i}]") for i, d in enumerate(rule.remedies)
        )
    return RuleTrace(path, rule, applies, outcome, reason, traced, duties, premises, at)


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
    known = scene.request.about.get(role, {})
    traced = tuple(
        scene.refinement(each, f"{path}.{role}.refinement[{i}]", role, known)
        for i, each in enumerate(rule.refined.of(role))
    )
    narrowed = conjunction([outcome, *(each.outcome for each in traced)])
    if narrowed != outcome:
        other = _OTHER.get(role, "other-variant")
        reason = other if narrowed == "unsatisfied" else reason or "missing-value"
    return Premise(role, required, seen, narrowed, reason, traced)


def _form_of_promise(scene: Scene, constraints: tuple[AnyConstraint, ...]) -> Outcome:
    """A prohibition of another action is a promise, if its conditions are ones we can read."""
    faulty = scene.faulty(constraints) or has_sequence(constraints)
    return "undetermined" if faulty else "deferred"
