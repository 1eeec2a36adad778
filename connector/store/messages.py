"""Protocol messages as they came in and went out: the raw material of an evidence bundle."""

from typing import Final

from sqlalchemy import bindparam

from connector.store.additions import Addition
from connector.store.contents import Apart
from connector.store.queries import chosen, given
from connector.store.rows import MessageRow
from connector.store.statement import Statement
from connector.store.tables import MESSAGE
from connector.store.tx import Tx

_ROWS: Final = Apart(MessageRow, MESSAGE, ["body"])
_ADD: Final = Addition.numbered(MESSAGE)
_OF: Final = Statement(chosen(_ROWS, given(MESSAGE.c.process)).order_by(MESSAGE.c.seq))

_SINCE: Final = Statement(
    chosen(_ROWS, MESSAGE.c.seq > bindparam("after"))
    .order_by(MESSAGE.c.seq)
    .limit(bindparam("most"))
)


def add(tx: Tx, row: MessageRow) -> None:
    """Store a message under the next number (the row's own `seq` is ignored)."""
    tx.add(_ADD, _ROWS.values(tx, row))


def since(tx: Tx, *, after: int, limit: int) -> list[MessageRow]:
    """At most `limit` messages of all processes with greater numbers, in order."""
    return [_ROWS.read(tx, row) for row in tx.run(_SINCE, after=after, most=limit)]


def of(tx: Tx, *, process: str) -> list[MessageRow]:
    """The messages of a process (our pid), in order."""
    return [_ROWS.read(tx, row) for row in tx.run(_OF, process=process)]
