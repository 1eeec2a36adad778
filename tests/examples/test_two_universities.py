"""`examples/01_two_universities/run.sh`, in a clean folder, with real processes."""

import json
import subprocess
import sys

import pytest

from tests.support.nodes import free_port
from tests.support.source import ROOT

SCRIPT = ROOT / "examples" / "01_two_universities" / "run.sh"
pytestmark = pytest.mark.slow


def test_the_story_ends_with_verified_evidence(tmp_path):
    north, south = (free_port() for _ in range(2))
    while abs(north - south) < 2:
        south = free_port() + 2
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHON": sys.executable,
        "PREAU": f"{sys.executable} -m connector.cli",
        "LANG": "C.UTF-8",
        "NORTH": str(north),
        "SOUTH": str(south),
    }
    done = subprocess.run(
        ["sh", str(SCRIPT), "here"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    data = (tmp_path / "here/received/data.ndjson").read_bytes()
    rows = [json.loads(line) for line in data.splitlines()]
    assert len(rows) == 20 * 8
    for name in ("north", "south"):
        log = (tmp_path / f"here/{name}.log").read_text("utf-8")
        assert "Traceback" not in log
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
