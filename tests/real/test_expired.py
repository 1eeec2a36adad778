"""An agreement whose date has passed opens nothing any more; both clocks are set forward."""

from pathlib import Path

import pytest

from tests.support.nodes import Two, alive
from tests.support.telling import assert_tells

pytestmark = pytest.mark.slow

TWO_YEARS = str(2 * 366 * 86_400)


def test_an_expired_agreement(tmp_path: Path, consenting: list[str]):
    with alive(Two.make(tmp_path / "nodes", first_part_rows=50, max_part_rows=100)) as nodes:
        nodes.start().meet()
        nodes.publish()
        nodes.consent(consenting)
        agreement, other = nodes.agree(), nodes.agree()
        # One transfer is under way, another one was never begun.
        nodes.lab.must("transfer", "fetch", agreement, "--out", tmp_path / "out", "--parts", "1")
        nodes.stop()
        nodes.start(platform=("--clock", TWO_YEARS), lab=("--clock", TWO_YEARS))
        for ident in (agreement, other):
            done = nodes.lab.run("transfer", "fetch", ident, "--out", tmp_path / "out")
            assert done.code == 1, done.out
            assert done.document["code"] in {"transfer-ended", "transfer-refused"}
            assert_tells(done.document)
        assert not (tmp_path / "out").exists(), "nothing was copied out"
        assert nodes.platform.query("SELECT count(*) FROM part") == [(1,)]
        # Asking anew is told the date: the offer has ended too.
        ended = nodes.lab.negotiation(nodes.ask()["pid"], until="TERMINATED")
        reasons = " ".join(ended["reasons"])
        assert "31 December 2027" in reasons
        assert "31 décembre 2027" in reasons
