"""The trace of a decision and its two renderings (decision P7).

*Internal*: every rule and constraint with the value seen, where it came from and how it is held.
*Shared*: rule, constraint, required value, and whether *your* claim met it; nothing about other
parties, the node's configuration or learners. A decision about a record is about a learner, so
it has no shared rendering at all (constitution 7).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from policies import phrases
from policies.model import AnyConstraint, Constraint, Duty, Role, Rule, Value
from policies.naming import name, value_node
from policies.operands import Assurance, Phase, find
from policies.problem import Language
from policies.values import show

DutyState = Literal["fulfilled", "violated", "not-set"]
Outcome = Literal["satisfied", "unsatisfied", "undetermined", "deferred"]
Answer = Literal["permit", "deny", "undetermined", "not-applicable", "invalid"]
Reason = Literal[
    "",
    "unknown-operand",
    "unknown-operator",
    "unknown-action",
    "value-type",
    "missing-value",
    "incomparable",
    "later-phase",
    "duty-only",
    "sequence",
    "no-phase",
    "promise",
    "other-recipient",
    "other-action",
    "other-target",
    "other-variant",
    "unknown-member",
    "unknown-part",
    "unit",
    "status",
    "inactive",
    "performed",
    "not-performed",
    "violated",
    "remedied",
]
Note = Literal["", "inherits", "conflict"]

MET: Final[dict[Outcome, str]] = {
    "satisfied": "yes",
    "unsatisfied": "no",
    "undetermined": "unknown",
    "deferred": "later",
}
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
class ConstraintTrace:
    """What became of one constraint (or duty).

    Attributes:
        path: where it stands in the policy.
        name: its content name.
        part: what was judged.
        outcome, reason: the answer, and why when it needs saying.
        seen, source, assurance: the values it was judged on, where from and how well held.
        children: those of a logical constraint; of a duty its conditions and refinements, and
            the consequences of a violated one.
        at: the instant from which it holds, or at which the duty was done.
        state, due, record: of a duty: what is known of it, when it is due, the record's IRI.
    """

    path: str
    name: str
    part: AnyConstraint | Duty
    outcome: Outcome
    reason: Reason = ""
    seen: tuple[Value, ...] | None = None
    source: str = ""
    assurance: Assurance = "contractual"
    children: "tuple[ConstraintTrace, ...]" = ()
    at: datetime | None = None
    state: DutyState | Literal[""] = ""
    due: datetime | None = None
    record: str | None = None

    def internal(self) -> dict[str, object]:
        """Everything."""
        found: dict[str, object] = {"path": self.path, "id": self.name, "outcome": self.outcome}
        if self.reason:
            found["reason"] = self.reason
        found |= _what(self.part)
        if isinstance(self.part, Constraint):
            seen = self.seen
            found["seen"] = None if seen is None else [value_node(value) for value in seen]
            found["source"] = self.source
        if not self.children:
            found["assurance"] = self.assurance
        else:
            found["children"] = [child.internal() for child in self.children]
        return found | self._duty()

    def _duty(self) -> dict[str, object]:
        """State and times, where there are any."""
        found: dict[str, object] = {"state": self.state} if self.state else {}
        for member, moment in (("at", self.at), ("due", self.due)):
            if moment is not None and isinstance(self.part, Duty):
                found[member] = show(moment)
        if self.record is not None:
            found["record"] = self.record
        return found

    def shared(self) -> dict[str, object]:
        """Constraint, required value, whether it was met; for the other party."""
        found: dict[str, object] = {"id": self.name, **_what(self.part), "met": MET[self.outcome]}
        if self.children:
            found["children"] = [child.shared() for child in self.children]
        return found


@dataclass(frozen=True, slots=True)
class Premise:
    """Whether the action, target or party asked for is the one that a rule is about."""

    role: Role
    required: str
    seen: str | None
    outcome: Outcome
    reason: Reason = ""
    refinements: tuple[ConstraintTrace, ...] = ()

    def internal(self) -> dict[str, object]:
        """Everything."""
        found: dict[str, object] = {
            "role": self.role,
            "required": self.required,
            "seen": self.seen,
            "outcome": self.outcome,
        }
        if self.reason:
            found["reason"] = self.reason
        if self.refinements:
            found["refinements"] = [each.internal() for each in self.refinements]
        return found


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """What became of one rule. `applies` is False when it is about something else.

    `duties` are those of a permission, or the remedies of an infringed prohibition. `infringed`
    is the record of an action that a prohibition forbids.
    """

    path: str
    rule: Rule | Duty
    name: str
    applies: bool
    outcome: Outcome
    reason: Reason = ""
    constraints: tuple[ConstraintTrace, ...] = ()
    duties: tuple[ConstraintTrace, ...] = ()
    premises: tuple[Premise, ...] = ()
    infringed: datetime | None = None

    @property
    def kind(self) -> str:
        """Permission, Prohibition or Duty (an obligation of the policy)."""
        return self.rule.kind if isinstance(self.rule, Rule) else "Duty"

    def internal(self) -> dict[str, object]:
        """Everything."""
        found: dict[str, object] = {
            "path": self.path,
            "id": self.name,
            "class": self.kind,
            "action": self.rule.action,
            "applies": self.applies,
            "outcome": self.outcome,
        }
        if self.reason:
            found["reason"] = self.reason
        refined = [each.internal() for each in self.premises if each.refinements]
        if refined:
            found["premises"] = refined
        if self.infringed is not None:
            found["infringed"] = show(self.infringed)
        found["constraints"] = [each.internal() for each in self.constraints]
        found["duties"] = [each.internal() for each in self.duties]
        return found

    def shared(self) -> dict[str, object]:
        """Rule and constraints with whether they were met; for the other party."""
        return {
            "id": self.name,
            "class": self.kind,
            "action": self.rule.action,
            "applies": self.applies,
            "met": MET[self.outcome],
            "constraints": [each.shared() for each in self.constraints],
            "duties": [each.shared() for each in self.duties],
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
        trace: one entry per rule, in the policy's order.
        duties: promises that come with a permit.
        deferred: constraints of the permission that hold later; the plan must take each of them.
        permission: the content name of the permission that permits, None otherwise.
        policy: the rules digest of the policy decided upon.
        note: why the whole policy was not evaluated rule by rule, "" when it was.
    """

    outcome: Answer
    phase: Phase
    at: datetime
    action: str
    target: str | None
    assignee: str | None
    policy: str
    trace: tuple[RuleTrace, ...] = ()
    duties: tuple[Promise, ...] = ()
    deferred: tuple[AnyConstraint, ...] = ()
    permission: str | None = None
    note: Note = ""

    @property
    def permitted(self) -> bool:
        """Whether the answer is permit; everything else denies."""
        return self.outcome == "permit"

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


