"""What a user installs holds all the packages need, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.source import PACKAGES, ROOT, files


@pytest.mark.slow
def test_the_wheel_holds_the_three_packages_with_their_data(tmp_path: Path):
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*build, "--directory", str(tmp_path)], cwd=ROOT, check=True, timeout=120)
    (wheel,) = tmp_path.glob("preau-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = {Path(name).name: name for name in names if ".dist-info/" in name}
        entry_points = archive.read(metadata["entry_points.txt"]).decode()
    ours = {path.relative_to(ROOT).as_posix() for path in files()}
    shipped = {name for name in ours if name.partition("/")[0] in PACKAGES}
    assert {name for name in names if ".dist-info/" not in name} == shipped
    assert "preau = connector.cli.main:run" in entry_points
    assert "LICENSE" in metadata
