"""The trace of a decision and its two renderings (decision P7).

*Internal*: every rule and constraint with the value seen, where it came from and how it is held.
*Shared*: rule, constraint, required value, and whether *your* claim met it; nothing about other
parties, the node's configuration or learners. A decision about a record is about a learner, so
it has no shared rendering at all (constitution 7).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from policies.model import AnyConstraint, Constraint, Duty, Role, Rule, Value
from policies.naming import name, value_node
from policies.operands import Assurance
from policies.values import show

DutyState = Literal["fulfilled", "violated", "not-set"]
Outcome = Literal["satisfied", "unsatisfied", "undetermined", "deferred"]
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

MET: Final[dict[Outcome, str]] = {
    "satisfied": "yes",
    "unsatisfied": "no",
    "undetermined": "unknown",
    "deferred": "later",
}


@dataclass(frozen=True, slots=True)
class ConstraintTrace:
    """What became of one constraint (or duty).

    Attributes:
        path: where it stands in the policy.
        part: what was judged.
        outcome, reason: the answer, and why when it needs saying.
        seen, source, assurance: the values it was judged on, where from and how well held.
        children: those of a logical constraint; of a duty its conditions and refinements, and
            the consequences of a violated one.
        at: the instant from which it holds, or at which the duty was done.
        state, due, record: of a duty: what is known of it, when it is due, the record's IRI.
    """

    path: str
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

    @property
    def name(self) -> str:
        """The content name of the part."""
        return name(self.part)

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
    applies: bool
    outcome: Outcome
    reason: Reason = ""
    constraints: tuple[ConstraintTrace, ...] = ()
    duties: tuple[ConstraintTrace, ...] = ()
    premises: tuple[Premise, ...] = ()
    infringed: datetime | None = None

    @property
    def name(self) -> str:
        """The content name of the rule."""
        return name(self.rule)

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
