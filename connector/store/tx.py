"""The transaction as a unit of work sees it: it runs statements, and nothing else."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from connector.store.additions import MOST, Addition
from connector.store.statement import Compiled, DialectName, Statement
from policies.problem import Problem

Row = tuple[Any, ...]
Params = Mapping[str, object] | Sequence[object]
Rows = dict[object, Mapping[str, Any]]
Waiting = dict[str, tuple[Addition, Rows]]
"""By table, how its rows are added and those that wait, each in its place (`additions`)."""

T = TypeVar("T")


class Cursor(Protocol):
    """What the store needs of a DB-API cursor."""

    @property
    def rowcount(self) -> int:
        """Rows changed by the last statement."""
        ...

    def fetchone(self) -> Row | None:
        """The next row of the answer."""
        ...

    def fetchall(self) -> list[Row]:
        """All remaining rows of the answer."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """One connection to a database, owned by one thread (`engine` makes them)."""

    @property
    def dialect(self) -> DialectName:
        """Which compiled text this database reads."""
        ...

    def execute(self, sql: str, params: Params, /) -> Cursor:
        """Run one statement.

        Raises:
            Problem: `store-…`, in place of every error of the driver.
        """
        ...

    def each(self, sql: str, params: Mapping[str, object], /) -> Iterable[Row]:
        """The rows of an answer that may not fit into memory; raises like `execute`."""
        ...

    def executemany(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> Cursor:
        """Run one statement once per row; raises like `execute`."""
        ...


class Tx:
    """One transaction, valid while its unit runs and never after.

    A statement that fails ends the transaction (PostgreSQL knows no other way): the unit may turn
    the Problem into another, but not carry on and return as if nothing had happened.
    """

    __slots__ = (
        "_connection",
        "_dialect",
        "_waiting",
        "broken",
        "lasting",
        "own",
        "seen",
        "topics",
    )

    def __init__(
        self,
        connection: Connection,
        waiting: Waiting | None = None,
        lasting: dict[object, Any] | None = None,
    ) -> None:
        """Without a place where they wait, rows are added at once."""
        self._connection: Connection | None = connection
        self._dialect = connection.dialect
        self._waiting = waiting
        self.broken: Problem | None = None
        self.topics: set[str] = set()
        self.own: dict[object, Any] = {}
        """What repositories keep for this unit alone."""
        self.seen: dict[object, Any] = {}
        """What repositories have read or written in this transaction and need not read again:
        nobody else writes meanwhile. The units of a group share it as they share the transaction.
        Whoever changes such a row otherwise must forget it.
        """
        self.lasting: dict[object, Any] = {} if lasting is None else lasting
        """What repositories know for as long as the connection's owner lives, because it holds
        whatever becomes of a transaction: only that owner writes.
        """

    def shared(self) -> "Tx":
        """The same transaction for one more unit, with all but what is its own."""
        tx = Tx(self._open(), self._waiting, self.lasting)
        tx.seen, tx.topics = self.seen, self.topics
        return tx

    def run(self, statement: Statement, /, **params: object) -> list[Row]:
        """All rows that a statement answers (none for a change).

        Raises:
            Problem: `store-…`: the database refused or failed.
            TypeError: the parameters are not those of the statement.
        """
        return self._execute(statement, params).fetchall()

    def one(self, statement: Statement, /, **params: object) -> Row | None:
        """The first row of the answer, or None; raises like `run`."""
        return self._execute(statement, params).fetchone()

    def each(self, statement: Statement, /, **params: object) -> Iterator[Row]:
        """The rows one by one, for answers that do not fit into memory; raises like `run`.

        Valid inside the unit only.
        """
        text = self._ready(statement)
        try:
            yield from self._open().each(text.sql, text.bind(params))
        except Problem as problem:
            self.broken = problem
            raise

    def change(self, statement: Statement, /, **params: object) -> int:
        """How many rows a statement changed; raises like `run`."""
        return self._execute(statement, params).rowcount

    def many(self, statement: Statement, rows: Iterable[Mapping[str, object]], /) -> int:
        """Run a change once per row of parameters; how many rows changed. Raises like `run`.

        Names that the statement does not know are ignored here, missing ones are refused.
        """
        text = self._ready(statement)
        fixed = text.literals
        merged = ({**fixed, **row} for row in rows) if fixed else rows
        try:
            return self._open().executemany(text.sql, merged).rowcount
        except Problem as problem:
            self.broken = problem
            raise

    def add(self, addition: Addition, row: Mapping[str, Any], /) -> None:
        """Add a row with those that wait for the same table; raises `store-integrity` like `run`,
        but not before they are written.
        """
        if self._waiting is None:
            self._write(addition, {0: row})
            return
        _, rows = self._waiting.setdefault(addition.table, (addition, {}))
        rows[addition.place(row) if addition.key else len(rows)] = row
        if len(rows) == MOST:
            self._write(*self._waiting.pop(addition.table))

    def settle(self, tables: Container[str] | None = None) -> None:
        """Write what waits for these tables, or for any; raises like `run`."""
        waiting = self._waiting or {}
        for table in [one for one in waiting if tables is None or one in tables]:
            self._write(*waiting.pop(table))

    def announce(self, topic: str) -> None:
        """Once this transaction is committed, wake those who wait for the topic."""
        self.topics.add(topic)

    def end(self) -> None:
        """Forbid further use: the unit has returned."""
        self._connection = None

    def _execute(self, statement: Statement, params: Mapping[str, object]) -> Cursor:
        text = self._ready(statement)
        try:
            return self._open().execute(text.sql, text.bind(params))
        except Problem as problem:
            self.broken = problem
            raise

    def _ready(self, statement: Statement) -> Compiled:
        """The text of a statement, once no row waits for what it touches."""
        text = statement.compiled(self._dialect)
        if self._waiting and not (statement.beside or text.tables.isdisjoint(self._waiting)):
            self.settle(text.tables)
        return text

    def _write(self, addition: Addition, rows: Rows) -> None:
        try:
            self._open().execute(*addition.filled(self._dialect, list(rows.values())))
        except Problem as problem:
            self.broken = problem
            raise

    def _open(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("the transaction is over: a unit must not keep its tx")
        return self._connection


Unit = Callable[[Tx], T]
"""What runs in one transaction: synchronous, and re-runnable (no effect outside its `tx`)."""
