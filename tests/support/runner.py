"""A node that dies, shifts its clock or reports on itself: `python -m tests.support.runner DIR …`.

Product code knows no failpoint. This module wraps the node's own functions from outside, then
calls `connector.runtime.serve` like `preau serve` does. A failpoint is `POINT/EVENT`:

| point           | the process kills itself with SIGKILL …                              |
|-----------------|----------------------------------------------------------------------|
| `before-commit` | in the transaction that notes the event, before it lasts             |
| `after-commit`  | as soon as that transaction lasts: no answer, no message has left    |
| `after-send`    | when the peer has answered the request, before anything is made of it|
| `after-write`   | when the received part lies on the disk, before it is logged         |
| `after-journal` | when the consent journal holds the events, before they are committed |

Events: `in:TYPE` and `out:TYPE` for messages noted, `TYPE` for messages posted, `part:N`,
`manifest`, `receipt`, `tick`, `revision`.
"""

import argparse
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from connector import runtime
from connector.base.clock import SystemClock
from connector.cli.output import fail
from connector.dataplane.parts import PartWriter
from connector.delivery.client import PeerClient
from connector.store import catalogs, consents, messages, parts
from connector.store.sqlite import SqliteConnection
from connector.subjects.journal import Journal
from policies.problem import Problem


def die() -> NoReturn:
    """End like a process that lost its power: nothing is flushed, no handler runs."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit  # never reached


def replace(owner: object, name: str, function: object) -> None:
    """Put a wrapper in the place of what it wraps."""
    setattr(owner, name, function)


class Commits:
    """Kills at the commit of the transaction in which the event was noted."""

    def __init__(self, point: str, event: str) -> None:
        self._point = point
        self._event = event
        self._here = threading.local()  # the reader's transactions are another thread's

    def install(self) -> None:
        self._note(messages, "add", lambda row: f"{row.direction}:{row.type}")
        self._note(parts, "add", lambda row: f"part:{row.n}")
        self._note(parts, "put_manifest", lambda _: "manifest")
        self._note(consents, "add_tick", lambda _: "tick")
        self._note(catalogs, "put_revision", lambda _: "revision")
        begin, commit = SqliteConnection.begin, SqliteConnection.commit

        def begun(connection: SqliteConnection) -> None:
            self._here.noted = False
            begin(connection)

        def committed(connection: SqliteConnection) -> bool:
            noted = getattr(self._here, "noted", False)
            if noted and self._point == "before-commit":
                die()
            written = commit(connection)
            if noted and self._point == "after-commit":
                die()
            return written

        replace(SqliteConnection, "begin", begun)
        replace(SqliteConnection, "commit", committed)
        original = parts.put_receipt

        def put_receipt(*arguments: Any, **named: Any) -> Any:
            self._noted("receipt")
            return original(*arguments, **named)

        replace(parts, "put_receipt", put_receipt)

    def _note(self, module: Any, name: str, event_of: Callable[[Any], str]) -> None:
        original = getattr(module, name)

        def wrapped(tx: Any, row: Any, *arguments: Any, **named: Any) -> Any:
            self._noted(event_of(row))
            return original(tx, row, *arguments, **named)

        setattr(module, name, wrapped)

    def _noted(self, event: str) -> None:
        if event == self._event:
            self._here.noted = True


def kill_after_send(event: str) -> None:
    """Kill when the peer has answered the request that carries the event."""
    get, post = PeerClient.get, PeerClient.post

    async def posted(client: PeerClient, url: str, body: bytes, **named: Any) -> Any:
        answer = await post(client, url, body, **named)
        named_type = json.loads(body).get("@type") or url.rpartition("/")[2]
        if named_type == event:
            die()
        return answer

    async def got(client: PeerClient, url: str, **named: Any) -> Any:
        answer = await get(client, url, **named)
        if url.endswith("/" + event.replace("part:", "parts/")):
            die()
        return answer

    replace(PeerClient, "post", posted)
    replace(PeerClient, "get", got)


def kill_after_write(event: str) -> None:
    """Kill when a received part lies on the disk."""
    write = PartWriter.write

    def written(writer: PartWriter, info: Any, body: bytes) -> None:
        write(writer, info, body)
        if f"part:{info.n}" == event:
            die()

    replace(PartWriter, "write", written)


def kill_after_journal(_event: str) -> None:
    """Kill when the journal holds what was said."""
    append = Journal.append

    def appended(journal: Journal, entries: Any) -> NoReturn:
        append(journal, entries)
        die()

    replace(Journal, "append", appended)


def install(failpoint: str) -> None:
    """Wrap the node for one failpoint, `POINT/EVENT`."""
    point, _, event = failpoint.partition("/")
    if point in {"before-commit", "after-commit"}:
        Commits(point, event).install()
    else:
        {
            "after-send": kill_after_send,
            "after-write": kill_after_write,
            "after-journal": kill_after_journal,
        }[point](event)


def shift(seconds: float) -> None:
    """Let this node's clock show another time."""

    class Shifted(SystemClock):
        def now(self) -> datetime:
            return super().now() + timedelta(seconds=seconds)

    replace(runtime, "SystemClock", Shifted)


def count_commits() -> Counter[str]:
    """Count the node's commits by what they were for: the topics they announced, "none" for a
    checkpoint or a note.
    """
    run = runtime.run
    commits: Counter[str] = Counter()

    async def counting(node: Any, *arguments: Any) -> None:
        announce = node.store._writer._on_commit

        def heard(topics: frozenset[str]) -> None:
            commits["+".join(sorted(topics)) or "none"] += 1
            announce(topics)

        node.store._writer._on_commit = heard
        await run(node, *arguments)

    replace(runtime, "run", counting)
    return commits


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--kill")
    arguments.add_argument("--clock", type=float)
    arguments.add_argument("--report", type=Path)
    chosen = arguments.parse_args()
    if chosen.kill:
        install(chosen.kill)
    if chosen.clock:
        shift(chosen.clock)
    commits = count_commits()
    try:
        runtime.serve(chosen.folder)
    except Problem as problem:
        fail(problem)
    if chosen.report:
        found = {"modules": sorted(sys.modules), "commits": dict(commits)}
        chosen.report.write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    main()
