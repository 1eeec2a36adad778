"""What negotiations and transfers have in common: versioned rows, found by the peer's pid too.

The row's `body` is the protocol's own dataclass as JSON, but for what stands `apart` as a content
of its own; the other columns repeat what queries look for.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

import orjson
from sqlalchemy import ColumnElement, Table, bindparam, or_, select, update

from connector.store import contents
from connector.store.codec import stamp, to_text
from connector.store.queries import adding_once, given
from connector.store.statement import Statement
from connector.store.tx import Row, Tx
from policies.problem import Problem


class _Process(Protocol):
    """What `protocol.negotiation.Negotiation` and `protocol.transfer.Transfer` share."""

    @property
    def pid(self) -> str: ...
    @property
    def created(self) -> datetime: ...
    @property
    def updated(self) -> datetime: ...
    @property
    def version(self) -> int: ...
    def to_row(self) -> dict[str, object]: ...


P = TypeVar("P", bound=_Process)

_CHANGING: Final = ("peer_pid", "state", "version", "body", "updated")
_TIMES: Final = frozenset({"created", "updated"})


class Processes(Generic[P]):
    """The statements over one table of processes, and the rule of versions."""

    def __init__(
        self, table: Table, read: Callable[[Mapping[str, Any]], P], apart: Sequence[str] = ()
    ) -> None:
        self._table = table
        self._read = read
        self._apart = contents.Joined(table, apart)
        besides = {"body", *_TIMES, *apart}
        self._names = [column.name for column in table.c if column.name not in besides]
        self._add = adding_once(table, "pid")
        changing: dict[str, object] = {name: bindparam(name) for name in (*_CHANGING, *apart)}
        self._changing = tuple(changing)
        self._update = Statement(
            update(table)
            .where(given(table.c.pid), table.c.version == bindparam("expected"))
            .values(changing)
        )
        self._get = self.query(given(table.c.pid))
        state = bindparam("state", type_=table.c.state.type)
        self._all = self.query(or_(state.is_(None), table.c.state == state))

    def query(self, *where: ColumnElement[bool]) -> Statement:
        """A statement for `rows`: those that meet every condition, oldest first."""
        table, apart = self._table, self._apart
        read = (table.c.body, *apart.bodies.values(), *apart.numbers)
        order = (table.c.created, table.c.pid)
        return Statement(select(*read).select_from(apart.source).where(*where).order_by(*order))

    def save(self, tx: Tx, process: P, *, expected_version: int | None) -> None:
        """Insert (None) or change a row that still has the version it was loaded with."""
        values = self._values(tx, process)
        if expected_version is None:
            saved = tx.change(self._add, **values)
        else:
            changed = {name: values[name] for name in ("pid", *self._changing)}
            saved = tx.change(self._update, expected=expected_version, **changed)
        if not saved:
            raise Problem("store-conflict", what=self._table.name)
        self._saw(tx, process)

    def keep(self, tx: Tx, process: P) -> None:
        """Insert a process, or change it from what it is in this transaction; raises like `save`.

        What was not read in this transaction is new as a rule, so that is tried first.
        """
        known: P | None = tx.seen.get((self._get, process.pid))
        if known is None:
            if tx.change(self._add, **self._values(tx, process)):
                self._saw(tx, process)
                return
            known = self.get(tx, process.pid)
        if known != process:
            self.save(tx, process, expected_version=known.version if known else None)

    def get(self, tx: Tx, pid: str) -> P | None:
        """A process by our pid."""
        key = (self._get, pid)
        found: P | None = tx.seen.get(key)
        if found is None:
            found = self._maybe(tx, tx.one(self._get, pid=pid))
            if found is not None:
                tx.seen[key] = found
        return found

    def listing(self, tx: Tx, state: str | None) -> list[P]:
        """All processes, or those in one state, oldest first."""
        return self.rows(tx, tx.run(self._all, state=state))

    def rows(self, tx: Tx, rows: list[Row]) -> list[P]:
        """What a `query` answered."""
        return [self._made(tx, row) for row in rows]

    def _values(self, tx: Tx, process: P) -> dict[str, object]:
        row = process.to_row()
        apart = {name: row.pop(name) for name in self._apart.names}
        return {
            **{name: row[name] for name in self._names},
            **{
                name: None if part is None else contents.put(tx, part)
                for name, part in apart.items()
            },
            "created": stamp(process.created),
            "updated": stamp(process.updated),
            "body": to_text(row),
        }

    def _saw(self, tx: Tx, process: P) -> None:
        tx.seen[self._get, process.pid] = process
        tx.announce(self._table.name)

    def _maybe(self, tx: Tx, row: Row | None) -> P | None:
        return None if row is None else self._made(tx, row)

    def _made(self, tx: Tx, row: Row) -> P:
        body, *rest = row
        names = self._apart.names
        apart = [None if part is None else orjson.loads(part) for part in rest[: len(names)]]
        self._apart.held(tx, apart, rest[len(names) :])
        return self._read({**orjson.loads(body), **dict(zip(names, apart, strict=True))})
