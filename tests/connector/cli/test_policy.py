"""`preau policy`: the library, composing, the linter and explanations, without a node."""

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from catalog import jsonld
from connector.cli.main import app, hoist
from connector.cli.policy import loading
from policies import odrl, templates
from policies.composition import compose, digest
from policies.vocabulary import ODRL
from tests.support.source import ROOT

OWN = ROOT / "examples" / "05_own_policy" / "templates"
UNTIL = {"until": "2027-08-31T00:00:00Z"}
ABOUT = """
id = "traces"
kind = "xapi"
category = "https://w3id.org/preau/ns#LearningTraces"
audience = "adults"
until = 2099-12-31T00:00:00Z
retention = "P1Y"
title = { fr = "Traces", en = "Traces of learning" }
notice = { iri = "https://node.example/notice" }
basis = { type = "consent", reference = "register 1" }
[policy]
template = "research-under-consent"
[policy.params]
purposes = ["preau:EducationResearch"]
until = "2099-12-31T00:00:00Z"
retention = "P180D"
"""


def run(line: str, code: int = 0) -> Any:
    """The JSON document that a command prints, ended with this code."""
    made = CliRunner().invoke(app, hoist([*line.split(), "--json"]), env={"PREAU_NODE": ""})
    assert made.exit_code == code, made.output
    return json.loads(made.stdout)


def say(line: str) -> str:
    made = CliRunner().invoke(app, hoist(line.split()), env={"PREAU_NODE": ""})
    assert made.exit_code == 0, made.output
    return made.stdout


@pytest.fixture
def params(tmp_path: Path) -> Path:
    path = tmp_path / "params.json"
    path.write_text(json.dumps(UNTIL))
    return path


def test_list_names_every_template_and_says_which_can_be_evaluated():
    found = run("policy list")["templates"]
    assert [one["name"] for one in found] == list(templates.names())
    evaluable = {one["name"] for one in found if one["evaluable"]}
    assert {"research-under-consent", "public-task-research", "open-licence"} <= evaluable
    assert "reciprocity" not in evaluable
    assert not any(one["own"] for one in found)
    assert "Jusqu'à une date" in say("policy list --lang fr")


def test_show_gives_text_schema_offer_and_clauses(params: Path):
    found = run(f"policy show use-until --params {params}")
    jsonschema_rs.meta.validate(found["parameters"])
    assert found["params"] == UNTIL
    assert odrl.read(found["offer"]) == templates.build("use-until", UNTIL)
    assert found["clauses"][-1]["assurance"] == ["enforced"]
    for lang, word in (("fr", "appliqué par le nœud"), ("en", "enforced by")):
        assert word in say(f"policy show use-until --lang {lang}")


@pytest.mark.parametrize("name", templates.names())
def test_the_offer_is_json_ld_that_loses_nothing(name: str):
    offer = templates.build(name, templates.vectors(name)[0]["params"])
    written = loading.document(offer)
    expanded = json.dumps(jsonld.expand(written))  # refuses what would be dropped
    for member in ("leftOperand", "action", "permission", "prohibition", "obligation", "duty"):
        said = json.dumps(written).count(f'"{member}":')
        assert expanded.count(f'"{ODRL}{member}":') == said


def test_show_of_an_unknown_name_is_refused_with_those_there_are():
    assert run("policy show nothing", 1)["code"] == "policy-template-unknown"


def test_compose_joins_templates_and_files(tmp_path: Path, params: Path):
    out = tmp_path / "offer.json"
    run(f"policy compose use-until no-profiling --params {params} --out {out}")
    made = odrl.read(json.loads(out.read_text()))
    again = run(f"policy compose no-profiling {out}")
    assert digest(odrl.read(again["offer"])) == digest(made)
    parts = [templates.build("use-until", UNTIL), templates.build("no-profiling", {})]
    assert again["id"] == compose(parts).id


def test_compose_refuses_a_parameter_that_no_part_has(tmp_path: Path):
    (tmp_path / "p.json").write_text(json.dumps(UNTIL | {"colour": "red"}))
    found = run(f"policy compose use-until --params {tmp_path / 'p.json'}", 1)
    assert found["params"]["path"] == "params.colour"


def test_lint_of_a_good_declaration(tmp_path: Path):
    (tmp_path / "about.toml").write_text(ABOUT)
    found = run(f"policy lint --about {tmp_path / 'about.toml'}")
    assert (found["refused"], found["findings"]) == (False, [])


def test_lint_refuses_with_code_one_and_says_what_to_change(tmp_path: Path):
    (tmp_path / "about.toml").write_text(ABOUT.replace('"adults"', '"minors"'))
    found = run(f"policy lint --about {tmp_path / 'about.toml'}", 1)
    assert found["refused"]
    codes = {one["code"]: one["severity"] for one in found["findings"]}
    assert codes["policy-lint-minors-on-consent"] == "refuses"
    assert codes["policy-lint-risk-minors"] == "warns"


def test_lint_without_anything_is_wrong_usage():
    assert CliRunner().invoke(app, ["policy", "lint"]).exit_code == 2


def test_lint_takes_the_other_policy_that_is_named(tmp_path: Path):
    (tmp_path / "about.toml").write_text(ABOUT)
    found = run(f"policy lint reciprocity --about {tmp_path / 'about.toml'}", 1)
    assert "policy-lint-no-source" in [one["code"] for one in found["findings"]]


def test_test_runs_the_vectors_of_own_templates(tmp_path: Path):
    found = run(f"policy test teaching-improvement --folder {OWN}")
    assert found["run"] > 0
    assert found["failed"] == 0
    source = json.loads((OWN / "teaching-improvement.json").read_text("utf-8"))
    source["vectors"][0]["outcome"] = "deny"
    (tmp_path / "teaching-improvement.json").write_text(json.dumps(source))
    failed = run(f"policy test teaching-improvement --folder {tmp_path}", 1)
    assert failed["failed"] == 1


def test_own_templates_of_a_nodes_folder(tmp_path: Path):
    shutil.copytree(OWN, tmp_path / "templates")
    found = run(f"policy list --node {tmp_path}")["templates"]
    assert [one["name"] for one in found if one["own"]] == ["teaching-improvement"]
    assert run(f"policy list --folder {tmp_path / 'nothing'}", 1)["code"] == "cli-file-unreadable"


def test_explain_says_what_a_file_says_and_names_what_is_unknown(tmp_path: Path):
    odd = {"leftOperand": "https://example.org/x", "operator": "eq", "rightOperand": "1"}
    policy = {"@type": "Offer", "permission": [{"action": "use", "constraint": [odd]}]}
    (tmp_path / "odd.json").write_text(json.dumps(policy))
    found = run(f"policy explain {tmp_path / 'odd.json'}")
    assert "inconnu" in " ".join(found["fr"])
    assert "unknown" in " ".join(found["en"])
    assert found["clauses"][1]["sourced"] is False
    assert "until" not in say("policy explain use-until --lang fr")


def test_a_file_that_is_no_policy_is_located(tmp_path: Path):
    (tmp_path / "p.json").write_text('{"@type": "Offer", "permission": [{"colour": 1}]}')
    found = run(f"policy explain {tmp_path / 'p.json'}", 1)
    assert found["params"]["path"] == "permission[0].colour"
