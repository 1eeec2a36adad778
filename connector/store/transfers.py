"""Transfer processes, with the version check that keeps two answers from crossing."""

from typing import Final

from connector.protocol.transfer import Transfer
from connector.store.processes import Processes
from connector.store.queries import given
from connector.store.tables import TRANSFER
from connector.store.tx import Tx

_TRANSFERS: Final = Processes(TRANSFER, Transfer.from_row)
_OF_AGREEMENT: Final = _TRANSFERS.query(given(TRANSFER.c.agreement))


def save(tx: Tx, transfer: Transfer, *, expected_version: int | None) -> None:
    """Store a transfer: a new one (None), or one that still has the version it was loaded with.

    pid, role, peer, agreement and created never change. Announces the topic "transfer".

    Raises:
        Problem: `store-conflict`: it exists already, is unknown, or somebody was faster;
            `store-integrity`: no such agreement.
    """
    _TRANSFERS.save(tx, transfer, expected_version=expected_version)


def get(tx: Tx, *, pid: str) -> Transfer | None:
    """A transfer by our pid."""
    return _TRANSFERS.get(tx, pid)


def by_peer(tx: Tx, *, peer: str, peer_pid: str, role: str) -> Transfer | None:
    """A transfer by its authenticated peer, the peer's pid, and *our* role in it."""
    return _TRANSFERS.by_peer(tx, peer, peer_pid, role)


def of_agreement(tx: Tx, *, agreement: str) -> list[Transfer]:
    """The transfers under one agreement, oldest first."""
    return _TRANSFERS.rows(tx.run(_OF_AGREEMENT, agreement=agreement))


def listing(tx: Tx, *, state: str | None = None) -> list[Transfer]:
    """All transfers, or those in one state, oldest first."""
    return _TRANSFERS.listing(tx, state)
