"""Rounds: the crawl on the node's own schedule, so that a search finds fresh copies at once.

Between two rounds nothing runs: one timer a node. Lengths vary by a tenth, so that nodes started
together do not ask together, and the first round waits about a tenth of the interval: a node that
has just started has other things to do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from connector.base import telemetry
from connector.services.discover import crawling
from connector.services.node import Node
from policies.problem import Problem

Pause = Callable[[float], Awaitable[None]]
FIRST: Final = 0.1
"""The part of the interval that a node waits after its start."""
_VARIATION: Final = 0.1
_STEPS: Final = 1 << 32


async def keep(node: Node, pause: Pause = asyncio.sleep) -> None:
    """Crawl all known peers every `[discovery] every` seconds, for ever; at once over when 0."""
    every = node.settings.discovery.every
    if not every:
        return
    await pause(every * FIRST * _about_one(node))
    while True:
        await once(node)
        await pause(every * _about_one(node))


async def once(node: Node) -> None:
    """One round. Whom somebody's search asked a moment ago is not asked again."""
    every = timedelta(seconds=node.settings.discovery.every)
    try:
        visits = await crawling.crawl(node, max_age=min(crawling.MAX_AGE, every / 2))
    except Problem as problem:
        # The store did not take it (a full disk, say): the next round tries again.
        telemetry.failure("round-failed", problem, code=problem.code)
        return
    states = [visit.document()["state"] for visit in visits]
    names = ("read", "unchanged", "skipped")
    telemetry.event("round", **{name: states.count(name) for name in names})


def patience(node: Node) -> timedelta:
    """How old a copy may be before a search asks first: what the rounds should have renewed."""
    every = node.settings.discovery.every
    return timedelta(seconds=2 * every) if every else crawling.MAX_AGE


def _about_one(node: Node) -> float:
    """A factor between 0.9 and 1.1, another one each time."""
    drawn = int.from_bytes(node.ids.token(4), "big") / _STEPS
    return 1 + _VARIATION * (2 * drawn - 1)
