"""Operating a node as a person would: real processes, the command line, nothing imported."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.cli.story import nodes
from tests.support.source import ROOT

pytestmark = pytest.mark.slow


def preau(*arguments: str, code: int = 0, env: dict[str, str] | None = None) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "connector.cli", *arguments, "--json"],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture
def node(tmp_path: Path) -> Iterator[nodes.Node]:
    """A running node."""
    (made,) = nodes.make(tmp_path, [("univ", "A university")], "en")
    nodes.start([made])
    yield made
    nodes.stop([made])


def levels(report: dict[str, object]) -> dict[str, str]:
    checks = report["checks"]
    assert isinstance(checks, list)
    return {item["check"]: item["level"] for item in checks}


def test_from_a_backup_to_a_node_that_releases_again(node: nodes.Node, tmp_path: Path):
    passphrase, out, new = tmp_path / "passphrase", tmp_path / "b.tar", tmp_path / "new"
    passphrase.write_text("six mots tirés au hasard\n")
    where = ("--node", str(node.folder))

    report = levels(preau("doctor", str(node.folder)))
    assert set(report.values()) == {"ok"}
    assert report["public-url"] == "ok"

    made = preau("backup", "--out", str(out), "--passphrase-file", str(passphrase), *where)
    assert made["keys"] is True
    assert out.stat().st_mode & 0o777 == 0o600
    assert preau("backup", "--out", str(out), *where, code=1)["code"] == "file-exists"
    preau("upgrade", str(node.folder), code=1)  # it runs
    dpo = preau("token", "add", "officer", "--role", "dpo", *where)["token"]
    nodes.stop([node])
    shutil.rmtree(node.folder)

    given = ("--passphrase-file", str(passphrase))
    restored = preau("backup", "restore", str(out), str(new), *given)
    assert restored["survived"] == 0
    report = levels(preau("doctor", str(new), "--full"))
    assert (report["quarantine"], report["log-full"]) == ("warning", "ok")
    upgraded = preau("upgrade", str(new))
    assert upgraded["from"] == upgraded["to"]

    again = nodes.Node("new", new, node.ports, node.did, tmp_path / "new.log")
    nodes.start([again])
    try:
        where = ("--node", str(new))
        confirm = ("consent", "confirm-gap", "--reason", "Nobody answered since.", *where)
        assert preau(*confirm, code=1)["code"] == "access-role"
        # The officer's token was made after the backup: it is gone with the rest of that time.
        assert preau(*confirm, code=1, env={"PREAU_TOKEN": str(dpo)})["code"] == (
            "access-token-unknown"
        )
        dpo = preau("token", "add", "officer", "--role", "dpo", *where)["token"]
        preau(*confirm, env={"PREAU_TOKEN": str(dpo)})
        report = levels(preau("doctor", str(new)))
        assert "quarantine" not in report
        assert set(report.values()) == {"ok"}
    finally:
        nodes.stop([again])


def test_keys_are_exported_under_a_passphrase_only(node: nodes.Node, tmp_path: Path):
    passphrase, out = tmp_path / "passphrase", tmp_path / "keys.sealed"
    passphrase.write_text("short\n")
    where = ("--passphrase-file", str(passphrase), "--node", str(node.folder))
    found = preau("key", "export", "--out", str(out), *where, code=1)
    assert found["code"] == "identity-passphrase-short"
    assert not out.exists()
    passphrase.write_text("six mots tirés au hasard\n")
    preau("key", "export", "--out", str(out), *where)
    assert out.stat().st_mode & 0o777 == 0o600
    assert preau("key", "export", "--out", str(out), *where, code=1)["code"] == "file-exists"


def test_a_stopped_node_is_backed_up_without_it(node: nodes.Node, tmp_path: Path):
    nodes.stop([node])
    out = tmp_path / "b.tar"
    assert preau("backup", "--out", str(out), "--node", str(node.folder))["keys"] is False
    found = preau("backup", "--out", str(tmp_path / "c.tar"), "--node", node.management, code=1)
    assert found["code"] == "cli-no-token"
    assert preau("backup", "restore", str(out), str(tmp_path / "n"), code=1)["code"] == (
        "backup-keys-missing"
    )
