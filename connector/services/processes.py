"""Negotiations and transfers, loaded for whom they concern, saved after their steps."""

from connector.protocol.negotiation import Negotiation
from connector.protocol.transfer import Transfer
from connector.store import negotiations, transfers
from connector.store.store import Tx
from policies.problem import Problem


def negotiation(tx: Tx, pid: str, *, peer: str | None = None) -> Negotiation:
    """A negotiation by our pid; with `peer`, only if it is that participant's.

    Raises:
        Problem: `negotiation-unknown`: there is none, or it is another participant's (one answer
            for both, so that nobody learns which).
    """
    found = negotiations.get(tx, pid=pid)
    if found is None or peer not in {None, found.peer}:
        raise Problem("negotiation-unknown")
    return found


def save_negotiation(tx: Tx, n: Negotiation) -> None:
    """Store a negotiation as it is after one or more steps of this transaction."""
    negotiations.keep(tx, n)


def transfer(tx: Tx, pid: str, *, peer: str | None = None) -> Transfer:
    """A transfer by our pid; with `peer`, only if it is that participant's to speak about: what
    another control plane runs, only that control plane does.

    Raises:
        Problem: `transfer-unknown`: there is none, or it is another's.
    """
    found = transfers.get(tx, pid=pid)
    if found is None or (peer is not None and (found.peer != peer or found.control is not None)):
        raise Problem("transfer-unknown")
    return found


def save_transfer(tx: Tx, t: Transfer) -> None:
    """Store a transfer as it is after one or more steps of this transaction."""
    transfers.keep(tx, t)
