"""The threads that own the connections: the writer, which commits in groups, and the readers.

There are two readers, one for what messages ask and one for units that go through many rows: a
bitmap of a million learners takes seconds, in which no peer's token could be checked.

The writer drains its queue into one transaction and never lingers: units gather by themselves
while the previous commit runs. A group runs without savepoints (they cost a quarter); should a
unit raise, everything is rolled back and the units run again one by one, each in its own
transaction, so that only the guilty one fails. That is why a unit must be re-runnable.

Results cross to event loops in one call per loop, after the commit: nobody learns of anything that
could still be undone.
"""

import asyncio
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, Final

from connector.store.engine import Doubt, OwnedConnection
from connector.store.tx import Tx, Unit
from policies.problem import Problem

FLUSH_SECONDS: Final = 0.05
GROUP: Final = 256
QUEUE: Final = 10_000

log: Final = logging.getLogger(__name__)

Outcome = tuple[object, Exception | None]


@dataclass(slots=True, eq=False)
class Job:
    """A unit and whoever waits for it: a thread, an event loop, or nobody (a mark)."""

    unit: Unit[Any]
    future: "Future[Any] | asyncio.Future[Any] | None" = None
    loop: asyncio.AbstractEventLoop | None = None
    outcome: Outcome | None = None


class Worker(ABC):
    """A thread with a queue of units and the one connection it owns."""

    def __init__(self, name: str, connection: OwnedConnection) -> None:
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._connection = connection
        self._ready = threading.Condition()
        self._queue: deque[Job] = deque()
        self._marks: list[Job] = []
        self._flush_at: float | None = None
        self._closing = False

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a unit.

        Raises:
            Problem: `store-closed`, `store-overloaded`.
            RuntimeError: called from a unit, which would wait for itself.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a unit must not call the store: it has its tx")
        with self._ready:
            if self._closing:
                raise Problem("store-closed")
            if len(self._queue) >= QUEUE:
                raise Problem("store-overloaded")
            self._queue.append(job)
            self._ready.notify()

    def mark(self, unit: Unit[object]) -> None:
        """Queue a unit nobody waits for: it goes with the next group, or alone after 50 ms.

        Lost when the process dies or the store is closed already; its errors go to the log.
        """
        with self._ready:
            if self._closing:
                return
            self._marks.append(Job(unit))
            if self._flush_at is None:
                self._flush_at = time.monotonic() + FLUSH_SECONDS
                self._ready.notify()

    def finish(self) -> None:
        """Take no more units, do those queued, close the connection; returns when all is done."""
        with self._ready:
            self._closing = True
            self._ready.notify()
        self._thread.join()

    def _live(self) -> None:
        """The thread's life."""
        try:
            while group := self._take():
                self._do(group)
                # Results first: whoever the commit wakes should find the answer on its way.
                _deliver(group)
                self._after()
        finally:
            self._abandon()
            self._connection.close()

    def _take(self) -> list[Job]:
        """The next group, oldest first; empty when there will be no more."""
        with self._ready:
            while not self._queue and not self._closing:
                wait = None if self._flush_at is None else self._flush_at - time.monotonic()
                if wait is not None and wait <= 0:
                    break
                self._ready.wait(wait)
            # Marks first: they tell what happened before the units of this group were asked for.
            group, self._marks, self._flush_at = self._marks, [], None
            while self._queue and len(group) < GROUP:
                group.append(self._queue.popleft())
            return group

    def _abandon(self) -> None:
        """Leave nobody waiting, should the thread end before its time."""
        with self._ready:
            self._closing = True
            left = list(self._queue)
            self._queue.clear()
        for job in left:
            job.outcome = (None, Problem("store-closed"))
        _deliver(left)

    @abstractmethod
    def _do(self, group: list[Job]) -> None:
        """Run the units and note each one's outcome."""

    def _after(self) -> None:  # noqa: B027  (a reader has nothing to do)
        """What follows once the outcomes are delivered."""


class Reader(Worker):
    """Runs the units of a group on one snapshot of what is committed, taken after all of them were
    asked for; on a new one after a unit that raised.

    A session that was lost is opened again: nothing hangs on it, as the lock does on the writer's.
    """

    def __init__(
        self, name: str, connection: OwnedConnection, connect: Callable[[], OwnedConnection]
    ) -> None:
        super().__init__(name, connection)
        self._connect = connect

    def _do(self, group: list[Job]) -> None:
        begun = False
        for job in group:
            try:
                if not begun:
                    self._begin()
                    begun = True
                job.outcome = (_run(job, Tx(self._connection)), None)
            except Exception as error:  # noqa: BLE001  (whatever a unit raises is its caller's)
                job.outcome = (None, self._connection.translate(error))
                _undo(self._connection)
                begun = False
        if begun:
            _undo(self._connection)

    def _begin(self) -> None:
        try:
            self._connection.begin()
        except Problem as problem:
            if problem.code != "store-lost":
                raise
            log.warning("%s: the session was lost and is opened again", self._thread.name)
            self._connection.close()
            self._connection = self._connect()
            self._connection.begin()


