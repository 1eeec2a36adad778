"""The store without its threads: a unit runs where it is asked for, on SQLite in memory.

What a database promises is kept: a unit and the marks before it are one transaction; marks that no
transaction took along are lost in a crash. `fail` arms a crash: before a commit, so that nothing of
it lasts, or after it, so that nobody learns of it.
"""

import sqlite3
from collections.abc import Callable
from typing import Any, Literal, TypeVar

from connector.store.sqlite import SqliteConnection
from connector.store.store import Store
from connector.store.tx import Tx, Unit

T = TypeVar("T")
Point = Literal["before", "after"]


class Crash(BaseException):
    """The process is gone. No handler of the node may catch it."""


class InlineStore(Store):
    """Implements the whole of `Store` on one connection, which outlives the node that uses it."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._callbacks = ()
        self._recalled = {}
        self._on_stop = lambda _: None
        self.stopped = None
        self._connection = SqliteConnection(raw, writes=True)
        self._marks: list[Unit[object]] = []
        self._armed: tuple[Point, int] | None = None
        self._written = 0
        self.dead = False

    def fail(self, point: Point, commits: int) -> None:
        """Crash at the `commits`-th commit from now (1 is the next)."""
        self._armed = (point, commits)

    def kill(self) -> None:
        """Crash now: nothing is answered any more."""
        self.dead = True
        self._marks.clear()

    async def write(self, unit: Unit[T]) -> T:
        return self.write_now(unit)

    async def read(self, unit: Unit[T]) -> T:
        return self.read_now(unit)

    async def survey(self, unit: Unit[T]) -> T:
        return self.read_now(unit)

    def write_now(self, unit: Unit[T]) -> T:
        marks, self._marks = self._marks, []
        results, topics = self._transaction([*marks, unit])
        self._forget(topics)
        self._committed(frozenset(topics))
        return results[-1]  # type: ignore[no-any-return]

    def read_now(self, unit: Unit[T]) -> T:
        self._alive()
        self._connection.begin()
        tx = Tx(self._connection)
        try:
            return unit(tx)
        finally:
            tx.end()
            self._connection.rollback()

    def defer(self, unit: Unit[object]) -> None:
        self._marks.append(unit)

    def close(self) -> None:
        self.kill()

    @property
    def commits(self) -> int:
        return self._written

    def _transaction(self, units: list[Unit[Any]]) -> tuple[list[Any], set[str]]:
        self._alive()
        self._connection.begin()
        whole = Tx(self._connection, waiting={})
        try:
            results = [self._run(unit, whole.shared()) for unit in units]
            whole.settle()
            self._reach("before")
            if self._connection.commit():
                self._written += 1
                self._reach("after")
        except BaseException:
            self._connection.rollback()
            raise
        return results, whole.topics

    def _run(self, unit: Callable[[Tx], Any], tx: Tx) -> Any:
        try:
            return unit(tx)
        finally:
            tx.end()

    def _reach(self, point: Point) -> None:
        if self._armed is None or self._armed[0] != point:
            return
        left = self._armed[1] - 1
        self._armed = (point, left) if left else None
        if not left:
            self.kill()
            raise Crash

    def _alive(self) -> None:
        if self.dead:
            raise Crash
