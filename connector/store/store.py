"""The store: one database, one owner, one way to change it.

    store = Store.open(folder / "node.db")
    n = await store.write(lambda tx: negotiations.save(tx, row, expected_version=3))

A *unit* is a synchronous function of the transaction. It may run more than once (see `worker`), so
it has no effect outside its `tx`; and it must not call the store. `await write` returns when the
unit's changes are on the disk: only then may an answer leave. Cancelling the wait does not take
the unit back.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final, TypeVar

from connector.store import repositories
from connector.store.databases import engine_of
from connector.store.engine import Engine, database_path, is_postgresql
from connector.store.sqlite import create_file
from connector.store.statement import Statement
from connector.store.tx import Row, Tx, Unit
from connector.store.worker import Job, Reader, Worker, Writer
from policies.problem import Problem

__all__ = ["Row", "Statement", "Store", "Tx", "Unit", "database_path"]

T = TypeVar("T")
Callback = Callable[[], object]

log: Final = logging.getLogger(__name__)


class Store:
    """An open database. Make it with `open`; end it with `close`."""

    def __init__(self, engine: Engine) -> None:
        """Open the connections, check schema and statements, start the threads.

        Raises:
            Problem: `store-missing`, `store-unreadable`, `store-damaged`, `store-locked`,
                `store-schema-missing`, `store-schema-old`, `store-schema-new`, `store-foreign`,
                `store-fault`.
        """
        self._callbacks: tuple[tuple[str | None, Callback], ...] = ()
        self._recalled: dict[str, dict[object, Any]] = {}
        self._on_stop: Callable[[Problem], object] = lambda _: None
        self.stopped: Problem | None = None
        """Why nothing is written any more: a failing disk, a lost session; None as a rule."""
        with contextlib.ExitStack() as opened:
            writer = engine.writer()
            opened.callback(writer.close)
            engine.check(writer, repositories.statements())
            reader = engine.reader()
            opened.callback(reader.close)
            surveyor = engine.reader()
            opened.pop_all()
        self._writer = Writer(writer, self._forget, self._committed, self._stopped)
        self._reader = Reader("preau-store-reader", reader, engine.reader)
        self._surveyor = Reader("preau-store-surveyor", surveyor, engine.reader)
        for worker in (self._writer, self._reader, self._surveyor):
            worker.start()

    @classmethod
    def open(cls, target: Path | str, *, create: bool = False) -> "Store":
        """Open a database by path, `sqlite:///` or `postgresql://` URL; `create` makes a new one.

        Raises:
            Problem: as the constructor; `store-url`: not a database we know; `store-exists`:
                `create`, and there is one already.
        """
        engine = engine_of(target)
        if create:
            _create(target)
        return cls(engine)

    def close(self) -> None:
        """Do what is queued (marks too), then close. Blocks; a second call does nothing.

        Waiting tasks get their results through their loops, which this must not outlive.
        """
        self._surveyor.finish()
        self._reader.finish()
        self._writer.finish()  # last: the last connection to close folds the WAL, and must write

    async def write(self, unit: Unit[T]) -> T:
        """Run a unit in a transaction; its result, once that is on the disk.

        Raises:
            Problem: `store-closed`, `store-overloaded`, `store-locked`, `store-disk-full`,
                `store-damaged`, and whatever the unit raises: then nothing of it was written.
        """
        return await _ask(self._writer, unit)

    def write_now(self, unit: Unit[T]) -> T:
        """As `write`, blocking: for commands and start-up, never on an event loop that serves."""
        return _demand(self._writer, unit)

    def defer(self, unit: Unit[object]) -> None:
        """Run a unit with the next group, or alone within 50 ms. Nobody hears of its errors.

        Only for marks whose loss is harmless (a message sent twice meets the peer's inbox).
        """
        self._writer.mark(unit)

    async def read(self, unit: Unit[T]) -> T:
        """Run a unit that only reads, on a snapshot of what is committed; raises like `write`."""
        return await _ask(self._reader, unit)

    async def recall(self, topic: str, key: object, unit: Unit[T]) -> T:
        """As `read`, but what was found (not None) is kept under topic and key until a commit
        announces the topic. For few rows that are asked for all the time; nobody may change them.
        """
        # A commit takes the whole dict away, so a read that was older fills one nobody looks into.
        kept = self._recalled.setdefault(topic, {})
        found: T | None = kept.get(key)
        if found is None:
            found = await self.read(unit)
            if found is not None:
                kept[key] = found
        return found

    def kept(self, topic: str, key: object) -> object:
        """What `recall` has kept; None once a commit has changed the topic. Also for units: no
        commit comes between, and what their own transaction changes stands in `Tx.topics`.
        """
        return self._recalled.get(topic, {}).get(key)

    async def survey(self, unit: Unit[T]) -> T:
        """As `read`, in a thread of its own: for units that go through many rows (who may leave,
        lists, search), so that no message waits behind them.
        """
        return await _ask(self._surveyor, unit)

    def read_now(self, unit: Unit[T]) -> T:
        """As `read`, blocking."""
        return _demand(self._reader, unit)

    def on_commit(self, callback: Callback, *, topic: str | None = None) -> Callable[[], None]:
        """Call back after every commit that wrote something, or something of a topic.

        Topics are what units announce: "outbox", "leaf", "negotiation", "transfer", "consent",
        "peer".
        The call comes from the writer's thread, which waits for it: do next to nothing there
        (`lambda: loop.call_soon_threadsafe(event.set)`).

        Returns:
            A function that ends the calls.
        """
        entry = (topic, callback)
        self._callbacks = (*self._callbacks, entry)

        def cancel() -> None:
            self._callbacks = tuple(known for known in self._callbacks if known is not entry)

        return cancel

    @property
    def commits(self) -> int:
        """Transactions that wrote something since the store was opened: each one is an fsync."""
        return self._writer.commits

    def on_stop(self, callback: Callable[[Problem], object]) -> None:
        """Call back, from the writer's thread, when the store stops writing for good."""
        self._on_stop = callback
        if self.stopped is not None:
            callback(self.stopped)

    def _stopped(self, problem: Problem) -> None:
        self.stopped = problem
        self._on_stop(problem)

    def _forget(self, topics: set[str]) -> None:
        for topic in topics:
            self._recalled.pop(topic, None)

    def _committed(self, topics: frozenset[str]) -> None:
        for topic, callback in self._callbacks:
            if topic is None or topic in topics:
                try:
                    callback()
                except Exception as error:  # noqa: BLE001  (a listener must not stop the writer)
                    log.warning("a listener to commits failed: %s", type(error).__name__)


def _create(target: Path | str) -> None:
    """A new database with our schema: a new file, or the empty PostgreSQL database there is."""
    from connector.store import migrate  # noqa: PLC0415  (alembic stays out of a node)

    if is_postgresql(target):
        migrate.create(str(target))
        return
    path = database_path(target)
    create_file(path)
    try:
        migrate.upgrade(path)
    except BaseException:
        path.unlink()  # what could not be made whole is not left half-made
        raise


async def _ask(worker: Worker, unit: Unit[T]) -> T:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    worker.submit(Job(unit, future, loop))
    return await future


def _demand(worker: Worker, unit: Unit[T]) -> T:
    future: Future[Any] = Future()
    worker.submit(Job(unit, future))
    result: T = future.result()
    return result
