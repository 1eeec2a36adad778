"""Which database a `[store] url` means: the one place that knows all of them."""

from collections.abc import Callable
from pathlib import Path

from connector.store.engine import Engine, database_path, is_postgresql
from connector.store.sqlite import SqliteEngine


def engine_of(target: Path | str) -> Engine:
    """The engine of a path, a `sqlite:///` URL or a `postgresql://` URL.

    Raises:
        Problem: `store-url`: another kind of database, `store-url-secret`, `store-driver-missing`.
    """
    if isinstance(target, str) and is_postgresql(target):
        from connector.store.postgresql import PostgresEngine  # noqa: PLC0415  (an extra)

        return PostgresEngine(target)
    return SqliteEngine(database_path(target))


def await_writer(url: str, waiting: Callable[[], None]) -> None:
    """Wait until no process writes to a PostgreSQL database; `waiting` is called if one does.

    Raises:
        Problem: `store-lost`, `store-unreadable`, `store-missing`, `store-driver-missing`.
    """
    from connector.store.postgresql import PostgresEngine  # noqa: PLC0415  (an extra)

    PostgresEngine(url).await_writer(waiting)
