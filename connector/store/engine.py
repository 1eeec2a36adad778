"""What the store asks of a database: how connections are opened, begun, committed and given back.

`sqlite` and `postgresql` implement it; which one is told by the URL. Every error of a driver
becomes a `Problem` there. A failing disk is not a failing unit: where it is unknown whether a
commit lasted, the connection says so (`Doubt`), and the writer stops rather than go on from a
state it cannot know.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from connector.store.statement import Statement
from connector.store.tables import KNOWN, SCHEMA
from connector.store.tx import Connection
from policies.problem import Problem

VERSION_TABLE: Final = "schema_version"
_SQLITE: Final = "sqlite:///"
_POSTGRESQL: Final = "postgresql://"


class Doubt(Exception):
    """A commit failed in such a way that it may or may not have lasted; carries its Problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


class OwnedConnection(Connection, Protocol):
    """A connection as the thread that owns it sees it."""

    def translate(self, error: Exception) -> Exception:
        """What to tell people: the driver's errors as Problems, others as they are."""
        ...

    def begin(self) -> None:
        """Start a transaction.

        Raises:
            Problem: `store-…`.
        """
        ...

    def commit(self) -> bool:
        """Make the transaction last; whether there was anything to write.

        Raises:
            Problem: nothing was written.
            Doubt: nobody knows.
        """
        ...

    def rollback(self) -> None:
        """Forget the transaction, if one is open."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class Engine(Protocol):
    """Opens connections to one database."""

    def writer(self) -> OwnedConnection:
        """The connection that writes; there is one at a time.

        Raises:
            Problem: `store-…`: missing, unreadable, damaged, locked, or served by another node.
        """
        ...

    def reader(self) -> OwnedConnection:
        """A connection that cannot write; open the writer first. Raises like `writer`."""
        ...

    def check(self, connection: Any, statements: Iterable[Statement]) -> None:  # noqa: ANN401
        """Refuse a database of another schema, then have it prepare every statement.

        Raises:
            Problem: `store-schema-missing`, `store-schema-old`, `store-schema-new`,
                `store-foreign`, `store-damaged`, `store-fault` (a statement fits no table).
        """
        ...


def is_postgresql(target: Path | str) -> bool:
    """Whether a `[store] url` names a PostgreSQL database."""
    return isinstance(target, str) and target.startswith(_POSTGRESQL)


def database_path(target: Path | str) -> Path:
    """The file that a path or a `sqlite:///` URL names.

    Raises:
        Problem: `store-url`: another kind of database.
    """
    if isinstance(target, str):
        if target.startswith(_SQLITE):
            target = target.removeprefix(_SQLITE)
        elif "://" in target:
            raise Problem("store-url", scheme=target.partition(":")[0])
    return Path(target)


def located(folder: Path, url: str) -> Path | str:
    """Where a node's database is: a file's path is relative to the node's folder."""
    return url if is_postgresql(url) else folder / database_path(url)


def check_schema(found: str | None) -> None:
    """Refuse every schema but ours.

    Raises:
        Problem: `store-schema-missing`, `store-schema-old`, `store-schema-new`.
    """
    if found == SCHEMA:
        return
    if found is None:
        raise Problem("store-schema-missing", expected=SCHEMA)
    code = "store-schema-old" if found in KNOWN else "store-schema-new"
    raise Problem(code, found=found, expected=SCHEMA)


def noted_schema(
    names: Callable[[], Iterable[str]], query: Callable[[str], Sequence[Any]]
) -> str | None:
    """The revision that the migrations noted in a database, None in an empty one.

    `names` lists its tables, `query` answers a statement.

    Raises:
        Problem: `store-foreign`: it has tables, but none of the migrations' notes.
    """
    tables = set(names())
    if VERSION_TABLE in tables:
        rows = query(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608  (our own name)
        return str(rows[0][0]) if rows else None
    if tables:
        raise Problem("store-foreign")
    return None


def explain(connection: Connection, statements: Iterable[Statement], how: str = "EXPLAIN") -> None:
    """Have the database prepare every statement, none of them run.

    `how` is the words before a statement that ask for the least.

    Raises:
        Problem: `store-fault`: a statement fits no table.
    """
    for statement in statements:
        text = statement.compiled(connection.dialect)
        blanks = {**dict.fromkeys(text.names), **text.literals}
        connection.execute(f"{how} {text.sql}", blanks).fetchall()
