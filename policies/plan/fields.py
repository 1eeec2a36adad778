"""The fields of a dataset, and those of a plan: what leaves, treated how, and what stays behind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from policies.strict import Members

FieldTreatment = Literal["pseudonym", "rekey", "time"]
RemovalReason = Literal[
    "not-agreed", "direct-identifier", "free-text", "special-category", "no-time", "excluded"
]
_TREATMENTS: Final[tuple[FieldTreatment, ...]] = ("pseudonym", "rekey", "time")
_CODE: Final = "policy-plan-document"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a dataset's codebook.

    Attributes:
        name: what offers and applications call it.
        type: string, number, boolean, uuid, dateTime, date, agent, mixed, null; or nir, a social
            security number, which no plan lets leave.
        personal: "no", "indirect", "direct", "free-text" or "special"; anything else is treated
            as a direct identifier.
        pointer: RFC 6901 pointer, `-` for any index, for JSON rows.
        column: column name, for tables. Exactly one of both.
    """

    name: str
    pointer: str | None = None
    type: str = "string"
    personal: str = "no"
    column: str | None = None


Codebook = tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class PlanField:
    """A field that leaves, and how it is treated on its way (None: as it is)."""

    name: str
    type: str
    pointer: str | None = None
    column: str | None = None
    treatment: FieldTreatment | None = None

    def document(self) -> dict[str, object]:
        """The member of the plan's `fields`."""
        found: dict[str, object] = {"name": self.name, "type": self.type}
        if self.pointer is not None:
            found["pointer"] = self.pointer
        if self.column is not None:
            found["column"] = self.column
        if self.treatment is not None:
            found["treatment"] = self.treatment
        return found

    @classmethod
    def read(cls, data: object, index: int) -> "PlanField":
        """The field that a member of the plan's `fields` is.

        Raises:
            Problem: `policy-plan-document` with the path and what was expected there.
        """
        optional = frozenset({"pointer", "column", "treatment"})
        names = frozenset({"name", "type"})
        members = Members(data, _CODE, f"fields[{index}]", names, optional)
        if ("pointer" in members) == ("column" in members):
            raise members.problem("pointer", "either pointer or column")
        treatment = members.one_of("treatment", _TREATMENTS) if "treatment" in members else None
        return cls(
            name=members.text("name"),
            type=members.text("type"),
            pointer=members.optional_text("pointer"),
            column=members.optional_text("column"),
            treatment=next((each for each in _TREATMENTS if each == treatment), None),
        )


@dataclass(frozen=True, slots=True)
class Removal:
    """A field of the codebook that does not leave, and why."""

    name: str
    reason: RemovalReason


def tells_more(pointer: str | None) -> bool:
    """Whether a field holds a result, an extension's value, or a table's column.

    Such values mark a row far more than who did what when: linkage is measured with and without
    them, and a plan that releases any of them announces the figure measured with all of them.
    """
    return pointer is None or pointer.startswith("/result") or "/extensions/" in pointer


def present(members: Mapping[str, object]) -> dict[str, object]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}
