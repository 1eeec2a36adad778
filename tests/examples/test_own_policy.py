"""`examples/05_own_policy`: the template's vectors, and what a node does with own templates."""

import copy
import json
import shutil
from typing import Any

import jsonschema_rs
import pytest

from connector.services.publish.library import own_templates
from policies import explain, templates
from policies.lint import Declaration, lint
from policies.problem import LANGUAGES, Problem
from policies.templates import running
from tests.support.source import ROOT

FOLDER = ROOT / "examples" / "05_own_policy"
NAME = "teaching-improvement"
OWN = own_templates(FOLDER)
PARAMS = templates.vectors(NAME, OWN)[0]["params"]


@pytest.mark.parametrize("result", running.run(NAME, OWN), ids=lambda one: one.name)
def test_vector(result: running.Result):
    assert result.found == result.expected


def test_it_is_known_beside_the_built_in_ones():
    assert set(templates.names(OWN)) == {*templates.names(), NAME}
    with pytest.raises(Problem, match=NAME):
        templates.build("none", {}, OWN)


def test_it_passes_what_built_in_templates_pass():
    schema = templates.parameters(NAME, OWN)
    jsonschema_rs.meta.validate(schema)
    jsonschema_rs.validator_for(schema).validate(PARAMS)
    offer = templates.build(NAME, PARAMS, OWN)
    assert lint(offer, Declaration(True, "adults", "consent", "https://n.example/n")) == ()
    for lang in LANGUAGES:
        assert len(templates.describe(NAME, lang, OWN)) > 2
        said = " ".join(explain.policy(offer, lang))
        assert "inconnu" not in said
        assert "unknown" not in said


def test_a_node_without_the_folder_has_none(tmp_path):
    assert own_templates(tmp_path) == {}


def test_a_built_in_name_cannot_be_taken(tmp_path):
    (tmp_path / "templates").mkdir()
    source = FOLDER / "templates" / f"{NAME}.json"
    shutil.copy(source, tmp_path / "templates" / "open-licence.json")
    with pytest.raises(Problem) as caught:
        own_templates(tmp_path)
    assert caught.value.code == "policy-template-taken"


@pytest.mark.parametrize("data", [b"{", b"\xff\xfe", b"[" * 100_000, b" " * 1_000_001])
def test_a_file_that_is_no_json_is_named(tmp_path, data):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "ours.json").write_bytes(data)
    with pytest.raises(Problem) as caught:
        own_templates(tmp_path)
    assert caught.value.code == "publish-template-unreadable"
    assert caught.value.params["file"] == "ours.json"


def changed(path: str, value: object) -> dict[str, Any]:
    found = copy.deepcopy(dict(OWN[NAME]))
    at: Any = found
    *steps, last = path.split(".")
    for step in steps:
        at = at[int(step) if isinstance(at, list) else step]
    if value is None:
        del at[last]
    else:
        at[int(last) if isinstance(at, list) else last] = value
    return found


RULE = "policy.permission.0.constraint"


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("v", 2, "v"),
        ("name", "other", "name"),
        ("title.fr", "", "title.fr"),
        ("text.en", [], "text.en"),
        ("vectors", None, "vectors"),
        ("colour", "red", "colour"),
        ("policy.target", "urn:x", "policy.target"),
        ("parameters.additionalProperties", True, "parameters.additionalProperties"),
        ("parameters.required", ["nobody"], "parameters.required"),
        ("parameters.properties.until.x-value", "x", "parameters.properties.until.x-value"),
        ("parameters.properties.until.x-text", None, "parameters.properties.until.x-text"),
        (f"{RULE}.1.rightOperand", "{end}", f"{RULE}.1.rightOperand"),
        (f"{RULE}.1.when", "nothing", f"{RULE}.1.when"),
        (f"{RULE}.4.when", None, f"{RULE}.4.rightOperand"),
    ],
)
def test_a_fault_is_located(path, value, where):
    with pytest.raises(Problem) as caught:
        templates.library({NAME: changed(path, value)})
    assert caught.value.code == "policy-template-form"
    assert caught.value.params["path"] == where
    assert caught.value.params["name"] == NAME


def test_rules_that_no_node_holds_are_refused_as_everywhere():
    constraint = {"leftOperand": "odrl:purpose", "operator": "eq", "colour": "red"}
    own = templates.library({NAME: changed(f"{RULE}.0", constraint)})
    with pytest.raises(Problem):
        templates.build(NAME, PARAMS, own)


def test_the_readme_shows_the_parameters_of_the_first_vector():
    text = (FOLDER / "README.md").read_text("utf-8")
    assert all(f"{name} = {json.dumps(value)}" in text for name, value in PARAMS.items())
