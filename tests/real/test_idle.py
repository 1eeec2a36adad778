"""What a node that does nothing holds in memory, and what a negotiation costs in commits."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.nodes import Two, alive

pytestmark = pytest.mark.slow

ENGINES = ("alembic", "duckdb", "pandas", "polars", "pyarrow", "pyld", "rdflib")
CRITICAL = 6


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Reports of two nodes: of a life without work, and of one with one automatic negotiation."""
    folder = tmp_path_factory.mktemp("idle")
    found: dict[str, Any] = {}
    with alive(Two.make(folder / "nodes")) as nodes:
        nodes.start().meet()
        nodes.publish()
        # The catalog is read once, so that its head is known when the negotiation is counted.
        nodes.lab.client().get("/v1/catalogs", peer=nodes.platform.did)
        nodes.stop()
        for life in ("idle", "negotiation"):
            reports = [folder / f"{life}-{node.folder.name}.json" for node in nodes.both]
            platform, lab = (("--report", str(path)) for path in reports)
            nodes.start(platform, lab)
            if life == "negotiation":
                nodes.agree()
            found.setdefault("rss", [_resident(nodes, index) for index in (0, 1)])
            nodes.stop()
            found[life] = [json.loads(path.read_bytes()) for path in reports]
    return found


def _resident(nodes: Two, index: int) -> float:
    """Resident memory in MB, as the system counts it."""
    process = nodes.both[index].process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    size = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert size is not None
    return int(size[1]) / 1000


def test_an_idle_node_holds_no_data_engine(lives: dict[str, Any]):
    for report in lives["idle"]:
        loaded = {name.partition(".")[0] for name in report["modules"]}
        assert "fastapi" in loaded, "the report is about a node"
        assert loaded.isdisjoint(ENGINES)


def test_a_negotiation_needs_no_data_engine_either(lives: dict[str, Any]):
    for report in lives["negotiation"]:
        assert {name.partition(".")[0] for name in report["modules"]}.isdisjoint(ENGINES)


def test_an_idle_node_commits_nothing(lives: dict[str, Any]):
    for report in lives["idle"]:
        assert sum(report["commits"].values()) <= 1, report["commits"]


def test_the_memory_of_an_idle_node_is_told(
    lives: dict[str, Any], capsys: pytest.CaptureFixture[str]
):
    # Told, not judged: budgets are for `make bench`.
    with capsys.disabled():
        sizes = ", ".join(f"{size:.0f}" for size in lives["rss"])
        sys.stderr.write(f"\nidle RSS of two nodes: {sizes} MB\n")
    assert all(size > 0 for size in lives["rss"])


def test_commits_on_the_way_of_a_negotiation(lives: dict[str, Any]):
    """Each commit that moves the negotiation is one fsync the next message waits for: the request,
    its answer with the agreement, the peer's pid, the verification, the end on either side.
    """
    reports = [report["commits"] for report in lives["negotiation"]]
    moving = {
        node: sum(n for topics, n in report.items() if "negotiation" in topics.split("+"))
        for node, report in zip(("platform", "lab"), reports, strict=True)
    }
    assert moving["platform"] == 2
    assert sum(moving.values()) <= CRITICAL, reports
    # What else is committed are marks, checkpoints, the use of tokens: beside the way, and few.
    assert sum(sum(report.values()) for report in reports) <= CRITICAL + 12, reports
