"""`examples/03_dpo.md`: its commands, played on two nodes, say what the page says.

With PREAU_WRITE_EXAMPLES=1 the page is written anew instead.
"""

import json
import os
import re
import shlex
from pathlib import Path

import pytest

from tests.support import traces
from tests.support.nodes import Two, preau, two
from tests.support.source import ROOT

PAGE = ROOT / "examples" / "03_dpo.md"
FIELDS = ["actor", "object.id", "timestamp", "verb.id"]
QUESTIONS = 600
pytestmark = pytest.mark.slow

CHANGING = (
    (r"urn:uuid:[0-9a-f-]{36}", "urn:uuid:…"),
    (r"(sha-256[:;])[0-9A-Za-z_-]{43,64}", r"\1…"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "…Z"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "…"),
    (r"(localhost(?::|%3A))\d+", r"\g<1>…"),
    (r"\d{1,2} \w+ \d{4}, \d\d:\d\d(:\d\d(\.\d+)?)? UTC", "… UTC"),
    (r"(/offers/)[0-9A-Za-z_-]{43}", r"\1…"),
    (r"  \([a-z]+\)$", ""),  # how far a message's delivery is
    (r" +$", ""),
    (r" {2,}", "  "),
)


def alike(text: str) -> str:
    """A text without what differs from run to run."""
    for pattern, instead in CHANGING:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return text


def test_the_page_shows_what_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with two(tmp_path / "nodes") as nodes:
        nodes.publish(decisions=["dpo"])
        nodes.consent([traces.learner(number) for number in range(30)])
        monkeypatch.chdir(tmp_path)
        more = traces.application(fields=[*FIELDS, "context.registration"])
        files = {
            "application.json": more,
            "changed.json": traces.application(fields=FIELDS),
            "offer.json": {"v": 1, "fields": FIELDS},
        }
        for name, document in files.items():
            Path(name).write_text(json.dumps(document), "utf-8")
        text = PAGE.read_text("utf-8")
        played = re.sub(
            r"^```console\n(.*?)^```",
            lambda block: f"```console\n{play(nodes, block[1], monkeypatch)}```",
            text,
            flags=re.DOTALL | re.MULTILINE,
        )
    if os.environ.get("PREAU_WRITE_EXAMPLES") == "1":
        PAGE.write_text(played, "utf-8")
    assert alike(PAGE.read_text("utf-8")) == alike(played)


def play(nodes: Two, block: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A block of the page with the output that its commands have now."""
    shown = ""
    for line in block.splitlines():
        command = re.match(r"(lab|dpo)\$ preau (.*?)( > \w+\.txt)?$", line)
        if command is None:
            continue  # what it said last time
        node, role = (nodes.lab, "researcher") if command[1] == "lab" else (nodes.platform, "dpo")
        monkeypatch.setenv("PREAU_NODE", str(node.folder))
        monkeypatch.setenv("PREAU_TOKEN", node.token(role))
        done = preau(*map(str, words(nodes, command[1], command[2])))
        assert done.code == 0, (line, done)
        shown += line + "\n" + ("" if command[3] else done.out)
    return shown


def words(nodes: Two, who: str, line: str) -> list[str]:
    """A command's words, with the names that stand for ids replaced."""
    client = (nodes.lab if who == "lab" else nodes.platform).client()
    values = {"$DATASET": nodes.dataset}
    if "$ID" in line:
        values["$ID"] = first(client, "/v1/negotiations", "pid")
    if "$AGREEMENT" in line:
        values["$AGREEMENT"] = first(client, "/v1/agreements", "id")
    return [values.get(word, word) for word in shlex.split(line)]


def first(client, path: str, member: str) -> str:
    for _ in range(QUESTIONS):
        found = client.get(path)
        if found:
            return str(found[0][member])
    raise AssertionError(f"nothing at {path}")
