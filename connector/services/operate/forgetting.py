"""What need not be remembered: identifiers of tokens that have expired (ADR 0007).

Answers to messages are never forgotten: a peer may repeat its first message after any time, and
must not begin a second negotiation with it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from connector.base import telemetry
from connector.services.node import Node
from connector.store import replay
from policies.problem import Problem

EVERY: Final = 3_600.0
"""Seconds; a token lives for minutes."""

Pause = Callable[[float], Awaitable[None]]


async def keep(node: Node, pause: Pause = asyncio.sleep) -> None:
    """Forget at every hour what has expired by then, for ever."""
    while True:
        await pause(EVERY)
        try:
            await node.store.write(lambda tx: replay.purge(tx, now=node.clock.now()))
        except Problem as problem:  # the next hour tries again
            telemetry.failure("forgetting-failed", problem, code=problem.code)
