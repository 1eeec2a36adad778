"""README's “Your first node” typed as it stands, with the three small files it shows."""

import gzip
import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support import traces
from tests.support.nodes import Done, free_port, preau
from tests.support.source import ROOT

README = (ROOT / "README.md").read_text("utf-8")
FIRST_NODE = README[README.index("## Your first node") : README.index("## Examples")]
CONSENTING = 12
pytestmark = pytest.mark.slow


def shown(language: str, containing: str) -> str:
    """The block of the details that holds a text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", FIRST_NODE, re.DOTALL | re.MULTILINE)
    return next(str(block) for block in blocks if containing in block)


def commands() -> list[list[str]]:
    found = re.findall(r"^\$ preau (.*)$", FIRST_NODE, re.MULTILINE)
    return [_words(line) for line in found]


def _words(line: str) -> list[str]:
    return [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]


@pytest.fixture
def pids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A clean folder; what was started there is stopped."""
    monkeypatch.chdir(tmp_path)
    started: list[int] = []
    yield started
    for pid in started:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def files(ports: dict[str, str]) -> None:
    """The files it shows, and statements of learners some of whom consent."""
    Path("about.toml").write_text(shown("toml", "[policy.params]"), "utf-8")
    Path("application.json").write_text(shown("json", "purpose"), "utf-8")
    Path("passphrase.txt").write_text("six words drawn by lot, please\n", "utf-8")
    first, row = shown("csv", "event_id").splitlines()
    rows = [
        row.replace("1,account,learner-07", f"{n},account,{traces.learner(n)}").replace(
            "https://learn.example.org", traces.HOME
        )
        for n in range(CONSENTING)
    ]
    Path("consents.csv").write_text(_moved("\n".join([first, *rows, ""]), ports), "utf-8")
    Path("statements.jsonl.gz").write_bytes(gzip.compress(traces.lines(traces.statements())))


def _moved(text: str, ports: dict[str, str]) -> str:
    for shown_port, ours in ports.items():
        text = text.replace(shown_port, ours)
    return text


def test_what_it_shows_works(pids: list[int]):
    ports = {"9101": str(_pair()), "9201": str(_pair())}
    files(ports)
    said: dict[str, Done] = {}
    for words in commands():
        line = _moved(" ".join(words), ports)
        typed = [_moved(word, ports) for word in words]
        if "--approve" in typed:  # the request before was refused: ask again, and wait for it
            assert preau(*request(ports)).code == 0
            typed += ["--wait", "30"]
        if "--reject" in typed:
            typed += ["--wait", "30"]
        if typed[:2] == ["agreement", "show"]:
            agreed(Path("lab"))
        if typed[0] == "upgrade":
            os.kill(pids[0], signal.SIGTERM)
            os.waitpid(pids[0], 0)
        target = typed.index(">") if ">" in typed else len(typed)
        done = preau(*typed[:target])
        if target < len(typed):
            Path(typed[target + 1]).write_text(done.out, "utf-8")
        if "--background" in typed:
            pids.append(int(done.out))
        assert done.code == 0, (line, done)
        said[" ".join(words[:2])] = done
    assert "VALID" in said["audit verify"].out
    assert len(Path("received/data.ndjson").read_bytes().splitlines()) == CONSENTING * 15


def request(ports: dict[str, str]) -> list[str]:
    dataset = f"http://localhost:{ports['9101']}/datasets/traces"
    return ["request", dataset, "--application", "application.json", "--node", "lab"]


def agreed(folder: Path) -> None:
    """Wait until the lab's newest request is agreed."""
    newest = preau("negotiation", "list", "--node", folder, "--json").document[0]["pid"]
    waiting = ("--wait", "30", "--until", "FINALIZED")
    assert preau("negotiation", "show", newest, *waiting, "--node", folder).code == 0


def _pair() -> int:
    while True:
        first = free_port()
        if free_port() == first + 1:
            return first
