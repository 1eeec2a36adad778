"""decide: one request against one policy. Pure, deterministic, fail-closed.

The rules, each of which the tests hold:

1. Only `permit` permits. Every other outcome denies: `deny`, `undetermined`, `not-applicable`
   (no permission covers the request; closed world), `invalid` (a policy without rules).
2. An unknown operand, operator, action or value type, an operator the operand does not have, and
   a missing value in its own phase are `undetermined`, with a trace entry that names them.
3. A constraint none of whose phases is the current one is `deferred` (P10): it neither holds nor
   fails and goes whole into the plan. It is checked for form like any other, so that a deferred
   constraint is always one that can be evaluated later.
4. `and`, `or`, `xone` are three-valued, over sets: a constraint said twice counts once, as in its
   content name. `andSequence` is undetermined: we keep no order of events.
5. A permission permits when it covers action, target and assignee, and all its constraints are
   satisfied or deferred, and each duty is a promise or was performed before.
6. A prohibition that covers the action and whose constraints hold denies, whatever is permitted.
   If it cannot be told whether it holds, now or only later, the answer is undetermined: nothing
   would enforce its negation. A prohibition of another action is a promise (contractual).
7. Duties are post-duties (promises with a due date) when their action only makes sense after
   receipt (`vocabulary.PROMISES`) or they say `preau:duePhase preau:AfterUse`; pre-duties when
   they say so (`operands.duties`); a duty that is neither is undetermined, never guessed.
8. Only operands whose source is the application may take their value from the requester's claims;
   our own fact, if there is one, wins. The clock is `now`; the assignee is the authenticated
   peer; both whatever facts or claims say.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from policies import operands, values
from policies.application import Application, countries
from policies.consent import GROUP
from policies.model import (
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    AnyConstraint,
    Constraint,
    Duty,
    LogicalConstraint,
    Policy,
    Rule,
    Value,
    atoms,
    beyond,
    iri,
)
from policies.naming import name, rules_digest
from policies.operands import Assurance, Operand, Phase
from policies.operands.base import EQ, LT
from policies.trace import (
    Answer,
    ConstraintTrace,
    Decision,
    Outcome,
    Promise,
    Reason,
    RuleTrace,
)
from policies.values import Duration
from policies.vocabulary import ACTIONS, DPV, ODRL, PREAU, PROMISES, action_covers

__all__ = [
    "PERFORMED",
    "Decision",
    "Fact",
    "Phase",
    "Request",
    "category",
    "claims",
    "decide",
    "groups",
]

PERFORMED: Final = PREAU + "performed"
"""Key of the fact that lists the content names of the pre-duties performed so far."""

_AND: Final = ODRL + "and"
_OR: Final = ODRL + "or"
_XONE: Final = ODRL + "xone"


@dataclass(frozen=True, slots=True)
class Fact:
    """Values of one operand, where they come from, how well they are held.

    No values at all is a fact too: "in no group", "no country declared" is `values=()`.
    """

    values: tuple[Value, ...]
    source: str = ""
    assurance: Assurance = "declared"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: an action on a target by an authenticated party, with its claims."""

    action: str
    target: str | None
    assignee: str | None
    claims: Mapping[str, Fact] = field(default_factory=dict)


def claims(application: Application) -> dict[str, Fact]:
    """What an application claims, by operand: purpose, and countries where it declares any."""
    found = {ODRL + "purpose": Fact((iri(application.purpose),), "application", "declared")}
    if places := countries(application):
        found[PREAU + "recipientCountry"] = Fact(places, "application", "declared")
    return found


def category(*, personal: bool) -> Fact:
    """What a dataset's declaration says about `preau:dataCategory`."""
    term = DPV + ("PersonalData" if personal else "NonPersonalData")
    return Fact((iri(term),), "dataset", "declared")


def groups(names: Iterable[str]) -> Fact:
    """What the operator's peer list says about `preau:membership`; no group is a fact too."""
    return Fact(tuple(iri(GROUP + each) for each in sorted(names)), "peer-list", "declared")


