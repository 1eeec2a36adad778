"""Numbers an operator watches: how many processes in which state, and how long the queue waits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Table, func, select

from connector.store.codec import instant
from connector.store.statement import Statement
from connector.store.tables import IS_PENDING, NEGOTIATION, OUTBOX, TRANSFER
from connector.store.tx import Tx

Counts = Mapping[tuple[str, str], int]
"""How many by our role and state."""


def _by_state(table: Table) -> Statement:
    columns = (table.c.role, table.c.state)
    return Statement(select(*columns, func.count()).group_by(*columns).order_by(*columns))


_NEGOTIATIONS: Final = _by_state(NEGOTIATION)
_TRANSFERS: Final = _by_state(TRANSFER)
_OLDEST: Final = Statement(select(func.min(OUTBOX.c.created)).where(IS_PENDING))


def negotiations(tx: Tx) -> Counts:
    """Negotiations by role and state."""
    return {(role, state): count for role, state, count in tx.run(_NEGOTIATIONS)}


def transfers(tx: Tx) -> Counts:
    """Transfers by role and state."""
    return {(role, state): count for role, state, count in tx.run(_TRANSFERS)}


def oldest_pending(tx: Tx) -> datetime | None:
    """When the oldest message that is still to be delivered was written."""
    row = tx.one(_OLDEST)
    return None if row is None or row[0] is None else instant(row[0])
