"""`preau serve --background`: back when ready, gone when told, and honest when it cannot start."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nodes import NodeProcess, preau

pytestmark = pytest.mark.slow


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    made = NodeProcess.init(tmp_path / "univ")
    yield made
    made.stop()


def test_it_is_ready_when_the_command_returns(node: NodeProcess):
    done = preau("serve", node.folder, "--background")
    assert done.code == 0, done
    pid = int(done.out)
    try:
        assert f"kill {pid}" in done.err
        assert node.must("negotiation", "list") == []
        again = preau("serve", node.folder, "--background", "--json")
        assert (again.code, again.document["code"]) == (1, "store-node-running")
        assert node.healthy()
    finally:
        os.kill(pid, signal.SIGTERM)
        assert os.waitpid(pid, 0)[1] == 0
    assert (node.folder / "serve.log").stat().st_mode & 0o777 == 0o600


def test_a_node_that_cannot_start_says_why(node: NodeProcess):
    with socket.create_server(("127.0.0.1", node.public)):
        done = preau("serve", node.folder, "--background", "--json")
    assert (done.code, done.document["code"]) == (1, "cli-serve-ended")
    assert str(node.public) in done.document["en"]


def test_by_its_url_a_peer_is_known_by_its_did(node: NodeProcess, tmp_path: Path):
    other = NodeProcess.init(tmp_path / "lab").start()
    try:
        node.start()
        made = node.must("peer", "add", f"{other.url}/", "--name", "Lab")
        assert made["did"] == other.did
        for groups in (["labs", "partners"], []):
            options = [word for group in groups for word in ("--group", group)]
            assert node.must("peer", "groups", other.did, *options)["groups"] == groups
        assert node.run("peer", "groups", "did:web:x.example").document["code"] == "peer-unknown"
        for _ in range(2):
            gone = node.must("peer", "remove", other.did, "--reason", "Closed.")
            assert (gone["did"], gone["reason"]) == (other.did, "Closed.")
        assert node.must("peer", "list") == []
        assert node.run("peer", "add", "ftp://x.example").document["code"].startswith("identity-")
    finally:
        other.stop()
