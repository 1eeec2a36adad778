"""Rows pushed to a connector with an EDC's habits, and what a resumption must say to it."""

import asyncio

import pytest

from connector.services.show import views
from tests.peers.conftest import LATER, ONE, World, publish
from tests.support import traces


async def test_pushed_to_a_sink_and_completed(world: World):
    await publish(world.node)
    made = world.edc.take(await world.agreed(), f"{world.edc.plane.url}/sink")
    assert await asyncio.to_thread(made.reached, "COMPLETED", "TERMINATED") == "COMPLETED"
    [body] = world.edc.pushed
    assert len(body.splitlines()) == len(traces.statements(12, 3))
    assert b"learner-" not in body


async def test_a_sink_that_refuses_suspends_and_a_resumption_begins_anew(world: World):
    await publish(world.node)
    world.edc.sink_status = 503
    made = world.edc.take(await world.agreed(), f"{world.edc.plane.url}/sink")
    assert await asyncio.to_thread(made.reached, "SUSPENDED", "TERMINATED") == "SUSPENDED"
    world.edc.sink_status = 200
    world.edc.act(made, "start")
    assert await asyncio.to_thread(made.reached, "COMPLETED", "TERMINATED") == "COMPLETED"
    assert len(world.edc.pushed) == 2


@LATER
async def test_a_resumption_that_says_where_to_push_wants_no_answer(world: World):
    await publish(world.node)
    edc, sink = world.edc, world.edc.plane.url
    edc.sink_status = 503
    made = edc.take(await world.agreed(), f"{sink}/first", own=f"{sink}/second")
    assert await asyncio.to_thread(made.reached, "SUSPENDED", "TERMINATED") == "SUSPENDED"
    edc.sink_status = 200
    edc.act(made, "start")
    assert await asyncio.to_thread(made.reached, "COMPLETED", "TERMINATED") == "COMPLETED"
    assert edc.sinks == ["/first", "/second"]


@LATER
async def test_a_resumption_does_not_push_to_strangers(world: World):
    await publish(world.node)
    world.edc.sink_status = 503
    sink = f"{world.edc.plane.url}/first"
    made = world.edc.take(await world.agreed(), sink, own="http://localhost:1/elsewhere")
    assert await asyncio.to_thread(made.reached, "SUSPENDED", "TERMINATED") == "SUSPENDED"
    world.edc.act(made, "start")
    assert await asyncio.to_thread(made.reached, "TERMINATED") == "TERMINATED"
    assert world.edc.sinks == ["/first"]


@ONE
@pytest.mark.parametrize("sink", ["http://localhost:1/elsewhere", "http://169.254.169.254/"])
async def test_nothing_is_pushed_to_strangers(world: World, sink: str):
    await publish(world.node)
    made = world.edc.take(await world.agreed(), sink)
    assert await asyncio.to_thread(made.reached, "TERMINATED") == "TERMINATED"
    assert not await views.transfers(world.node)
