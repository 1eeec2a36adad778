"""Bringing a database to the schema of this code. The only module that imports alembic, when used.

`init` makes a database with it, `upgrade` moves one on; both hold the node's lock. Each migration
is one transaction: a database is at a revision or at another, never between. There is no way back
but a backup.
"""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from connector.store.engine import VERSION_TABLE, found_schema, problem_of
from connector.store.tables import KNOWN, SCHEMA
from policies.problem import Problem

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS: Final = Path(__file__).parent / "migrations"


def upgrade(path: Path) -> str:
    """Bring a database file to `SCHEMA`; an empty file becomes a new database.

    Returns:
        The revision reached.

    Raises:
        Problem: `store-missing`, `store-schema-new` (from a newer version of Préau),
            `store-foreign` (another program's), `store-locked`, `store-disk-full`, `store-damaged`.
    """
    from alembic import command

    if not path.exists():
        raise Problem("store-missing", path=path)
    engine = _engine(path)
    try:
        with engine.begin() as connection:
            found = found_schema(lambda sql: connection.exec_driver_sql(sql).fetchall())
            if found is not None and found not in KNOWN:
                raise Problem("store-schema-new", found=found, expected=SCHEMA)
            command.upgrade(_config(connection), "head")
    except DBAPIError as error:
        origin = error.orig
        raise (
            problem_of(origin)
            if isinstance(origin, sqlite3.Error)
            else Problem("store-fault", name=type(error).__name__)
        ) from error
    finally:
        engine.dispose()
    return SCHEMA


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    return config


def _engine(path: Path) -> Engine:
    """Core's engine, with transactions that include the schema's own statements."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _own_transactions(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
