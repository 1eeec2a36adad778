"""The evidence log's leaves, in strict order, and what lies beside them."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, insert, literal_column, select

from connector.store.codec import Codec, instant
from connector.store.queries import adding, by, chosen, given, next_number, putting, value
from connector.store.rows import CheckpointRow, LeafRow
from connector.store.statement import Statement
from connector.store.tables import CHECKPOINT, LEAF, SALT
from connector.store.tx import Tx
from policies.problem import Problem

_CODEC: Final = Codec(LeafRow, LEAF, data="bytes")
_CHECKPOINTS: Final = Codec(CheckpointRow, CHECKPOINT)

_NEXT_INDEX: Final = next_number(LEAF.c.idx, first=0)
_NEXT_N: Final = next_number(LEAF.c.n, given(LEAF.c.agreement), given(LEAF.c.type))
_NEXT_N_OF_NONE: Final = next_number(LEAF.c.n, LEAF.c.agreement.is_(None), given(LEAF.c.type))
_ANY: Final = Statement(select(LEAF.c.idx).where(given(LEAF.c.agreement)).limit(1))
# One statement both checks and writes: a leaf that is not the next one changes nothing.
_INSERT: Final = Statement(
    insert(LEAF).from_select(
        list(_CODEC.names),
        select(*(bindparam(column.name, type_=column.type) for column in _CODEC.columns)).where(
            select(
                func.coalesce(func.max(LEAF.c.idx) + literal_column("1"), literal_column("0"))
            ).scalar_subquery()
            == bindparam("idx", type_=LEAF.c.idx.type)
        ),
    )
)
_GET: Final = by(_CODEC, LEAF.c.idx)
_BETWEEN: Final = Statement(
    chosen(_CODEC, LEAF.c.idx >= bindparam("start"), LEAF.c.idx < bindparam("stop")).order_by(
        LEAF.c.idx
    )
)
_DATA: Final = Statement(
    select(LEAF.c.bytes)
    .where(LEAF.c.idx >= bindparam("start"), LEAF.c.idx < bindparam("stop"))
    .order_by(LEAF.c.idx)
)
_OF_AGREEMENT: Final = Statement(chosen(_CODEC, given(LEAF.c.agreement)).order_by(LEAF.c.idx))
_NEWEST: Final = Statement(select(LEAF.c.idx, LEAF.c.at).order_by(LEAF.c.idx.desc()).limit(1))

_SALT: Final = Statement(select(SALT.c.salt).where(given(SALT.c.agreement)))
_KEEP_SALT: Final = adding(SALT)

_PUT_CHECKPOINT: Final = putting(CHECKPOINT)
_CHECKPOINT: Final = by(_CHECKPOINTS, CHECKPOINT.c.size)
_LAST_CHECKPOINT: Final = Statement(
    chosen(_CHECKPOINTS).order_by(CHECKPOINT.c.size.desc()).limit(1)
)


def next_index(tx: Tx) -> int:
    """The index of the next leaf = the size of the log."""
    index: int = value(tx.one(_NEXT_INDEX))
    return index


def next_number_of(tx: Tx, *, agreement: str | None, type: str) -> int:
    """The next `n` of leaves with a shared body, of one type, under one agreement; from 1."""
    key = (_NEXT_N, agreement, type)
    known: int | None = tx.seen.get(key)
    if known is None:
        new = (_ANY, agreement) in tx.seen
        known = tx.seen[key] = 1 if new else _next_n(tx, agreement, type)
    return known


def insert_leaf(tx: Tx, row: LeafRow) -> None:
    """Append a leaf. Announces the topic "leaf".

    Raises:
        Problem: `store-leaf-order`: its index is not the next one; `store-integrity`: its `n` is
            taken.
    """
    if not tx.change(_INSERT, **_CODEC.values(row)):
        raise Problem("store-leaf-order", index=row.idx)
    tx.seen[_NEWEST] = (row.idx, row.at)
    key = (_NEXT_N, row.agreement, row.type)
    known = tx.seen.get(key)
    if known is None:  # not numbered by us
        tx.seen.pop((_ANY, row.agreement), None)
    elif row.n is not None:
        tx.seen[key] = max(known, row.n + 1)
    tx.announce("leaf")


def _next_n(tx: Tx, agreement: str | None, type: str) -> int:
    row = (
        tx.one(_NEXT_N_OF_NONE, type=type)
        if agreement is None
        else tx.one(_NEXT_N, agreement=agreement, type=type)
    )
    number: int = value(row)
    return number


def get(tx: Tx, *, index: int) -> LeafRow | None:
    """A leaf by its index."""
    return _CODEC.maybe(tx.one(_GET, idx=index))


def between(tx: Tx, *, start: int, stop: int) -> list[LeafRow]:
    """Leaves from index `start` up to but without `stop`."""
    return [_CODEC.read(row) for row in tx.run(_BETWEEN, start=start, stop=stop)]


def data(tx: Tx, *, start: int, stop: int) -> list[bytes]:
    """The bytes only (to rebuild the tree), of leaves `start` up to but without `stop`."""
    return [row[0] for row in tx.run(_DATA, start=start, stop=stop)]


def of_agreement(tx: Tx, *, agreement: str) -> list[LeafRow]:
    """The leaves about one agreement, in order."""
    return [_CODEC.read(row) for row in tx.run(_OF_AGREEMENT, agreement=agreement)]


def newest(tx: Tx) -> tuple[int, datetime] | None:
    """Index and time of the newest leaf: neither ever goes back."""
    known: tuple[int, datetime] | None = tx.seen.get(_NEWEST)
    if known is None and (row := tx.one(_NEWEST)) is not None:
        known = (row[0], instant(row[1]))
    return known


def salt(tx: Tx, *, agreement: str) -> bytes | None:
    """The salt under which leaves name an agreement."""
    key = (_SALT, agreement)
    kept: bytes | None = tx.seen.get(key)
    if kept is None:
        kept = tx.seen[key] = value(tx.one(_SALT, agreement=agreement))
    return kept


def keep_salt(tx: Tx, *, agreement: str, fresh: Callable[[], bytes]) -> bytes:
    """The salt of an agreement: the one kept already, else a fresh one, kept from now on."""
    kept = salt(tx, agreement=agreement)
    if kept is None:
        kept = fresh()
        tx.change(_KEEP_SALT, agreement=agreement, salt=kept)
        tx.seen[_SALT, agreement] = kept
        if tx.one(_ANY, agreement=agreement) is None:
            tx.seen[_ANY, agreement] = False
    return kept


def put_checkpoint(tx: Tx, row: CheckpointRow) -> None:
    """Store a signed checkpoint, in place of an earlier one of the same size."""
    tx.change(_PUT_CHECKPOINT, **_CHECKPOINTS.values(row))


def checkpoint(tx: Tx, *, size: int) -> CheckpointRow | None:
    """The checkpoint of a size."""
    return _CHECKPOINTS.maybe(tx.one(_CHECKPOINT, size=size))


def last_checkpoint(tx: Tx) -> CheckpointRow | None:
    """The newest checkpoint."""
    return _CHECKPOINTS.maybe(tx.one(_LAST_CHECKPOINT))
