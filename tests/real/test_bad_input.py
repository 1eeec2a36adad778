"""Bad input for whole nodes: tables that are none, full disks, a held database, a clock set back.

The list of issue 4, item by item, with the test that holds each:

| what comes in | where it is held |
|---|---|
| wrong encoding | here (tables), `test_bad_publication` (statements), `dataplane/test_csvfile` |
| wrong dialect | here, `dataplane/test_csvfile`, `dataplane/test_tables` |
| ragged rows | here, `dataplane/test_csvfile` |
| formula cells | `test_table` (a real CSV between nodes), `dataplane/test_tables` (property) |
| a line of 10 GB, gz and sparse, memory flat | `dataplane/test_long_line` |
| NUL bytes | here (tables), `test_bad_publication` (statements) |
| duplicate headers, duplicate keys | here; `dataplane/test_rows` |
| NIR present | here, `services/test_tables`, `dataplane/test_profile` |
| disk full while publishing | here (whole node), `operating/test_faults` (uploads, revision) |
| disk full while fetching | here (where files are copied), `operating/test_faults` (the node) |
| database locked | here (at the start), `operating/test_faults`, `store/test_faults` |
| clock set back | here (at the start), `operating/test_faults` (while it runs) |
| a slow peer, garbage, no end, a gzip bomb | `test_bad_answers`; `operating/test_faults` (parts) |
| another node's catalog | `test_bad_answers`, `operating/test_faults` |
| members, SubStatements naming others | `services/test_naming_others`, `dataplane/test_rows` |
| an end in the past, a purpose nobody knows | `test_bad_publication`, `policies/test_lint` |
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support import traces
from tests.support.disks import enlarge, tmpfs
from tests.support.nodes import Done, NodeProcess, Two
from tests.support.telling import assert_tells

pytestmark = pytest.mark.slow

TABLE = (
    traces.about(id="results", audience="minors", basis={"type": "public-task", "reference": "r"})
    .replace('kind = "xapi"', 'kind = "csv"')
    .replace("research-under-consent", "public-task-research")
    + '[[subjects]]\ncolumn = "élève"\nnamespace = "https://school.example"\n'
    + '[dialect]\nencoding = "utf-8"\ndelimiter = ","\nquote = \'"\'\n'
)
HEAD = "élève,note,ville\n"
ROWS = "".join(f"p{n},{n % 20},Orléans\n" for n in range(200))
GOOD = HEAD + ROWS


def nir(number: int) -> str:
    """A number that has the form, and the key, of a social security number."""
    body = f"1850578006{number:03d}"
    return f"{body}{97 - int(body) % 97:02d}"


TABLES: dict[str, tuple[bytes, str]] = {
    "encoding": (GOOD.encode("windows-1252"), "dataplane-csv-encoding"),
    "utf-16": (GOOD.encode("utf-16"), "dataplane-file-encoding"),
    "dialect": (GOOD.replace(",", ";").encode(), "dataplane-csv-dialect"),
    "ragged": (GOOD.replace(",Orléans", ",Orléans,", 30).encode(), "dataplane-bad-rows"),
    "nul": (GOOD.encode() + b"p1,\x00,x\n", "dataplane-file-binary"),
    "twice": (GOOD.replace("ville", "note", 1).encode(), "dataplane-csv-header"),
    "no-header": (("p0,jean@ecole.example,Orléans\n" + ROWS).encode(), "dataplane-csv-header"),
    "nir": ((HEAD + f"p1,{nir(7)},Orléans\n" + ROWS).encode(), "dataplane-nir"),
    "nir-in-text": ((HEAD + f"p1,12,vu {nir(8)} hier\n" + ROWS).encode(), "dataplane-nir"),
    "cut": (GOOD.encode() + b'p1,"12', "dataplane-file-truncated"),
    "subject": (GOOD.replace("élève", "nom", 1).encode(), "dataplane-column-unknown"),
}


def add(node: NodeProcess, folder: Path, content: bytes, about: str = TABLE) -> Done:
    """`preau dataset add`."""
    (folder / "t.csv").write_bytes(content)
    (folder / "about.toml").write_text(about, "utf-8")
    return node.run("dataset", "add", folder / "t.csv", "--about", folder / "about.toml")


def refused(done: Done, code: str) -> None:
    assert (done.code, done.document["code"]) == (1, code), done.out
    assert_tells(done.document)


def nothing_of(node: NodeProcess, name: str) -> None:
    """No row, no folder, no upload."""
    assert node.query(f"SELECT id FROM dataset WHERE id = '{name}'") == []
    assert node.query(f"SELECT id FROM revision WHERE dataset = '{name}'") == []
    assert not (node.folder / "data" / name).exists()
    assert not list((node.folder / "uploads").iterdir())


# ------------------------------------------------------------------ tables


@pytest.mark.parametrize("case", TABLES)
def test_a_table_is_refused_and_no_cell_repeated(nodes: Two, tmp_path: Path, case: str):
    content, code = TABLES[case]
    done = add(nodes.platform, tmp_path, content)
    refused(done, code)
    assert not [cell for cell in ("Orléans", "jean@", "18505780") if cell in done.out]
    nothing_of(nodes.platform, "results")


def test_few_ragged_rows_are_named_by_number(nodes: Two, tmp_path: Path):
    about = TABLE.replace('id = "results"', 'id = "few"')
    done = add(nodes.platform, tmp_path, GOOD.replace(",Orléans", "", 3).encode(), about)
    assert (done.code, done.document["quarantine"]) == (0, {"ragged": 3})
    (kept,) = (nodes.platform.folder / "data" / "few").glob("*/quarantine.csv")
    assert kept.read_text() == "row,reason\n2,ragged\n3,ragged\n4,ragged\n"


# ------------------------------------------------------------------ what was asked for


def test_a_refused_request_exits_with_1(nodes: Two, tmp_path: Path):
    made = nodes.publish(id="asked")
    application = tmp_path / "application.json"
    wrong = traces.application(purpose="https://w3id.org/preau/ns#CommercialResearch")
    application.write_text(json.dumps(wrong), "utf-8")
    words = ("request", made["dataset"], "--application", application, "--wait", "30")
    done = nodes.lab.run(*words, role="researcher")
    refused(done, "cli-request-ended")
    assert done.document["params"]["ended"] == "negotiation-denied"


def test_a_full_disk_where_the_files_go_and_files_that_are_here(
    nodes: Two, tmp_path: Path, consenting: list[str]
):
    made = nodes.publish(id="once")
    nodes.consent(consenting)
    agreement = nodes.agree(made["dataset"])
    small = tmp_path / "small"
    fetch = ("transfer", "fetch", agreement, "--out", small / "received")
    with tmpfs(small, 16_384) as mounted:
        if not mounted:
            small.rmdir()
            small.write_text("a file stands in the way")
        refused(nodes.lab.run(*fetch, role="researcher"), "cli-not-written")
        if mounted:
            assert not list((small / "received").glob("*.partial"))
            enlarge(small)
        else:
            small.unlink()
        # Nothing is released again: the node has the files.
        found = nodes.lab.must(*fetch, role="researcher")
        assert found["state"] == "COMPLETED"
        assert (small / "received" / "data.ndjson").stat().st_size == found["bytes"]
    assert len(nodes.platform.client().get("/v1/transfers")) == 1
    again = nodes.lab.must(*fetch[:-1], tmp_path / "again", "--again", role="researcher")
    assert again["pid"] != found["pid"]
    assert len(nodes.platform.client().get("/v1/transfers")) == 2


# ------------------------------------------------------------------ a node of its own


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    made = NodeProcess.init(tmp_path / "node")
    yield made
    made.stop()


def test_a_whole_node_on_a_full_disk(tmp_path: Path):
    """Database, log, uploads and revision share the disk; reading goes on, nothing is half."""
    with tmpfs(tmp_path / "disk", 6_000_000) as mounted:
        if not mounted:
            pytest.skip("only root can mount a small disk")
        node = NodeProcess.init(tmp_path / "disk" / "node").start()
        try:
            rows = "".join(f"p{n},{n % 20},{'x' * 120}\n" for n in range(20_000))
            refused(add(node, tmp_path, (HEAD + rows).encode()), "dataplane-disk")
            nothing_of(node, "results")
            assert node.client().get("/v1/datasets") == []
            assert add(node, tmp_path, GOOD.encode()).code == 0
            enlarge(tmp_path / "disk")
            # So many minors are a high risk, for which the lint asks for an assessment.
            more = add(node, tmp_path, (HEAD + rows).encode(), 'dpia = "register 7"\n' + TABLE)
            assert more.code == 0, more
            assert more.document["counts"]["rows"] == 20_000
        finally:
            node.stop()


@contextmanager
def held(database: Path) -> Iterator[None]:
    """A second connection writes and does not end."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def serve(node: NodeProcess, *options: str) -> tuple[int, str]:
    """A start that is expected to fail."""
    module = ["-m", "tests.support.runner"] if options else ["-m", "connector.cli", "serve"]
    words = [sys.executable, *module, str(node.folder), *options]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_database_that_somebody_holds_at_the_start_and_later(node: NodeProcess, tmp_path: Path):
    with held(node.folder / "preau.sqlite"):
        code, said = serve(node)
        assert code == 1, said
        assert "store-locked" in said
    node.start()
    with held(node.folder / "preau.sqlite"):
        refused(add(node, tmp_path, GOOD.encode()), "store-locked")
        nothing_of(node, "results")
        assert node.healthy()
    assert add(node, tmp_path, GOOD.encode()).code == 0


def test_a_clock_set_back_before_the_start(node: NodeProcess, tmp_path: Path):
    """It starts and answers, is not ready and says why, and promises nothing until time has caught
    up; then all is well.
    """
    node.start()
    assert add(node, tmp_path, GOOD.encode()).code == 0
    node.stop()
    node.begin("--clock", "-86400")
    node.ready("/health/live")
    assert not node.healthy()
    assert "evidence-clock-back" in node.said()
    about = TABLE.replace('id = "results"', 'id = "later"')
    refused(add(node, tmp_path, GOOD.encode(), about), "evidence-clock-back")
    nothing_of(node, "later")
    node.stop()
    node.start()
    assert add(node, tmp_path, GOOD.encode(), about).code == 0
