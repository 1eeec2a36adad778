"""`examples/05_own_policy` on a running node: the template put in place, a dataset published with
it, a partner's request agreed, others refused.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support import traces
from tests.support.nodes import Two, two
from tests.support.source import ROOT

TEMPLATE = ROOT / "examples" / "05_own_policy" / "templates" / "teaching-improvement.json"
TEACHING = "https://w3id.org/preau/ns#TeachingImprovement"
DECLARED: Final[dict[str, Any]] = {
    "template": "teaching-improvement",
    "params": {"until": "2027-08-31T00:00:00Z", "retention": "P90D", "partners": "partners"},
    "retention": "P90D",
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """The README's two commands on a node that runs already, then a publication with it."""
    with two(tmp_path_factory.mktemp("own")) as nodes:
        folder = nodes.platform.folder / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(TEMPLATE, folder)
        nodes.publish(**DECLARED)
        yield nodes


def test_without_its_file_a_template_is_not_known(published: Two, tmp_path: Path):
    data, about = tmp_path / "t.jsonl", tmp_path / "about.toml"
    data.write_bytes(traces.lines(traces.statements()))
    about.write_text(traces.about(**DECLARED), "utf-8")
    done = published.lab.run("dataset", "add", data, "--about", about)
    assert done.code == 1
    assert "teaching-improvement" in done.document["en"]


def test_its_terms_are_told_and_found(published: Two):
    shown = published.platform.must("dataset", "show", "traces")
    assert "improvement of teaching" in str(shown).lower()
    found = published.lab.must("catalog", "search", "--purpose", "TeachingImprovement")
    assert [one["identifier"] for one in found["results"]] == ["traces"]


def test_who_is_no_partner_is_refused_and_a_partner_agrees(published: Two):
    asked = published.ask(purpose=TEACHING)
    assert published.lab.negotiation(asked["pid"], until="TERMINATED")["reasons"]
    published.platform.must("peer", "add", published.lab.did, "--group", "partners")
    research = published.ask(purpose=traces.PURPOSE)
    assert published.lab.negotiation(research["pid"], until="TERMINATED")["reasons"]
    asked = published.ask(purpose=TEACHING)
    agreement = published.lab.negotiation(asked["pid"], until="FINALIZED")["agreement"]
    plan = published.lab.must("agreement", "show", agreement)["plan"]["en"]
    assert any("day" in line for line in plan), plan