class Writer(Worker):
    """Runs units in groups, one commit each.

    `on_commit` hears the topics of what lasted once the outcomes are delivered, `before` earlier:
    while nobody knows of the commit yet.
    """

    def __init__(
        self,
        connection: OwnedConnection,
        before: Callable[[set[str]], None],
        on_commit: Callable[[frozenset[str]], None],
        on_stop: Callable[[Problem], None],
    ) -> None:
        super().__init__("preau-store-writer", connection)
        self._before = before
        self._on_commit = on_commit
        self._on_stop = on_stop
        self._broken: Problem | None = None
        self._topics: set[str] | None = None
        self._lasting: dict[object, Any] = {}
        self.commits = 0

    def _do(self, group: list[Job]) -> None:
        self._topics = None
        try:
            if not self._commit(group) and len(group) > 1:
                for job in group:
                    self._commit([job])
        except _Refusal as refusal:
            # The database itself refuses: do not make each of the others wait for that too.
            for job in group:
                if job.outcome is None:
                    job.outcome = (None, refusal.problem)

    def _after(self) -> None:
        if self._topics is not None:
            self._on_commit(frozenset(self._topics))

    def _commit(self, group: list[Job]) -> bool:
        """One transaction for the whole group; False when a unit raised and it was rolled back.

        The error is noted only in a group of one: a larger one runs again, unit by unit.

        Raises:
            _Refusal: no transaction could be begun, or the disk failed at the commit.
        """
        self._begin()
        whole = Tx(self._connection, {}, self._lasting)
        try:
            results = [_run(job, whole.shared()) for job in group]
            whole.settle()
            written = self._connection.commit()
        except Doubt as doubt:
            self._stop(doubt.problem)
            raise _Refusal(doubt.problem) from doubt
        except Exception as error:  # noqa: BLE001  (whatever a unit raises is its caller's)
            self._roll_back(told := self._connection.translate(error))
            if len(group) == 1:
                group[0].outcome = (None, told)
            return False
        self._before(whole.topics)
        for job, result in zip(group, results, strict=True):
            job.outcome = (result, None)
        if written:
            self.commits += 1
            self._topics = whole.topics | (self._topics or set())
        return True

    def _begin(self) -> None:
        if self._broken is not None:
            raise _Refusal(self._broken)
        try:
            self._connection.begin()
        except Problem as problem:
            if problem.code == "store-lost":
                self._stop(problem)  # and with the session its lock: another may write by now
            raise _Refusal(problem) from problem

    def _roll_back(self, error: Exception) -> None:
        """Undo; a file found damaged, or one that cannot even undo, is not written again."""
        if not _undo(self._connection):
            self._stop(Problem("store-damaged", name="rollback"))
        elif isinstance(error, Problem) and error.code in {"store-damaged", "store-lost"}:
            self._stop(error)

    def _stop(self, problem: Problem) -> None:
        """Promise nothing more: only opening the file again tells what lasted."""
        log.critical("the store stops writing: %s", problem.code)
        self._broken = problem
        _undo(self._connection)
        self._on_stop(problem)


class _Refusal(Exception):
    """The database takes no transaction; `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def _run(job: Job, tx: Tx) -> object:
    """Run a unit in its transaction, which then is over for it."""
    try:
        result = job.unit(tx)
    except StopIteration as error:
        # A future cannot carry this one: its caller would wait for ever.
        raise RuntimeError("a unit raised StopIteration") from error
    finally:
        tx.end()
    if tx.broken is not None:
        raise tx.broken
    if isinstance(result, CoroutineType):
        result.close()
        raise TypeError("a unit is a plain function, not an async one")
    return result


def _undo(connection: OwnedConnection) -> bool:
    """Roll back what is open; whether that worked."""
    try:
        connection.rollback()
    except Problem as problem:
        log.error("rollback failed: %s", problem.code)  # noqa: TRY400  (codes, never traces)
        return False
    return True


def _deliver(group: list[Job]) -> None:
    """Tell everybody their outcome; one crossing per event loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Job]] = {}
    for job in group:
        if job.loop is not None:
            loops.setdefault(job.loop, []).append(job)
        elif job.future is not None:
            _settle([job])
        elif (error := _outcome(job)[1]) is not None:
            code = error.code if isinstance(error, Problem) else type(error).__name__
            log.warning("a deferred unit failed: %s", code)
    for loop, jobs in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, jobs)
        except RuntimeError:
            log.warning("an event loop was closed before its units were done")


def _settle(jobs: list[Job]) -> None:
    for job in jobs:
        result, error = _outcome(job)
        if job.future is None or job.future.done():  # the waiting task was cancelled
            continue
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)


def _outcome(job: Job) -> Outcome:
    return job.outcome or (None, Problem("store-closed"))
