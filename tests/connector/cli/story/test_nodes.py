import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from connector.cli.story import nodes, standin
from connector.cli.story.nodes import Node, Ports
from policies.problem import Problem


def node(tmp_path: Path, process: "subprocess.Popen[bytes] | None" = None) -> Node:
    return Node("n", tmp_path / "n", Ports(1, 2), "did:web:localhost", tmp_path / "n.log", process)


def test_a_failed_init_says_why(tmp_path):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "something").write_text("here")
    with pytest.raises(Problem) as raised:
        nodes.make(tmp_path, [("lab", "Lab")], "en")
    assert raised.value.code == "demo-init-failed"
    assert "runtime-folder-not-empty" in raised.value.text("en")


def test_a_node_that_ends_at_once_is_named_with_its_last_words(tmp_path):
    broken = node(tmp_path)
    with pytest.raises(Problem) as raised:
        nodes.start([broken])
    assert raised.value.code == "demo-node-ended"
    assert "preau.toml" in raised.value.text("en")
    assert not broken.running


def test_a_process_that_ignores_the_signal_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(nodes, "STOP_SECONDS", 0.01)
    script = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True);"
        "signal.pause()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout as out:
        out.read(1)
        assert nodes.stop([node(tmp_path, process)]) == [-9]


def test_stopping_what_does_not_run_is_nothing(tmp_path):
    assert nodes.stop([node(tmp_path)]) == []


def test_parts_are_limited_in_the_configuration(tmp_path):
    one = node(tmp_path)
    one.folder.mkdir()
    settings = one.folder / "preau.toml"
    settings.write_text("[dev]\non = true\n", "utf-8")
    nodes.limit_parts(one, 300)
    assert settings.read_text("utf-8").endswith("\n[release]\nmax_part_rows = 300\n")


def test_somebody_else_answers_with_what_they_were_given():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with standin.serving(port, {"/catalog": b"{}"}):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/catalog") as answer:
            assert answer.read() == b"{}"
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/other")
        raised.value.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/catalog")