def decide(
    policy: Policy, request: Request, facts: Mapping[str, Fact], now: datetime, phase: Phase
) -> Decision:
    """The decision on one request; see the rules in the module's docstring.

    Args:
        policy: offer, agreement or set.
        request: what is asked.
        facts: what this node knows, by operand IRI (memberships, counts, the plan's treatments).
        now: the current instant, with a time zone.
        phase: where we are; decides which constraints are evaluated and which are deferred.

    Raises:
        ValueError: `now` has no time zone (a bug of ours).
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    scene = _Scene(policy, request, facts, now, phase)
    trace = (
        *(scene.rule(r, f"permission[{i}]") for i, r in enumerate(policy.permissions)),
        *(scene.rule(r, f"prohibition[{i}]") for i, r in enumerate(policy.prohibitions)),
        *(scene.obligation(d, f"obligation[{i}]") for i, d in enumerate(policy.obligations)),
    )
    outcome, chosen = _answer(trace)
    if beyond(policy):  # not evaluated yet: never permits
        outcome, chosen = "undetermined", None
    return Decision(
        outcome=outcome,
        phase=phase,
        at=now,
        action=request.action,
        target=request.target,
        assignee=request.assignee,
        policy=rules_digest(policy),
        trace=trace,
        duties=_promises(trace, chosen) if chosen else (),
        deferred=_deferred(chosen) if chosen else (),
        permission=chosen.name if chosen else None,
    )


def _answer(trace: tuple[RuleTrace, ...]) -> tuple[Answer, RuleTrace | None]:
    """The outcome, and the permission that permits: the first by content name, so that neither
    order nor spelling matters.
    """
    rules = [t for t in trace if t.kind != "Duty"]
    if not rules:
        return "invalid", None
    barred = [t for t in trace if t.kind == "Prohibition" and t.applies]
    if any(t.outcome == "satisfied" for t in barred):
        return "deny", None
    permissions = [t for t in trace if t.kind == "Permission" and t.applies]
    if not permissions:
        return "not-applicable", None
    held = [t for t in permissions if t.outcome in {"satisfied", "deferred"}]
    if not held:
        open_ = any(t.outcome == "undetermined" for t in permissions)
        return ("undetermined" if open_ else "deny"), None
    if any(t.outcome == "deferred" for t in barred) or any(
        t.outcome in {"undetermined", "unsatisfied"} and t.kind == "Duty" for t in trace
    ):
        return "undetermined", None
    if any(t.outcome == "undetermined" for t in trace if t.kind == "Prohibition"):
        return "undetermined", None
    return "permit", min(held, key=lambda t: t.name)


def _promises(trace: tuple[RuleTrace, ...], chosen: RuleTrace) -> tuple[Promise, ...]:
    found = [
        Promise("duty", duty.name, duty.part.action, duty.part.constraints)
        for duty in chosen.duties
        if isinstance(duty.part, Duty) and duty.reason == "promise"
    ]
    for each in trace:
        if each.kind == "Duty" and each.reason == "promise":
            found.append(Promise("obligation", each.name, each.rule.action, each.rule.constraints))
        elif each.kind == "Prohibition" and not each.applies and each.reason == "other-action":
            found.append(Promise("prohibition", each.name, each.rule.action, each.rule.constraints))
    unique = {promise.name: promise for promise in found}
    return tuple(unique[key] for key in sorted(unique))


def _deferred(chosen: RuleTrace) -> tuple[AnyConstraint, ...]:
    parts = {c.name: c.part for c in chosen.constraints if c.outcome == "deferred"}
    return tuple(part for _, part in sorted(parts.items()) if not isinstance(part, Duty))


@dataclass(frozen=True, slots=True)
class _Scene:
    """One evaluation: the policy and everything known at this instant."""

    policy: Policy
    request: Request
    facts: Mapping[str, Fact]
    now: datetime
    phase: Phase

    def rule(self, rule: Rule, path: str) -> RuleTrace:
        """A permission or prohibition against the request."""
        traced = tuple(
            self.constraint(c, f"{path}.constraint[{i}]") for i, c in enumerate(rule.constraints)
        )
        duties = tuple(self.duty(d, f"{path}.duty[{i}]") for i, d in enumerate(rule.duties))
        applies, reason = self._applies(rule)
        outcome = _conjunction([c.outcome for c in traced])
        if any(duty.outcome in {"undetermined", "unsatisfied"} for duty in duties):
            outcome = _conjunction([outcome, *(d.outcome for d in duties)])
        if reason == "unknown-action":
            outcome = "undetermined"
        elif reason == "other-action" and rule.kind == "Prohibition":
            outcome = _form_of_promise(rule.constraints)
        return RuleTrace(path, rule, name(rule), applies, outcome, reason, traced, duties)

    def obligation(self, duty: Duty, path: str) -> RuleTrace:
        """An obligation of the policy, judged like a duty."""
        traced = self.duty(duty, path)
        return RuleTrace(
            path, duty, traced.name, applies=True, outcome=traced.outcome, reason=traced.reason
        )

    def _applies(self, rule: Rule) -> tuple[bool, Reason]:
        """Whether a rule is about this request. What cannot be told applies (and denies)."""
        target = rule.target or self.policy.target
        if target is not None and target != self.request.target:
            return False, "other-target"
        assignee = rule.assignee or self.policy.assignee
        if assignee is not None and assignee != self.request.assignee:
            return False, "other-recipient"
        if rule.action not in ACTIONS or self.request.action not in ACTIONS:
            return True, "unknown-action"
        if not action_covers(rule.action, self.request.action):
            return False, "other-action"
        return True, ""

    def duty(self, duty: Duty, path: str) -> ConstraintTrace:
        """A duty: a promise (deferred), a pre-duty (performed or not), or undetermined."""
        named = name(duty)
        if duty.action not in ACTIONS:
            return ConstraintTrace(path, named, duty, "undetermined", "unknown-action")
        faults = [why for a in atoms(duty.constraints) if (why := _fault(a)[1])]
        if faults or _has_sequence(duty.constraints):
            fault: Reason = faults[0] if faults else "sequence"
            return ConstraintTrace(path, named, duty, "undetermined", fault)
        if _is_before(duty):
            done = self.facts.get(PERFORMED)
            if done is None:
                return ConstraintTrace(path, named, duty, "undetermined", "missing-value")
            met: Outcome = "satisfied" if iri(named) in done.values else "unsatisfied"
            return ConstraintTrace(path, named, duty, met, "", None, done.source, done.assurance)
        if duty.action in PROMISES or _is_after(duty):
            return ConstraintTrace(path, named, duty, "deferred", "promise")
        return ConstraintTrace(path, named, duty, "undetermined", "no-phase")

    def constraint(self, constraint: AnyConstraint, path: str) -> ConstraintTrace:
        """One constraint of a permission or prohibition."""
        if isinstance(constraint, Constraint):
            return self._atom(constraint, path)
        word = constraint.operator.removeprefix(ODRL)
        children = tuple(
            self.constraint(child, f"{path}.{word}[{i}]")
            for i, child in enumerate(constraint.operands)
        )
        distinct = {child.name: child.outcome for child in children}
        outcome, reason = _combine(constraint, list(distinct.values()))
        return ConstraintTrace(
            path, name(constraint), constraint, outcome, reason, children=children
        )

    def _atom(self, constraint: Constraint, path: str) -> ConstraintTrace:
        named = name(constraint)
        operand, fault = _fault(constraint)
        if operand is None or fault:
            return ConstraintTrace(path, named, constraint, "undetermined", fault)
        if operand.duty_only:
            return ConstraintTrace(path, named, constraint, "undetermined", "duty-only")
        held = operand.assurance
        if self.phase not in operand.phases_of(constraint):
            source = operand.source
            return ConstraintTrace(
                path, named, constraint, "deferred", "later-phase", None, source, held
            )
        fact = self._fact(operand)
        if fact is None:
            source = operand.source
            return ConstraintTrace(
                path, named, constraint, "undetermined", "missing-value", None, source, held
            )
        answer = operand.compare(constraint.operator, fact.values, constraint.right)
        outcome: Outcome = "satisfied" if answer else "unsatisfied"
        reason: Reason = ""
        if answer is None:
            outcome, reason = "undetermined", "incomparable"
        origin = fact.source or operand.source
        return ConstraintTrace(
            path, named, constraint, outcome, reason, fact.values, origin, fact.assurance
        )

    def _fact(self, operand: Operand) -> Fact | None:
        """The value of an operand, only from the source that its registry entry names."""
        if operand.source == "clock":
            return Fact((values.literal(values.show(self.now), DATETIME),), "clock", "enforced")
        if operand.source == "authentication":
            who = self.request.assignee
            return None if who is None else Fact((iri(who),), "authentication", "attested")
        known = self.facts.get(operand.iri)
        if known is None and operand.source == "application":
            return self.request.claims.get(operand.iri)
        if known is None and operand.iri == ODRL + "elapsedTime":
            return self._elapsed()
        return known

    def _elapsed(self) -> Fact | None:
        began = values.instant(self.policy.timestamp or "")
        if began is None or self.policy.kind != "Agreement" or self.now < began:
            return None
        passed = Duration(0, int((self.now - began).total_seconds()))
        return Fact((Value(passed.text(), DURATION),), "ledger", "enforced")


def _fault(constraint: Constraint) -> tuple[Operand | None, Reason]:
    """What is wrong with the form of an atomic constraint, whatever the phase."""
    operand = operands.find(constraint.left)
    if operand is None:
        return None, "unknown-operand"
    if constraint.operator not in operand.operators:
        return operand, "unknown-operator"
    if not all(_has_type(value, operand.datatype) for value in constraint.right):
        return operand, "value-type"
    return operand, ""


def _has_type(value: Value, datatype: str | None) -> bool:
    if value.datatype is None or datatype is None:
        return value.datatype == datatype
    if values.parse(value) is None:
        return False
    numbers = {INTEGER, DECIMAL}
    return value.datatype == datatype or {value.datatype, datatype} <= numbers


def _combine(constraint: LogicalConstraint, outcomes: list[Outcome]) -> tuple[Outcome, Reason]:
    if constraint.operator == _AND:
        return _conjunction(outcomes), ""
    if constraint.operator == _OR:
        return _disjunction(outcomes), ""
    if constraint.operator == _XONE:
        return _exactly_one(outcomes), ""
    return "undetermined", "sequence"


def _conjunction(outcomes: list[Outcome]) -> Outcome:
    order: tuple[Outcome, ...] = ("unsatisfied", "undetermined", "deferred")
    return next((outcome for outcome in order if outcome in outcomes), "satisfied")


def _disjunction(outcomes: list[Outcome]) -> Outcome:
    order: tuple[Outcome, ...] = ("satisfied", "undetermined", "deferred")
    return next((outcome for outcome in order if outcome in outcomes), "unsatisfied")


def _exactly_one(outcomes: list[Outcome]) -> Outcome:
    if outcomes.count("satisfied") > 1:
        return "unsatisfied"
    for outcome in ("undetermined", "deferred"):
        if outcome in outcomes:
            return "undetermined" if outcome == "undetermined" else "deferred"
    return "satisfied" if "satisfied" in outcomes else "unsatisfied"


def _form_of_promise(constraints: tuple[AnyConstraint, ...]) -> Outcome:
    """A prohibition of another action is a promise, if its conditions are ones we can read."""
    faulty = any(_fault(atom)[1] for atom in atoms(constraints)) or _has_sequence(constraints)
    return "undetermined" if faulty else "deferred"


def _has_sequence(constraints: tuple[AnyConstraint, ...]) -> bool:
    return any(
        isinstance(c, LogicalConstraint)
        and (c.operator not in {_AND, _OR, _XONE} or _has_sequence(c.operands))
        for c in constraints
    )


def _is_before(duty: Duty) -> bool:
    return any(
        ((a.left, a.operator) == (PREAU + "duePhase", EQ) and iri(PREAU + "BeforeUse") in a.right)
        or ((a.left, a.operator) == (ODRL + "event", LT) and iri(ODRL + "policyUsage") in a.right)
        for a in atoms(duty.constraints)
    )


def _is_after(duty: Duty) -> bool:
    return any(
        (a.left, a.operator) == (PREAU + "duePhase", EQ) and a.right == (iri(PREAU + "AfterUse"),)
        for a in atoms(duty.constraints)
    )
