"""The evidence log's leaves, in strict order, and what lies beside them.

What a transaction has added is known from `Tx.seen` before it is written, so the questions that
come with every leaf are asked beside the rows that wait.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select

from connector.store.additions import Addition
from connector.store.codec import Codec, instant
from connector.store.queries import by, chosen, following, given, next_number, putting, value
from connector.store.rows import CheckpointRow, LeafRow
from connector.store.statement import Statement
from connector.store.tables import CHECKPOINT, LEAF, SALT
from connector.store.tx import Tx
from policies.problem import Problem

_CODEC: Final = Codec(LeafRow, LEAF, data="bytes")
_CHECKPOINTS: Final = Codec(CheckpointRow, CHECKPOINT)

_NEXT_INDEX: Final = next_number(LEAF.c.idx, first=0)
_NEXT_N_OF_NONE: Final = Statement(
    following(LEAF.c.n, LEAF.c.agreement.is_(None), given(LEAF.c.type)), beside=True
)
_SALT: Final = Statement(select(SALT.c.salt).where(given(SALT.c.agreement)), beside=True)
# All that a first leaf under an agreement asks for: next number, salt, whether there are others.
_FILED: Final = Statement(
    select(
        following(LEAF.c.n, given(LEAF.c.agreement), given(LEAF.c.type)).scalar_subquery(),
        select(SALT.c.salt).where(given(SALT.c.agreement)).scalar_subquery(),
        select(LEAF.c.idx).where(given(LEAF.c.agreement)).exists(),
    ),
    beside=True,
)
_ADD: Final = Addition(LEAF)
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

_KEEP_SALT: Final = Addition(SALT)

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
    key = (_FILED, agreement, type)
    known: int | None = tx.seen.get(key)
    if known is None:
        new = (_FILED, agreement) in tx.seen
        known = tx.seen[key] = 1 if new else _next_n(tx, agreement, type)
    return known


def insert_leaf(tx: Tx, row: LeafRow) -> None:
    """Append a leaf. Announces the topic "leaf".

    Raises:
        Problem: `store-leaf-order`: its index is not the next one; when it is written
            `store-integrity`: its `n` is taken.
    """
    last = newest(tx)
    if row.idx != (0 if last is None else last[0] + 1):
        raise Problem("store-leaf-order", index=row.idx)
    tx.add(_ADD, _CODEC.values(row))
    tx.seen[_NEWEST] = (row.idx, row.at)
    key = (_FILED, row.agreement, row.type)
    if row.n is not None and key in tx.seen:
        tx.seen[key] = max(tx.seen[key], row.n + 1)
    elif row.n is not None:  # not numbered by us: the database shall tell
        tx.settle({LEAF.name})
        tx.seen.pop((_FILED, row.agreement), None)
    tx.announce("leaf")


def _next_n(tx: Tx, agreement: str | None, type: str) -> int:
    if agreement is None:
        return int(value(tx.one(_NEXT_N_OF_NONE, type=type)))
    number, salt, others = tx.run(_FILED, agreement=agreement, type=type)[0]
    tx.seen.setdefault((_SALT, agreement), salt)
    if not others:
        tx.seen[_FILED, agreement] = 1
    return int(number)


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
    if _NEWEST not in tx.seen:
        row = tx.one(_NEWEST)
        tx.seen[_NEWEST] = None if row is None else (row[0], instant(row[1]))
    known: tuple[int, datetime] | None = tx.seen[_NEWEST]
    return known


def salt(tx: Tx, *, agreement: str) -> bytes | None:
    """The salt under which leaves name an agreement."""
    key = (_SALT, agreement)
    if key not in tx.seen:
        tx.seen[key] = value(tx.one(_SALT, agreement=agreement))
    kept: bytes | None = tx.seen[key]
    return kept


def keep_salt(tx: Tx, *, agreement: str, fresh: Callable[[], bytes]) -> bytes:
    """The salt of an agreement: the one kept already, else a fresh one, kept from now on."""
    kept = salt(tx, agreement=agreement)
    if kept is None:
        kept = tx.seen[_SALT, agreement] = fresh()
        tx.add(_KEEP_SALT, {"agreement": agreement, "salt": kept})
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
