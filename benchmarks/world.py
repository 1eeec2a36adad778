"""Two institutions for a benchmark: a platform as its own process, a lab inside this one.

The lab runs in the benchmark's process, on the same code as `preau serve`, so that it is asked
without the management API in between; what the two say to each other goes over real sockets.
"""

import contextlib
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connector import runtime
from connector.base import settings as configuration
from connector.base.clock import format_time
from connector.cli.story import nodes
from connector.cli.story.about import CATEGORY, GROUP, PURPOSE, About
from connector.http import public as public_app
from connector.http.server import Server
from connector.services.access import Actor
from connector.services.node import Node
from connector.store.lock import NodeLock

RESEARCHER: Final = Actor("actor-bench", "researcher")
DPO: Final = Actor("actor-bench", "dpo")


@contextlib.contextmanager
def platform_and_lab() -> Iterator[tuple[nodes.Node, nodes.Node]]:
    """Two nodes made, both serving and knowing each other; ended and removed at the end."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the nodes end with us
    with tempfile.TemporaryDirectory(prefix="preau-bench-", dir="/var/tmp") as d:
        platform, lab = nodes.make(Path(d), [("platform", "Platform"), ("lab", "Lab")], "en")
        try:
            nodes.start([platform, lab])
            for node, other, group in ((lab, platform, "platforms"), (platform, lab, GROUP)):
                told = {"did": other.did, "name": other.name, "groups": [group]}
                node.who("operator").post("/v1/peers", told)
            yield platform, lab
        finally:
            nodes.stop([platform, lab])


def publish(platform: nodes.Node, file: Path, *, ident: str, category: str = CATEGORY) -> str:
    """Publish a file of statements, nobody to decide; the dataset's IRI."""
    until = format_time(datetime.now(UTC).replace(microsecond=0) + timedelta(days=180))
    about = About(id=ident, fr=ident, en=ident, until=until).toml()
    declared = file.with_name(f"{ident}.toml")
    declared.write_text(re.sub(r"(?m)^category = .*$", f'category = "{category}"', about), "utf-8")
    with declared.open("rb") as text, file.open("rb") as data:
        made: dict[str, Any] = platform.who("steward").upload(
            "/v1/datasets", {"about": (declared.name, text), "file": (file.name, data)}
        )
    return str(made["dataset"])


def draft(fields: list[str]) -> dict[str, Any]:
    """An application that the platform's policy permits."""
    end = (datetime.now(UTC) + timedelta(days=170)).date().isoformat()
    return {
        "purpose": PURPOSE,
        "project": {"title": "A benchmark", "end": end, "ethics": "none"},
        "fields": sorted(fields),
        "period": {"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        "relation": {"type": "separate"},
        "processors": [],
    }


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[tuple[Node, Any]]:
    """A node's pieces in this process, and its HTTP client; nothing works yet."""
    checked = configuration.read(folder)
    with NodeLock(folder):
        client = runtime.client_of(checked)
        with runtime.opened(folder, checked, client) as node:
            yield node, client


@contextlib.asynccontextmanager
async def working(node: Node, client: Any, wrap: Any = None) -> AsyncIterator[None]:
    """The node at work on its public port; `wrap` may put an ASGI layer around it."""
    app = public_app.app(node)
    with runtime._bound(node.settings.listen.public) as bound:
        async with serving(wrap(app) if wrap else app, bound), runtime._working(node, client):
            yield


@contextlib.asynccontextmanager
async def serving(app: Any, bound: Any) -> AsyncIterator[None]:
    """An application on a bound socket, by the server that `preau serve` uses."""
    import asyncio

    server = Server(app, bound)
    task = asyncio.create_task(server.run())
    try:
        yield
    finally:
        server.stop()
        await task
