"""What the recipient promised, and the instants and events at which something is to be done."""

from dataclasses import dataclass
from typing import Final, Literal

from policies.plan.fields import present
from policies.strict import Members

Act = Literal["begin", "end", "check", "due"]
_ACTS: Final[tuple[Act, ...]] = ("begin", "end", "check", "due")
_CODE: Final = "policy-plan-document"


@dataclass(frozen=True, slots=True)
class PlanDuty:
    """A promise of the recipient.

    `due` is an instant, `elapsed` a duration from the agreement (when its date is not known yet),
    `within` a delay from `on`, the IRI of an event, or from the duty before.
    """

    kind: str
    id: str
    action: str
    assurance: str = "contractual"
    due: str | None = None
    elapsed: str | None = None
    within: str | None = None
    on: str | None = None

    def document(self) -> dict[str, object]:
        """The member of the plan's `duties`."""
        when = {"due": self.due, "elapsed": self.elapsed, "within": self.within, "on": self.on}
        head = {"kind": self.kind, "id": self.id, "action": self.action}
        return head | {"assurance": self.assurance} | present(when)

    @classmethod
    def read(cls, data: object, index: int) -> "PlanDuty":
        """The duty that a member of the plan's `duties` is.

        Raises:
            Problem: `policy-plan-document` with the path and what was expected there.
        """
        names = frozenset({"kind", "id", "action", "assurance"})
        optional = frozenset({"due", "elapsed", "within", "on"})
        members = Members(data, _CODE, f"duties[{index}]", names, optional)
        return cls(
            kind=members.one_of("kind", ("duty", "obligation", "prohibition")),
            id=members.text("id"),
            action=members.iri("action"),
            assurance=members.one_of("assurance", ("contractual", "declared")),
            due=members.time("due") if "due" in members else None,
            elapsed=members.optional_text("elapsed"),
            within=members.optional_text("within"),
            on=members.optional_text("on"),
        )


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that happens at an instant, after a time since the agreement, or on an event.

    `do` is "begin" or "end" (of serving), "check" (the answer may change: look again; `on` is
    then the operand whose value may change at any time) or "due" (of the duty with this id).
    """

    do: Act
    at: str | None = None
    elapsed: str | None = None
    on: str | None = None
    duty: str | None = None

    def document(self) -> dict[str, object]:
        """The member of the plan's `triggers`."""
        when = {"at": self.at, "elapsed": self.elapsed, "on": self.on, "duty": self.duty}
        return {"do": self.do} | present(when)

    @classmethod
    def read(cls, data: object, index: int) -> "Trigger":
        """The trigger that a member of the plan's `triggers` is.

        Raises:
            Problem: `policy-plan-document` with the path and what was expected there.
        """
        optional = frozenset({"at", "elapsed", "on", "duty"})
        members = Members(data, _CODE, f"triggers[{index}]", frozenset({"do"}), optional)
        act = members.one_of("do", _ACTS)
        return cls(
            do=next(each for each in _ACTS if each == act),
            at=members.time("at") if "at" in members else None,
            elapsed=members.optional_text("elapsed"),
            on=members.optional_text("on"),
            duty=members.optional_text("duty"),
        )
