"""Looking at a database and copying it, beside the node that owns it or without one.

For `backup`, `upgrade` and `doctor`. A copy is one snapshot, taken while the owner goes on; it is
one file, without a WAL. A look changes nothing and does not mind a schema that this code no longer
writes: what can be known of it is told.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import func, select

from connector.store import leaves, notes, peers, tokens
from connector.store.engine import OwnedConnection, is_postgresql
from connector.store.queries import value
from connector.store.rows import CheckpointRow
from connector.store.sqlite import SqliteConnection, found_schema, problem_of
from connector.store.statement import Statement
from connector.store.tables import KNOWN, LEAF, REVISION
from connector.store.tx import Tx
from policies.problem import Problem

_LEAVES: Final = Statement(select(func.count(LEAF.c.idx)))
_FOLDERS: Final = Statement(select(REVISION.c.folder).order_by(REVISION.c.folder))


@dataclass(frozen=True, slots=True)
class Look:
    """What a database says of itself; only `schema` when that is no schema we know."""

    schema: str | None
    leaves: int = 0
    next_leaf: int = 0
    last_leaf: datetime | None = None
    checkpoint: CheckpointRow | None = None
    revisions: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    notes: dict[str, str] = field(default_factory=dict)


def look(target: Path | str, *, known_notes: tuple[str, ...] = ()) -> Look:
    """What a database (a path, or a `postgresql://` URL) says of itself, and the notes asked for.

    Raises:
        Problem: `store-missing`, `store-unreadable`, `store-damaged`, `store-locked`,
            `store-foreign`, `store-lost`.
    """
    with _reading(target) as (connection, schema):
        if schema not in KNOWN:
            return Look(schema)
        connection.begin()
        tx = Tx(connection)
        try:
            newest = leaves.newest(tx)
            return Look(
                schema,
                leaves=value(tx.one(_LEAVES)),
                next_leaf=leaves.next_index(tx),
                last_leaf=None if newest is None else newest[1],
                checkpoint=leaves.last_checkpoint(tx),
                revisions=tuple(row[0] for row in tx.run(_FOLDERS)),
                peers=tuple(row.did for row in peers.listing(tx)),
                roles=frozenset(row.role for row in tokens.listing(tx) if row.revoked is None),
                notes={key: text for key in known_notes if (text := notes.get(tx, key=key))},
            )
        finally:
            connection.rollback()


def check_pages(path: Path) -> None:
    """Have SQLite read every page.

    Raises:
        Problem: `store-damaged`, and as `look`.
    """
    with _opened(path) as raw, _told():
        if raw.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise Problem("store-damaged", name="quick_check")


def copy(source: Path | str, target: Path) -> None:
    """Make `target` (new, mode 0600) a copy of the database as it stands now, a SQLite file.

    Raises:
        Problem: `store-missing`, `store-exists`, `store-disk-full`, `store-locked`,
            `store-damaged`, `store-lost`; nothing of the copy remains then.
    """
    if is_postgresql(source):
        from connector.store import moving  # noqa: PLC0415  (Core and alembic, not in a node)

        moving.to_file(str(source), target)
        return
    with _opened(Path(source)) as raw:
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            raise Problem("store-exists", path=target) from None
        except OSError as error:
            raise Problem("store-unreadable", name=error.strerror or "") from None
        try:
            with _told(), closing(sqlite3.connect(target, isolation_level=None)) as copied:
                raw.backup(copied)  # in one step: a reader's snapshot, nobody waits
                copied.execute("PRAGMA journal_mode=DELETE").fetchall()
            _sync(target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def put_note(path: Path, *, key: str, text: str) -> None:
    """Write one note into a database nobody has open, whatever its schema.

    Raises:
        Problem: `store-…`.
    """
    with _opened(path, writes=True) as raw, _told():
        raw.execute(
            "INSERT INTO note (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, text),
        )


@contextmanager
def _reading(target: Path | str) -> Iterator[tuple[OwnedConnection, str | None]]:
    """A connection for looking, and the schema noted there."""
    if isinstance(target, str) and is_postgresql(target):
        from connector.store import postgresql  # noqa: PLC0415  (an extra)

        session = postgresql.PostgresEngine(target).reader()
        with closing(session):
            yield session, postgresql.found_schema(lambda sql: session.execute(sql).fetchall())
        return
    with _opened(Path(target)) as raw:
        connection = SqliteConnection(raw, writes=False)
        yield connection, found_schema(lambda sql: connection.execute(sql).fetchall())


@contextmanager
def _opened(path: Path, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection of its own; opened for writing, because a WAL cannot be read otherwise when
    nobody has it open.
    """
    if not path.exists():
        raise Problem("store-missing", path=path)
    with _told():
        raw = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, timeout=5
        )
    with closing(raw):
        if not writes:
            with _told():
                raw.execute("PRAGMA query_only=ON")
        yield raw


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise problem_of(error) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
