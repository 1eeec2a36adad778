"""The plan as a document: what leaves, of whom, treated how, and what was promised.

A plan is what an agreement means for one dataset, settled once: its digest is logged before the
first byte. `compile` makes it; here are its JSON (FORMATS "Plan"), its strict reader and its
explanation. Its three lanes (X4) are `rows` (a pseudonymised stream, no k claim), `k-microdata`
(rows in groups of at least k persons) and `aggregates` (figures about groups).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from policies import values
from policies.jcs import digest
from policies.model import BOOLEAN, DECIMAL, INTEGER, STRING, Value, iri
from policies.plan import words
from policies.plan.duties import PlanDuty, Trigger
from policies.plan.fields import PlanField, Removal
from policies.plan.rows import Rows
from policies.plan.treatments import (
    ACTORS,
    LANES,
    LEVELS,
    PRECISIONS,
    Aggregates,
    Budgets,
    Lane,
    Treatments,
    read_treatments,
)
from policies.problem import Language
from policies.strict import Members
from policies.vocabulary import PREAU

NOT_MEASURED: Final = "not measured"
"""The plan's `linkage` before `preau dataset risk` has run on the dataset (X5)."""
NO_ROWS: Final = "no rows leave"
"""The plan's `linkage` where only figures about groups leave: there is no trace to match."""
_CODE: Final = "policy-plan-document"
_MEMBERS_WORDS: Final = (
    "v agreement policy dataset lane rows fields treatments budgets duties triggers linkage"
)
_MEMBERS: Final = frozenset(_MEMBERS_WORDS.split())
_NO_BUDGETS: Final = Budgets()


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled agreement. `removed` explains and is no part of the document or its digest."""

    agreement: str
    policy: str
    dataset: str
    rows: Rows
    fields: tuple[PlanField, ...]
    treatments: Treatments | None
    budgets: Budgets = _NO_BUDGETS
    duties: tuple[PlanDuty, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    lane: Lane = "rows"
    aggregates: Aggregates | None = None
    linkage: str = NOT_MEASURED
    removed: tuple[Removal, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """`sha-256:…` over the document."""
        return digest(self.document())

    @property
    def ends(self) -> datetime | None:
        """The first instant at which serving ends by date, None when no date ends it."""
        ends = [values.instant(t.at) for t in self.triggers if t.do == "end" and t.at is not None]
        return min((end for end in ends if end is not None), default=None)

    def document(self) -> dict[str, object]:
        """The plan as FORMATS has it."""
        groups = {} if self.aggregates is None else {"aggregates": self.aggregates.document()}
        return {
            "v": 1,
            "agreement": self.agreement,
            "policy": self.policy,
            "dataset": self.dataset,
            "lane": self.lane,
            "rows": self.rows.document(),
            "fields": [each.document() for each in self.fields],
            "treatments": {} if self.treatments is None else self.treatments.document(),
            **groups,
            "budgets": self.budgets.document(),
            "duties": [each.document() for each in self.duties],
            "triggers": [each.document() for each in self.triggers],
            "linkage": self.linkage,
        }

    def values(self) -> dict[str, tuple[Value, ...]]:
        """The values of the configuring operands, satisfied iff this plan satisfies them (P10)."""
        found = {
            PREAU + "fields": tuple(Value(each.name, STRING) for each in self.fields),
            PREAU + "aggregationLevel": (iri(LEVELS[self.lane]),),
        }
        if self.aggregates is not None:
            found[PREAU + "minGroupSize"] = (Value(str(self.aggregates.k), INTEGER),)
            if self.aggregates.dominance is not None:
                share = Value(self.aggregates.dominance, DECIMAL)
                found[PREAU + "dominanceShare"] = (share,)
        return found if self.treatments is None else found | _treated(self.treatments)

    @classmethod
    def read(cls, data: object) -> "Plan":
        """The plan that a JSON document is.

        Raises:
            Problem: `policy-plan-document` with the path and what was expected there.
        """
        members = Members(data, _CODE, "", _MEMBERS, frozenset({"aggregates"}))
        members.constant("v", 1)
        lane = members.one_of("lane", LANES)
        if (lane != "rows") != ("aggregates" in members):
            raise members.problem("aggregates", "present exactly when the lane is not rows")
        return cls(
            agreement=members.text("agreement"),
            policy=members.text("policy"),
            dataset=members.text("dataset"),
            rows=Rows.read(members.value("rows")),
            fields=tuple(PlanField.read(x, i) for i, x in enumerate(_list(members, "fields"))),
            treatments=read_treatments(members.value("treatments")),
            budgets=Budgets.read(members.value("budgets")),
            duties=tuple(PlanDuty.read(x, i) for i, x in enumerate(_list(members, "duties"))),
            triggers=tuple(Trigger.read(x, i) for i, x in enumerate(_list(members, "triggers"))),
            lane=next(each for each in LANES if each == lane),
            aggregates=(
                Aggregates.read(members.value("aggregates")) if "aggregates" in members else None
            ),
            linkage=members.text("linkage"),
        )

    def explain(self, lang: Language) -> list[str]:
        """What will leave, what will be removed and why, what was promised, in sentences."""
        lines = [words.leaving(self.lane, [each.name for each in self.fields], lang)]
        lines += words.removed(self.removed, lang)
        lines += words.rows(self.rows, lang)
        lines += words.treatments(self.treatments, lang)
        lines += words.aggregates(self.aggregates, lang)
        lines += words.budgets(self.budgets, lang)
        lines += words.triggers(self.triggers, lang)
        lines += [words.duty(each, lang) for each in self.duties]
        return [*lines, words.linkage(self.linkage, NOT_MEASURED, NO_ROWS, lang)]


def _treated(treatments: Treatments) -> dict[str, tuple[Value, ...]]:
    actors = {name: term for term, name in ACTORS.items()}
    times = {name: term for term, name in PRECISIONS.items()}
    longitudinal = "true" if treatments.longitudinal else "false"
    return {
        PREAU + "identifierTreatment": (iri(actors[treatments.actor]),),
        PREAU + "timePrecision": (iri(times[treatments.time]),),
        PREAU + "longitudinal": (Value(longitudinal, BOOLEAN),),
    }


def _list(members: Members, member: str) -> list[object]:
    value = members.value(member)
    if not isinstance(value, list):
        raise members.problem(member, "a list")
    return value
