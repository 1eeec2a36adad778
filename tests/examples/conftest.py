"""Two running nodes for the examples, with one agreement played to the end."""

import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support import traces
from tests.support.nodes import Two, two

QUESTIONS: Final = 600


@dataclass(frozen=True, slots=True)
class Played:
    """What the nodes left: bundles of both parties, received files, and an early checkpoint."""

    nodes: Two
    agreement: str
    platform: Path
    lab: Path
    received: Path
    old_checkpoint: bytes


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """A platform with published traces and consents, and a lab."""
    folder = tmp_path_factory.mktemp("examples")
    with two(folder, max_part_rows=100, first_part_rows=50) as made:
        made.publish(decisions=["dpo"])
        names = [traces.learner(number) for number in range(40)]
        made.consent([name for name in names if traces.consents(name)])
        yield made


def agree(nodes: Two) -> str:
    """Negotiate through the DPO's approval; the agreement's id."""
    pid = nodes.ask()["pid"]
    there = counterpart(nodes, pid)
    nodes.platform.negotiation(there, until="SETTLED")
    words = ("negotiation", "decide", there, "--as", "dpo", "--approve")
    nodes.platform.must(*words, role="dpo")
    return str(nodes.lab.negotiation(pid, until="FINALIZED")["agreement"])


def counterpart(nodes: Two, pid: str) -> str:
    """The platform's name for the lab's negotiation, once it has answered."""
    client = nodes.lab.client("researcher")
    for _ in range(QUESTIONS):
        found = client.get(f"/v1/negotiations/{pid}", wait=0.05, until="SETTLED")
        if found["peer_pid"]:
            return str(found["peer_pid"])
    raise AssertionError("the platform does not answer")


@pytest.fixture(scope="session")
def played(nodes: Two, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One agreement, its files, and the evidence as each party has it."""
    folder = tmp_path_factory.mktemp("played")
    with urllib.request.urlopen(f"{nodes.platform.url}/log/checkpoint") as answer:
        old = answer.read()
    agreement = agree(nodes)
    nodes.lab.must("transfer", "fetch", agreement, "--out", folder / "received", role="researcher")
    for node in nodes.both:
        out = folder / f"{node.folder.name}.zip"
        node.must("audit", "bundle", agreement, "--out", out, role="auditor")
    return Played(
        nodes, agreement, folder / "platform.zip", folder / "lab.zip", folder / "received", old
    )
