"""When the disk, another process or the machine misbehaves: promise nothing, lose nothing."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.store import notes
from connector.store.engine import Doubt
from connector.store.lock import NodeLock
from connector.store.sqlite import SqliteConnection, SqliteEngine
from connector.store.store import Store
from connector.store.tx import Tx
from policies.problem import Problem

WAIT = 30.0
ROOT = Path(__file__).parents[3]


def put(key: str, text: str = "x"):
    return lambda tx: notes.put(tx, key=key, text=text)


@contextmanager
def other_process(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that has printed `ready`; killed at the end if it still lives."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait(WAIT)


HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("ready", flush=True)
sys.stdin.read()
"""


def test_a_database_held_by_another_process_is_locked_until_it_lets_go(database: Path):
    store = Store(SqliteEngine(database, busy_ms=50))
    with other_process(HOLDER, str(database)):
        with pytest.raises(Problem) as caught:
            store.write_now(put("a"))
        assert caught.value.code == "store-locked"
        assert caught.value.kind == "unavailable"
        assert store.read_now(lambda tx: notes.get(tx, key="a")) is None
    store.write_now(put("a"))
    assert store.read_now(lambda tx: notes.get(tx, key="a")) == "x"
    store.close()


async def test_a_locked_database_refuses_a_group_at_once(database: Path):
    store = Store(SqliteEngine(database, busy_ms=50))
    with other_process(HOLDER, str(database)):
        results = await asyncio.gather(
            *(store.write(put(f"k{n}")) for n in range(20)), return_exceptions=True
        )
    assert {result.code for result in results if isinstance(result, Problem)} == {"store-locked"}
    assert len(results) == 20
    await store.write(put("a"))
    await asyncio.to_thread(store.close)


def test_a_full_disk_refuses_and_recovers(database: Path):
    store = Store(SqliteEngine(database, pragmas={"max_page_count": 1}))  # = as large as it is
    with pytest.raises(Problem) as caught:
        store.write_now(put("a", "x" * 100_000))
    assert caught.value.code == "store-disk-full"
    assert store.read_now(lambda tx: notes.get(tx, key="a")) is None
    store.close()
    again = Store.open(database)
    again.write_now(put("a", "x" * 100_000))
    again.close()


async def test_a_full_disk_fails_only_what_does_not_fit(database: Path):
    store = Store(SqliteEngine(database, pragmas={"max_page_count": 1}))
    results = await asyncio.gather(
        store.write(put("small")),
        store.write(put("large", "x" * 100_000)),
        store.write(put("tiny")),
        return_exceptions=True,
    )
    assert [results[0], results[2]] == [None, None]
    assert isinstance(results[1], Problem)
    assert results[1].code == "store-disk-full"
    await asyncio.to_thread(store.close)


class DoubtfulEngine(SqliteEngine):
    """Its disk fails at the second commit, as fsync would."""

    def writer(self) -> SqliteConnection:
        connection = super().writer()
        commit, calls = connection.commit, []

        def failing() -> bool:
            calls.append(1)
            if len(calls) == 2:
                raise Doubt(Problem("store-damaged", name="SQLITE_IOERR_FSYNC"))
            return commit()

        connection.commit = failing  # type: ignore[method-assign]
        return connection


async def test_after_a_doubtful_commit_nothing_is_promised(database: Path):
    store = Store(DoubtfulEngine(database))
    await store.write(put("a"))
    results = await asyncio.gather(
        *(store.write(put(f"k{n}")) for n in range(5)), return_exceptions=True
    )
    assert {result.code for result in results if isinstance(result, Problem)} == {"store-damaged"}
    with pytest.raises(Problem) as caught:
        await store.write(put("later"))
    assert caught.value.code == "store-damaged"
    assert await store.read(lambda tx: notes.get(tx, key="a")) == "x"
    await asyncio.to_thread(store.close)
    again = Store.open(database)
    assert again.read_now(lambda tx: notes.get(tx, key="later")) is None
    again.write_now(put("later"))
    again.close()


def test_a_damaged_page_stops_the_writer(database: Path):
    store = Store.open(database)

    def fill(tx: Tx) -> None:
        for n in range(200):
            notes.put(tx, key=f"k{n}", text="x" * 3000)

    store.write_now(fill)
    store.close()
    content = bytearray(database.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 40 * 4096] = b"\xa5" * 40 * 4096
    database.write_bytes(content)

    def walk(tx: Tx) -> int:
        return sum(len(notes.get(tx, key=f"k{n}") or "") for n in range(200))

    store = Store.open(database)
    for ask in (store.read_now, store.write_now):
        with pytest.raises(Problem) as caught:
            ask(walk)
        assert caught.value.code == "store-damaged"
    with pytest.raises(Problem) as caught:
        store.write_now(put("k1"))
    assert caught.value.code == "store-damaged"
    store.close()


async def test_a_row_that_cannot_be_fetched_is_a_problem(database: Path):
    store = Store.open(database)
    await store.write(put("a", "1"))

    def unit(tx: Tx) -> None:
        raise sqlite3.InterfaceError("as fetchall would")

    for ask in (store.read, store.write):
        with pytest.raises(Problem) as caught:
            await ask(unit)
        assert caught.value.code == "store-fault"
    await asyncio.to_thread(store.close)


