"""Decisions about a process, automatic or by a person, each in its two renderings."""

from typing import Final

from connector.store.additions import Addition
from connector.store.codec import Codec
from connector.store.queries import chosen, given
from connector.store.rows import DecisionRow
from connector.store.statement import Statement
from connector.store.tables import DECISION
from connector.store.tx import Tx

_CODEC: Final = Codec(DecisionRow, DECISION)
_ADD: Final = Addition.numbered(DECISION)
_OF: Final = Statement(chosen(_CODEC, given(DECISION.c.process)).order_by(DECISION.c.seq))


def add(tx: Tx, row: DecisionRow) -> None:
    """Store a decision under the next number (the row's own `seq` is ignored)."""
    tx.add(_ADD, _CODEC.values(row))


def of(tx: Tx, *, process: str) -> list[DecisionRow]:
    """The decisions about a process (our pid), in order."""
    return [_CODEC.read(row) for row in tx.run(_OF, process=process)]
