"""Empty databases as `init` makes them: made once by the migrations, then copied."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from connector.store import sqlite
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


@contextmanager
def prepared_once() -> Iterator[None]:
    """A store that opens has its database prepare every statement, a tenth of what a node of these
    tests costs. Of files with the same schema, word by word, one process asks only the first.
    """
    plain = sqlite.explain
    known: set[tuple[object, ...]] = set()

    def explain(connection: Connection, statements: Iterable[Statement], how: str) -> None:
        asked = tuple(statements)
        words = connection.execute("SELECT sql FROM sqlite_master").fetchall()
        case = (how, *map(id, asked), *map(tuple, words))
        if case not in known:
            plain(connection, asked, how)
            known.add(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "explain", explain)
        yield
