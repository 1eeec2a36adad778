"""A node that cannot start says why, in one document, and touches nothing."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.nodes import NodeProcess, preau
from tests.support.source import ROOT

pytestmark = pytest.mark.slow


def serve(node: NodeProcess, *options: str) -> tuple[int, dict[str, Any]]:
    """`preau serve` for somebody who expects it to fail."""
    done = subprocess.run(
        [sys.executable, "-m", "connector.cli", "serve", str(node.folder), "--json", *options],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    made = NodeProcess.init(tmp_path / "node")
    yield made
    made.stop()


def told(found: dict[str, Any], *words: str) -> bool:
    """Whether both languages say it, with what to do."""
    texts = [found["fr"], found["en"]]
    return all(word in text for word in words for text in texts) and all(found["do"].values())


@pytest.mark.parametrize("port", ["public", "management"])
def test_a_port_in_use(node: NodeProcess, port: str):
    number = getattr(node, port)
    with socket.create_server(("127.0.0.1", number)):
        code, found = serve(node)
    assert (code, found["code"]) == (1, "runtime-port-in-use")
    assert told(found, str(number))


def test_a_second_process_on_the_same_folder(node: NodeProcess):
    node.start()
    code, found = serve(node)
    assert (code, found["code"]) == (1, "store-node-running")
    assert told(found, str(node.folder))
    assert node.healthy(), "the first one goes on"


def test_a_key_that_others_can_read(node: NodeProcess):
    key = node.folder / "keys" / "token-1.pem"
    key.chmod(0o644)
    code, found = serve(node)
    assert (code, found["code"]) == (1, "identity-key-mode")
    assert "chmod" in found["do"]["fr"]
    assert "chmod" in found["do"]["en"]


def test_a_database_that_is_missing(node: NodeProcess):
    (node.folder / "preau.sqlite").unlink()
    code, found = serve(node)
    assert (code, found["code"]) == (1, "store-missing")
    assert not (node.folder / "preau.sqlite").exists(), "an empty one would forget every consent"


def test_a_setting_that_is_none(node: NodeProcess):
    node.configure("release", max_part_rosw=7)
    code, found = serve(node)
    assert (code, found["code"]) == (1, "settings-unknown")
    assert told(found, "release.max_part_rosw")


def test_dev_is_for_loopback_only(tmp_path: Path):
    folder = tmp_path / "node"
    done = preau(
        *("init", folder, "--name", "N", "--dev", "--json", "--public-url", "http://example.org")
    )
    assert (done.code, done.document["code"]) == (1, "identity-url-invalid")
    assert told(done.document)
    assert not folder.exists()


def test_init_never_writes_over_a_node(node: NodeProcess):
    before = {path: path.stat().st_mtime_ns for path in node.folder.rglob("*")}
    done = preau("init", node.folder, "--name", "N", "--dev", "--json", "--public-url", node.url)
    assert (done.code, done.document["code"]) == (1, "runtime-folder-not-empty")
    assert {path: path.stat().st_mtime_ns for path in node.folder.rglob("*")} == before


def test_a_command_without_its_node_says_so(node: NodeProcess):
    done = preau("dataset", "list", "--node", node.folder, "--json")
    assert (done.code, done.document["code"]) == (1, "cli-no-node")
    assert told(done.document, str(node.management))


def test_secrets_are_readable_by_their_owner_only(node: NodeProcess):
    node.start()
    for name in ("preau.sqlite", "tokens/operator", "keys/subject-1.hex", "consent.journal"):
        mode = (node.folder / name).stat().st_mode & 0o777
        assert mode == 0o600, name
    assert node.folder.stat().st_mode & 0o777 == 0o700
