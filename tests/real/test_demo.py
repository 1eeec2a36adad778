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
OULAD = "oulad/studentInfo.csv"
NODES = ("platform", "lab", "authority")
DEALS = {
    "lab-traces": ("platform", "lab"),
    "lab-results": ("authority", "lab"),
    "authority-traces": ("platform", "authority"),
}
FOLDERS = {*NODES, "received", "bundles", "backups", "expected"}
LAYOUT = FOLDERS | {f"{name}.log" for name in NODES}
STUDENTS = """
id = "students"
kind = "csv"
category = "https://w3id.org/dpv#PersonalData"
audience = "adults"
until = 2030-12-31T00:00:00Z
retention = "P180D"
[title]
fr = "Inscriptions et résultats"
en = "Registrations and results"
[basis]
type = "public-task"
reference = "register 14"
[policy]
template = "public-task-research"
[policy.params]
purposes = ["https://w3id.org/preau/ns#EducationResearch"]
until = "2030-12-31T00:00:00Z"
retention = "P180D"
[[subjects]]
column = "id_student"
namespace = "https://university.example/students"
[[columns]]
name = "imd_band"
personal = "indirect"
[[special]]
column = "disability"
"""


def preau(*arguments: str, check: int = 0) -> str:
    """Run the command; its output."""
    done = subprocess.run(
        [sys.executable, "-m", "connector.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
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
        "results",
        "linkage",
        "disks",
        "audit",
    ]


def test_the_figures_are_there(demo):
    _, document, _ = demo
    figures = {measure["key"] for measure in document["measures"]}
    assert figures == {
        "idle",
        "transfer",
        "negotiation-p50",
        "rss",
        "story",
        "cpu-ready",
    }


def test_the_folder_is_laid_out_as_announced(demo):
    folder, _, _ = demo
    assert {path.name for path in folder.iterdir()} == LAYOUT
    bundles = {f"{deal}-{node}.zip" for deal, both in DEALS.items() for node in both}
    assert {path.name for path in (folder / "bundles").iterdir()} == bundles
    assert {path.name for path in (folder / "received").iterdir()} == set(DEALS)


def test_the_auditor_needs_nothing_but_the_files(demo):
    folder, _, _ = demo
    for name in ("platform", "lab"):
        bundle = str(folder / "bundles" / f"lab-traces-{name}.zip")
        files = str(folder / "received" / "lab-traces")
        report = json.loads(preau("audit", "verify", bundle, "--files", files, "--json"))
        assert report["ok"] is True


@pytest.mark.parametrize("deal", DEALS)
def test_both_parties_evidence_says_the_same(demo, deal):
    folder, _, _ = demo
    logged = []
    for node in DEALS[deal]:
        with zipfile.ZipFile(folder / "bundles" / f"{deal}-{node}.zip") as archive:
            agreement = archive.read("agreement.json")
            entries = [json.loads(line) for line in archive.read("leaves.jsonl").splitlines()]
        passed = {"negotiation", "transfer", "agreement", "manifest", "receipt"}
        digests = sorted(
            (json.loads(entry["leaf"])["type"], entry["body"]["digest"])
            for entry in entries
            if json.loads(entry["leaf"])["type"] in passed and entry["body"]
        )
        logged.append((agreement, digests))
    assert logged[0] == logged[1]
    assert len(logged[0][1]) > 8


def test_the_logs_name_no_learner(demo):
    folder, _, traces = demo
    names = {row["actor"]["account"]["name"] for row in source(traces)}
    logs = "".join((folder / f"{name}.log").read_text("utf-8") for name in NODES)
    assert logs
    assert [name for name in names if name in logs] == []


# ---------------------------------------------------------------------------- recomputed here


def source(path: Path) -> list[Json]:
    with gzip.open(path) as file:
        return [json.loads(line) for line in file]


def consents(name: str, word: str = "preau") -> bool:
    return int(sha256(f"{word}:{name}".encode()).hexdigest()[:8], 16) % 100 < 70


def withdrawn(folder: Path) -> str:
    with (folder / "expected" / "withdrawals.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["status"] == "withdrawn"
    return row["id_value"]


def received(folder: Path, deal: str = "lab-traces") -> list[Json]:
    with (folder / "received" / deal / "data.ndjson").open("rb") as file:
        return [json.loads(line) for line in file]


def plan(folder: Path, deal: str = "lab-traces") -> Any:
    with zipfile.ZipFile(folder / "bundles" / f"{deal}-{DEALS[deal][0]}.zip") as archive:
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


def test_the_second_recipient_has_the_rows_of_those_who_said_yes_to_it(demo):
    folder, _, traces = demo
    announced = plan(folder, "authority-traces")
    treatments = {field["pointer"]: field.get("treatment") for field in announced["fields"]}
    said_yes = [
        row
        for row in source(traces)
        if consents(row["actor"]["account"]["name"], "preau authority")
    ]
    arrived = received(folder, "authority-traces")
    ours = Counter(compared(row, treatments, exact_time=True)[1] for row in said_yes)
    assert ours == Counter(compared(row, treatments, exact_time=False)[1] for row in arrived)
    people = {row["actor"]["account"]["name"] for row in said_yes}
    pseudonyms = {row["actor"]["account"]["name"] for row in arrived}
    assert len(people) == len(pseudonyms)
    assert not pseudonyms & {row["actor"]["account"]["name"] for row in received(folder)}


def test_what_colluding_recipients_find_was_announced(demo):
    folder, document, _ = demo
    (fact,) = (one for one in document["facts"] if "joining" in one["name"]["en"])
    for deal in ("lab-traces", "authority-traces"):
        assert plan(folder, deal)["linkage"] in fact["expected"]["en"]
    assert float(fact["measured"]["en"].split()[0]) > 50


def test_a_pupils_result_arrives_unless_they_object(demo):
    folder, _, _ = demo
    with (folder / "expected" / "results.csv").open(encoding="windows-1252", newline="") as file:
        pupils = list(csv.DictReader(file, delimiter=";"))
    arrived = table(folder)
    people = {row["ine"] for row in pupils}
    gone = objectors(people)
    kept = ["uai", "classe", "date_epreuve", "epreuve", "note", "amenagement", "appreciation"]
    assert list(arrived[0]) == ["ine", *kept]
    wanted = Counter(
        tuple("'" + row[name] if row[name].startswith(("=", "+")) else row[name] for name in kept)
        for row in pupils
        if row["ine"] not in gone
    )
    assert Counter(tuple(row[name] for name in kept) for row in arrived) == wanted
    assert len({row["ine"] for row in arrived}) == len(people) - 3
    everything = (folder / "received" / "lab-results" / "data.csv").read_text("utf-8")
    named = ("ine", "nir", "nom_prenom", "courriel")
    assert not [row[name] for row in pupils for name in named if row[name] in everything]


def objectors(people: set[str]) -> set[str]:
    return set(sorted(people, key=lambda one: sha256(f"preau:{one}".encode()).digest())[:3])


def table(folder: Path) -> list[dict[str, str]]:
    path = folder / "received" / "lab-results" / "data.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_students_instead_of_pupils(tmp_path, official):
    students, about, folder = official(OULAD), tmp_path / "about.toml", tmp_path / "demo"
    about.write_text(STUDENTS, "utf-8")
    chosen = ("--table", str(students), "--table-about", str(about))
    document = json.loads(preau("demo", "--json", "--dir", str(folder), *chosen))
    assert document["ok"] is True
    with students.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 32_593
    people = {row["id_student"] for row in rows}
    gone = objectors(people)
    kept = [name for name in rows[0] if name not in {"id_student", "disability"}]
    arrived = table(folder)
    assert list(arrived[0]) == [name for name in rows[0] if name != "disability"]
    assert "imd_band" in kept
    wanted: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for row in rows:
        if row["id_student"] not in gone:
            wanted[row["id_student"]].append(tuple(row[name] for name in kept))
    found: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for row in arrived:
        found[row["id_student"]].append(tuple(row[name] for name in kept))
    traces = (Counter(tuple(sorted(each)) for each in side.values()) for side in (wanted, found))
    assert next(traces) == next(traces)
    assert len(arrived) == sum(row["id_student"] not in gone for row in rows) < len(rows)
    assert not people & found.keys()


def test_who_withdrew_is_in_no_later_part(demo):
    folder, _, traces = demo
    manifest = json.loads((folder / "received" / "lab-traces" / "manifest.json").read_bytes())
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
    files = [path for path in (folder / "received").rglob("*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
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
        assert [node["name"] for node in document["nodes"]] == list(NODES)
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
    for name in NODES:
        events = [
            json.loads(line)["event"]
            for line in (Path(folder) / f"{name}.log").read_text("utf-8").splitlines()
        ]
        assert events[-1] == "stopping"