def test_a_closed_loop_harms_nobody(database: Path, caplog: pytest.LogCaptureFixture):
    store = Store.open(database)
    entered, opened = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        entered.set()
        assert opened.wait(WAIT)

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(store.write_now, hold)
        assert entered.wait(WAIT)
        loop = asyncio.new_event_loop()
        task = loop.create_task(store.write(put("a")))
        loop.run_until_complete(asyncio.wait([task], timeout=0))
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.close()
        opened.set()
        done.result(WAIT)
    store.write_now(put("b"))
    assert store.read_now(lambda tx: notes.get(tx, key="a")) == "x"
    store.close()
    assert "closed" in caplog.text


def test_too_many_waiting_writes_are_refused(database: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("connector.store.worker.QUEUE", 0)
    store = Store.open(database)
    with pytest.raises(Problem) as caught:
        store.write_now(put("a"))
    assert caught.value.code == "store-overloaded"
    store.close()


# ------------------------------------------------------------------ the node's lock

LOCKER = """
import sys
from pathlib import Path
from connector.store.lock import NodeLock
with NodeLock(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_one_process_serves_a_node(tmp_path: Path):
    with other_process(LOCKER, str(tmp_path)):
        with pytest.raises(Problem) as caught:
            NodeLock(tmp_path).acquire()
        assert caught.value.code == "store-node-running"
        assert caught.value.kind == "conflict"
    # It was killed, not asked: the lock died with it.
    with NodeLock(tmp_path):
        pass


def test_the_lock_holds_within_a_process_too(tmp_path: Path):
    with NodeLock(tmp_path), pytest.raises(Problem):
        NodeLock(tmp_path).acquire()
    lock = NodeLock(tmp_path)
    lock.acquire()
    lock.release()
    lock.release()
    with NodeLock(tmp_path):
        pass


def test_a_lock_needs_a_folder(tmp_path: Path):
    with pytest.raises(Problem) as caught:
        NodeLock(tmp_path / "none").acquire()
    assert caught.value.code == "store-unreadable"


# ------------------------------------------------------------------ kills

KILLED_INSIDE = """
import sys
from connector.store import notes
from connector.store.store import Store
store = Store.open(sys.argv[1])
store.write_now(lambda tx: notes.put(tx, key="before", text="x"))
def unit(tx):
    for n in range(50):
        notes.put(tx, key=f"k{n}", text="x" * 5000)
    print("ready", flush=True)
    sys.stdin.read()
store.write_now(unit)
"""

KILLED_AFTER = """
import sys
from connector.store import notes
from connector.store.store import Store
store = Store.open(sys.argv[1])
def unit(tx):
    for n in range(50):
        notes.put(tx, key=f"k{n}", text="x" * 5000)
store.write_now(unit)
print("ready", flush=True)
sys.stdin.read()
"""

KILLED_ANY_TIME = """
import asyncio, itertools, sys
from connector.store import notes
from connector.store.store import Store
store = Store.open(sys.argv[1])
def pair(key):
    def unit(tx):
        notes.put(tx, key=key + "-a", text="x")
        notes.put(tx, key=key + "-b", text="x")
    return unit
async def client(name):
    for n in itertools.count():
        await store.write(pair(f"{sys.argv[2]}-{name}-{n}"))
        print(f"{sys.argv[2]}-{name}-{n}", flush=True)
async def main():
    print("ready", flush=True)
    await asyncio.gather(*(client(name) for name in range(8)))
asyncio.run(main())
"""


def keys(database: Path) -> set[str]:
    store = Store.open(database)
    try:
        from sqlalchemy import select

        from connector.store.statement import Statement
        from connector.store.tables import NOTE

        statement = Statement(select(NOTE.c.key))
        return {row[0] for row in store.read_now(lambda tx: tx.run(statement))}
    finally:
        store.close()


@pytest.mark.slow
def test_killed_between_statements_nothing_of_the_unit_is_there(database: Path):
    with other_process(KILLED_INSIDE, str(database)) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT)
    assert keys(database) == {"before"}


@pytest.mark.slow
def test_killed_after_the_commit_everything_is_there(database: Path):
    with other_process(KILLED_AFTER, str(database)) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT)
    assert keys(database) == {f"k{n}" for n in range(50)}


@pytest.mark.slow
@pytest.mark.parametrize("acknowledged", [1, 7, 40, 200])
def test_killed_at_any_time_what_was_acknowledged_is_there_and_whole(
    database: Path, acknowledged: int
):
    seen: list[str] = []
    for run in range(3):
        with other_process(KILLED_ANY_TIME, str(database), str(run)) as process:
            assert process.stdout is not None
            seen += [process.stdout.readline().strip() for _ in range(acknowledged)]
            process.send_signal(signal.SIGKILL)
            process.wait(WAIT)
            seen += [line.strip() for line in process.stdout if line.endswith("\n")]
        found = keys(database)
        assert {f"{key}-{half}" for key in seen for half in "ab"} <= found
        halves = {key.removesuffix("-a").removesuffix("-b") for key in found}
        assert found == {f"{key}-{half}" for key in halves for half in "ab"}