def _rule_reasons(rule: RuleTrace, lang: Language) -> list[str]:
    subject = phrases.action(rule.rule.action, lang)
    if rule.kind == "Prohibition":
        return _prohibition_reasons(rule, subject, lang)
    if not rule.applies or rule.outcome in {"satisfied", "deferred"}:
        return []
    failed = [leaf for leaf in rule.constraints if MET[leaf.outcome] in _MET_WORDS]
    lines = [_constraint_reason(leaf, lang) for leaf in failed]
    for duty in rule.duties:
        if MET[duty.outcome] in _MET_WORDS:
            said = phrases.duty(duty.part, lang) if isinstance(duty.part, Duty) else ""
            not_met = phrases.pick(_MET_WORDS[MET[duty.outcome]], lang)
            lines.append(f"{phrases.pick(('Obligation', 'Duty'), lang)} « {said} » : {not_met}.")
    if not lines:
        note = phrases.pick(("ne peut pas être évaluée", "cannot be evaluated"), lang)
        lines = [f"{phrases.pick(('La règle', 'The rule'), lang)} « {subject} » {note}."]
    return lines


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


def _what(part: AnyConstraint | Duty) -> dict[str, object]:
    if isinstance(part, Constraint):
        return {
            "operand": part.left,
            "operator": part.operator,
            "required": [value_node(value) for value in part.right],
        }
    if isinstance(part, Duty):
        return {"action": part.action, "constraints": [_what(each) for each in part.constraints]}
    return {"operator": part.operator}
