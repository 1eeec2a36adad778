"""The answer to one request: its outcome, its trace, and what follows when it is asked for.

Naming a part hashes it and everything below it, which costs more than judging it. Whoever only
wants to know whether something is permitted never pays for names: they are made when the trace,
the promises or the policy's digest are read.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from policies import phrases
from policies.model import AnyConstraint, Constraint, Duty, Policy
from policies.naming import name, rules_digest
from policies.operands import Phase, find
from policies.problem import Language
from policies.trace import MET, ConstraintTrace, RuleTrace
from policies.values import show

Answer = Literal["permit", "deny", "undetermined", "not-applicable", "invalid"]
Note = Literal["", "inherits", "conflict"]

_MET_WORDS: Final[dict[str, phrases.Phrase]] = {
    "no": ("votre demande n'y répond pas", "your request does not meet it"),
    "unknown": (
        "il n'est pas établi que votre demande y réponde",
        "your request is not shown to meet it",
    ),
}
_HEADS: Final[dict[Answer, phrases.Phrase]] = {
    "permit": ("Accordé.", "Granted."),
    "deny": ("Refusé.", "Refused."),
    "undetermined": (
        "Refusé : une condition ne peut pas être évaluée.",
        "Refused: a condition cannot be evaluated.",
    ),
    "not-applicable": (
        "Refusé : aucune permission ne couvre cette demande.",
        "Refused: no permission covers this request.",
    ),
    "invalid": ("Refusé : cette politique est vide.", "Refused: this policy is empty."),
}
_NOTES: Final[dict[Note, phrases.Phrase]] = {
    "inherits": (
        "Refusé : cette politique reprend les règles d'une autre, qui manque ici.",
        "Refused: this policy takes over the rules of another one, which is missing here.",
    ),
    "conflict": (
        "Refusé : cette politique permet et interdit la même action, ce qui l'annule.",
        "Refused: this policy permits and forbids the same action, which voids it.",
    ),
}


@dataclass(frozen=True, slots=True)
class Promise:
    """Something the recipient promises: a duty, an obligation, or not to do another action."""

    kind: Literal["duty", "obligation", "prohibition"]
    name: str
    action: str
    constraints: tuple[AnyConstraint, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one request, with everything needed to explain it.

    Attributes:
        outcome: only "permit" permits.
        phase, at, action, target, assignee: what was asked, when.
        upon: the policy decided upon.
        trace: one entry per rule, in the policy's order.
        chosen: the permission that permits, None otherwise.
        note: why the whole policy was not evaluated rule by rule, "" when it was.
    """

    outcome: Answer
    phase: Phase
    at: datetime
    action: str
    target: str | None
    assignee: str | None
    upon: Policy
    trace: tuple[RuleTrace, ...] = ()
    chosen: RuleTrace | None = None
    note: Note = ""

    @property
    def permitted(self) -> bool:
        """Whether the answer is permit; everything else denies."""
        return self.outcome == "permit"

    @property
    def policy(self) -> str:
        """The rules digest of the policy decided upon."""
        return rules_digest(self.upon)

    @property
    def permission(self) -> str | None:
        """The content name of the permission that permits, None otherwise."""
        return self.chosen.name if self.chosen else None

    @property
    def duties(self) -> tuple[Promise, ...]:
        """Promises that come with a permit, one a name, sorted by name."""
        if self.chosen is None:
            return ()
        found = [
            Promise("duty", duty.name, duty.part.action, duty.part.constraints)
            for duty in self.chosen.duties
            if isinstance(duty.part, Duty) and duty.reason == "promise"
        ]
        found += [promise for each in self.trace if (promise := _promised(each)) is not None]
        unique = {promise.name: promise for promise in found}
        return tuple(unique[key] for key in sorted(unique))

    @property
    def deferred(self) -> tuple[AnyConstraint, ...]:
        """Constraints of the permission that hold later, sorted by name; the plan must take each
        of them.
        """
        judged = self.chosen.constraints if self.chosen else ()
        parts = {each.name: each.part for each in judged if each.outcome == "deferred"}
        return tuple(part for _, part in sorted(parts.items()) if not isinstance(part, Duty))

    def internal(self) -> dict[str, object]:
        """The whole trace as JSON, for this institution and its auditor."""
        return {
            **self._head(),
            "target": self.target,
            "assignee": self.assignee,
            "policy": self.policy,
            **({"note": self.note} if self.note else {}),
            "permission": self.permission,
            "deferred": [name(each) for each in self.deferred],
            "duties": [
                {"kind": each.kind, "id": each.name, "action": each.action} for each in self.duties
            ],
            "rules": [each.internal() for each in self.trace],
        }

    def shared(self) -> dict[str, object]:
        """The trace as JSON for the other party; says nothing at all about a single record."""
        if self.phase == "record":
            return {"v": 1, "phase": "record", "outcome": "not-shared", "rules": []}
        return {**self._head(), "rules": [each.shared() for each in self.trace]}

    def reasons(self, lang: Language) -> list[str]:
        """Sentences made from the shared rendering: the answer, then what was not met."""
        if self.phase == "record":
            return []
        lines = [phrases.pick(_NOTES.get(self.note, _HEADS[self.outcome]), lang)]
        if self.permitted or self.note:
            return lines
        for rule in self.trace:
            lines += _rule_reasons(rule, lang)
        return lines

    def _head(self) -> dict[str, object]:
        return {
            "v": 1,
            "outcome": self.outcome,
            "phase": self.phase,
            "at": show(self.at),
            "action": self.action,
        }


