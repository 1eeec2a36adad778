"""PostgreSQL behind the store: how its connections are opened, and what its errors mean.

The node that writes holds a session lock of the database (P3): the server drops it when that
session ends, however it ends, and only then does a second process, which waits for it, begin. A
session that is lost is never opened again behind the store's back: somebody else may hold the lock
by then. The store stops writing, the process ends, and its successor starts from what lasted.

Passwords never stand in a URL (it lies in `preau.toml`): libpq finds them in a password file or a
service file, or needs none (peer authentication on the same machine).
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from connector.store.engine import Doubt, check_schema, explain, noted_schema
from connector.store.statement import DialectName, Statement
from connector.store.tx import Cursor, Params, Row
from policies.problem import Problem

try:
    import psycopg
    from psycopg import sql as composed
except ImportError:
    raise Problem("store-driver-missing") from None

LOCK: Final = 0x507265_6175
"""The advisory lock of the node that writes ("Preau")."""

_LOCK_MS: Final = 5_000
_FETCHED: Final = 2_000
_SESSION: Final = {
    # A dead machine must not hold the lock for the two hours that TCP allows.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "synchronous_commit": "on",
    "lock_timeout": f"{_LOCK_MS}ms",
    # What a server limits by default would end a session, and with it the lock, of an idle node.
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "statement_timeout": "0",
    "application_name": "preau",
}
# Since 17 only; one that is not known cannot be set.
_UNLIMITED: Final = (
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout'"
)
_CODES: Final[Mapping[str, str]] = {
    "08": "store-lost",
    "57": "store-lost",
    "57014": "store-locked",  # somebody cancelled one statement: the session goes on
    "53": "store-disk-full",
    "23": "store-integrity",
    "28": "store-unreadable",
    "3D": "store-missing",
    "42501": "store-unreadable",
    "25006": "store-read-only",
    "25P03": "store-lost",
    "25P04": "store-lost",
    "55P03": "store-locked",
    "40P01": "store-locked",
    "58": "store-damaged",
    "XX": "store-damaged",
}


def problem_of(error: Exception) -> Problem:
    """What an error of the driver means to people; the server's code for it is a parameter."""
    state = getattr(error, "sqlstate", None)
    name = state or type(error).__name__
    if state is None and isinstance(error, psycopg.DataError):  # NUL: the server never saw it
        return Problem("store-text")
    if state is None:
        lost = isinstance(error, psycopg.OperationalError)
        return Problem("store-lost" if lost else "store-fault", name=name)
    code = _CODES.get(state) or _CODES.get(state[:2], "store-fault")
    return Problem(code, name=name, path="[store] url")


Rows = Generator[Row, None, None]


