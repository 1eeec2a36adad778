"""Attempts to deliver messages: what a timeline tells of each, at most `KEPT` a message.

Written in the transaction that marks or postpones the message, never in one of their own.
"""

from typing import Final

from sqlalchemy import bindparam, select

from connector.store.additions import Addition
from connector.store.codec import Codec
from connector.store.queries import given, putting, removing
from connector.store.rows import AttemptRow
from connector.store.statement import Statement
from connector.store.tables import ATTEMPT, OUTBOX
from connector.store.tx import Tx

FIRST: Final = 5
LAST: Final = 15
KEPT: Final = FIRST + LAST
"""Of a message tried for days, its first and its last attempts stay, and a warning before them."""

_CODEC: Final = Codec(AttemptRow, ATTEMPT)
_PUT: Final = Addition(ATTEMPT, putting(ATTEMPT), key=("outbox", "n"))
_FORGET: Final = removing(
    ATTEMPT,
    given(ATTEMPT.c.outbox),
    ATTEMPT.c.n > bindparam("first"),
    ATTEMPT.c.n <= bindparam("before"),
)
_OF: Final = Statement(
    select(*_CODEC.columns)
    .join(OUTBOX, OUTBOX.c.seq == ATTEMPT.c.outbox)
    .where(given(OUTBOX.c.process))
    .order_by(ATTEMPT.c.outbox, ATTEMPT.c.n)
)


def put(tx: Tx, row: AttemptRow) -> None:
    """Note an attempt; the same one again replaces itself."""
    tx.add(_PUT, _CODEC.values(row))
    if row.n > KEPT:
        tx.change(_FORGET, outbox=row.outbox, first=FIRST, before=row.n - LAST)


def of(tx: Tx, *, process: str) -> list[AttemptRow]:
    """The attempts for all messages of a process (our pid), in order of messages and numbers."""
    return [_CODEC.read(row) for row in tx.run(_OF, process=process)]
