"""What every store promises, whatever database is behind it."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.protocol.negotiation import Negotiation, State
from connector.store import inbox, negotiations, notes, replay
from connector.store.rows import InboxRow
from connector.store.store import Store
from connector.store.tx import Tx
from policies.problem import Problem

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
WAIT = 30.0


def put(key: str, text: str = "x"):
    return lambda tx: notes.put(tx, key=key, text=text)


def get(key: str):
    return lambda tx: notes.get(tx, key=key)


class Gate:
    """A unit that holds the writer until told: what is asked meanwhile becomes one group."""

    def __init__(self, store: Store) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._done = self._pool.submit(store.write_now, self._unit)
        assert self.entered.wait(WAIT)

    def _unit(self, tx: Tx) -> None:
        self.entered.set()
        assert self.opened.wait(WAIT)

    def open(self) -> None:
        self.opened.set()
        self._done.result(WAIT)
        self._pool.shutdown()


async def asked(store: Store, *units):
    """The tasks of these units, all in the queue."""
    tasks = [asyncio.ensure_future(store.write(unit)) for unit in units]
    await asyncio.wait(tasks, timeout=0)  # one turn of the loop: each has asked
    return tasks


class TestWriting:
    async def test_what_is_written_can_be_read(self, any_store: Store):
        await any_store.write(put("a", "é"))
        assert await any_store.read(get("a")) == "é"
        assert any_store.read_now(get("a")) == "é"

    async def test_a_unit_returns_its_result(self, any_store: Store):
        assert await any_store.write(lambda tx: 42) == 42
        assert any_store.write_now(lambda tx: "now") == "now"

    async def test_a_failing_unit_leaves_nothing(self, any_store: Store):
        def unit(tx: Tx) -> None:
            notes.put(tx, key="a", text="x")
            raise ValueError("mine")

        with pytest.raises(ValueError, match="mine"):
            await any_store.write(unit)
        assert await any_store.read(get("a")) is None
        assert any_store.commits == 0

    async def test_a_failed_statement_cannot_be_swallowed(self, any_store: Store):
        def unit(tx: Tx) -> None:
            notes.put(tx, key="a", text="x")
            with pytest.raises(Problem):
                tx.change(notes._PUT, key="b", value=None)

        with pytest.raises(Problem) as caught:
            await any_store.write(unit)
        assert caught.value.code == "store-integrity"
        assert await any_store.read(get("a")) is None

    async def test_a_transaction_dies_with_its_unit(self, any_store: Store):
        kept: list[Tx] = []
        await any_store.write(kept.append)
        with pytest.raises(RuntimeError, match="over"):
            notes.get(kept[0], key="a")

    async def test_a_unit_is_no_coroutine(self, any_store: Store):
        async def unit(tx: Tx) -> None: ...

        with pytest.raises(TypeError, match="async"):
            await any_store.write(unit)  # type: ignore[unused-coroutine]

    async def test_stop_iteration_does_not_hang_its_caller(self, any_store: Store):
        with pytest.raises(RuntimeError, match="StopIteration"):
            await any_store.write(lambda tx: next(iter([])))

    async def test_a_unit_cannot_call_the_store(self, any_store: Store):
        with pytest.raises(RuntimeError, match="tx"):
            await any_store.write(lambda tx: any_store.write_now(put("a")))

    async def test_wrong_parameters_are_named(self, any_store: Store):
        with pytest.raises(TypeError, match="value"):
            await any_store.write(lambda tx: tx.change(notes._PUT, key="a"))
        with pytest.raises(Problem):
            await any_store.write(lambda tx: tx.many(notes._PUT, [{"key": "a"}]))

    async def test_a_cancelled_wait_does_not_take_the_unit_back(self, any_store: Store):
        gate = Gate(any_store)
        (task,) = await asked(any_store, put("a"))
        task.cancel()
        gate.open()
        with pytest.raises(asyncio.CancelledError):
            await task
        await any_store.write(put("b"))
        assert await any_store.read(get("a")) == "x"


class TestGroups:
    async def test_waiting_units_share_one_commit(self, any_store: Store):
        gate = Gate(any_store)
        tasks = await asked(any_store, *(put(f"k{n}") for n in range(20)))
        assert any_store.commits == 0
        gate.open()
        await asyncio.gather(*tasks)
        assert any_store.commits == 1

    async def test_a_lone_unit_does_not_wait(self, any_store: Store):
        for n in range(5):
            await any_store.write(put(f"k{n}"))
        assert any_store.commits == 5

    async def test_concurrent_writes_need_fewer_commits(self, any_store: Store):
        await asyncio.gather(*(any_store.write(put(f"k{n}")) for n in range(100)))
        assert any_store.commits < 100
        assert await any_store.read(get("k99")) == "x"

    async def test_only_the_guilty_unit_fails(self, any_store: Store):
        runs: list[str] = []

        def unit(name: str):
            def run(tx: Tx) -> str:
                runs.append(name)
                notes.put(tx, key=name, text="x")
                if name == "bad":
                    raise Problem("store-conflict", what="test")
                return name

            return run

        gate = Gate(any_store)
        tasks = await asked(any_store, *(unit(name) for name in ("a", "b", "bad", "c")))
        gate.open()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [results[0], results[1], results[3]] == ["a", "b", "c"]
        assert isinstance(results[2], Problem)
        assert runs == ["a", "b", "bad", "a", "b", "bad", "c"]
        assert any_store.commits == 3
        kept = [await any_store.read(get(name)) for name in ("a", "b", "bad", "c")]
        assert kept == ["x", "x", None, "x"]

    async def test_units_see_what_came_before_them_in_their_group(self, any_store: Store):
        def append(tx: Tx) -> str:
            text = (notes.get(tx, key="list") or "") + "."
            notes.put(tx, key="list", text=text)
            return text

        gate = Gate(any_store)
        tasks = await asked(any_store, *[append] * 8)
        gate.open()
        assert await asyncio.gather(*tasks) == ["." * n for n in range(1, 9)]


class TestReading:
    async def test_readers_see_only_what_is_committed(self, any_store: Store):
        await any_store.write(put("a", "old"))
        written, go = threading.Event(), threading.Event()

        def unit(tx: Tx) -> None:
            notes.put(tx, key="a", text="new")
            written.set()
            assert go.wait(WAIT)

        task = asyncio.ensure_future(any_store.write(unit))
        assert await asyncio.to_thread(written.wait, WAIT)
        assert await any_store.read(get("a")) == "old"
        go.set()
        await task
        assert await any_store.read(get("a")) == "new"

    async def test_a_reader_stays_on_one_snapshot(self, database):
        store = Store.open(database)
        await store.write(put("a", "old"))
        started, go = threading.Event(), threading.Event()

        def unit(tx: Tx) -> tuple[str | None, str | None]:
            first = notes.get(tx, key="a")
            started.set()
            assert go.wait(WAIT)
            return first, notes.get(tx, key="a")

        task = asyncio.ensure_future(store.read(unit))
        assert await asyncio.to_thread(started.wait, WAIT)
        await store.write(put("a", "new"))
        go.set()
        assert await task == ("old", "old")
        store.close()

    async def test_a_reader_cannot_write(self, any_store: Store):
        with pytest.raises(Problem) as caught:
            await any_store.read(put("a"))
        assert caught.value.code == "store-read-only"
        assert await any_store.read(get("a")) is None

    async def test_a_long_look_holds_nobody_up(self, database):
        entered, leave = threading.Event(), threading.Event()

        def unit(tx: Tx) -> str | None:
            before = notes.get(tx, key="a")
            entered.set()
            assert leave.wait(WAIT)
            assert notes.get(tx, key="a") == before
            return before

        store = Store.open(database)
        await store.write(put("a", "old"))
        look = asyncio.ensure_future(store.survey(unit))
        assert await asyncio.to_thread(entered.wait, WAIT)
        await store.write(put("a", "new"))
        assert await store.read(get("a")) == "new"
        leave.set()
        assert await look == "old"
        assert await store.survey(get("a")) == "new"
        store.close()


def changing(text: str):
    def unit(tx: Tx) -> None:
        notes.put(tx, key="a", text=text)
        tx.announce("note")

    return unit


class TestRecalling:
    async def test_a_row_is_read_once_until_a_commit_announces_it(self, any_store: Store):
        read: list[str | None] = []

        def unit(tx: Tx) -> str | None:
            read.append(notes.get(tx, key="a"))
            return read[-1]

        async def recalled() -> str | None:
            return await any_store.recall("note", "a", unit)

        assert [await recalled(), await recalled()] == [None, None]  # nothing is not kept
        await any_store.write(changing("old"))
        assert [await recalled(), await recalled()] == ["old", "old"]
        await any_store.write(put("b"))
        assert await any_store.recall("note", "b", get("b")) == "x"
        assert await recalled() == "old"
        await any_store.write(changing("new"))
        assert [await recalled(), await recalled()] == ["new", "new"]
        assert read == [None, None, "old", "new"]

    async def test_what_was_read_before_a_commit_is_not_kept_after_it(self, database):
        store = Store.open(database)
        await store.write(changing("old"))
        started, go = threading.Event(), threading.Event()

        def unit(tx: Tx) -> str | None:
            found = notes.get(tx, key="a")
            started.set()
            assert go.wait(WAIT)
            return found

        task = asyncio.ensure_future(store.recall("note", "a", unit))
        assert await asyncio.to_thread(started.wait, WAIT)
        await store.write(changing("new"))
        go.set()
        assert await task == "old"
        assert await store.recall("note", "a", get("a")) == "new"
        store.close()


class TestMarks:
    async def test_a_mark_travels_with_the_next_group(self, any_store: Store):
        gate = Gate(any_store)
        any_store.defer(put("mark"))
        tasks = await asked(any_store, lambda tx: notes.get(tx, key="mark"), put("a"))
        gate.open()
        assert (await asyncio.gather(*tasks))[0] == "x"
        assert any_store.commits == 1

    def test_a_mark_alone_is_flushed(self, any_store: Store):
        flushed = threading.Event()
        any_store.on_commit(flushed.set)
        any_store.defer(put("mark"))
        assert flushed.wait(WAIT)
        assert any_store.read_now(get("mark")) == "x"

    def test_closing_flushes_marks(self, database):
        store = Store.open(database)
        store.defer(put("mark"))
        store.close()
        again = Store.open(database)
        assert again.read_now(get("mark")) == "x"
        again.close()

    async def test_a_failing_mark_fails_nobody_else(self, any_store: Store):
        def bad(tx: Tx) -> None:
            raise ValueError

        gate = Gate(any_store)
        any_store.defer(bad)
        tasks = await asked(any_store, put("a"))
        gate.open()
        await asyncio.gather(*tasks)
        assert await any_store.read(get("a")) == "x"


class TestWaking:
    async def test_a_commit_wakes_those_who_wait(self, any_store: Store):
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        any_store.on_commit(lambda: loop.call_soon_threadsafe(event.set))
        await any_store.write(put("a"))
        await asyncio.wait_for(event.wait(), WAIT)

    def test_nothing_written_wakes_nobody(self, any_store: Store):
        woken: list[str] = []
        any_store.on_commit(lambda: woken.append("any"))
        any_store.write_now(get("a"))
        any_store.close()
        assert woken == []
        assert any_store.commits == 0

    def test_topics_wake_only_who_asked_for_them(self, any_store: Store):
        woken: list[str] = []
        any_store.on_commit(lambda: woken.append("outbox"), topic="outbox")
        any_store.on_commit(lambda: woken.append("leaf"), topic="leaf")

        def unit(tx: Tx) -> None:
            notes.put(tx, key="a", text="x")
            tx.announce("outbox")

        any_store.write_now(unit)
        any_store.close()
        assert woken == ["outbox"]

    def test_a_rolled_back_unit_wakes_nobody(self, any_store: Store):
        woken: list[str] = []
        any_store.on_commit(lambda: woken.append("outbox"), topic="outbox")

        def unit(tx: Tx) -> None:
            notes.put(tx, key="a", text="x")
            tx.announce("outbox")
            raise ValueError

        with pytest.raises(ValueError):
            any_store.write_now(unit)
        any_store.close()
        assert woken == []

    def test_a_cancelled_callback_is_not_called(self, any_store: Store):
        woken: list[str] = []
        cancel = any_store.on_commit(lambda: woken.append("x"))
        cancel()
        any_store.write_now(put("a"))
        any_store.close()
        assert woken == []

    def test_a_failing_callback_stops_neither_writer_nor_others(self, any_store: Store):
        woken: list[str] = []

        def bad() -> None:
            raise RuntimeError("closed loop")

        any_store.on_commit(bad)
        any_store.on_commit(lambda: woken.append("x"))
        any_store.write_now(put("a"))
        any_store.write_now(put("b"))
        any_store.close()
        assert woken == ["x", "x"]


class TestRaces:
    async def test_of_concurrent_duplicates_one_is_new(self, any_store: Store):
        row = InboxRow("key", "did:web:p", "sha-256:00", 201, b"answer", NOW)

        def receive(tx: Tx) -> tuple[bool, bytes]:
            known = inbox.find(tx, key="key")
            if known:
                return False, known.reply
            inbox.put(tx, row)
            return True, row.reply

        answers = await asyncio.gather(*(any_store.write(receive) for _ in range(20)))
        assert sorted(new for new, _ in answers) == [False] * 19 + [True]
        assert {reply for _, reply in answers} == {b"answer"}

    async def test_of_concurrent_steps_one_wins(
        self, any_store: Store, negotiation: Callable[..., Negotiation]
    ):
        first = negotiation()
        await any_store.write(lambda tx: negotiations.save(tx, first, expected_version=None))

        def step(state: State):
            after = replace(first, state=state, version=2, updated=NOW + timedelta(seconds=1))
            return lambda tx: negotiations.save(tx, after, expected_version=1)

        results = await asyncio.gather(
            any_store.write(step(State.AGREED)),
            any_store.write(step(State.TERMINATED)),
            return_exceptions=True,
        )
        assert results[0] is None
        assert isinstance(results[1], Problem)
        assert results[1].code == "store-conflict"
        kept = await any_store.read(lambda tx: negotiations.get(tx, pid=first.pid))
        assert kept is not None
        assert (kept.state, kept.version) == (State.AGREED, 2)

    async def test_a_replayed_token_counts_once(self, any_store: Store):
        def use(tx: Tx) -> bool:
            return replay.remember(tx, issuer="did:web:p", jti="1", expires=NOW)

        assert sorted(await asyncio.gather(*(any_store.write(use) for _ in range(10)))) == (
            [False] * 9 + [True]
        )


class TestClosing:
    async def test_closing_does_what_is_queued(self, any_store: Store):
        gate = Gate(any_store)
        tasks = await asked(any_store, *(put(f"k{n}") for n in range(5)))
        gate.open()
        await asyncio.to_thread(any_store.close)
        assert await asyncio.gather(*tasks) == [None] * 5

    async def test_a_closed_store_says_so(self, any_store: Store):
        any_store.close()
        any_store.close()
        for ask in (any_store.write, any_store.read, any_store.survey):
            with pytest.raises(Problem) as caught:
                await ask(get("a"))
            assert caught.value.code == "store-closed"
        any_store.defer(put("a"))
