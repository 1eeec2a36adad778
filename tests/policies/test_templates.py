"""Every template: its vectors, its texts, its parameters."""

from datetime import datetime
from typing import Any

import jsonschema_rs
import pytest

from policies import explain, odrl, plan, templates
from policies.evaluate import Fact, Request, category, decide, groups
from policies.lint import Declaration, lint
from policies.model import INTEGER, Policy, Value, iri
from policies.plan import DatasetFacts, Field
from policies.problem import LANGUAGES, Problem
from policies.vocabulary import ODRL, PREAU

VECTORS = [(name, vector) for name in templates.names() for vector in templates.vectors(name)]
BOOK = (Field("actor", "/actor", "agent", "direct"), Field("verb", "/verb/id", "string", "no"))


def facts_of(asked: dict[str, Any]) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    if "groups" in asked:
        found[PREAU + "membership"] = groups(asked["groups"])
    if "personal" in asked:
        found[PREAU + "dataCategory"] = category(personal=asked["personal"])
    if "count" in asked:
        found[ODRL + "count"] = Fact((Value(str(asked["count"]), INTEGER),))
    return found


def request_of(asked: dict[str, Any]) -> Request:
    claimed = {}
    if "purpose" in asked:
        claimed[ODRL + "purpose"] = Fact((iri(odrl.iri(asked["purpose"])),))
    return Request(odrl.iri(asked.get("action", "odrl:use")), "urn:d", "did:web:lab", claimed)


@pytest.mark.parametrize(("name", "vector"), VECTORS, ids=[f"{n}: {v['name']}" for n, v in VECTORS])
def test_vector(name: str, vector: dict[str, Any]):
    offer = templates.build(name, vector["params"])
    facts = facts_of(vector["request"])
    request = request_of(vector["request"])
    at = datetime.fromisoformat(vector["at"])
    if vector.get("planned"):
        first = decide(offer, request, facts, at, "negotiation")
        facts |= plan.facts(compiled(offer, first, personal=True))
    made = decide(offer, request, facts, at, vector["phase"])
    assert made.outcome == vector["outcome"]
    if "plan" in vector:
        found = compiled(offer, made, personal=vector["plan"] != "none")
        scope = found.rows.consent
        assert (scope.mode if scope else "none") == vector["plan"]


def compiled(offer: Policy, made: Any, *, personal: bool) -> plan.Plan:
    consent = "consentStatus" in str(offer)
    basis = "consent" if consent else "public-task"
    dataset = DatasetFacts("urn:d", BOOK, personal, basis if personal else None, "traces")
    return plan.compile(offer, None, dataset, "urn:uuid:a", "did:web:lab", made)


@pytest.mark.parametrize("name", templates.names())
def test_texts_exist_in_both_languages(name: str):
    offer = templates.build(name, templates.vectors(name)[0]["params"])
    for lang in LANGUAGES:
        assert len(templates.describe(name, lang)) > 2
        said = explain.policy(offer, lang)
        assert not any("inconnu" in line or "unknown" in line for line in said)
    assert templates.describe(name, "fr") != templates.describe(name, "en")


@pytest.mark.parametrize("name", templates.names())
def test_parameters_are_a_json_schema(name: str):
    schema = templates.parameters(name)
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.validator_for(schema)
    for vector in templates.vectors(name):
        validator.validate(vector["params"])


@pytest.mark.parametrize("name", templates.names())
def test_a_template_passes_the_lint(name: str):
    offer = templates.build(name, templates.vectors(name)[0]["params"])
    personal = name != "open-licence"
    basis = {"research-under-consent": "consent", "public-task-research": "public-task"}.get(name)
    said = Declaration(personal, "adults", basis, "https://node.example/notice")
    assert lint(offer, said) == ()


def test_an_offer_has_no_target_and_is_named_by_its_rules(offer: Policy):
    assert offer.target is None
    assert offer.id == "ni:///sha-256;" + odrl.rules_digest(offer)


GOOD = {
    "purposes": ["preau:EducationResearch"],
    "until": "2027-08-31T00:00:00Z",
    "retention": "P180D",
}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"purposes": []}, "params.purposes"),
        ({"purposes": "x"}, "params.purposes"),
        ({"purposes": ["research"]}, "params.purposes"),
        ({"until": "2027-08-31"}, "params.until"),
        ({"retention": "six months"}, "params.retention"),
        ({"count": 0}, "params.count"),
        ({"count": True}, "params.count"),
        ({"precision": "preau:Second"}, "params.precision"),
        ({"longitudinal": "yes"}, "params.longitudinal"),
        ({"colour": "red"}, "params.colour"),
    ],
)
def test_a_bad_parameter_is_located(change: dict[str, Any], path: str):
    with pytest.raises(Problem) as caught:
        templates.build("research-under-consent", GOOD | change)
    assert caught.value.code == "policy-template-parameter"
    assert caught.value.params["path"] == path


def test_a_missing_parameter_is_located():
    with pytest.raises(Problem) as caught:
        templates.build("research-under-consent", {})
    assert caught.value.params["path"] == "params.purposes"


def test_an_unknown_template_names_those_there_are():
    with pytest.raises(Problem) as caught:
        templates.build("none", {})
    assert "open-licence" in str(caught.value)


def test_optional_parts_appear_only_when_given():
    bare = templates.build("research-under-consent", GOOD)
    full = templates.build(
        "research-under-consent",
        GOOD
        | {
            "group": "labs",
            "count": 2,
            "fields": ["a"],
            "longitudinal": True,
            "identifiers": "preau:KeyedPerRecipientAndPurpose",
        },
    )
    lefts = [c["leftOperand"] for c in odrl.wire(full)["permission"][0]["constraint"]]  # type: ignore[index]
    assert {PREAU + "membership", "odrl:count", PREAU + "fields", PREAU + "longitudinal"} <= set(
        lefts
    )
    assert len(bare.permissions[0].constraints) == len(lefts) - 4
