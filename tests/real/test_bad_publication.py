"""What cannot be published: each refusal says why and what to do, and leaves nothing behind."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.support import traces
from tests.support.nodes import Done, Two
from tests.support.telling import assert_tells

pytestmark = pytest.mark.slow

ROWS = traces.statements(learners=12, each=10)
LINES = traces.lines(ROWS)
PACKED = gzip.compress(LINES)
PARAMS = {"purposes": [traces.PURPOSE], "until": "2027-12-31T00:00:00Z", "retention": "P1Y"}


def without_actor(many: int) -> bytes:
    """The first rows name nobody."""
    return traces.lines(
        {name: part for name, part in row.items() if name != "actor" or index >= many}
        for index, row in enumerate(ROWS)
    )


def contradicted(many: int) -> bytes:
    """The first rows come again under the same id and say something else."""
    again = [{**row, "verb": {"id": "https://example.org/verbs/other"}} for row in ROWS[:many]]
    return traces.lines([*ROWS, *again])


FILES: dict[str, tuple[str, bytes, str]] = {
    "garbled": ("t.jsonl", bytes(range(256)) * 50, "dataplane-file-binary"),
    "truncated": ("t.jsonl", LINES[:-40], "dataplane-file-truncated"),
    "truncated-gz": ("t.jsonl.gz", PACKED[:-200], "dataplane-file-truncated"),
    "garbled-gz": (
        "t.jsonl.gz",
        PACKED[:400] + bytes(80) + PACKED[480:],
        "dataplane-file-garbled",
    ),
    "no-gz": ("t.jsonl.gz", LINES, "dataplane-file-garbled"),
    "empty": ("t.jsonl", b"", "dataplane-file-empty"),
    "encoding": ("t.jsonl", LINES.decode().encode("utf-16"), "dataplane-file-encoding"),
    "no-actor": ("t.jsonl", without_actor(30), "dataplane-bad-rows"),
    "conflict": ("t.jsonl", contradicted(20), "dataplane-bad-rows"),
}

DECLARATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "template": ({"template": "my-own"}, "policy-template-unknown"),
    "parameter": ({"params": {**PARAMS, "operand": "x"}}, "policy-template-parameter"),
    "member": ({"retentoin": "P1Y"}, "dataplane-about-unknown"),
    "no-end": ({"until": None}, "publish-no-end"),
    "ended": ({"until": "2020-12-31T00:00:00Z"}, "policy-lint-ended"),
    "terms-ended": ({"params": {**PARAMS, "until": "2020-12-31T00:00:00Z"}}, "policy-lint-ended"),
    "purpose": (
        {"params": {**PARAMS, "purposes": ["https://w3id.org/preau/ns#EducationResaerch"]}},
        "policy-lint-unknown-purpose",
    ),
    "retention": ({"retention": "P3Y"}, "policy-lint-retention"),
    "minors": ({"audience": "minors"}, "policy-lint-minors-on-consent"),
    "mixed": ({"audience": "mixed"}, "policy-lint-minors-on-consent"),
    "unknown-age": ({"audience": None}, "policy-lint-minors-on-consent"),
    "open-licence": (
        {"template": "open-licence", "params": {"until": PARAMS["until"]}},
        "policy-lint-open-personal",
    ),
}


def add(nodes: Two, folder: Path, name: str, content: bytes, **about: Any) -> Done:
    """`preau dataset add`."""
    data, declared = folder / name, folder / "about.toml"
    data.write_bytes(content)
    declared.write_text(traces.about(**about), "utf-8")
    return nodes.platform.run("dataset", "add", data, "--about", declared)


def refused(done: Done, code: str) -> None:
    """A refusal that a person can act on, in either language."""
    assert (done.code, done.document["code"]) == (1, code), done.out
    assert_tells(done.document)


def nothing_left(nodes: Two, name: str) -> None:
    """No row, no folder, no upload, no leaf."""
    node = nodes.platform
    assert node.query(f"SELECT id FROM dataset WHERE id = '{name}'") == []
    assert node.query(f"SELECT id FROM revision WHERE dataset = '{name}'") == []
    assert not (node.folder / "data" / name).exists()
    assert not list((node.folder / "uploads").iterdir())
    assert f"/{name}" not in str(node.query("SELECT body FROM head"))


@pytest.mark.parametrize("case", FILES)
def test_a_file_is_refused(nodes: Two, tmp_path: Path, case: str):
    name, content, code = FILES[case]
    refused(add(nodes, tmp_path, name, content, id=case), code)
    nothing_left(nodes, case)


@pytest.mark.parametrize("case", DECLARATIONS)
def test_a_declaration_is_refused(nodes: Two, tmp_path: Path, case: str):
    about, code = DECLARATIONS[case]
    refused(add(nodes, tmp_path, "t.jsonl", LINES, id=case, **about), code)
    nothing_left(nodes, case)


def test_a_written_reason_lets_a_longer_retention_pass(nodes: Two, tmp_path: Path):
    about = {"retention": "P3Y", "retention_reason": "A cohort study over three years."}
    assert add(nodes, tmp_path, "t.jsonl", LINES, id="longer", **about).code == 0


def test_few_faulty_rows_are_quarantined_with_their_reason(nodes: Two, tmp_path: Path):
    done = add(nodes, tmp_path, "t.jsonl", without_actor(3), id="quarantine")
    assert (done.code, done.document["counts"]["quarantined"]) == (0, 3)
    assert done.document["counts"]["rows"] == len(ROWS) - 3


def test_a_researcher_cannot_publish(nodes: Two, tmp_path: Path):
    data, declared = tmp_path / "t.jsonl", tmp_path / "about.toml"
    data.write_bytes(LINES)
    declared.write_text(traces.about(id="role"), "utf-8")
    done = nodes.platform.run("dataset", "add", data, "--about", declared, role="researcher")
    refused(done, "access-role")
    nothing_left(nodes, "role")


def test_consents_are_imported_whole_or_not_at_all(nodes: Two, tmp_path: Path):
    path = tmp_path / "consents.csv"
    good = traces.consent_file([traces.learner(n) for n in range(5)], nodes.lab.did)
    path.write_text(good.replace(",given,", ",perhaps,", 1) + "x,y\n", "utf-8")
    journal = nodes.platform.folder / "consent.journal"
    before = journal.read_bytes()
    done = nodes.platform.run("consent", "import", path, role="dpo")
    refused(done, "subjects-import-rows")
    assert {error["row"] for error in done.document["params"]["errors"]} == {1, 6}
    assert journal.read_bytes() == before
    assert nodes.platform.query("SELECT count(*) FROM consent_event") == [(0,)]
