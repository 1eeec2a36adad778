"""`examples/04_auditor/verify.py`: it accepts what `preau audit verify` accepts, and no forgery."""

import ast
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import proofs
from connector.base.clock import SystemClock
from connector.base.ids import SystemIds
from connector.cli.story import tamper
from connector.evidence.verify import verify
from connector.identity.keys import KeyRing
from tests.support.source import ROOT

SCRIPT = ROOT / "examples" / "04_auditor" / "verify.py"
FORGERIES = {"title": "documents", "leaf": "leaves", "row": "handover", "checkpoint": "leaves"}


def audit(bundle: Path, files: Path | None = None) -> tuple[int, dict[str, str], str]:
    """Exit code, the mark of each check, and all it said."""
    words = [sys.executable, "-I", str(SCRIPT), str(bundle)]
    words += ["--files", str(files)] if files else []
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    lines = [line for line in done.stdout.splitlines() if ":" in line]
    return done.returncode, {x[2:].partition(":")[0]: x[0] for x in lines}, done.stdout


def test_it_is_short_and_shares_no_code_with_us():
    text = SCRIPT.read_text("utf-8")
    assert text.count("\n") <= 300
    imported = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module))
    roots = {name.partition(".")[0] for name in imported}
    assert roots - sys.stdlib_module_names == {"cryptography"}


def test_a_whole_second_comes_before_its_fractions():
    """Instants are written with a fraction only where they have one."""
    numbering = runpy.run_path(str(SCRIPT))["Bundle"].numbering
    times = ["2026-09-01T08:00:00Z", "2026-09-01T08:00:00.000001Z", "2026-09-01T08:00:01Z"]
    leaves = [{"time": time, "agreement": None, "type": "key", "n": None} for time in times]
    lines = [{"index": place, "leaf": leaf} for place, leaf in enumerate(leaves)]
    assert list(numbering(SimpleNamespace(lines=lines))) == []
    lines[1]["leaf"], lines[2]["leaf"] = leaves[2], leaves[1]
    assert list(numbering(SimpleNamespace(lines=lines))) == ["leaf 2: out of order"]


@given(st.binary(min_size=1, max_size=64).map(lambda rest: bytes(len(rest) % 4) + rest))
def test_signatures_and_keys_are_read_as_we_write_them(data: bytes):
    """One signature in 256 begins with a zero byte, which base 58 writes as a digit of its own."""
    read = runpy.run_path(str(SCRIPT))["multibase"]
    assert read(proofs.encode_multibase(data)) == data


def test_what_is_no_bundle_is_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 nothing")
    assert audit(tmp_path / "x.zip")[0] == 1
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("index.json", "{}")
    assert audit(tmp_path / "y.zip")[0] == 1


@pytest.mark.slow
def test_both_bundles_are_valid(played):
    for bundle in (played.platform, played.lab):
        assert verify(bundle, files=played.received).ok
        code, marks, said = audit(bundle, played.received)
        assert code == 0, said
        unseen = {"handover"} if bundle == played.lab else set()
        assert {name for name, mark in marks.items() if mark == "·"} <= unseen, said
    assert audit(played.platform)[1]["received"] == "·"


@pytest.mark.slow
@pytest.mark.parametrize("forgery", tamper.FORGERIES, ids=lambda one: one.key)
def test_a_forgery_is_caught(played, tmp_path, forgery):
    means = tamper.Means(signer(played), played.old_checkpoint, played.received)
    forged = tmp_path / "forged.zip"
    tamper.forge(played.platform, forgery, means, forged)
    code, marks, said = audit(forged, played.received)
    assert code == 1
    assert marks["index"] == "✓", said
    assert marks[FORGERIES[forgery.key]] == "✗", said


@pytest.mark.slow
def test_a_row_added_to_the_received_file_is_caught(played, tmp_path):
    files = shutil.copytree(played.received, tmp_path / "received")
    data = files / "data.ndjson"
    content = data.read_bytes()
    data.write_bytes(content + content.splitlines(keepends=True)[-1])
    code, marks, _ = audit(played.platform, files)
    assert (code, {name for name, mark in marks.items() if mark == "✗"}) == (1, {"received"})


@pytest.mark.slow
def test_whatever_byte_of_a_file_changes_something_fails(played, tmp_path):
    with zipfile.ZipFile(played.platform) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for name, data in files.items():
        changed = files | {name: data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]}
        with zipfile.ZipFile(tmp_path / "changed.zip", "w") as archive:
            for path, content in changed.items():
                archive.writestr(path, content)
        assert audit(tmp_path / "changed.zip")[0] == 1, name


def signer(played: Any) -> tamper.Sign:
    """The forger is the platform itself: its own key.

    Every signature begins with a zero byte, as one in 256 does: a verifier that loses that byte
    calls the forged index unsigned, which must not pass for having caught the forgery.
    """
    node = played.nodes.platform
    ring = KeyRing.load(node.folder / "keys")

    def once(document: dict[str, Any]) -> dict[str, Any]:
        made = proofs.sign(
            document,
            sign=ring.sign_assertion,
            method=f"{node.did}#{ring.fragment('assertion')}",
            created=SystemClock().now().replace(microsecond=0),
            proof_id=SystemIds().uuid(),
        )
        return dict(made)

    def sign(document: dict[str, Any]) -> dict[str, Any]:
        while not (signed := once(document))["proof"]["proofValue"].startswith("z1"):
            pass
        return signed

    return sign
