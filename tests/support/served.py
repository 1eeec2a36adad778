"""One whole node in this process that really listens: for peers that are servers of their own."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from connector import runtime
from connector.base import settings as configuration
from connector.services.node import Node
from tests.support import doors
from tests.support.nodes import free_port
from tests.support.pair import initialised

_left: list[int] = []
"""Ports of nodes that have ended: the next node takes one, and its folder need not be made anew."""


@asynccontextmanager
async def served(folder: Path, tables: dict[str, dict[str, Any]]) -> AsyncIterator[Node]:
    """A dev node in `folder` with these further TOML tables, on a port of its own."""
    port = _left.pop() if _left else free_port()
    shutil.copytree(initialised(folder.name, port), folder)
    with (folder / configuration.FILE).open("a", encoding="utf-8") as file:
        for name, members in tables.items():
            lines = [f"{key} = {json.dumps(value)}" for key, value in members.items()]
            file.write("\n".join(["", f"[{name}]", *lines, ""]))
    checked = configuration.read(folder)
    client = runtime.client_of(checked)
    with runtime.opened(folder, checked, client) as node:
        server = uvicorn.Server(
            uvicorn.Config(
                doors.public(node), port=port, log_config=None, lifespan="off", ws="none"
            )
        )
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        async with runtime._working(node, client):
            task = asyncio.create_task(server.serve())
            try:
                yield node
            finally:
                server.should_exit = True
                await task
                _left.append(port)
