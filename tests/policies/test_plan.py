"""Plans: what is held, what leaves, and when there is no plan at all."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import explain, odrl, plan
from policies.application import Application, read
from policies.compare import narrow
from policies.evaluate import Request, claims, decide
from policies.model import Policy
from policies.plan import DatasetFacts, Field
from policies.problem import LANGUAGES, Problem
from policies.vocabulary import DPV, ODRL, PREAU

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LAB = "did:web:lab.example"


def compiled(
    offer: Policy, dataset: DatasetFacts, application: Application | None = None
) -> plan.Plan:
    at = "2026-12-01T00:00:00Z"
    agreed = replace(offer, kind="Agreement", target=dataset.id, timestamp=at)
    asked = {} if application is None else claims(application)
    request = Request(ODRL + "use", dataset.id, LAB, asked)
    made = decide(agreed, request, {}, NOW, "negotiation")
    return plan.compile(agreed, application, dataset, "urn:uuid:a", LAB, made)


def offer_of(*constraints: object, duty: object = ()) -> Policy:
    rule = {"action": "use", "constraint": list(constraints), "duty": list(duty)}  # type: ignore[call-overload]
    return odrl.read({"@id": "urn:p", "@type": "Offer", "permission": [rule]})


def atom(left: str, operator: str, right: object) -> dict[str, object]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


PURPOSE = atom("odrl:purpose", "eq", {"@id": PREAU + "EducationResearch"})


def refused(
    *constraints: object, dataset: DatasetFacts, application: Application | None = None
) -> Problem:
    with pytest.raises(Problem) as caught:
        compiled(offer_of(*constraints), dataset, application)
    return caught.value


def test_the_whole_story(offer: Policy, application: Application, dataset: DatasetFacts):
    found = compiled(narrow(offer, application), dataset, application)
    document = found.document()
    members = (
        "v agreement policy dataset lane rows fields treatments budgets duties triggers linkage"
    )
    assert " ".join(document) == members
    assert document["rows"] == {
        "from": "2021-01-01T00:00:00Z",
        "to": "2022-01-01T00:00:00Z",
        "consent": {
            "recipient": LAB,
            "purpose": PREAU + "EducationResearch",
            "category": "traces",
            "mode": "consent",
        },
    }
    assert [(f.name, f.treatment) for f in found.fields] == [
        ("actor", "pseudonym"),
        ("id", "rekey"),
        ("timestamp", "time"),
        ("verb.id", None),
    ]
    assert document["treatments"] == {
        "actor": "pseudonym-per-agreement",
        "ids": "rekey",
        "time": "hour",
    }
    due = {d.action: d for d in found.duties}
    assert due[ODRL + "delete"].due == "2027-05-30T00:00:00Z"
    assert due[PREAU + "stopAndErase"].on == DPV + "ConsentWithdrawn"
    assert due[ODRL + "distribute"].kind == "prohibition"
    assert found.ends == datetime(2027, 8, 31, tzinfo=UTC)
    assert found.linkage == "not measured"


def test_a_plan_reads_back(offer: Policy, application: Application, dataset: DatasetFacts):
    found = compiled(narrow(offer, application), dataset, application)
    again = plan.Plan.read(json.loads(json.dumps(found.document())))
    assert again == found
    assert again.digest == found.digest


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"v": 2}, "v"),
        ({"lane": "aggregate"}, "lane"),
        ({"extra": 1}, "extra"),
        ({"treatments": {"actor": "none", "ids": "rekey", "time": "hour"}}, "treatments.actor"),
        ({"rows": {"from": "yesterday"}}, "rows.from"),
        ({"fields": [{"name": "a", "type": "string"}]}, "fields[0].pointer"),
        ({"budgets": {"releases": -1}}, "budgets.releases"),
    ],
)
def test_a_bad_plan_is_located(change: dict[str, Any], path: str):
    found = plan.Plan("a", "p", "d", plan.Rows(), (), None).document() | change
    with pytest.raises(Problem) as caught:
        plan.Plan.read(found)
    assert caught.value.params["path"] == path


def test_the_digest_is_independent_of_order(
    offer: Policy, application: Application, dataset: DatasetFacts
):
    narrowed = narrow(offer, application)
    rule = narrowed.permissions[0]
    turned = replace(
        narrowed,
        permissions=(replace(rule, constraints=rule.constraints[::-1], duties=rule.duties[::-1]),),
        prohibitions=narrowed.prohibitions[::-1],
    )
    shuffled = replace(dataset, codebook=dataset.codebook[::-1])
    one, two = compiled(narrowed, dataset, application), compiled(turned, shuffled, application)
    assert one.digest == two.digest


def test_facts_of_the_plan_satisfy_the_policy(
    offer: Policy, application: Application, dataset: DatasetFacts
):
    narrowed = narrow(offer, application)
    found = compiled(narrowed, dataset, application)
    request = Request(ODRL + "use", dataset.id, LAB, claims(application))
    for phase in ("transfer", "batch"):
        made = decide(narrowed, request, plan.facts(found), NOW, phase)
        assert made.permitted
    assert not decide(narrowed, request, {}, NOW, "batch").permitted


# --- personal data -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("basis", "mode"),
    [("consent", "consent"), ("public-task", "objection"), ("contract", "objection")],
)
def test_personal_data_always_have_a_scope(dataset: DatasetFacts, basis: str, mode: str):
    found = compiled(offer_of(PURPOSE), replace(dataset, basis=basis), _asking(dataset))
    assert found.rows.consent is not None
    assert found.rows.consent.mode == mode


def test_the_stricter_of_basis_and_policy(dataset: DatasetFacts):
    asked = atom("preau:consentStatus", "eq", {"@id": "dpv:ConsentGiven"})
    task = replace(dataset, basis="public-task")
    found = compiled(offer_of(PURPOSE, asked), task, _asking(dataset))
    assert found.rows.consent is not None
    assert found.rows.consent.mode == "consent"


@pytest.mark.parametrize("basis", [None, "because", ""])
def test_no_basis_no_plan(dataset: DatasetFacts, basis: str | None):
    with pytest.raises(Problem) as caught:
        compiled(offer_of(PURPOSE), replace(dataset, basis=basis), _asking(dataset))
    assert caught.value.code == "policy-plan-no-basis"


def test_consent_without_persons_is_refused(dataset: DatasetFacts):
    asked = atom("preau:consentStatus", "eq", {"@id": "dpv:ConsentGiven"})
    nobody = replace(dataset, personal=False)
    assert (
        refused(PURPOSE, asked, dataset=nobody, application=_asking(dataset)).code
        == "policy-plan-no-persons"
    )


def test_the_one_purpose_of_an_offer_declares_it(dataset: DatasetFacts):
    offers = offer_of(atom("odrl:purpose", "isAnyOf", [{"@id": "dpv:AcademicResearch"}]))
    agreed = replace(offers, kind="Agreement", target=dataset.id)
    request = Request(
        ODRL + "use",
        dataset.id,
        LAB,
        {ODRL + "purpose": claims(_asking(dataset))[ODRL + "purpose"]},
    )
    made = decide(agreed, request, {}, NOW, "negotiation")
    found = plan.compile(agreed, None, dataset, "urn:uuid:a", LAB, made)
    assert found.rows.consent is not None
    assert found.rows.consent.scope.purpose == DPV + "AcademicResearch"
    assert refused(dataset=dataset).code == "policy-plan-no-purpose"


# --- fields ------------------------------------------------------------------------------------


def _asking(dataset: DatasetFacts, *fields: str) -> Application:
    return read(
        {
            "v": 1,
            "id": "urn:uuid:00000000-0000-4000-8000-000000000001",
            "type": "Application",
            "requester": LAB,
            "provider": "did:web:node.example",
            "dataset": dataset.id,
            "offer": "x",
            "purpose": PREAU + "EducationResearch",
            "project": {"title": "T", "end": "2027-08-31"},
            "fields": list(fields) or ["actor", "verb.id"],
            "period": {"from": "2021-01-01T00:00:00Z", "to": "2022-01-01T00:00:00Z"},
            "relation": {"type": "separate"},
            "processors": [],
            "issued": "2026-11-30T00:00:00Z",
        }
    )


def test_agreed_fields_are_the_intersection(dataset: DatasetFacts):
    some = atom("preau:fields", "isPartOf", ["verb.id", "timestamp"])
    found = compiled(offer_of(PURPOSE, some), dataset, _asking(dataset, "actor", "verb.id"))
    assert [f.name for f in found.fields] == ["verb.id"]
    reasons = {r.name: r.reason for r in found.removed}
    assert reasons["actor"] == "not-agreed"


def test_identifiers_texts_and_the_unknown_stay_behind(dataset: DatasetFacts):
    everything = [f.name for f in dataset.codebook]
    found = compiled(offer_of(PURPOSE), dataset, _asking(dataset, *everything))
    assert {r.name: r.reason for r in found.removed} == {
        "mail": "direct-identifier",
        "odd": "direct-identifier",
        "disability": "special-category",
    }
    allowed = replace(dataset, special=frozenset({"disability"}))
    again = compiled(offer_of(PURPOSE), allowed, _asking(dataset, *everything))
    assert "disability" in {f.name for f in again.fields}


def test_without_an_application_free_text_is_not_asked_for(dataset: DatasetFacts):
    open_data = replace(dataset, personal=False, basis=None)
    found = compiled(offer_of(), open_data)
    assert {r.name: r.reason for r in found.removed} == {
        "actor": "direct-identifier",
        "mail": "direct-identifier",
        "odd": "direct-identifier",
        "result.response": "free-text",
        "disability": "special-category",
    }
    assert found.treatments is None
    assert {f.treatment for f in found.fields} == {None}


@pytest.mark.parametrize("operator", ["isPartOf", "isNoneOf"])
def test_an_unknown_field_is_named(dataset: DatasetFacts, operator: str):
    some = atom("preau:fields", operator, ["verb.id", "colour"])
    problem = refused(PURPOSE, some, dataset=dataset, application=_asking(dataset))
    assert problem.code == "policy-plan-unknown-field"
    assert problem.params["field"] == "colour"
    asked = refused(PURPOSE, dataset=dataset, application=_asking(dataset, "colour"))
    assert asked.params["path"] == "application.fields"


def test_no_field_no_plan(dataset: DatasetFacts):
    none = atom("preau:fields", "isNoneOf", ["actor", "verb.id"])
    problem = refused(PURPOSE, none, dataset=dataset, application=_asking(dataset))
    assert problem.code == "policy-plan-no-fields"


# --- treatments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("constraints", "time"),
    [
        ((), "hour"),
        ((atom("preau:timePrecision", "eq", {"@id": "preau:Minute"}),), "minute"),
        ((atom("preau:timePrecision", "isA", {"@id": "preau:Day"}),), "day"),
        (
            (
                atom(
                    "preau:timePrecision", "isAnyOf", [{"@id": "preau:Hour"}, {"@id": "preau:Day"}]
                ),
            ),
            "hour",
        ),
        ((atom("preau:timePrecision", "eq", {"@id": "preau:NoTime"}),), "none"),
        (
            (
                atom("preau:timePrecision", "isA", {"@id": "preau:Minute"}),
                atom("preau:timePrecision", "isA", {"@id": "preau:Day"}),
            ),
            "day",
        ),
    ],
)
def test_the_finest_precision_that_is_named(dataset: DatasetFacts, constraints: Any, time: str):
    asked = _asking(dataset, "actor", "timestamp")
    found = compiled(offer_of(PURPOSE, *constraints), dataset, asked)
    assert found.treatments is not None
    assert found.treatments.time == time
    assert ("timestamp" in {f.name for f in found.fields}) == (time != "none")


YES = {"@value": "true", "@type": "xsd:boolean"}
STABLE = atom("preau:identifierTreatment", "isA", {"@id": "preau:KeyedPerRecipientAndPurpose"})
OWN = atom("preau:identifierTreatment", "isA", {"@id": "preau:KeyedPerAgreement"})


def test_pseudonyms_are_stable_only_under_longitudinal(dataset: DatasetFacts):
    longer = atom("preau:longitudinal", "eq", YES)
    asked = _asking(dataset)
    default, stable = (
        compiled(offer_of(PURPOSE, STABLE, *more), dataset, asked).treatments
        for more in ((), (longer,))
    )
    assert default is not None
    assert stable is not None
    assert (default.longitudinal, stable.longitudinal) == (False, True)
    assert (
        refused(PURPOSE, OWN, longer, dataset=dataset, application=asked).code
        == "policy-plan-contradiction"
    )


# --- holding -------------------------------------------------------------------------------------


def test_a_contradictory_period_is_refused(dataset: DatasetFacts):
    late = atom("preau:recordTime", "gteq", "2023-01-01T00:00:00Z")
    problem = refused(PURPOSE, late, dataset=dataset, application=_asking(dataset))
    assert problem.code == "policy-plan-contradiction"


@pytest.mark.parametrize(
    "constraint",
    [
        {"or": [atom("odrl:count", "lteq", 3), PURPOSE]},
        atom("odrl:count", "gteq", 3),
    ],
)
def test_what_nothing_holds_refuses_the_plan(dataset: DatasetFacts, constraint: dict[str, Any]):
    problem = refused(constraint, dataset=dataset, application=_asking(dataset))
    assert problem.code == "policy-plan-no-enforcer"
    assert problem.kind == "refused"


def test_alternatives_that_are_evaluated_again_are_held(dataset: DatasetFacts):
    either = {"or": [atom("odrl:dateTime", "lt", "2027-01-01T00:00:00Z"), PURPOSE]}
    assert compiled(offer_of(either), dataset, _asking(dataset)).fields


def test_budgets_are_the_smallest(dataset: DatasetFacts):
    counts = (atom("odrl:count", "lteq", 5), atom("odrl:count", "lt", 3))
    found = compiled(offer_of(PURPOSE, *counts), dataset, _asking(dataset))
    assert found.document()["budgets"] == {"releases": 2}


def test_dates_become_triggers(dataset: DatasetFacts):
    dates = (
        atom("odrl:dateTime", "gteq", "2026-01-01T00:00:00Z"),
        atom("odrl:dateTime", "lt", "2027-01-01T00:00:00Z"),
        atom("odrl:elapsedTime", "lteq", "P10D"),
    )
    found = compiled(offer_of(PURPOSE, *dates), dataset, _asking(dataset))
    assert [(t.do, t.at) for t in found.triggers] == [
        ("begin", "2026-01-01T00:00:00Z"),
        ("end", "2026-12-11T00:00:00Z"),
        ("end", "2027-01-01T00:00:00Z"),
    ]
    assert found.ends == datetime(2026, 12, 11, tzinfo=UTC)


def test_only_a_permit_on_this_policy_compiles(
    offer: Policy, application: Application, dataset: DatasetFacts
):
    request = Request(ODRL + "use", dataset.id, LAB, claims(application))
    denied = decide(offer, request, {}, datetime(2030, 1, 1, tzinfo=UTC), "negotiation")
    with pytest.raises(Problem) as caught:
        plan.compile(offer, application, dataset, "a", LAB, denied)
    assert caught.value.code == "policy-plan-not-permitted"
    permit = decide(offer, request, {}, NOW, "negotiation")
    with pytest.raises(Problem) as caught:
        plan.compile(narrow(offer, application), application, dataset, "a", LAB, permit)
    assert caught.value.code == "policy-plan-other-policy"


def test_a_plan_speaks_plainly(offer: Policy, application: Application, dataset: DatasetFacts):
    found = compiled(narrow(offer, application), dataset, application)
    for lang in LANGUAGES:
        said = " ".join(explain.plan(found, lang))
        assert "anonym" not in said.lower()
        assert {
            "fr": "pseudonymisées (données personnelles)",
            "en": "pseudonymised (personal data)",
        }[lang] in said
        assert {"fr": "non mesuré", "en": "not measured"}[lang] in said
        assert "mail" in said
        assert {"fr": "30 mai 2027", "en": "30 May 2027"}[lang] in said


# --- properties --------------------------------------------------------------------------------

NAMES = ["a", "b", "c", "d"]
some_names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)


@given(st.lists(some_names, max_size=3), some_names)
def test_a_narrower_policy_never_releases_more(sets: list[list[str]], more: list[str]):
    book = tuple(Field(name, "/" + name) for name in NAMES)
    dataset = DatasetFacts("urn:d", book, personal=False, basis=None, category="x")
    constraints = [atom("preau:fields", "isPartOf", names) for names in sets]
    wide = _names(offer_of(*constraints), dataset)
    small = _names(offer_of(*constraints, atom("preau:fields", "isPartOf", more)), dataset)
    assert small <= wide
    assert small <= set(more)


def _names(offer: Policy, dataset: DatasetFacts) -> set[str]:
    try:
        return {field.name for field in compiled(offer, dataset).fields}
    except Problem as problem:
        if problem.code != "policy-plan-no-fields":
            raise
        return set()


# -------------------------------------------------------------------------------------- linkage

MEASURED = {("hour", False): "98 %", ("hour", True): ">99 %", ("none", False): "40 %"}


def asking(asked: dict[str, Any], *fields: str) -> Application:
    return read({**asked, "fields": list(fields)})


def test_the_measured_linkage_of_the_plans_precision_is_announced(
    dataset: DatasetFacts, application: Application
):
    found = compiled(offer_of(PURPOSE), replace(dataset, linkage=MEASURED), application)
    assert (found.treatments is not None and found.treatments.time) == "hour"
    assert found.linkage == found.document()["linkage"] == "98 %"
    assert "Linkable by colluding recipients: 98 %" in found.explain("en")[-1]
    assert "98 %" in found.explain("fr")[-1]
    assert plan.Plan.read(found.document()) == found


def test_a_result_or_an_extension_is_announced_with_all_of_them(
    dataset: DatasetFacts, asked: dict[str, Any]
):
    known = replace(dataset, linkage=MEASURED)
    application = asking(asked, "verb.id", "result.response")
    assert compiled(offer_of(PURPOSE), known, application).linkage == ">99 %"


def test_a_re_keyed_extension_marks_nothing_by_its_value(
    dataset: DatasetFacts, asked: dict[str, Any]
):
    session = Field("session", "/context/extensions/s", "uuid", "indirect")
    known = replace(dataset, codebook=(*dataset.codebook, session), linkage=MEASURED)
    application = asking(asked, "verb.id", "session")
    assert compiled(offer_of(PURPOSE), known, application).linkage == "98 %"


def test_what_was_not_measured_is_said_not_to_be(dataset: DatasetFacts, application: Application):
    day = atom("preau:timePrecision", "eq", {"@id": PREAU + "Day"})
    known = replace(dataset, linkage=MEASURED)
    found = compiled(offer_of(PURPOSE, day), known, application)
    assert found.linkage == "not measured"
    never = re.compile(r"anonym|unlinkable|impossible", re.IGNORECASE)
    for lang in LANGUAGES:
        assert not never.search(" ".join(found.explain(lang)))
