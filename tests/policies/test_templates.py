"""Every template: its vectors, its texts, its parameters."""

import json
import re
from importlib import resources
from typing import Any

import jsonschema_rs
import pytest

from policies import explain, odrl, templates
from policies.clauses import clauses
from policies.composition import compose, digest, normal
from policies.model import Constraint, Policy
from policies.naming import rules_digest
from policies.problem import LANGUAGES, Problem
from policies.templates import form, running
from policies.vocabulary import PREAU, compact

BUNDLE_PARAMS = {
    "purposes": ["preau:EducationResearch"],
    "until": "2027-08-31T00:00:00Z",
    "retention": "P180D",
}
RESULTS = [result for name in templates.names() for result in running.run(name)]
BUNDLES = {
    "bundle-research-under-consent": (
        "research-ethics",
        "learner-consent",
        "minors-guardian",
        "pseudonymised-only",
        "delete-after",
        "use-until",
        "eea-only",
        "no-profiling",
        "attribution-publish",
    ),
    "bundle-open-statistics": ("aggregate-k", "open-licence"),
    "bundle-consortium-operations": (
        "consortium-members",
        "pseudonymised-only",
        "use-until",
        "reciprocity",
    ),
}


@pytest.mark.parametrize("result", RESULTS, ids=[f"{r.template}: {r.name}" for r in RESULTS])
def test_vector(result: running.Result):
    assert result.found == result.expected


@pytest.mark.parametrize("name", templates.names())
def test_a_template_has_vectors_for_and_against(name: str):
    outcomes = {vector["outcome"] for vector in templates.vectors(name)}
    assert "permit" in outcomes
    assert outcomes & {"deny", "undetermined", "not-applicable"}


@pytest.mark.parametrize("name", templates.names())
def test_built_in_templates_have_the_form_of_own_ones(name: str):
    file = resources.files("policies.templates").joinpath(f"{name}.json")
    assert form.check(json.loads(file.read_text(encoding="utf-8")), name)["name"] == name


def test_the_library_is_complete():
    plain = set(templates.names()) - set(BUNDLES)
    assert plain - {"research-under-consent", "public-task-research"} == {
        "research-ethics",
        "consortium-members",
        "learner-consent",
        "minors-guardian",
        "pseudonymised-only",
        "aggregate-k",
        "delete-after",
        "use-until",
        "eea-only",
        "no-profiling",
        "attribution-publish",
        "reciprocity",
        "open-licence",
        "capped-exports",
    }
    assert {name: templates.parts(name) for name in templates.names() if templates.parts(name)} == (
        BUNDLES
    )


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_is_its_parts_together(name: str):
    params = templates.vectors(name)[0]["params"]
    made = templates.build(name, params)
    alone = [
        templates.build(
            part, {k: v for k, v in params.items() if k in templates.parameters(part)["properties"]}
        )
        for part in BUNDLES[name]
    ]
    assert rules_digest(made) == digest(compose(list(reversed(alone))))
    conditions = {odrl.name(c) for rule in made.permissions for c in rule.constraints}
    for part in alone:
        assert {odrl.name(c) for c in normal(part).permissions[0].constraints} <= conditions
        assert {odrl.name(each) for each in part.prohibitions} <= {
            odrl.name(each) for each in made.prohibitions
        }


@pytest.mark.parametrize("name", templates.names())
def test_every_clause_says_how_it_is_held(name: str):
    offer = templates.build(name, templates.vectors(name)[0]["params"])
    found = clauses(offer)
    assert len({clause.path for clause in found}) == len(found)
    for clause in found:
        said = clause.document()
        assert clause.kind == "permission" or (clause.held and clause.how("fr") != clause.how("en"))
        assert not re.search("inconnu|unknown", f"{said['fr']}{said['en']}")


def test_enforced_and_promised_come_from_the_registry():
    offer = templates.build("bundle-research-under-consent", BUNDLE_PARAMS)
    held = {
        (clause.kind, clause.path.split("[")[0]): clause.held[0]
        for clause in clauses(offer)
        if clause.kind in {"prohibition", "obligation"}
    }
    assert set(held.values()) == {"contractual"}
    conditions = {
        compact(clause.part.left): (clause.held, clause.sourced)
        for clause in clauses(offer)
        if isinstance(clause.part, Constraint)
    }
    assert conditions["preau:consentStatus"] == (("enforced",), True)
    assert conditions["preau:processingLocation"] == (("declared",), True)
    assert conditions["preau:ethicsApproval"] == (("attested",), False)


@pytest.mark.parametrize("name", templates.names())
def test_texts_exist_in_both_languages(name: str):
    offer = templates.build(name, templates.vectors(name)[0]["params"])
    for lang in LANGUAGES:
        assert len(templates.describe(name, lang)) >= 2
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


def test_a_bundle_of_ones_own_is_checked():
    mine = {
        "v": 1,
        "name": "ours",
        "title": {"fr": "Les nôtres", "en": "Ours"},
        "text": {"fr": ["Ensemble."], "en": ["Together."]},
        "compose": ["use-until", "no-profiling"],
        "vectors": [],
    }
    own = templates.library({"ours": mine})
    made = templates.build("ours", {"until": "2027-08-31T00:00:00Z"}, own)
    assert len(made.prohibitions) == 3
    for parts, path in (
        ([], "compose"),
        (["use-until", "nothing"], "compose[1]"),
        (["bundle-open-statistics"], "compose[0]"),
        (["learner-consent", "research-ethics"], "compose[1]"),
    ):
        with pytest.raises(Problem) as caught:
            templates.library({"ours": mine | {"compose": parts}})
        assert caught.value.code == "policy-template-form"
        assert caught.value.params["path"] == path
