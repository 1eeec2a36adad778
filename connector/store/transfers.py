"""Transfer processes, with the version check that keeps two answers from crossing."""

from typing import Final

from sqlalchemy import and_, bindparam, func, or_, select

from connector.protocol.transfer import TERMINAL, Role, State, Transfer
from connector.store.codec import stamp
from connector.store.processes import Processes
from connector.store.queries import given, value
from connector.store.statement import Statement
from connector.store.tables import TRANSFER
from connector.store.tx import Tx

_TRANSFERS: Final = Processes(TRANSFER, Transfer.from_row)
_OF_AGREEMENT: Final = _TRANSFERS.query(given(TRANSFER.c.agreement))
_CREATED: Final = TRANSFER.c.created
_EARLIER: Final = Statement(
    select(func.count())
    .select_from(TRANSFER)
    .where(
        given(TRANSFER.c.agreement),
        or_(
            bindparam("created") > _CREATED,
            and_(bindparam("created") == _CREATED, bindparam("pid") > TRANSFER.c.pid),
        ),
    )
)
_IS_SERVED: Final = and_(
    TRANSFER.c.role == Role.PROVIDER.value,
    or_(TRANSFER.c.state == State.STARTED.value, TRANSFER.c.state == State.SUSPENDED.value),
)
_SERVED: Final = _TRANSFERS.query(_IS_SERVED)
_SERVED_UNDER: Final = _TRANSFERS.query(_IS_SERVED, given(TRANSFER.c.agreement))
_IS_RUNNING: Final = and_(*(TRANSFER.c.state != state.value for state in sorted(TERMINAL)))
_RUNNING_WITH: Final = _TRANSFERS.query(given(TRANSFER.c.peer), _IS_RUNNING)


def save(tx: Tx, transfer: Transfer, *, expected_version: int | None) -> None:
    """Store a transfer: a new one (None), or one that still has the version it was loaded with.

    pid, role, peer, agreement and created never change. Announces the topic "transfer".

    Raises:
        Problem: `store-conflict`: it exists already, is unknown, or somebody was faster;
            `store-integrity`: no such agreement.
    """
    _TRANSFERS.save(tx, transfer, expected_version=expected_version)


def keep(tx: Tx, transfer: Transfer) -> None:
    """Store a transfer as it is after steps of this transaction; raises like `save`."""
    _TRANSFERS.keep(tx, transfer)


def get(tx: Tx, *, pid: str) -> Transfer | None:
    """A transfer by our pid."""
    return _TRANSFERS.get(tx, pid)


def of_agreement(tx: Tx, *, agreement: str) -> list[Transfer]:
    """The transfers under one agreement, oldest first."""
    return _TRANSFERS.rows(tx, tx.run(_OF_AGREEMENT, agreement=agreement))


def place(tx: Tx, transfer: Transfer) -> int:
    """Which one of its agreement's a transfer is, by age; the oldest is 1."""
    created = stamp(transfer.created)
    found = tx.one(_EARLIER, agreement=transfer.agreement, created=created, pid=transfer.pid)
    return 1 + int(value(found))


def listing(tx: Tx, *, state: str | None = None) -> list[Transfer]:
    """All transfers, or those in one state, oldest first."""
    return _TRANSFERS.listing(tx, state)


def served(tx: Tx, *, agreement: str | None = None) -> list[Transfer]:
    """The transfers that this node has started as provider and that are not over, suspended ones
    too; of all agreements or of one, oldest first.
    """
    if agreement is None:
        return _TRANSFERS.rows(tx, tx.run(_SERVED))
    return _TRANSFERS.rows(tx, tx.run(_SERVED_UNDER, agreement=agreement))


def running(tx: Tx, *, peer: str) -> list[Transfer]:
    """The transfers with a participant that are not over, in either role, oldest first."""
    return _TRANSFERS.rows(tx, tx.run(_RUNNING_WITH, peer=peer))
