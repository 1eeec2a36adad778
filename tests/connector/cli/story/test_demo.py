import json
import tomllib

import pytest
from typer.testing import CliRunner

from connector.cli.main import app
from connector.cli.story.about import About
from connector.cli.story.facts import Board
from connector.cli.story.story import Outcome
from connector.dataplane import about
from policies.problem import Problem


def test_the_declaration_is_one_that_the_node_reads():
    declared = About("mooc", 'Un « titre » "cité"', "A title", "2030-01-01T00:00:00Z", ("dpo",))
    read = about.parse(declared.toml())
    assert (read.title.fr, read.decisions, read.audience) == (
        'Un « titre » "cité"',
        ("dpo",),
        "adults",
    )
    assert tomllib.loads(declared.toml())["policy"]["params"]["group"] == "partners"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_folder_in_use_is_refused(tmp_path, language):
    (tmp_path / "something").write_text("here")
    run = CliRunner().invoke(app, ["--lang", language, "demo", "--dir", str(tmp_path)])
    assert run.exit_code == 1
    assert "demo-folder-not-empty" in run.output
    assert [path.name for path in tmp_path.iterdir()] == ["something"]


def test_traces_that_cannot_be_read_are_refused_before_anything_starts(tmp_path):
    folder = tmp_path / "demo"
    missing = str(tmp_path / "none.jsonl")
    run = CliRunner().invoke(app, ["--json", "demo", "--dir", str(folder), "--traces", missing])
    assert run.exit_code == 1
    document = json.loads(run.stdout)
    assert document["problem"]["code"] == "demo-traces-unreadable"
    assert document["ok"] is False
    assert not (folder / "platform").exists()


def test_a_table_needs_its_declaration(tmp_path):
    folder = tmp_path / "demo"
    run = CliRunner().invoke(app, ["--json", "demo", "--dir", str(folder), "--table", "x.csv"])
    assert run.exit_code == 1
    assert json.loads(run.stdout)["code"] == "demo-table-alone"


def test_a_table_that_cannot_be_read_is_refused_before_anything_starts(tmp_path):
    folder, declared = tmp_path / "demo", tmp_path / "about.toml"
    declared.write_text("id = 1", "utf-8")
    words = ["--json", "demo", "--dir", str(folder), "--table", "x.csv"]
    run = CliRunner().invoke(app, [*words, "--table-about", str(declared)])
    assert run.exit_code == 1
    assert json.loads(run.stdout)["problem"]["code"] == "demo-table-about"
    assert not (folder / "platform").exists()


def test_an_outcome_is_good_only_with_facts_that_hold_and_no_problem():
    board = Board()
    assert not Outcome(board).ok
    board.note(("a", "a"), 1, 1)
    assert Outcome(board).ok
    assert not Outcome(board, problem=Problem("time-invalid", value="x")).ok
    board.note(("b", "b"), 1, 2)
    assert not Outcome(board).ok