def _promised(each: RuleTrace) -> Promise | None:
    """What a rule beside the permission makes the recipient promise."""
    rule = each.rule
    if each.kind == "Duty" and each.reason == "promise":
        return Promise("obligation", each.name, rule.action, rule.constraints)
    other = not each.applies and each.reason in {"other-action", "other-variant"}
    if each.kind == "Prohibition" and other:
        return Promise("prohibition", each.name, rule.action, rule.constraints)
    return None


def _rule_reasons(rule: RuleTrace, lang: Language) -> list[str]:
    subject = phrases.action(rule.rule.action, lang)
    if rule.kind == "Prohibition":
        return _prohibition_reasons(rule, subject, lang)
    if not rule.applies or rule.outcome in {"satisfied", "deferred"}:
        return []
    failed = [leaf for leaf in rule.constraints if MET[leaf.outcome] in _MET_WORDS]
    lines = [_constraint_reason(leaf, lang) for leaf in failed]
    lines += [_duty_reason(duty, lang) for duty in rule.duties if MET[duty.outcome] in _MET_WORDS]
    if not lines:
        unread = (
            f"La règle « {subject} » ne peut pas être évaluée.",
            f"The rule “{subject}” cannot be evaluated.",
        )
        lines = [phrases.pick(unread, lang)]
    return lines


def _duty_reason(duty: ConstraintTrace, lang: Language) -> str:
    said = phrases.duty(duty.part, lang) if isinstance(duty.part, Duty) else ""
    not_met = phrases.pick(_MET_WORDS[MET[duty.outcome]], lang)
    spoken = (f"Obligation « {said} » : {not_met}.", f"Duty “{said}”: {not_met}.")
    return phrases.pick(spoken, lang)


def _prohibition_reasons(rule: RuleTrace, subject: str, lang: Language) -> list[str]:
    if rule.applies and rule.outcome == "satisfied":
        return [
            phrases.pick(
                (
                    f"Il est interdit {phrases.to(rule.rule.action)}.",
                    f"It is forbidden to {subject}.",
                ),
                lang,
            )
        ]
    if rule.outcome == "undetermined" or (rule.applies and rule.outcome == "deferred"):
        return [
            phrases.pick(
                (
                    f"L'interdiction « {subject} » ne peut pas être évaluée.",
                    f"The prohibition “{subject}” cannot be evaluated.",
                ),
                lang,
            )
        ]
    return []


def _constraint_reason(leaf: ConstraintTrace, lang: Language) -> str:
    part = leaf.part
    if isinstance(part, Constraint) and _is_group(part):
        group = phrases.listing(phrases.value(value, lang) for value in part.right)
        return phrases.pick(
            (
                f"Il n'est pas établi que vous êtes membre du groupe demandé ({group}).",
                f"You are not shown to be a member of the required group ({group}).",
            ),
            lang,
        )
    said = phrases.duty(part, lang) if isinstance(part, Duty) else phrases.constraint(part, lang)
    not_met = phrases.pick(_MET_WORDS[MET[leaf.outcome]], lang)
    need = phrases.pick(("Condition non remplie :", "Condition not met:"), lang)
    return f"{need} {said} ({not_met})."


def _is_group(constraint: Constraint) -> bool:
    operand = find(constraint.left)
    return operand is not None and operand.source == "peer-list"
