"""A PostgreSQL database as one SQLite file, and back: so that backups have one form.

Both ways copy every row of every table, whatever revision of the schema they have, in one snapshot
of the source. Core and alembic do the work and are loaded only here and in `migrate`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, MetaData, Table, select
from sqlalchemy.exc import DBAPIError

from connector.store import migrate
from connector.store.engine import VERSION_TABLE
from connector.store.sqlite import create_file
from connector.store.tables import SCHEMA
from policies.problem import Problem

_ROWS: Final = 1_000


def to_file(url: str, target: Path) -> None:
    """Make `target` (new, mode 0600) a SQLite database with the rows of a PostgreSQL one.

    Raises:
        Problem: `store-exists`, `store-schema-missing`, `store-lost`, `store-disk-full` …; nothing
            of the copy remains then.
    """
    create_file(target)
    try:
        with migrate.connected(url, snapshot=True) as source:
            revision = migrate.found_schema(source)
            if revision is None:
                raise Problem("store-schema-missing", expected=SCHEMA)
            migrate.upgrade(target, revision)
            with migrate.connected(target) as copied:
                _copy(source, copied)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def from_file(source: Path, url: str) -> None:
    """Fill an empty PostgreSQL database with the rows of a SQLite one, at its revision.

    Raises:
        Problem: `store-exists`: the database is not empty; `store-collation`, `store-lost` …
    """
    with migrate.connected(source) as held:
        revision = migrate.found_schema(held)
        if revision is None:
            raise Problem("store-schema-missing", expected=SCHEMA)
        migrate.create(url, revision)
        with migrate.connected(url) as filled:
            _copy(held, filled)


def clear(url: str) -> None:
    """Empty a PostgreSQL database that `from_file` has filled in vain.

    Raises:
        Problem: `store-lost` …
    """
    with migrate.connected(url) as connection:
        described = MetaData()
        described.reflect(connection)
        described.drop_all(connection)


def _copy(source: Connection, target: Connection) -> None:
    described = MetaData()
    described.reflect(target)
    with _told():
        for table in described.sorted_tables:
            if table.name == VERSION_TABLE:
                continue
            for rows in _chunks(source, table):
                target.execute(table.insert(), rows)


def _chunks(source: Connection, table: Table) -> Iterator[list[dict[str, object]]]:
    found = source.execution_options(stream_results=True).execute(select(table))
    for rows in found.partitions(_ROWS):
        yield [dict(row._mapping) for row in rows]  # noqa: SLF001  (SQLAlchemy's public name)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise migrate.problem_of(error) from error
