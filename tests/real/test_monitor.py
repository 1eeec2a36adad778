"""A running transfer ends at the instant its agreement ends, also when the node was down before."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.nodes import WAIT, Two, alive

pytestmark = pytest.mark.slow

END = datetime(2027, 12, 31, tzinfo=UTC)
BEFORE = 12
"""Seconds before the end at which the nodes wake up, by their own clocks."""


def test_a_transfer_ends_by_itself_when_its_date_passes(tmp_path: Path, consenting: list[str]):
    with alive(Two.make(tmp_path / "nodes", first_part_rows=50, max_part_rows=100)) as nodes:
        nodes.start().meet()
        nodes.publish()
        nodes.consent(consenting)
        agreement = nodes.agree()
        nodes.lab.must("transfer", "fetch", agreement, "--out", tmp_path / "out", "--parts", "1")
        nodes.stop()
        ahead = (END - datetime.now(UTC)).total_seconds() - BEFORE
        clock = ("--clock", str(int(ahead)))
        nodes.start(platform=clock, lab=clock)
        client = nodes.lab.client()
        pid = client.get("/v1/transfers")[0]["pid"]
        ended = client.get(f"/v1/transfers/{pid}", wait=WAIT, until="TERMINATED")
        assert (ended["state"], ended["code"]) == ("TERMINATED", "agreement-over")
        assert "31 December 2027" in " ".join(ended["reasons"])
        said = nodes.platform.said
        assert "agreement-reviewed" in (said if isinstance(said, str) else said())
