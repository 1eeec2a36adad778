"""`examples/02_researcher.py`: the standard library is enough to ask, wait, fetch and read."""

import ast
import json
import subprocess
import sys

import pytest

from tests.support import traces
from tests.support.source import ROOT

SCRIPT = ROOT / "examples" / "02_researcher.py"


def words(nodes, tmp_path, search: str = "traces", **changes) -> list[str]:
    nodes.lab.token("researcher")
    path = tmp_path / "application.json"
    path.write_text(json.dumps(traces.application(**changes)), "utf-8")
    node = f"http://127.0.0.1:{nodes.lab.management}"
    token = str(nodes.lab.folder / "tokens" / "researcher")
    where = ("--node", node, "--token", token, "--out", str(tmp_path / "received"))
    return [sys.executable, "-I", str(SCRIPT), search, str(path), *where]


def test_it_needs_the_standard_library_only():
    imported = set()
    for node in ast.walk(ast.parse(SCRIPT.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert imported <= sys.stdlib_module_names


@pytest.mark.slow
def test_it_prints_a_table_of_what_was_agreed(nodes, tmp_path):
    before = {one["pid"] for one in nodes.platform.client().get("/v1/negotiations")}
    run = subprocess.Popen(
        words(nodes, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stderr is not None
    assert nodes.dataset in run.stderr.readline()
    assert "waiting" in run.stderr.readline()  # the request left; the DPO has not decided
    (pid,) = _new(nodes, before)
    nodes.platform.negotiation(pid, until="SETTLED")
    nodes.platform.must("negotiation", "decide", pid, "--as", "dpo", "--approve", role="dpo")
    said, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    learners = sum(traces.consents(traces.learner(number)) for number in range(40))
    lines = [line.split() for line in said.splitlines()]
    assert lines[0] == ["verb", "statements", "learners"]
    assert sum(int(line[1]) for line in lines[1:]) == learners * 15
    assert {int(line[2]) for line in lines[1:]} == {learners}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("search", "purpose"),
    [("nothing-like-it", traces.PURPOSE), ("traces", "https://w3id.org/dpv#Marketing")],
)
def test_what_is_not_offered_is_not_found(nodes, tmp_path, search: str, purpose: str):
    command = words(nodes, tmp_path, search, purpose=purpose)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert "0 datasets found" in done.stderr


@pytest.mark.slow
def test_a_refusal_is_told(nodes, tmp_path):
    before = {one["pid"] for one in nodes.platform.client().get("/v1/negotiations")}
    run = subprocess.Popen(
        words(nodes, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    (pid,) = _new(nodes, before)
    nodes.platform.negotiation(pid, until="SETTLED")
    decision = ("negotiation", "decide", pid, "--as", "dpo", "--reject", "--reason", "Not now.")
    nodes.platform.must(*decision, role="dpo")
    errors = run.communicate(timeout=120)[1]
    assert run.returncode == 1
    assert "Refused: " in errors
    assert "Not now." in errors


def _new(nodes, before: set[str]) -> set[str]:
    client = nodes.platform.client()
    for _ in range(2000):
        found = {one["pid"] for one in client.get("/v1/negotiations")} - before
        if found:
            return found
    raise AssertionError("no request came in")
