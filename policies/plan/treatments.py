"""How persons, ids and times are treated, and how groups are counted where only groups leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from policies import values
from policies.model import DECIMAL, Value
from policies.plan.fields import present
from policies.strict import Members
from policies.vocabulary import PREAU

ActorTreatment = Literal["pseudonym-per-agreement", "pseudonym-per-recipient-and-purpose"]
Precision = Literal["minute", "hour", "day", "none"]

ACTORS: Final[Mapping[str, ActorTreatment]] = {
    PREAU + "KeyedPerAgreement": "pseudonym-per-agreement",
    PREAU + "KeyedPerRecipientAndPurpose": "pseudonym-per-recipient-and-purpose",
}
PRECISIONS: Final[Mapping[str, Precision]] = {
    PREAU + "Minute": "minute",
    PREAU + "Hour": "hour",
    PREAU + "Day": "day",
    PREAU + "NoTime": "none",
}
Lane = Literal["rows", "k-microdata", "aggregates"]
LANES: Final[tuple[Lane, ...]] = ("rows", "k-microdata", "aggregates")
LEVELS: Final[Mapping[Lane, str]] = {
    "rows": PREAU + "Row",
    "k-microdata": PREAU + "GroupedRows",
    "aggregates": PREAU + "Aggregate",
}
"""The `preau:aggregationLevel` that each lane gives, from the most telling lane to the least."""
LEAST_K: Final = 5
DEFAULT_K: Final = 10
DEFAULT_DOMINANCE: Final = "0.8"
"""Persons in a group: never fewer than 5, 10 unless the policy says more or less; the largest
contributor makes at most 80 % of a figure (facts 3.5)."""
_CODE: Final = "policy-plan-document"


@dataclass(frozen=True, slots=True)
class Treatments:
    """How persons, ids and times are treated (X5)."""

    actor: ActorTreatment = "pseudonym-per-agreement"
    ids: Literal["rekey"] = "rekey"
    time: Precision = "hour"

    @property
    def longitudinal(self) -> bool:
        """Whether pseudonyms stay the same across agreements of one recipient and purpose."""
        return self.actor == "pseudonym-per-recipient-and-purpose"

    def document(self) -> dict[str, object]:
        """The plan's `treatments`."""
        return {"actor": self.actor, "ids": self.ids, "time": self.time}


def read_treatments(data: object) -> Treatments | None:
    """The treatments that the plan's member is; None for the empty object.

    Raises:
        Problem: `policy-plan-document` with the path and what was expected there.
    """
    if data == {}:
        return None
    names = frozenset({"actor", "ids", "time"})
    found = Members(data, _CODE, "treatments", names, frozenset())
    found.constant("ids", "rekey")
    actor = found.one_of("actor", tuple(ACTORS.values()))
    time = found.one_of("time", tuple(PRECISIONS.values()))
    return Treatments(
        actor=next(each for each in ACTORS.values() if each == actor),
        time=next(each for each in PRECISIONS.values() if each == time),
    )


@dataclass(frozen=True, slots=True)
class Aggregates:
    """What a group must be like to leave (X4).

    `k` distinct persons at least; `dominance`, only in the lane of aggregates, the largest share
    (a canonical xsd:decimal) that one person may have in a figure.
    """

    k: int
    dominance: str | None = None

    def document(self) -> dict[str, object]:
        """The plan's `aggregates`."""
        return present({"k": self.k, "dominance": self.dominance})

    @classmethod
    def read(cls, data: object) -> "Aggregates":
        """The aggregates that the plan's member is.

        Raises:
            Problem: `policy-plan-document` with the path and what was expected there.
        """
        members = Members(data, _CODE, "aggregates", frozenset({"k"}), frozenset({"dominance"}))
        dominance = members.optional_text("dominance")
        readable = values.parse(Value(dominance or "0", DECIMAL)) is not None
        if dominance and not (readable and values.canonical(dominance, DECIMAL) == dominance):
            raise members.problem("dominance", "a decimal such as 0.8")
        return cls(members.integer("k", LEAST_K), dominance)


@dataclass(frozen=True, slots=True)
class Budgets:
    """How much may leave under one agreement: releases, and records over all of them."""

    releases: int | None = None
    records: int | None = None

    def document(self) -> dict[str, object]:
        """The plan's `budgets`."""
        return present({"releases": self.releases, "records": self.records})

    @classmethod
    def read(cls, data: object) -> "Budgets":
        """The budgets that the plan's member is.

        Raises:
            Problem: `policy-plan-document` with the path and what was expected there.
        """
        names = frozenset({"releases", "records"})
        members = Members(data, _CODE, "budgets", frozenset(), names)
        found = {name: members.integer(name, 0) for name in sorted(names) if name in members}
        return cls(**found)
