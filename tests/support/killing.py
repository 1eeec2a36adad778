"""Two nodes, one of which dies at a failpoint, and what it takes to bring both to rest again."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from connector.evidence.verify import verify
from policies.problem import Problem
from tests.support.nodes import Two

TRIES: Final = 400
PAUSE: Final = 0.01


class Before(NamedTuple):
    """Two stopped states to start from: with everything published, and with an agreement too."""

    published: Two
    agreed: Two
    agreement: str


def eventually(nodes: Two, question: Callable[[], object]) -> int:
    """Ask until the answer is yes, starting again whoever was killed; how many were."""
    deaths = 0
    for _ in range(TRIES):
        for node in nodes.both:
            if (code := node.ended(PAUSE)) is not None:
                assert code == -signal.SIGKILL, node.said()[-2000:]
                deaths += 1
                node.start()
        try:
            if question():
                return deaths
        except Problem as problem:
            if problem.code not in {"cli-no-node", "cli-broken-answer"}:
                raise
    raise AssertionError([node.said()[-1000:] for node in nodes.both])


def delivered(nodes: Two) -> bool:
    """Whether both outboxes have nothing left to send."""
    sql = "SELECT count(*) FROM outbox WHERE state = 'pending'"
    return all(node.query(sql) == [(0,)] for node in nodes.both)


def bundles(nodes: Two, agreement: str, files: Path | None = None) -> None:
    """Both parties' bundles verify."""
    for node in nodes.both:
        path = node.folder.with_name(f"{node.folder.name}.zip")
        node.client("auditor").download(f"/v1/agreements/{agreement}/bundle", path)
        report = verify(path, files=files)
        assert report.ok, report.document()
