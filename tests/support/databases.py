"""Empty databases as `init` makes them: made once by the migrations, then copied."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from connector.store import engine, postgresql, sqlite
from connector.store.migrate import upgrade
from connector.store.sqlite import create_file
from connector.store.statement import Statement
from connector.store.tx import Connection


@cache
def _made() -> bytes:
    """A database's file, all of it."""
    with tempfile.TemporaryDirectory(prefix="preau-database-") as folder:
        path = Path(folder) / "node.db"
        create_file(path)
        upgrade(path)
        return path.read_bytes()


def fresh(path: Path) -> Path:
    """An empty database at `path`, where nothing may be yet; the path."""
    create_file(path)
    path.write_bytes(_made())
    return path


# What a statement's preparation depends on: tables, columns, types, and unique keys.
_SCHEMA: Final = {
    "sqlite": "SELECT sql FROM sqlite_master",
    "postgresql": "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod) "
    "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
    "WHERE relnamespace = 'public'::regnamespace "
    "UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
    "ORDER BY 1, 2, 3",
}


@contextmanager
def prepared_once() -> Iterator[None]:
    """A store that opens has its database prepare every statement, a tenth of what a node of these
    tests costs. Of databases with the same schema, word by word, one process asks only the first.
    """
    plain = engine.explain
    known: set[tuple[object, ...]] = set()

    def explain(
        connection: Connection, statements: Iterable[Statement], how: str = "EXPLAIN"
    ) -> None:
        asked = tuple(statements)
        words = connection.execute(_SCHEMA[connection.dialect], {}).fetchall()
        case = (how, *map(id, asked), *map(tuple, words))
        if case not in known:
            plain(connection, asked, how)
            known.add(case)

    with pytest.MonkeyPatch.context() as patch:
        for module in (sqlite, postgresql):
            patch.setattr(module, "explain", explain)
        yield
