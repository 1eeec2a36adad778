"""Bringing a database to the schema of this code. The only module that imports alembic, when used.

`init` makes a database with it, `upgrade` moves one on; both hold the node's lock. Each migration
is one transaction: a database is at a revision or at another, never between. There is no way back
but a backup.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from connector.store import sqlite
from connector.store.engine import VERSION_TABLE, database_path, is_postgresql
from connector.store.tables import KNOWN, SCHEMA
from policies.problem import Problem

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS: Final = Path(__file__).parent / "migrations"
_ORDERS: Final = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
"""Collations that order texts as SQLite does: by their bytes."""


def upgrade(target: Path | str, revision: str = "head") -> str:
    """Bring a database to `SCHEMA` (or to an older revision); an empty one becomes a new database.

    Returns:
        The revision reached.

    Raises:
        Problem: `store-missing`, `store-schema-new` (from a newer version of Préau),
            `store-foreign` (another program's), `store-locked`, `store-disk-full`,
            `store-damaged`; with PostgreSQL also `store-lost`, `store-driver-missing`.
    """
    from alembic import command

    with connected(target) as connection:
        found = found_schema(connection)
        if found is not None and found not in KNOWN:
            raise Problem("store-schema-new", found=found, expected=SCHEMA)
        command.upgrade(_config(connection), revision)
    return SCHEMA if revision == "head" else revision


def create(url: str, revision: str = "head") -> None:
    """Make our schema in an empty PostgreSQL database, which its owner has made for this node.

    Raises:
        Problem: `store-exists`: it holds a node already; `store-collation`: it orders or encodes
            texts in another way than by their bytes; and as `upgrade`.
    """
    with connected(url) as connection:
        if found_schema(connection) is not None:
            raise Problem("store-exists", path=url.rpartition("/")[2])
        encoding, order = connection.exec_driver_sql(
            "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database "
            "WHERE datname = current_database()"
        ).one()
        if encoding != "UTF8" or order not in _ORDERS:
            raise Problem("store-collation", encoding=encoding, order=order)
    upgrade(url, revision)


def found_schema(connection: Connection) -> str | None:
    """The revision noted in a connected database, None in an empty one.

    Raises:
        Problem: `store-foreign`.
    """
    if connection.dialect.name == "sqlite":
        return sqlite.found_schema(lambda sql: connection.exec_driver_sql(sql).fetchall())
    from connector.store import postgresql  # noqa: PLC0415  (an extra)

    return postgresql.found_schema(lambda sql: connection.exec_driver_sql(sql).fetchall())


@contextmanager
def connected(target: Path | str, *, snapshot: bool = False) -> Iterator[Connection]:
    """A connection in one transaction (`snapshot`: that sees one state); errors are Problems.

    Raises:
        Problem: `store-missing`, `store-…`.
    """
    if not is_postgresql(target) and not database_path(target).exists():
        raise Problem("store-missing", path=database_path(target))
    engine = _engine(target)
    if snapshot and is_postgresql(target):
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise problem_of(error) from error
    finally:
        engine.dispose()


def problem_of(error: DBAPIError) -> Problem:
    """What an error of either driver means to people."""
    origin = error.orig
    if isinstance(origin, sqlite3.Error):
        return sqlite.problem_of(origin)
    if isinstance(origin, Exception) and hasattr(origin, "sqlstate"):
        from connector.store import postgresql  # noqa: PLC0415  (an extra)

        return postgresql.problem_of(origin)
    return Problem("store-fault", name=type(origin).__name__)


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    return config


def _engine(target: Path | str) -> Engine:
    """Core's engine, with transactions that include the schema's own statements."""
    if isinstance(target, str) and is_postgresql(target):
        from connector.store.postgresql import PostgresEngine  # noqa: PLC0415  (an extra)

        PostgresEngine(target)  # refuses what may not stand in a URL
        url = "postgresql+psycopg://" + target.partition("://")[2]
        return create_engine(url, poolclass=NullPool)
    engine = create_engine(f"sqlite:///{database_path(target)}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _own_transactions(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
