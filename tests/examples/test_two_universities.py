"""`examples/01_two_universities/run.sh`, in a clean folder, with real processes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.nodes import free_port
from tests.support.source import ROOT

FOLDER = ROOT / "examples" / "01_two_universities"
COMMANDS = 20


def script() -> list[str]:
    return (FOLDER / "run.sh").read_text("utf-8").splitlines()


def test_it_is_about_twenty_lines():
    said = [line for line in script() if not line.startswith("#")]
    assert len(said) <= COMMANDS
    assert all(len(line) <= 100 for line in script())


@pytest.mark.slow
def test_the_story_ends_with_verified_evidence(tmp_path: Path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    data = (tmp_path / "here/received/data.ndjson").read_bytes()
    rows = [json.loads(line) for line in data.splitlines()]
    assert len(rows) == 20 * 8
    for name in ("north", "south"):
        log = (tmp_path / f"here/{name}/serve.log").read_text("utf-8")
        assert "Traceback" not in log


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as it stands, on free ports."""
    text = "\n".join(script()) + "\n"
    for port in ("9101", "9201"):
        text = text.replace(port, str(pair_of_ports()))
    copied = folder / "example"
    shutil.copytree(FOLDER, copied)
    (copied / "run.sh").write_text(text, "utf-8")
    for name, command in (("preau", f"{sys.executable} -m connector.cli"), ("python3", None)):
        path = folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec {command or sys.executable} "$@"\n', "utf-8")
        path.chmod(0o755)
    return subprocess.run(
        ["sh", str(copied / "run.sh"), "here"],
        cwd=folder,
        env={"PATH": f"{folder}/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def pair_of_ports() -> int:
    """A free port; the next one is the node's management port."""
    while True:
        first = free_port()
        if free_port() == first + 1:
            return first
