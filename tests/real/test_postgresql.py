"""Nodes on PostgreSQL: one is active, a second process takes over when the first is killed (P3)."""

from pathlib import Path

import pytest

from tests.support.nodes import NodeProcess, Two, alive
from tests.support.postgres import Server

pytestmark = pytest.mark.slow


@pytest.fixture
def nodes(postgres: Server, tmp_path: Path) -> Two:
    """A platform on PostgreSQL, a lab on SQLite."""
    platform = NodeProcess.init(tmp_path / "platform", store=postgres.database())
    return Two(platform, NodeProcess.init(tmp_path / "lab"))


def second(node: NodeProcess) -> NodeProcess:
    """Another process on the same folder: it writes its own log lines."""
    other = NodeProcess(node.folder, node.public, node.management, node.did)
    other.begin()
    return other


def test_the_whole_way_on_postgresql(nodes: Two, tmp_path: Path):
    with alive(nodes) as two:
        two.start().meet()
        two.publish()
        two.consent(["learner-1", "learner-2"])
        agreement = two.agree()
        assert agreement
        archive = tmp_path / "backup.tar"
        made = two.platform.must("backup", "--out", archive)
        assert made["leaves"] > 0


def test_a_standby_takes_over_and_nothing_is_lost_or_sent_twice(nodes: Two):
    with alive(nodes) as two:
        two.start().meet()
        two.publish(decisions=["dpo"])
        waiting = two.ask()["pid"]
        pid = two.platform.awaiting("dpo")
        standby = second(two.platform)
        try:
            assert standby.ended(0.2) is None
            two.platform.kill()
            standby.ready()
            standby.must("negotiation", "decide", pid, "--as", "dpo", "--approve", role="dpo")
            done = two.lab.negotiation(waiting, until="FINALIZED")
            seen = standby.negotiation(pid, until="FINALIZED")
            assert done["agreement"] == seen["agreement"]
            sent = [m["type"] for m in seen["messages"] if m["direction"] == "out"]
            assert len(sent) == len(set(sent))
        finally:
            standby.kill()
