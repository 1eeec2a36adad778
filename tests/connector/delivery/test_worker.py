"""The running worker: woken by commits, stopped gently, alive or seen not to be."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from connector.delivery.client import PeerClient
from connector.delivery.outbox import Worker, lease, leasing
from connector.store import outbox
from connector.store.rows import OutboxRow
from connector.store.store import Store
from policies.problem import Problem
from tests.connector.delivery.conftest import BOB, Serve, World, answer
from tests.support.clock import ManualClock
from tests.support.databases import fresh
from tests.support.ids import SeededIds


async def test_a_commit_wakes_the_worker_and_stop_ends_it(world: World):
    assert not world.worker.alive
    await world.worker.start()
    assert world.worker.alive
    for n in range(3):
        await world.put("p1", n)
    await world.until(lambda: len(world.settled) == 3)
    assert world.worker.alive
    await world.worker.stop()
    assert not world.worker.alive
    await world.put("p2")
    await asyncio.sleep(0)
    assert len(world.post.sent) == 3


async def test_starting_frees_the_leases_of_a_former_life(world: World):
    await world.put("p1")
    await world.store.write(lambda tx: lease(tx, world.clock.now()))
    await world.worker.start()
    await world.until(lambda: len(world.settled) == 1)
    await world.worker.stop()


async def test_stop_lets_what_flies_land(world: World):
    gate = asyncio.Event()
    world.post.script("https://bob.example/p1/1", gate)
    seq = await world.put("p1")
    await world.worker.start()
    await world.until(lambda: bool(world.post.sent))
    stopping = asyncio.create_task(world.worker.stop(grace=60))
    await asyncio.sleep(0)
    gate.set()
    await stopping
    assert (await world.row(seq)).state == "sent"


async def test_stop_cuts_off_what_does_not_land(world: World):
    world.post.script("https://bob.example/p1/1", asyncio.Event())
    seq = await world.put("p1")
    await world.worker.start()
    await world.until(lambda: bool(world.post.sent))
    await world.worker.stop(grace=0)
    assert (await world.row(seq)).state == "pending"
    assert world.settled == []
    reborn = world.new_worker()
    await reborn.start()
    await world.until(lambda: len(world.settled) == 1)
    await reborn.stop()


async def test_a_worker_that_no_longer_looks_is_not_alive(world: World):
    await world.worker.start()
    world.clock.advance(91)
    assert not world.worker.alive
    await world.worker.stop()


async def test_the_worker_outlives_a_store_that_fails_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    world.worker = world.new_worker(poll=0.005)
    failing = True
    read = world.store.read

    async def flaky(unit: Callable[..., object]) -> object:
        if failing:
            raise Problem("store-locked")
        return await read(unit)

    monkeypatch.setattr(world.store, "read", flaky)
    await world.worker.start()
    await world.put("p1")
    assert world.worker.alive
    failing = False
    await world.until(lambda: len(world.settled) == 1)
    await world.worker.stop()


async def test_the_worker_ends_with_its_store(tmp_path: Path, clock: ManualClock):
    store = Store.open(fresh(tmp_path / "other.db"))
    worker = World(store, clock).new_worker(poll=0.005)
    await worker.start()
    await asyncio.to_thread(store.close)
    assert worker._task is not None
    await worker._task
    assert not worker.alive
    await worker.stop()


async def test_handing_over_leased_rows_costs_no_commit(world: World):
    await world.worker.start()
    now = world.clock.now()
    before = world.store.commits
    row = OutboxRow("p1", BOB, "https://bob.example/p1/1", "T", b"x", now, now)

    def unit(tx):
        leases = leasing(tx, now)
        outbox.put(tx, row)
        return leases.rows

    leased = await world.store.write(unit)
    world.worker.hand(leased)
    world.worker.hand(leased)  # harmless
    await world.until(lambda: len(world.settled) == 1)
    assert world.store.commits == before + 1
    assert len(world.post.sent) == 1
    await world.worker.stop()


async def hand_on(world: World, n: int) -> frozenset[str]:
    """What a service does in one commit: put the n-th message of p1, lease, hand over."""
    now = world.clock.now()
    row = OutboxRow("p1", BOB, f"https://bob.example/p1/{n}", "T", b"x", now, now)

    def unit(tx):
        leases = leasing(tx, now)
        outbox.put(tx, row)
        return leases

    leases: outbox.Leases = await world.store.write(unit)
    if n == 1:
        world.worker.hand(leases.rows, leases.followed)
    return frozenset(leases.followed)


async def test_the_next_message_of_a_process_goes_as_soon_as_the_one_before_is_answered(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("connector.store.worker.FLUSH_SECONDS", 3600)
    gate = asyncio.Event()
    world.post.script("https://bob.example/p1/1", gate)
    await world.worker.start()
    assert await hand_on(world, 1) == frozenset()
    await world.until(lambda: bool(world.post.sent))
    followed = await hand_on(world, 2)
    assert followed == {"p1"}
    world.worker.hand([], followed)
    assert len(world.post.sent) == 1
    gate.set()
    await world.until(lambda: len(world.settled) == 2)
    await world.worker.stop()


async def test_an_answer_that_overtakes_the_news_of_a_next_message_does_not_hold_it_back(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("connector.store.worker.FLUSH_SECONDS", 3600)
    gate = asyncio.Event()
    world.post.script("https://bob.example/p1/1", gate)
    await world.worker.start()
    await hand_on(world, 1)
    await world.until(lambda: bool(world.post.sent))
    followed = await hand_on(world, 2)
    gate.set()
    await world.until(lambda: len(world.settled) == 1)
    await asyncio.gather(*world.worker._flights)  # the first has landed, unmarked
    world.worker.hand([], followed)  # only now does the service's task go on
    await world.until(lambda: len(world.settled) == 2)
    await world.worker.stop()


async def test_a_message_that_nobody_handed_over_goes_once_the_one_before_it_is_marked(
    world: World,
):
    gate = asyncio.Event()
    world.post.script("https://bob.example/p1/1", gate)
    await world.worker.start()
    await hand_on(world, 1)
    await world.until(lambda: bool(world.post.sent))
    await world.put("p1", 2)
    gate.set()
    await world.until(lambda: len(world.settled) == 2)
    await world.worker.stop()


async def test_places_that_were_all_taken_are_filled_as_they_become_free(world: World):
    world.worker = world.new_worker(concurrency=2)
    gates = [asyncio.Event() for _ in range(5)]
    for n, gate in enumerate(gates):
        world.post.script(f"https://bob.example/p{n}/1", gate)
    await world.worker.start()
    for n in range(5):
        await world.put(f"p{n}")
    await world.until(lambda: len(world.post.sent) == 2)
    for n, gate in enumerate(gates):
        gate.set()
        await world.until(partial(lambda many: len(world.settled) == many, n + 1))
    await world.worker.stop()


async def test_over_real_http(world: World, serve: Serve):
    peer = await serve(answer(b'{"ok":1}'))
    async with PeerClient(dev=True) as client:
        worker = Worker(
            world.store,
            client,
            world.clock,
            authorize=world.authorize,
            settle=world.settle,
            random=SeededIds().token,
        )
        await world.put("p1", url=peer.url + "/dsp/x", body=b'{"a":1}')
        await world.put("p2", url="http://localhost:9/refused")
        await worker.run_until_idle()
    assert peer.requests[0].endswith(b'\r\n\r\n{"a":1}')
    outcomes = dict(world.settled)
    assert outcomes[1].delivered
    problem = outcomes[2].problem
    assert problem is not None
    assert problem.code == "delivery-port"
