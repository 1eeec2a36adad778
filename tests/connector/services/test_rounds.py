"""Rounds ask all peers at the set pace, never two at once with others, and survive a bad one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from catalog.search import Query
from connector.base import settings
from connector.base.settings import Discovery
from connector.services.discover import crawling, discovering, rounds
from connector.services.node import Node
from policies.problem import Problem
from tests.support.pair import Pair, statements

EVERY = 600


class Pacer:
    """Stands in for sleeping: the node waits here until the test lets the time pass."""

    def __init__(self, nodes: Pair) -> None:
        self.nodes = nodes
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self.go: asyncio.Queue[None] = asyncio.Queue()

    async def pause(self, seconds: float) -> None:
        await self.asked.put(seconds)
        await self.go.get()

    async def let_pass(self) -> float:
        """The time that the node waits for passes, and its next wait has begun; its seconds."""
        self.nodes.clock.advance(await self.asked.get())
        self.nodes.wire.seen.clear()
        await self.go.put(None)
        following = await self.asked.get()
        await self.asked.put(following)
        return following


def paced(node: Node, every: int) -> Node:
    """The node with another pace."""
    changed = node.settings.model_copy(update={"discovery": Discovery(every=every)})
    return replace(node, settings=changed)


@asynccontextmanager
async def running(nodes: Pair) -> AsyncIterator[Pacer]:
    pacer = Pacer(nodes)
    task = asyncio.create_task(rounds.keep(paced(nodes.consumer, EVERY), pacer.pause))
    try:
        yield pacer
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def found(nodes: Pair, refresh: str = "never") -> list[str]:
    node = paced(nodes.consumer, EVERY)
    answer = await discovering.search(node, Query(""), refresh=refresh)
    return sorted(one["identifier"] for one in answer["results"])


def heads(nodes: Pair) -> list[int]:
    return [status for _, path, status in nodes.wire.seen if path == "/catalog"]


async def test_a_round_brings_what_peers_published_and_a_search_asks_nobody(nodes: Pair):
    await nodes.publish(statements(12))
    async with running(nodes) as pacer:
        await pacer.let_pass()
        assert await found(nodes) == ["traces"]
        await nodes.publish(statements(12), id="later")
        nodes.wire.seen.clear()
        assert await found(nodes, "due") == ["traces"]
        assert nodes.wire.seen == []
        await pacer.let_pass()
        assert await found(nodes) == ["later", "traces"]
        await pacer.let_pass()
        assert heads(nodes) == [304]


async def test_the_pace_varies_by_a_tenth_and_the_first_wait_is_short(nodes: Pair):
    async with running(nodes) as pacer:
        first = await pacer.asked.get()
        await pacer.asked.put(first)
        assert 0.09 * EVERY <= first <= 0.11 * EVERY
        waits = [await pacer.let_pass() for _ in range(20)]
    assert all(0.9 * EVERY <= wait <= 1.1 * EVERY for wait in waits)
    assert len(set(waits)) > 15


async def test_whom_a_search_asked_a_moment_ago_is_not_asked_again(nodes: Pair):
    async with running(nodes) as pacer:
        await pacer.let_pass()
        wait = await pacer.asked.get()
        nodes.clock.advance(wait - 10)
        await discovering.search(nodes.consumer, Query(""), refresh="always")
        await pacer.asked.put(10)
        await pacer.let_pass()
        assert heads(nodes) == []


async def test_a_search_asks_whom_the_rounds_have_missed(nodes: Pair):
    await nodes.publish(statements(12))
    assert await found(nodes, "due") == ["traces"]
    await nodes.publish(statements(12), id="later")
    nodes.clock.advance(2 * EVERY - 1)
    assert await found(nodes, "due") == ["traces"]
    nodes.clock.advance(2)
    assert await found(nodes, "due") == ["later", "traces"]


async def test_a_peer_that_is_down_or_a_store_that_refuses_ends_no_round(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    await nodes.publish(statements(12))

    async def refused(*_: object, **__: object) -> list[crawling.Visit]:
        raise Problem("store-disk-full", fault="-")

    async with running(nodes) as pacer:
        nodes.wire.down.add("localhost:9101")
        await pacer.let_pass()
        nodes.wire.down.clear()
        with monkeypatch.context() as patched:
            patched.setattr(crawling, "crawl", refused)
            await pacer.let_pass()
        assert await found(nodes) == []
        await pacer.let_pass()
        assert await found(nodes) == ["traces"]


async def test_zero_means_never(nodes: Pair):
    pacer = Pacer(nodes)
    await rounds.keep(paced(nodes.consumer, 0), pacer.pause)
    assert pacer.asked.empty()
    assert rounds.patience(paced(nodes.consumer, 0)) == timedelta(minutes=5)


@pytest.mark.parametrize(("every", "right"), [(0, True), (9, False), (10, True), (-1, False)])
def test_a_pace_that_nobody_means_is_refused(every: int, right: bool):
    table = {
        "node": {"did": "did:web:n.example", "name": "N", "public_url": "https://n.example"},
        "discovery": {"every": every},
    }
    if right:
        assert settings.check(table).discovery.every == every
        return
    with pytest.raises(Problem, match=r"discovery\.every"):
        settings.check(table)
