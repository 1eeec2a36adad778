"""SQLite behind the store: how its connections are opened, and what its errors mean.

WAL with `synchronous=FULL`: a commit is on the disk before it returns, readers never wait for the
writer.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from connector.store.engine import Doubt, check_schema, explain, noted_schema
from connector.store.statement import DialectName, Statement
from connector.store.tx import Params
from policies.problem import Problem

BUSY_MS: Final = 5_000
_CODES: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: "store-locked",
    sqlite3.SQLITE_LOCKED: "store-locked",
    sqlite3.SQLITE_FULL: "store-disk-full",
    sqlite3.SQLITE_IOERR: "store-damaged",
    sqlite3.SQLITE_CORRUPT: "store-damaged",
    sqlite3.SQLITE_NOTADB: "store-damaged",
    sqlite3.SQLITE_CANTOPEN: "store-unreadable",
    sqlite3.SQLITE_PERM: "store-unreadable",
    sqlite3.SQLITE_READONLY: "store-read-only",
    sqlite3.SQLITE_CONSTRAINT: "store-integrity",
}


def problem_of(error: sqlite3.Error) -> Problem:
    """What an error of the driver means to people; the driver's name for it is a parameter."""
    code = getattr(error, "sqlite_errorcode", None)
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    if code is None:
        # Not SQLite speaks but Python's driver: of a text that is no UTF-8, or of a wrong call.
        unreadable = isinstance(error, sqlite3.OperationalError)
        return Problem("store-damaged" if unreadable else "store-fault", name=name)
    return Problem(_CODES.get(code & 0xFF, "store-fault"), name=name)


class SqliteConnection:
    """One connection; implements `engine.OwnedConnection`. Used by one thread at a time."""

    dialect: Final[DialectName] = "sqlite"

    def __init__(self, connection: sqlite3.Connection, *, writes: bool) -> None:
        self._connection = connection
        self._begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        self._before = 0

    def execute(self, sql: str, params: Params | None = None, /) -> sqlite3.Cursor:
        """Run one statement; every error of the driver is a Problem."""
        try:
            return self._connection.execute(sql, params or {})
        except sqlite3.Error as error:
            raise problem_of(error) from error

    each = execute  # rows are fetched as they are asked for

    def executemany(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> sqlite3.Cursor:
        """Run one statement once per row; every error of the driver is a Problem."""
        try:
            return self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise problem_of(error) from error

    def translate(self, error: Exception) -> Exception:
        """What to tell people: the driver's errors (a row that cannot be fetched) as Problems."""
        return problem_of(error) if isinstance(error, sqlite3.Error) else error

    def begin(self) -> None:
        """Start a transaction (a writer takes the write lock at once)."""
        self.execute(self._begin)
        self._before = self._connection.total_changes

    def commit(self) -> bool:
        """Make the transaction last; whether there was anything to write.

        Raises:
            Problem: nothing was written (disk full, locked).
            Doubt: the disk failed and nobody knows.
        """
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            problem = problem_of(error)
            if problem.code == "store-damaged":
                raise Doubt(problem) from error
            raise problem from error
        return self._connection.total_changes > self._before

    def rollback(self) -> None:
        """Forget the transaction, if one is open."""
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Give the connection back; the last one folds the WAL into the file."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class SqliteEngine:
    """Opens connections to one database file.

    `pragmas` are for tests and tuning: they come after ours and win.
    """

    path: Path
    busy_ms: int = BUSY_MS
    pragmas: Mapping[str, str | int] = field(default_factory=dict)

    def writer(self) -> SqliteConnection:
        """The connection that writes.

        Raises:
            Problem: `store-missing`, `store-unreadable`, `store-damaged`, `store-locked`.
        """
        if not self.path.exists():
            raise Problem("store-missing", path=self.path)
        return self._open(
            writes=True,
            pragmas={"journal_mode": "WAL", "journal_size_limit": 64 << 20, "synchronous": "FULL"},
        )

    def reader(self) -> SqliteConnection:
        """A connection that cannot write; open the writer first. Raises like `writer`."""
        return self._open(writes=False, pragmas={"query_only": "ON"})

    def check(self, connection: SqliteConnection, statements: Iterable[Statement]) -> None:
        """Refuse a database of another schema, then have it prepare every statement.

        Raises:
            Problem: `store-schema-missing`, `store-schema-old`, `store-schema-new`,
                `store-foreign`, `store-damaged`, `store-fault` (a statement fits no table).
        """
        check_schema(found_schema(lambda sql: connection.execute(sql).fetchall()))
        explain(connection, statements, "EXPLAIN QUERY PLAN")

    def _open(self, *, writes: bool, pragmas: Mapping[str, str | int]) -> SqliteConnection:
        mode = "rw" if writes else "ro"
        try:
            raw = sqlite3.connect(
                f"file:{quote(str(self.path))}?mode={mode}",
                uri=True,
                isolation_level=None,  # transactions begin and end by our own statements
                check_same_thread=False,  # opened by the caller, then owned by one worker
                cached_statements=512,
                timeout=self.busy_ms / 1000,
            )
        except sqlite3.Error as error:
            raise problem_of(error) from error
        connection = SqliteConnection(raw, writes=writes)
        always = {"foreign_keys": "ON", "trusted_schema": "OFF"}
        try:
            for name, value in {**pragmas, **always, **self.pragmas}.items():
                connection.execute(f"PRAGMA {name}={value}").fetchall()
        except Problem:
            connection.close()
            raise
        return connection


def create_file(path: Path) -> None:
    """An empty database file that only its owner can read (SQLite gives its siblings that mode).

    Raises:
        Problem: `store-exists`: there is something already; `store-unreadable`: no such folder, or
            no right to write there.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise Problem("store-exists", path=path) from None
    except OSError as error:
        raise Problem("store-unreadable", name=error.strerror or "") from error


def found_schema(query: Callable[[str], Sequence[Any]]) -> str | None:
    """The revision that the migrations noted in a database, None in an empty one.

    Raises:
        Problem: `store-foreign`: it has tables, but none of the migrations' notes.
    """
    listed = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return noted_schema(lambda: [str(row[0]) for row in query(listed)], query)
