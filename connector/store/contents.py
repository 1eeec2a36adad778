"""What is written once: bodies of messages, offers, applications, agreements, plans.

They are long and never change, and what names them is short and does: a negotiation moves some
five times, its terms stay. So a row that changes names its contents by number, and a step writes
some hundred bytes, not all that was ever said. What two rows name is there once: a message and its
place in the outbox, the agreement of a negotiation and of its row. What many rows name (a DID
document, a dataset document) is `shared` and found again by its digest.

Which number a value has is known for the transaction alone (`Tx.seen`), by the identity of the
object: nobody changes what was read, and what was not read is new. Numbers only grow while a
writer lives, also over a transaction that is undone; a gap is no harm.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import orjson
from sqlalchemy import Column, FromClause, Table, func, literal_column, select

from connector.store.additions import Addition
from connector.store.codec import Codec
from connector.store.queries import given, value
from connector.store.statement import Statement
from connector.store.tables import CONTENT
from connector.store.tx import Row, Tx
from policies.jcs import digest_bytes
from policies.problem import Problem

R = TypeVar("R")

_MOST: Final = 256
"""Shared contents whose numbers are known without asking."""

_ADD: Final = Addition(CONTENT)
_LAST: Final = Statement(
    select(func.coalesce(func.max(CONTENT.c.n), literal_column("0"))), beside=True
)
_SHARED: Final = Statement(select(CONTENT.c.n).where(given(CONTENT.c.digest)), beside=True)


def put(tx: Tx, content: object) -> int:
    """The number of a content: the one it was read or put under in this transaction, or a new one.

    `content` is bytes, or what JSON can say.
    """
    known = tx.seen.get((_ADD, id(content)))
    return known[1] if known else hold(tx, content, _add(tx, _bytes(content), None))


def share(tx: Tx, content: object) -> int:
    """As `put`, but equal contents have one number, whoever put them."""
    known = tx.seen.get((_ADD, id(content)))
    if known:
        return int(known[1])
    body = _bytes(content)
    digest = digest_bytes(body)
    key = (_SHARED, digest)
    number: int | None = tx.seen.get(key) or _committed(tx, digest)
    if number is None:
        number = tx.seen[key] = _add(tx, body, digest)
    return hold(tx, content, number)


def hold(tx: Tx, content: object, number: int) -> int:
    """Know the number of a content that was just read, or put, while the transaction lasts."""
    tx.seen[_ADD, id(content)] = (content, number)  # what is kept here keeps its id
    return number


class Joined:
    """The columns of a table that name contents, and how these are read along with its rows."""

    def __init__(self, table: Table, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.bodies: dict[str, Column[Any]] = {}
        self.numbers: list[Column[Any]] = [table.c[name] for name in names]
        self.source: FromClause = table
        for name, number in zip(names, self.numbers, strict=True):
            content = CONTENT.alias(f"{table.name}_{name}")
            self.source = self.source.outerjoin(content, content.c.n == number)
            self.bodies[name] = content.c.body

    def held(self, tx: Tx, contents: Sequence[object], numbers: Sequence[int | None]) -> None:
        """Know the numbers of the contents of one row.

        Raises:
            Problem: `store-damaged`: a content is not there.
        """
        for content, number in zip(contents, numbers, strict=True):
            if number is None:
                continue
            if content is None:
                raise Problem("store-damaged", name="content")
            hold(tx, content, number)


class Apart(Generic[R]):
    """Reads and writes rows some of whose values are contents (`names`; the `shared` ones among
    them); used like a `Codec`, with the transaction.
    """

    def __init__(
        self, row: type[R], table: Table, names: Sequence[str], shared: Sequence[str] = ()
    ) -> None:
        joined = Joined(table, names)
        self._codec = Codec(row, table, joined.bodies)
        self._joined = joined
        self._puts = [(name, share if name in shared else put) for name in names]
        self._places = [self._codec.names.index(name) for name in names]
        self._own = len(self._codec.names)
        self.columns = (*self._codec.columns, *joined.numbers)
        self.source = joined.source

    def read(self, tx: Tx, values: Row) -> R:
        """The dataclass of one row of `queries.chosen`."""
        cells = self._codec.cells(values[: self._own])
        self._joined.held(tx, [cells[place] for place in self._places], values[self._own :])
        return self._codec.made(cells)

    def maybe(self, tx: Tx, values: Row | None) -> R | None:
        """As `read`, where there may be no row."""
        return None if values is None else self.read(tx, values)

    def values(self, tx: Tx, row: R) -> dict[str, Any]:
        """The parameters of a statement that writes this row; its contents are put."""
        cells = self._codec.values(row)
        for name, number in self._puts:
            if cells[name] is not None:
                cells[name] = number(tx, cells[name])
        return cells


def _committed(tx: Tx, digest: str) -> int | None:
    """The number of a shared content from before; this transaction has put none of that digest, so
    what is found stays.
    """
    known: dict[str, int] = tx.lasting.setdefault(_SHARED, {})
    number = known.get(digest)
    if number is None:
        number = value(tx.one(_SHARED, digest=digest))
        if number is not None:
            if len(known) >= _MOST:
                known.clear()
            known[digest] = number
    return number


def _add(tx: Tx, body: bytes, digest: str | None) -> int:
    last: int | None = tx.lasting.get(_LAST)
    if last is None:
        last = value(tx.one(_LAST))
    number = tx.lasting[_LAST] = int(last or 0) + 1
    tx.add(_ADD, {"n": number, "digest": digest, "body": body})
    return number


def _bytes(content: object) -> bytes:
    if isinstance(content, bytes):
        return content
    return orjson.dumps(dict(content) if isinstance(content, Mapping) else content)
