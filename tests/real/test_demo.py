"""`preau demo` as people type it, and its result recomputed here with plain `json`.

Nothing of the project is imported but the name of the module that runs: rows are read from the
source file and the received files, treated as the plan announces, and compared in a way of their
own (canonical forms of each learner's sessions; the demo itself pairs by colour refinement).
"""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.source import ROOT

pytestmark = pytest.mark.slow

Json = dict[str, Any]
Compared = tuple[tuple[str, str], ...]
Learner = tuple[tuple[Compared, ...], ...]

FUN = "xapi/fun-mooc-statements.jsonl.gz"
LAYOUT = {"platform", "lab", "received", "bundles", "expected", "platform.log", "lab.log"}


def preau(*arguments: str, check: int = 0) -> str:
    """Run the command; its output."""
    done = subprocess.run(
        [sys.executable, "-m", "connector.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == check, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module", params=["generated", "FUN"])
def demo(request, tmp_path_factory, official):
    """The folder of a demo that was played, its document, and the file of traces."""
    folder = tmp_path_factory.mktemp("demo")
    traces = official(FUN) if request.param == "FUN" else folder / "expected" / "traces.jsonl.gz"
    chosen = ["--traces", str(traces)] if request.param == "FUN" else []
    document = json.loads(preau("demo", "--json", "--dir", str(folder), *chosen))
    return folder, document, traces


# ------------------------------------------------------------------------- what the demo says


def test_every_fact_is_as_stated(demo):
    _, document, _ = demo
    assert document["ok"] is True
    assert [fact["name"]["en"] for fact in document["facts"] if not fact["ok"]] == []
    acts = dict.fromkeys(fact["act"] for fact in document["facts"])
    assert list(acts) == [
        "catalog",
        "consent",
        "purpose",
        "agreement",
        "transfer",
        "identifiers",
        "files",
        "audit",
    ]


def test_the_figures_are_there(demo):
    _, document, _ = demo
    figures = {measure["key"] for measure in document["measures"]}
    assert figures == {
        "idle-platform",
        "idle-lab",
        "transfer",
        "negotiation-p50",
        "rss-platform",
        "rss-lab",
        "story",
        "cpu-ready",
    }


def test_the_folder_is_laid_out_as_announced(demo):
    folder, _, _ = demo
    assert {path.name for path in folder.iterdir()} == LAYOUT
    assert {path.name for path in (folder / "bundles").iterdir()} == {"platform.zip", "lab.zip"}


def test_the_auditor_needs_nothing_but_the_files(demo):
    folder, _, _ = demo
    for name in ("platform", "lab"):
        bundle = str(folder / "bundles" / f"{name}.zip")
        received = str(folder / "received")
        report = json.loads(preau("audit", "verify", bundle, "--files", received, "--json"))
        assert report["ok"] is True


def test_the_logs_name_no_learner(demo):
    folder, _, traces = demo
    names = {row["actor"]["account"]["name"] for row in source(traces)}
    logs = (folder / "platform.log").read_text("utf-8") + (folder / "lab.log").read_text("utf-8")
    assert [name for name in names if name in logs] == []


# ---------------------------------------------------------------------------- recomputed here


def source(path: Path) -> list[Json]:
    with gzip.open(path) as file:
        return [json.loads(line) for line in file]


def consents(name: str) -> bool:
    return int(sha256(f"preau:{name}".encode()).hexdigest()[:8], 16) % 100 < 70


def withdrawn(folder: Path) -> str:
    with (folder / "expected" / "withdrawals.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["status"] == "withdrawn"
    return row["id_value"]


def received(folder: Path) -> list[Json]:
    with (folder / "received" / "data.ndjson").open("rb") as file:
        return [json.loads(line) for line in file]


def plan(folder: Path) -> Any:
    with zipfile.ZipFile(folder / "bundles" / "platform.zip") as archive:
        return json.loads(archive.read("plan.json"))


def leaves(value: object, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """(pointer, value) of each leaf; an agent is one leaf, places in an array are not told."""
    if isinstance(value, dict) and pointer != "/actor":
        for key, part in value.items():
            escaped = key.replace("~", "~0").replace("/", "~1")
            yield from leaves(part, f"{pointer}/{escaped}")
    elif isinstance(value, list):
        for part in value:
            yield from leaves(part, pointer + "/-")
    else:
        yield pointer, value


def hour(text: str) -> str:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:00:00Z")


def compared(row: Json, treatments: Json, exact_time: bool) -> tuple[Any, Compared]:
    """(session, what is compared) of a row: its agreed leaves, ids apart, times to the hour."""
    session, kept = None, []
    for pointer, value in leaves(row):
        treatment = treatments.get(pointer, "absent")
        if treatment is None:
            kept.append((pointer, json.dumps(value)))
        elif treatment == "time":
            kept.append((pointer, hour(value) if exact_time else value))
        elif treatment == "rekey" and pointer != "/id":
            assert pointer.endswith("session-id")
            session = value
            kept.append((pointer, "*"))
        elif treatment != "absent":
            kept.append((pointer, "*"))
    return session, tuple(sorted(kept))


def learners(rows: list[Json], treatments: Json, exact_time: bool) -> dict[str, Learner]:
    """name -> its canonical form: the sorted sessions, each the sorted rows in it."""
    found: defaultdict[str, defaultdict[Any, list[Compared]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for row in rows:
        session, what = compared(row, treatments, exact_time)
        found[row["actor"]["account"]["name"]][session].append(what)
    return {
        name: tuple(sorted(tuple(sorted(part)) for part in sessions.values()))
        for name, sessions in found.items()
    }


def test_rows_received_are_those_of_consenting_learners_exactly(demo):
    folder, _, traces = demo
    announced = plan(folder)
    assert announced["treatments"]["time"] == "hour"
    treatments = {field["pointer"]: field.get("treatment") for field in announced["fields"]}
    assert (treatments["/actor"], treatments["/id"]) == ("pseudonym", "rekey")
    gone = withdrawn(folder)
    expected = learners(
        [row for row in source(traces) if consents(row["actor"]["account"]["name"])],
        treatments,
        exact_time=True,
    )
    parting = expected.pop(gone)
    arrived = learners(received(folder), treatments, exact_time=False)
    surplus = Counter(arrived.values()) - Counter(expected.values())
    assert not Counter(expected.values()) - Counter(arrived.values())
    assert surplus.total() <= 1
    for form in surplus:
        early = Counter(what for session in form for what in session)
        assert not early - Counter(what for session in parting for what in session)
        assert early.total() < sum(map(len, parting))


def test_who_withdrew_is_in_no_later_part(demo):
    folder, _, traces = demo
    manifest = json.loads((folder / "received" / "manifest.json").read_bytes())
    assert len(manifest["parts"]) > 2
    rows = received(folder)
    assert sum(part["rows"] for part in manifest["parts"]) == len(rows)
    gone = withdrawn(folder)
    consenting = {
        row["actor"]["account"]["name"]
        for row in source(traces)
        if consents(row["actor"]["account"]["name"])
    }
    late = {row["actor"]["account"]["name"] for row in rows[manifest["parts"][0]["rows"] :]}
    assert gone in consenting
    assert len(late) <= len(consenting) - 1


def test_ids_are_one_to_one_and_none_of_the_source(demo):
    folder, _, traces = demo
    rows, originals = received(folder), source(traces)
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & {row["id"] for row in originals}


def test_only_agreed_fields_arrived(demo):
    folder, _, _ = demo
    agreed = {field["pointer"] for field in plan(folder)["fields"]}
    found = {pointer for row in received(folder) for pointer, _ in leaves(row)}
    assert found <= agreed
    assert not any("played-segments" in pointer for pointer in found)


def test_no_direct_identifier_arrived(demo):
    folder, _, traces = demo
    content = b"".join(path.read_bytes() for path in (folder / "received").iterdir())
    for account in {tuple(row["actor"]["account"].items()) for row in source(traces)}:
        for _, text in account:
            assert text.encode() not in content


def test_the_file_of_consents_follows_the_rule(demo):
    folder, _, traces = demo
    with (folder / "expected" / "consents.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = {row["actor"]["account"]["name"] for row in source(traces)}
    assert {row["id_value"] for row in rows} == {name for name in names if consents(name)}


# ------------------------------------------------------------------------------ left running


def test_kept_nodes_run_until_they_are_stopped(tmp_path):
    folder = tmp_path / "demo"
    document = json.loads(preau("demo", "--json", "--keep", "--dir", str(folder)))
    pids = [node["pid"] for node in document["nodes"]]
    try:
        for node in document["nodes"]:
            with urllib.request.urlopen(node["public"] + "/health/ready") as answer:
                assert answer.status == 200
            listed = preau("--node", node["folder"], "agreement", "list", "--json")
            assert document["ok"]
            assert len(json.loads(listed)) > 1
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGTERM)


def test_a_demo_that_is_ended_leaves_no_node_behind(tmp_path):
    folder = tmp_path / "demo"
    process = subprocess.Popen(
        [sys.executable, "-m", "connector.cli", "demo", "--dir", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as out:
        for line in out:
            if line.startswith("1. "):
                break
        process.send_signal(signal.SIGTERM)
        out.read()
    assert process.wait(timeout=60) != 0
    for name in ("platform", "lab"):
        events = [
            json.loads(line)["event"]
            for line in (Path(folder) / f"{name}.log").read_text("utf-8").splitlines()
        ]
        assert events[-1] == "stopping"
