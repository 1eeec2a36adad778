"""Negotiations, with the version check that keeps two answers from crossing."""

from typing import Final

from sqlalchemy import and_

from connector.protocol.negotiation import TERMINAL, Negotiation
from connector.store.processes import Processes
from connector.store.queries import given
from connector.store.tables import NEGOTIATION
from connector.store.tx import Tx

_NEGOTIATIONS: Final = Processes(
    NEGOTIATION, Negotiation.from_row, apart=["offer", "application", "agreement"]
)
_IS_RUNNING: Final = and_(*(NEGOTIATION.c.state != state.value for state in sorted(TERMINAL)))
_RUNNING_WITH: Final = _NEGOTIATIONS.query(given(NEGOTIATION.c.peer), _IS_RUNNING)


def save(tx: Tx, negotiation: Negotiation, *, expected_version: int | None) -> None:
    """Store a negotiation: a new one (None), or one that still has the version it was loaded with.

    pid, role, peer and created never change. Announces the topic "negotiation".

    Raises:
        Problem: `store-conflict`: it exists already, is unknown, or somebody was faster.
    """
    _NEGOTIATIONS.save(tx, negotiation, expected_version=expected_version)


def keep(tx: Tx, negotiation: Negotiation) -> None:
    """Store a negotiation as it is after steps of this transaction; raises like `save`."""
    _NEGOTIATIONS.keep(tx, negotiation)


def get(tx: Tx, *, pid: str) -> Negotiation | None:
    """A negotiation by our pid."""
    return _NEGOTIATIONS.get(tx, pid)


def listing(tx: Tx, *, state: str | None = None) -> list[Negotiation]:
    """All negotiations, or those in one state, oldest first."""
    return _NEGOTIATIONS.listing(tx, state)


def running(tx: Tx, *, peer: str) -> list[Negotiation]:
    """The negotiations with a participant that are not over, oldest first."""
    return _NEGOTIATIONS.rows(tx, tx.run(_RUNNING_WITH, peer=peer))
