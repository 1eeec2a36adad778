"""A plan as a document: every member written and read back, and what is not a plan located."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from policies.consent import Scope
from policies.model import BOOLEAN, DATETIME, DECIMAL, INTEGER, STRING, Value, iri
from policies.plan import (
    Aggregates,
    Budgets,
    ConsentScope,
    Plan,
    PlanDuty,
    PlanField,
    Removal,
    Rows,
    Treatments,
    Trigger,
    residue,
)
from policies.plan.residue import Const, Group, Test
from policies.plan.rows import RECORD_TIME
from policies.plan.treatments import read_treatments
from policies.problem import Problem
from policies.vocabulary import DPV, ODRL, PREAU

LAB, NEW_YEAR = "did:web:lab.example", "2027-01-01T00:00:00Z"
SCOPE = Scope(LAB, PREAU + "EducationResearch", "traces")
AGE = Test(PREAU + "learnerAge", ODRL + "gteq", (Value("15", INTEGER), iri("urn:x")))
PLAN = Plan(
    agreement="urn:a",
    policy="ni:///sha-256;x",
    dataset="urn:d",
    rows=Rows(
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
        ConsentScope(SCOPE, "objection"),
        where=Group("any", (AGE, Const(None), Group("all", (Const(True),)))),
    ),
    fields=(
        PlanField("actor", "agent", "/actor", None, "pseudonym"),
        PlanField("day", "date", None, "day"),
    ),
    treatments=Treatments("pseudonym-per-recipient-and-purpose", "rekey", "day"),
    budgets=Budgets(3, 500),
    duties=(
        PlanDuty("duty", "n1", ODRL + "delete", "declared", due=NEW_YEAR),
        PlanDuty("obligation", "n2", ODRL + "inform", elapsed="P1D"),
        PlanDuty("prohibition", "n3", ODRL + "sell"),
        PlanDuty("duty", "n4", ODRL + "delete", within="P7D", on=DPV + "ConsentWithdrawn"),
    ),
    triggers=(
        Trigger("begin", at=NEW_YEAR),
        Trigger("end", elapsed="P1D"),
        Trigger("check", on="urn:o"),
        Trigger("due", at=NEW_YEAR, duty="n1"),
    ),
    lane="aggregates",
    aggregates=Aggregates(12, "0.6"),
    linkage="98 %",
)
DOCUMENT: dict[str, Any] = {
    "v": 1,
    "agreement": "urn:a",
    "policy": "ni:///sha-256;x",
    "dataset": "urn:d",
    "lane": "aggregates",
    "rows": {
        "from": "2026-01-01T00:00:00Z",
        "to": NEW_YEAR,
        "consent": {
            "recipient": LAB,
            "purpose": PREAU + "EducationResearch",
            "category": "traces",
            "mode": "objection",
        },
        "where": {
            "any": [
                {
                    "column": PREAU + "learnerAge",
                    "operator": ODRL + "gteq",
                    "values": [{"value": "15", "type": INTEGER}, {"id": "urn:x"}],
                },
                {"is": None},
                {"all": [{"is": True}]},
            ]
        },
    },
    "fields": [
        {"name": "actor", "type": "agent", "pointer": "/actor", "treatment": "pseudonym"},
        {"name": "day", "type": "date", "column": "day"},
    ],
    "treatments": {
        "actor": "pseudonym-per-recipient-and-purpose",
        "ids": "rekey",
        "time": "day",
    },
    "aggregates": {"k": 12, "dominance": "0.6"},
    "budgets": {"releases": 3, "records": 500},
    "duties": [
        {
            "kind": "duty",
            "id": "n1",
            "action": ODRL + "delete",
            "assurance": "declared",
            "due": NEW_YEAR,
        },
        {
            "kind": "obligation",
            "id": "n2",
            "action": ODRL + "inform",
            "assurance": "contractual",
            "elapsed": "P1D",
        },
        {"kind": "prohibition", "id": "n3", "action": ODRL + "sell", "assurance": "contractual"},
        {
            "kind": "duty",
            "id": "n4",
            "action": ODRL + "delete",
            "assurance": "contractual",
            "within": "P7D",
            "on": DPV + "ConsentWithdrawn",
        },
    ],
    "triggers": [
        {"do": "begin", "at": NEW_YEAR},
        {"do": "end", "elapsed": "P1D"},
        {"do": "check", "on": "urn:o"},
        {"do": "due", "at": NEW_YEAR, "duty": "n1"},
    ],
    "linkage": "98 %",
}


def test_every_member_is_written_and_read_back():
    assert PLAN.document() == DOCUMENT
    assert list(PLAN.document()) == list(DOCUMENT)
    assert Plan.read(json.loads(json.dumps(DOCUMENT))) == PLAN
    assert PLAN.digest.startswith("sha-256:")
    assert replace(PLAN, removed=(Removal("x", "excluded"),)).digest == PLAN.digest


def test_the_plainest_plan():
    plain = Plan("a", "p", "d", Rows(), (), None)
    assert plain.document() == {
        "v": 1,
        "agreement": "a",
        "policy": "p",
        "dataset": "d",
        "lane": "rows",
        "rows": {},
        "fields": [],
        "treatments": {},
        "budgets": {},
        "duties": [],
        "triggers": [],
        "linkage": "not measured",
    }
    assert Plan.read(plain.document()) == plain
    assert (plain.budgets, plain.aggregates) == (Budgets(), None)
    assert Treatments() == Treatments("pseudonym-per-agreement", "rekey", "hour")


@pytest.mark.parametrize("lane", ["rows", "k-microdata", "aggregates"])
@pytest.mark.parametrize("mode", ["consent", "objection"])
def test_lanes_and_modes_read_back(lane: Any, mode: Any):
    found = replace(
        PLAN,
        lane=lane,
        aggregates=None if lane == "rows" else Aggregates(5),
        rows=Rows(consent=ConsentScope(SCOPE, mode)),
    )
    assert Plan.read(found.document()) == found


def test_undated_rows_read_back():
    assert Rows(undated=True).document() == {"undated": True}
    assert Rows.read({"undated": True}) == Rows(undated=True)
    assert Rows.read({}) == Rows()


# --- what is not a plan --------------------------------------------------------------------------

_DELETE = object()


def changed(path: str, value: object) -> dict[str, Any]:
    """The document with one member set (or left out)."""
    found: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    *outer, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = found
    for part in outer:
        target = target[part]
    if value is _DELETE:
        del target[last]
    else:
        target[last] = value
    return found


@pytest.mark.parametrize(
    ("change", "value", "path"),
    [
        *[(member, _DELETE, member) for member in DOCUMENT if member != "v"],
        *[(member, 3, member) for member in ("agreement", "policy", "dataset", "lane", "linkage")],
        *[(member, {}, member) for member in ("fields", "duties", "triggers")],
        ("v", 2, "v"),
        ("lane", "k-macrodata", "lane"),
        ("more", 1, "more"),
        ("rows", [], "rows"),
        ("rows.from", "2026-01-01", "rows.from"),
        ("rows.to", 3, "rows.to"),
        ("rows.more", 3, "rows.more"),
        ("rows.undated", True, "rows.undated"),
        ("rows.consent", 3, "rows.consent"),
        ("rows.consent.mode", "maybe", "rows.consent.mode"),
        ("rows.consent.purpose", "no iri", "rows.consent.purpose"),
        ("rows.consent.recipient", _DELETE, "rows.consent.recipient"),
        ("rows.consent.category", _DELETE, "rows.consent.category"),
        ("rows.where", 3, "rows.where"),
        ("rows.where.any", 3, "rows.where.any"),
        ("rows.where.any.1.is", 3, "rows.where.any[1].is"),
        ("rows.where.any.0.values", [], "rows.where.any[0].values"),
        ("rows.where.any.0.values.0.type", _DELETE, "rows.where.any[0].values[0].type"),
        ("rows.where.any.0.values.1.id", "no iri", "rows.where.any[0].values[1].id"),
        ("rows.where.any.0.values.1.value", "x", "rows.where.any[0].values[1].id"),
        ("rows.where.any.0.column", "no iri", "rows.where.any[0].column"),
        ("rows.where.any.0.operator", "no iri", "rows.where.any[0].operator"),
        ("rows.where.any.2.is", True, "rows.where.any[2].all"),
        ("fields.0", 3, "fields[0]"),
        ("fields.0.name", _DELETE, "fields[0].name"),
        ("fields.0.type", _DELETE, "fields[0].type"),
        ("fields.0.column", "x", "fields[0].pointer"),
        ("fields.0.pointer", _DELETE, "fields[0].pointer"),
        ("fields.1.column", 3, "fields[1].column"),
        ("fields.0.treatment", "hash", "fields[0].treatment"),
        ("fields.1.more", 3, "fields[1].more"),
        ("treatments", 3, "treatments"),
        ("treatments.ids", "keep", "treatments.ids"),
        ("treatments.actor", "keep", "treatments.actor"),
        ("treatments.time", "second", "treatments.time"),
        ("treatments.time", _DELETE, "treatments.time"),
        ("aggregates.k", 4, "aggregates.k"),
        ("aggregates.k", _DELETE, "aggregates.k"),
        ("aggregates.dominance", "0.60", "aggregates.dominance"),
        ("aggregates.dominance", "x", "aggregates.dominance"),
        ("aggregates.dominance", 1, "aggregates.dominance"),
        ("aggregates.more", 1, "aggregates.more"),
        ("budgets.releases", -1, "budgets.releases"),
        ("budgets.records", True, "budgets.records"),
        ("budgets.more", 1, "budgets.more"),
        ("duties.0", 3, "duties[0]"),
        ("duties.0.kind", "wish", "duties[0].kind"),
        ("duties.0.id", _DELETE, "duties[0].id"),
        ("duties.0.action", "no iri", "duties[0].action"),
        ("duties.0.assurance", "enforced", "duties[0].assurance"),
        ("duties.0.due", "soon", "duties[0].due"),
        ("duties.1.elapsed", 3, "duties[1].elapsed"),
        ("duties.3.within", 3, "duties[3].within"),
        ("duties.3.on", 3, "duties[3].on"),
        ("duties.3.more", 3, "duties[3].more"),
        ("triggers.0.do", "wait", "triggers[0].do"),
        ("triggers.0.do", _DELETE, "triggers[0].do"),
        ("triggers.0.at", "soon", "triggers[0].at"),
        ("triggers.1.elapsed", 3, "triggers[1].elapsed"),
        ("triggers.2.on", 3, "triggers[2].on"),
        ("triggers.3.duty", 3, "triggers[3].duty"),
        ("triggers.3.more", 3, "triggers[3].more"),
    ],
)
def test_what_is_not_a_plan_is_located(change: str, value: object, path: str):
    with pytest.raises(Problem) as caught:
        Plan.read(changed(change, value))
    assert (caught.value.code, caught.value.params["path"]) == ("policy-plan-document", path)


@pytest.mark.parametrize("dominance", ["0", "1", "0.8"])
def test_canonical_decimals_are_shares(dominance: str):
    assert Plan.read(changed("aggregates.dominance", dominance)).aggregates == Aggregates(
        12, dominance
    )


def test_the_least_group_and_the_least_budgets():
    assert Plan.read(changed("aggregates.k", 5)).aggregates == Aggregates(5, "0.6")
    assert Plan.read(changed("budgets", {"releases": 0})).budgets == Budgets(0)
    assert Plan.read(changed("budgets", {"records": 0})).budgets == Budgets(None, 0)
    assert read_treatments({}) is None


def test_conditions_nest_twenty_deep_and_no_deeper():
    deep: dict[str, Any] = {"is": True}
    for _ in range(20):
        deep = {"all": [deep]}
    assert isinstance(residue.read(deep, "w"), Group)
    with pytest.raises(Problem) as caught:
        residue.read({"any": [deep]}, "w")
    assert caught.value.params["path"] == "w.any[0]" + ".all[0]" * 20


# --- what a plan makes true ----------------------------------------------------------------------


def test_the_values_that_a_plan_gives():
    assert PLAN.values() == {
        PREAU + "fields": (Value("actor", STRING), Value("day", STRING)),
        PREAU + "aggregationLevel": (iri(PREAU + "Aggregate"),),
        PREAU + "minGroupSize": (Value("12", INTEGER),),
        PREAU + "dominanceShare": (Value("0.6", DECIMAL),),
        PREAU + "identifierTreatment": (iri(PREAU + "KeyedPerRecipientAndPurpose"),),
        PREAU + "timePrecision": (iri(PREAU + "Day"),),
        PREAU + "longitudinal": (Value("true", BOOLEAN),),
    }
    grouped = replace(PLAN, lane="k-microdata", aggregates=Aggregates(5), treatments=Treatments())
    assert PREAU + "dominanceShare" not in grouped.values()
    assert grouped.values()[PREAU + "aggregationLevel"] == (iri(PREAU + "GroupedRows"),)
    assert grouped.values()[PREAU + "longitudinal"] == (Value("false", BOOLEAN),)
    plain = Plan("a", "p", "d", Rows(), (), None)
    assert plain.values() == {
        PREAU + "fields": (),
        PREAU + "aggregationLevel": (iri(PREAU + "Row"),),
    }


def test_when_a_plan_ends():
    def ends(*triggers: Trigger) -> datetime | None:
        return replace(PLAN, triggers=triggers).ends

    assert ends() is None
    assert ends(Trigger("begin", at=NEW_YEAR), Trigger("end", elapsed="P1D")) is None
    later = Trigger("end", at="2028-01-01T00:00:00Z")
    assert ends(later, Trigger("end", at=NEW_YEAR)) == datetime(2027, 1, 1, tzinfo=UTC)


# --- what the rows of a plan admit ---------------------------------------------------------------

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def at(text: str) -> dict[str, tuple[Value, ...]]:
    return {RECORD_TIME: (Value(text, DATETIME),)}


@pytest.mark.parametrize(
    ("rows", "row", "admitted"),
    [
        (Rows(), {}, True),
        (Rows(EARLY), at("2026-01-01T00:00:00Z"), True),
        (Rows(EARLY), at("2025-12-31T23:59:59.999999Z"), False),
        (Rows(None, LATE), at("2026-12-31T23:59:59.999999Z"), True),
        (Rows(None, LATE), at(NEW_YEAR), False),
        (Rows(EARLY, LATE), at("soon"), None),
        (Rows(EARLY, LATE), {RECORD_TIME: at(NEW_YEAR)[RECORD_TIME] * 2}, None),
        (Rows(where=Const(None)), {}, None),
        (Rows(where=Const(False)), {}, False),
        (Rows(EARLY, where=Const(False)), {}, False),
        (Rows(None, LATE, where=Const(None)), at(NEW_YEAR), False),
    ],
)
def test_rows_by_their_time(rows: Rows, row: Any, admitted: bool | None):
    assert rows.admits(row) is admitted


@pytest.mark.parametrize(
    ("mode", "column", "states", "admitted"),
    [
        ("consent", "consentStatus", [DPV + "ConsentGiven"], True),
        ("consent", "consentStatus", [DPV + "RenewedConsentGiven", DPV + "ConsentGiven"], True),
        ("consent", "consentStatus", [DPV + "ConsentWithdrawn"], False),
        ("consent", "consentStatus", [DPV + "ConsentGiven", DPV + "ConsentRefused"], False),
        ("consent", "consentStatus", [], None),
        ("consent", "objectionStatus", [PREAU + "NoOpenObjection"], None),
        ("objection", "objectionStatus", [PREAU + "NoOpenObjection"], True),
        ("objection", "objectionStatus", [PREAU + "ObjectionLodged"], False),
        ("objection", "consentStatus", [DPV + "ConsentGiven"], None),
    ],
)
def test_rows_by_the_state_of_their_persons(
    mode: Any, column: str, states: list[str], admitted: bool | None
):
    row = {PREAU + column: tuple(map(iri, states))}
    assert Rows(consent=ConsentScope(SCOPE, mode)).admits(row) is admitted
