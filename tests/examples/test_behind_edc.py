"""`examples/06_behind_edc/run.sh` with real processes; `make interop` plays its `edc.sh`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.nodes import free_port
from tests.support.source import ROOT

EXAMPLES = ROOT / "examples"
pytestmark = pytest.mark.slow


def test_rows_leave_by_consent_at_the_signals_of_an_edc(tmp_path: Path):
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    address = json.loads((tmp_path / "here/address.json").read_text("utf-8"))
    assert (address["authType"], "/data/" in address["endpoint"]) == ("bearer", True)
    for name, learners in (("rows", 20), ("later", 19)):
        rows = (tmp_path / f"here/{name}.ndjson").read_text("utf-8")
        assert (len(rows.splitlines()), "learner-" in rows) == (learners * 8, False)
    assert "TERMINATED" in done.stdout
    assert address["authorization"] not in done.stdout
    assert "Traceback" not in (tmp_path / "here/north/serve.log").read_text("utf-8")


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as it stands, on free ports."""
    for name in ("01_two_universities", "06_behind_edc"):
        shutil.copytree(EXAMPLES / name, folder / name)
    script, public = folder / "06_behind_edc" / "run.sh", pair_of_ports()
    text = script.read_text("utf-8").replace("9101", str(public)).replace("9102", str(public + 1))
    script.write_text(text, "utf-8")
    for name, command in (("preau", f"{sys.executable} -m connector.cli"), ("python3", None)):
        path = folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec {command or sys.executable} "$@"\n', "utf-8")
        path.chmod(0o755)
    return subprocess.run(
        ["sh", str(script), "here"],
        cwd=folder,
        env={"PATH": f"{folder}/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def pair_of_ports() -> int:
    """A free port with the next one free too: `preau init` takes both."""
    while True:
        one, two = free_port(), free_port()
        if two == one + 1:
            return one
