"""The worker over a real database: in order, with patience, and never twice without need."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from connector.delivery.outbox import DEADLINE, Outcome, leasing
from connector.identity.ports import Response
from connector.store import attempts, outbox
from connector.store.outbox import Leases
from connector.store.rows import OutboxRow
from connector.store.tx import Tx
from policies.problem import Problem
from tests.connector.delivery.conftest import BOB, World, unreachable
from tests.support.clock import START

# ---------------------------------------------------------------------- what is sent


async def test_a_message_goes_out_with_a_fresh_token_and_is_marked(world: World):
    seq = await world.put("p1")
    await world.worker.run_until_idle()
    assert world.post.sent == [("https://bob.example/p1/1", b"p1-1")]
    assert dict(world.post.headers[0]) == {
        "Authorization": f"Bearer {BOB} 1",
        "Content-Type": "application/json",
        "Accept": "application/json",
    }
    row = await world.row(seq)
    assert (row.state, row.attempts, row.answer_status) == ("sent", 1, 200)
    assert row.answer == b'{"ok":true}'
    [(settled, outcome)] = world.settled
    assert settled == seq
    assert outcome.delivered
    assert outcome.response == Response(200, {}, b'{"ok":true}')


async def test_each_attempt_has_its_own_token(world: World):
    world.post.script("https://bob.example/p1/1", 503, unreachable(), 200)
    await world.put("p1")
    while await world.pass_time():
        pass
    assert [h["Authorization"] for h in world.post.headers] == [
        f"Bearer {BOB} {n}" for n in (1, 2, 3)
    ]
    assert len(world.settled) == 1


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_our_own_token_in_an_answer_is_not_kept(world: World, status: int):
    said = b"<p>I do not like did:web:bob.example 1.</p>"
    world.worker._authorize = lambda _: {"Authorization": "Bearer did:web:bob.example 1"}
    world.post.script("https://bob.example/p1/1", Response(status, {}, said))
    seq = await world.put("p1")
    await world.worker.run_until_idle()
    row = await world.row(seq)
    assert row.answer == "<p>I do not like ….</p>".encode()
    tried = await world.store.write(lambda tx: attempts.of(tx, process="p1"))
    assert b"did:web" not in b"".join(one.answer or b"" for one in tried)
    for _, outcome in world.settled:
        assert outcome.response is not None
        assert b"did:web" not in outcome.response.body


async def test_messages_of_one_process_keep_their_order(world: World):
    world.post.script("https://bob.example/p1/1", 503, 503)
    seqs = [await world.put("p1", n) for n in (1, 2, 3)]
    other = await world.put("p2")
    while await world.pass_time():
        pass
    assert [url[-4:] for url in world.post.urls] == [
        "p1/1",
        "p2/1",
        "p1/1",
        "p1/1",
        "p1/2",
        "p1/3",
    ]
    assert [seq for seq, _ in world.settled] == [other, *seqs]


async def test_one_process_has_one_message_in_flight_and_others_do_not_wait(world: World):
    gate = asyncio.Event()
    world.post.script("https://bob.example/p1/1", gate)
    await world.put("p1", 1)
    await world.put("p1", 2)
    for n in range(20):
        await world.put(f"q{n}")
    task = asyncio.create_task(world.worker.run_until_idle())
    await world.until(lambda: len(world.settled) == 20)
    assert "https://bob.example/p1/2" not in world.post.urls
    gate.set()
    await task
    assert world.post.urls[-1] == "https://bob.example/p1/2"


async def test_concurrency_is_bounded(world: World):
    world.worker = world.new_worker(concurrency=4)
    for n in range(25):
        await world.put(f"p{n}")
    await world.worker.run_until_idle()
    assert world.post.most == 4
    assert len(world.settled) == 25


SLOW = "did:web:slow.example"


async def test_a_peer_that_answers_slowly_does_not_hold_every_place(world: World):
    """Its messages come first, and there are more of them than there are senders."""
    world.worker = world.new_worker(concurrency=8, per_peer=3)
    gate = asyncio.Event()
    for n in range(30):
        world.post.script(f"https://slow.example/s{n}/1", gate)
        await world.put(f"s{n}", peer=SLOW)
    for n in range(20):
        await world.put(f"p{n}")
    task = asyncio.create_task(world.worker.run_until_idle())
    await world.until(lambda: len(world.settled) == 20)
    assert sum("slow" in url for url in world.post.urls) == 3
    assert not any("slow" in row.url for row in await claimable(world, SLOW, 3))
    gate.set()
    await task
    assert len(world.settled) == 50


async def claimable(world: World, peer: str, taken: int) -> list[OutboxRow]:
    """What could be leased now with so many places of a peer taken."""
    places = outbox.Places(3, {peer: taken})
    now = world.clock.now()
    return await world.store.write(
        lambda tx: outbox.claim(tx, now=now, lease_seconds=0, limit=50, places=places)
    )


async def test_what_was_handed_over_for_a_full_peer_waits_and_holds_up_nobody(world: World):
    world.worker = world.new_worker(concurrency=4, per_peer=1)
    gate = asyncio.Event()
    names = ["s0", "s1", "s2", "s3", "s4", "s5"]
    for name in names:
        world.post.script(f"https://slow.example/{name}/1", gate)

    def unit(tx: Tx) -> Leases:
        leases = leasing(tx, world.clock.now())
        for process, peer in [*((name, SLOW) for name in names), ("p1", BOB)]:
            outbox.put(tx, world.message(process, peer=peer))
        return leases

    leases = await world.store.write(unit)
    world.worker.hand(leases.rows)
    await world.until(lambda: len(world.settled) == 1)
    await world.put("p2")
    task = asyncio.create_task(world.worker.run_until_idle())
    await world.until(lambda: len(world.settled) == 2)
    assert sum("slow" in url for url in world.post.urls) == 1
    gate.set()
    await task
    await world.until(lambda: len(world.settled) == 8)
    assert [url.split("/")[-2] for url in world.post.urls if "slow" in url] == names


async def test_settle_runs_before_the_mark(world: World):
    states: list[str] = []

    def look(row: OutboxRow, _: Outcome) -> None:
        found = world.store.read_now(lambda tx: outbox.get(tx, seq=row.seq))
        assert found is not None
        states.append(found.state)

    world.on_settle = look
    world.post.script("https://bob.example/p2/1", 400)
    await world.put("p1")
    await world.put("p2")
    await world.worker.run_until_idle()
    assert states == ["pending", "pending"]


# ---------------------------------------------------------------------- patience


async def test_no_answer_is_tried_again_later_and_later(world: World):
    world.post.script("https://bob.example/p1/1", *[unreachable() for _ in range(6)])
    seq = await world.put("p1")
    waits: list[float] = []
    await world.worker.run_until_idle()
    while (seconds := await world.due()) is not None:
        waits.append(seconds)
        await world.pass_time()
    assert len(world.post.sent) == 7
    assert waits == sorted(waits)
    assert 0.1 < waits[0] < 0.3
    assert (await world.row(seq)).state == "sent"


@pytest.mark.parametrize(
    "code",
    ["timeout", "tls", "garbled", "too-large", "redirect", "encoding", "address-refused"],
)
async def test_an_answer_we_cannot_use_is_no_answer(world: World, code: str):
    world.post.script("https://bob.example/p1/1", Problem(f"delivery-{code}", host="bob.example"))
    seq = await world.put("p1")
    await world.worker.run_until_idle()
    assert (await world.row(seq)).state == "pending"
    await world.pass_time()
    assert (await world.row(seq)).state == "sent"


@pytest.mark.parametrize("code", ["url-invalid", "scheme", "port"])
async def test_an_address_we_never_speak_to_ends_the_message(world: World, code: str):
    problem = Problem(f"delivery-{code}", host="bob.example", port=25)
    world.post.script("https://bob.example/p1/1", problem)
    seq = await world.put("p1")
    await world.worker.run_until_idle()
    assert (await world.row(seq)).state == "failed"
    assert world.settled == [(seq, Outcome(None, problem))]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_busy_or_broken_peer_is_tried_again(world: World, status: int):
    world.post.script("https://bob.example/p1/1", *[status] * 8)
    seq = await world.put("p1")
    while await world.pass_time():
        pass
    assert len(world.post.sent) == 9
    assert (await world.row(seq)).state == "sent"


async def test_retry_after_is_respected(world: World):
    world.post.script("https://bob.example/p1/1", Response(429, {"retry-after": "77"}))
    await world.put("p1")
    await world.worker.run_until_idle()
    assert await world.due() == 77


@pytest.mark.parametrize(("status", "attempts"), [(404, 6), (409, 6), (401, 4)])
async def test_refusals_that_may_pass_are_believed_after_a_while(
    world: World, status: int, attempts: int
):
    world.post.script("https://bob.example/p1/1", *[status] * 10)
    seq = await world.put("p1")
    while await world.pass_time():
        pass
    assert len(world.post.sent) == attempts
    assert world.clock.now() - START < timedelta(minutes=1)
    row = await world.row(seq)
    assert (row.state, row.answer_status) == ("failed", status)


async def test_a_peer_that_was_still_committing_gets_the_message(world: World):
    world.post.script("https://bob.example/p1/1", 404, 404, 200)
    seq = await world.put("p1")
    while await world.pass_time():
        pass
    assert (await world.row(seq)).state == "sent"


async def test_idle_is_not_what_was_read_before_the_last_answer_came(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    world.post.script("https://bob.example/p1/1", 403)
    await world.put("p1", 1)
    second = await world.put("p1", 2)
    read = world.store.read

    async def late(unit: Any) -> Any:
        found = await read(unit)
        await world.worker.quiet("p1", 5)
        return found

    monkeypatch.setattr(world.store, "read", late)
    await world.worker.run_until_idle()
    assert (await world.row(second)).state == "sent"


@pytest.mark.parametrize("status", [400, 403, 410, 413, 422])
async def test_a_refusal_is_recorded_and_the_next_message_may_go(world: World, status: int):
    refusal = Response(status, {}, b'{"reason":["no"]}')
    world.post.script("https://bob.example/p1/1", refusal)
    first, second = await world.put("p1", 1), await world.put("p1", 2)
    await world.worker.run_until_idle()
    row = await world.row(first)
    assert (row.state, row.answer_status, row.answer) == ("failed", status, refusal.body)
    seq, outcome = world.settled[0]
    assert (seq, outcome.response, outcome.delivered) == (first, refusal, False)
    assert outcome.problem is not None
    assert outcome.problem.params == {"peer": BOB, "status": status}
    assert (await world.row(second)).state == "sent"


async def test_after_the_deadline_it_is_given_up_and_said(world: World):
    url = "https://bob.example/p1/1"
    world.post.script(url, *[unreachable() for _ in range(10_000)])
    seq = await world.put("p1", deadline=START + timedelta(hours=10))
    while await world.pass_time():
        pass
    assert world.clock.now() == START + timedelta(hours=10)
    assert 60 < len(world.post.sent) < 200
    assert (await world.row(seq)).state == "failed"
    [(_, outcome)] = world.settled
    assert outcome.problem is not None
    assert outcome.problem.code == "delivery-expired"
    assert outcome.problem.params["peer"] == BOB
    assert outcome.response is None


async def test_without_a_deadline_of_its_own_a_message_has_72_hours(world: World):
    seq = await world.put("p1")
    world.clock.advance(DEADLINE.total_seconds() - 1)
    late = world.new_worker()
    world.post.script("https://bob.example/p1/1", 503)
    await late.run_until_idle()
    assert len(world.post.sent) == 1
    world.clock.advance(1)
    await late.run_until_idle()
    assert len(world.post.sent) == 1
    assert (await world.row(seq)).state == "failed"


# ---------------------------------------------------------------------- a dead peer


async def test_a_dead_peer_costs_few_attempts_and_nobody_else_waits(world: World):
    world.post.down = lambda url: "dead" in url
    for n in range(40):
        await world.put(f"d{n}", peer="did:web:dead.example")
        await world.put(f"p{n}")
    await world.worker.run_until_idle()
    assert len([url for url in world.post.urls if "bob" in url]) == 40
    assert len(world.post.urls) - 40 <= 33  # those in flight when the third failure came
    while world.clock.now() < START + timedelta(hours=1):
        await world.pass_time()
    # Pauses of 1, 2, 4 … 256 s, then every five minutes: for the peer, not for each message.
    assert len(world.post.urls) - 40 <= 33 + 22
    assert len(world.settled) == 40


async def test_a_peer_that_comes_back_soon_gets_everything(world: World):
    back = START + timedelta(hours=2)
    world.post.down = lambda url: world.clock.now() < back
    seqs = [await world.put(f"p{n % 30}", n) for n in range(60)]
    while await world.pass_time():
        pass
    assert sorted(seq for seq, outcome in world.settled if outcome.delivered) == seqs
    assert world.clock.now() - back < timedelta(minutes=6)


async def test_many_failures_at_once_are_one_silence(world: World):
    """All that was under way when a peer went away fails together: it is asked again soon."""
    back = START + timedelta(seconds=4)
    world.post.down = lambda url: world.clock.now() < back
    for n in range(60):
        await world.put(f"p{n}")
    while await world.pass_time():
        pass
    assert len(world.settled) == 60
    assert world.clock.now() - back < timedelta(seconds=10)


async def test_a_fault_of_ours_in_the_one_attempt_of_an_open_circuit_blocks_nobody(world: World):
    world.post.down = lambda url: world.clock.now() < START + timedelta(seconds=1)
    for n in range(3):
        await world.put(f"p{n}")
    await world.worker.run_until_idle()
    assert world.worker.left_alone(BOB) is not None
    authorize, faults = world.authorize, [KeyError("a defect")]

    def faulty(row: OutboxRow) -> dict[str, str]:
        if faults:
            raise faults.pop()
        return authorize(row)

    world.worker._authorize = faulty
    while await world.pass_time():
        pass
    assert not faults
    assert len(world.settled) == 3
    assert world.clock.now() - START < timedelta(minutes=1)


async def test_a_deadline_passes_though_the_peer_is_left_alone(world: World):
    world.post.down = lambda url: True
    seqs = [await world.put(f"p{n}", deadline=START + timedelta(seconds=30)) for n in range(10)]
    while await world.pass_time():
        pass
    assert world.clock.now() == START + timedelta(seconds=30)
    assert sorted(seq for seq, _ in world.settled) == seqs


# ---------------------------------------------------------------------- our own faults


async def test_a_failing_settle_is_repeated_and_stops_nobody(
    world: World, caplog: pytest.LogCaptureFixture
):
    failures = iter([Problem("store-overloaded"), ValueError("secret")])

    def fail(row: OutboxRow, _: Outcome) -> None:
        if row.process == "p1" and (error := next(failures, None)):
            raise error

    world.on_settle = fail
    first, second = await world.put("p1"), await world.put("p2")
    with caplog.at_level(logging.INFO):
        while await world.pass_time():
            pass
    assert [seq for seq, _ in world.settled] == [second, first]
    assert (await world.row(first)).state == "sent"
    assert "store-overloaded" in caplog.text
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_crash_between_settle_and_mark_sends_once_more(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    seq = await world.put("p1")
    monkeypatch.setattr(world.store, "defer", lambda unit: None)  # the process dies here
    await world.worker.run_until_idle()
    assert len(world.settled) == 1
    monkeypatch.undo()
    reborn = world.new_worker()
    await world.store.write(outbox.free)
    await reborn.run_until_idle()
    assert len(world.settled) == 2
    assert len(set(world.post.sent)) == 1
    row = await world.row(seq)
    assert (row.state, row.attempts) == ("sent", 2)


async def test_a_lost_mark_is_repeated_after_the_lease(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    seq = await world.put("p1")
    monkeypatch.setattr(world.store, "defer", lambda unit: None)
    await world.worker.run_until_idle()
    monkeypatch.undo()
    await world.worker.run_until_idle()
    assert len(world.post.sent) == 1
    await world.pass_time()
    assert len(world.post.sent) == 2
    assert (await world.row(seq)).state == "sent"


async def test_a_message_dropped_in_flight_stays_dropped(world: World):
    gate = asyncio.Event()
    world.post.script("https://bob.example/p1/1", gate)
    seq = await world.put("p1")
    task = asyncio.create_task(world.worker.run_until_idle())
    await world.until(lambda: bool(world.post.sent))
    await world.store.write(lambda tx: outbox.drop_process(tx, process="p1"))
    gate.set()
    await task
    assert (await world.row(seq)).state == "dropped"