class PostgresConnection:
    """One session; implements `engine.OwnedConnection`. Used by one thread at a time."""

    dialect: Final[DialectName] = "postgresql"

    def __init__(self, connection: "psycopg.Connection[Row]", *, writes: bool) -> None:
        self._connection = connection
        self._begin = "BEGIN" if writes else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        self._written = False
        self._streams = 0

    def execute(self, sql: str, params: Params | None = None, /) -> Cursor:
        """Run one statement; every error of the driver is a Problem."""
        try:
            cursor = self._connection.execute(sql.encode(), params)
        except psycopg.Error as error:
            raise problem_of(error) from error
        if not (cursor.statusmessage or "").startswith("SELECT"):  # changes may answer rows too
            self._written |= cursor.rowcount > 0
        return cursor if cursor.description else _Changed(cursor.rowcount)

    def each(self, sql: str, params: Mapping[str, object] | None = None, /) -> Rows:
        """The rows of an answer that the server keeps and gives some thousand at a time."""
        self._streams += 1
        with psycopg.ServerCursor(self._connection, f"stream{self._streams}") as cursor:
            cursor.itersize = _FETCHED
            try:
                cursor.execute(sql.encode(), params)
                yield from cursor
            except psycopg.Error as error:
                raise problem_of(error) from error

    def executemany(self, sql: str, rows: Iterable[Mapping[str, object]], /) -> Cursor:
        """Run one statement once per row; every error of the driver is a Problem."""
        cursor = self._connection.cursor()
        try:
            cursor.executemany(sql.encode(), rows)
        except psycopg.Error as error:
            raise problem_of(error) from error
        self._written |= cursor.rowcount > 0
        return _Changed(cursor.rowcount)

    def translate(self, error: Exception) -> Exception:
        """What to tell people: the driver's errors (a row that cannot be fetched) as Problems."""
        return problem_of(error) if isinstance(error, psycopg.Error) else error

    def begin(self) -> None:
        """Start a transaction."""
        self._written = False
        self.execute(self._begin)

    def commit(self) -> bool:
        """Make the transaction last; whether there was anything to write.

        Raises:
            Problem: nothing was written (a deferred check, disk full).
            Doubt: the session ended and nobody knows.
        """
        try:
            self._connection.execute("COMMIT")
        except psycopg.Error as error:
            problem = problem_of(error)
            if problem.code in {"store-lost", "store-damaged"}:
                raise Doubt(problem) from error
            raise problem from error
        return self._written

    def rollback(self) -> None:
        """Forget the transaction, if one is open. With a session that is lost the server has."""
        if self._connection.closed:
            return
        if self._connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """End the session; the writer's lock goes with it."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class _Changed:
    """The answer of a statement that answers no rows."""

    rowcount: int

    def fetchone(self) -> None:
        return None

    def fetchall(self) -> list[Row]:
        return []

    def __iter__(self) -> Any:  # noqa: ANN401
        return iter(())


@dataclass(frozen=True, slots=True)
class PostgresEngine:
    """Opens sessions in one database.

    `settings` are for tests and tuning: they come after ours and win.
    """

    url: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a password in a file that is read, copied and shown.

        Raises:
            Problem: `store-url-secret`.
        """
        if "password" in self.url or urlsplit(self.url).password is not None:
            raise Problem("store-url-secret")

    def writer(self) -> PostgresConnection:
        """The session that writes, with the lock that says so.

        Raises:
            Problem: `store-node-running`: another process has the lock; `store-lost`,
                `store-unreadable`, `store-missing`.
        """
        raw = self._session()
        try:
            connection = PostgresConnection(raw, writes=True)
            if connection.execute(f"SELECT pg_try_advisory_lock({LOCK})").fetchone() != (True,):
                raise Problem("store-node-running", folder=urlsplit(self.url).path.strip("/"))
        except BaseException:
            raw.close()
            raise
        return connection

    def reader(self) -> PostgresConnection:
        """A session that cannot write. Raises like `writer`."""
        return PostgresConnection(self._session(), writes=False)

    def await_writer(self, waiting: Callable[[], None]) -> None:
        """Wait until nobody has the writer's lock; `waiting` is called if somebody has.

        Raises:
            Problem: `store-lost`, `store-unreadable`, `store-missing`.
        """
        with closing(self._session(lock_timeout="0")) as raw:
            connection = PostgresConnection(raw, writes=True)
            if connection.execute(f"SELECT pg_try_advisory_lock({LOCK})").fetchone() == (True,):
                return
            waiting()
            connection.execute(f"SELECT pg_advisory_lock({LOCK})")

    def check(self, connection: PostgresConnection, statements: Iterable[Statement]) -> None:
        """Refuse a database of another schema, then have it prepare every statement.

        Raises:
            Problem: `store-schema-missing`, `store-schema-old`, `store-schema-new`,
                `store-foreign`, `store-fault` (a statement fits no table).
        """
        check_schema(found_schema(lambda sql: connection.execute(sql).fetchall()))
        explain(connection, statements)

    def _session(self, **changes: str) -> "psycopg.Connection[Row]":
        try:
            raw = psycopg.connect(
                self.url,
                autocommit=True,
                connect_timeout=10,
                # A server that is gone without a word must not hold a promise for hours.
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=3,
                tcp_user_timeout=15_000,
            )
        except psycopg.Error as error:
            raise problem_of(error) from error
        try:
            for name, value in {**_SESSION, **self.settings, **changes}.items():
                raw.execute(
                    composed.SQL("SET {} = {}").format(
                        composed.Identifier(name), composed.Literal(value)
                    )
                )
            raw.execute(_UNLIMITED)
        except psycopg.Error as error:
            raw.close()
            raise problem_of(error) from error
        return raw


def found_schema(query: Any) -> str | None:  # noqa: ANN401
    """The revision that the migrations noted in a database, None in an empty one.

    Raises:
        Problem: `store-foreign`: it has tables, but none of the migrations' notes.
    """
    listed = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    )
    return noted_schema(lambda: [str(row[0]) for row in query(listed)], query)
