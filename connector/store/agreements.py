"""Agreements: what both parties signed, and what the node made of it."""

from typing import Any, Final

from sqlalchemy import bindparam, literal_column, or_, update

from connector.store.contents import Apart
from connector.store.queries import adding_once, by, chosen, given
from connector.store.rows import AgreementRow, AgreementState, PromisedRow
from connector.store.statement import Statement
from connector.store.tables import AGREEMENT
from connector.store.tx import Tx
from policies.problem import Problem

# Many agreements are about one dataset document, under the same keys.
_SHARED: Final = ("dataset_document", "did", "peer_did")
_ROWS: Final = Apart(
    AgreementRow, AGREEMENT, ["document", "plan", "application", "wire", *_SHARED], _SHARED
)
_PROMISED: Final = Apart(PromisedRow, AGREEMENT, ["document", "peer_did"], _SHARED)
# Whatever was signed stays; these may still come or move.
_CHANGING: Final = (
    "state",
    "provider_proof",
    "consumer_proof",
    "plan",
    "plan_digest",
    "application",
    "dataset_document",
    "wire",
    "did",
    "peer_did",
    "expires",
    "body",
)
_ADD: Final = adding_once(AGREEMENT, "id")
_UPDATE: Final = Statement(
    update(AGREEMENT)
    .where(given(AGREEMENT.c.id), given(AGREEMENT.c.digest))
    .values({name: bindparam(name) for name in _CHANGING})
)
_SET_STATE: Final = Statement(
    update(AGREEMENT).where(given(AGREEMENT.c.id)).values(state=bindparam("state"))
)
_BEGIN: Final = Statement(
    update(AGREEMENT)
    .where(given(AGREEMENT.c.id), AGREEMENT.c.state == literal_column("'pending'"))
    .values(state=literal_column("'active'"))
)
_COUNTERSIGNED: Final = Statement(
    update(AGREEMENT)
    .where(given(AGREEMENT.c.id), given(AGREEMENT.c.digest))
    .values(consumer_proof=bindparam("consumer_proof"), peer_did=bindparam("peer_did"))
)
_GET_PROMISED: Final = by(_PROMISED, AGREEMENT.c.id)
_GET: Final = by(_ROWS, AGREEMENT.c.id)
_BY_NEGOTIATION: Final = by(_ROWS, AGREEMENT.c.negotiation)
_STATE: Final = bindparam("state", type_=AGREEMENT.c.state.type)
_ALL: Final = Statement(
    chosen(_ROWS, or_(_STATE.is_(None), AGREEMENT.c.state == _STATE)).order_by(
        AGREEMENT.c.created, AGREEMENT.c.id
    )
)

_ACTIVE_WITH: Final = Statement(
    chosen(
        _ROWS, given(AGREEMENT.c.peer), AGREEMENT.c.state == literal_column("'active'")
    ).order_by(AGREEMENT.c.created, AGREEMENT.c.id)
)


def add(tx: Tx, row: AgreementRow) -> None:
    """Store a new agreement; its negotiation is stored before it.

    Raises:
        Problem: `store-conflict`: it exists already; `store-integrity`: its negotiation is unknown
            or has an agreement already.
    """
    if not tx.change(_ADD, **_ROWS.values(tx, row)):
        raise Problem("store-conflict", what="agreement")


def update_row(tx: Tx, row: AgreementRow) -> None:
    """Store what may come later: state, proofs, plan, application, documents, expiry, body.

    What was agreed (document, digest, parties, dataset) stays as it was added.

    Raises:
        Problem: `store-conflict`: no agreement has this id and this digest.
    """
    values: dict[str, Any] = _ROWS.values(tx, row)
    changed = {name: values[name] for name in ("id", "digest", *_CHANGING)}
    if not tx.change(_UPDATE, **changed):
        raise Problem("store-conflict", what="agreement")


def promised(tx: Tx, *, id: str) -> PromisedRow | None:
    """What of an agreement the second signature is about; the rest of it is long."""
    return _PROMISED.maybe(tx, tx.one(_GET_PROMISED, id=id))


def countersigned(tx: Tx, row: PromisedRow) -> None:
    """Store the consumer's proof, and the document of its keys.

    Raises:
        Problem: `store-conflict`: no agreement has this id and this digest.
    """
    values = _PROMISED.values(tx, row)
    del values["document"]
    if not tx.change(_COUNTERSIGNED, **values):
        raise Problem("store-conflict", what="agreement")


def set_state(tx: Tx, *, id: str, state: AgreementState) -> None:
    """Move an agreement: pending, active, ended.

    Raises:
        Problem: `store-unknown`: no such agreement.
    """
    if not tx.change(_SET_STATE, id=id, state=state):
        raise Problem("store-unknown", what="agreement", id=id)


def begin(tx: Tx, *, id: str) -> None:
    """Put a pending agreement in force; one that ended before it was final stays ended.

    Raises:
        Problem: `store-unknown`: no such agreement.
    """
    if not tx.change(_BEGIN, id=id) and get(tx, id=id) is None:
        raise Problem("store-unknown", what="agreement", id=id)


def get(tx: Tx, *, id: str) -> AgreementRow | None:
    """An agreement by its id."""
    return _ROWS.maybe(tx, tx.one(_GET, id=id))


def by_negotiation(tx: Tx, *, negotiation: str) -> AgreementRow | None:
    """The agreement that a negotiation (our pid) ended in."""
    return _ROWS.maybe(tx, tx.one(_BY_NEGOTIATION, negotiation=negotiation))


def listing(tx: Tx, *, state: AgreementState | None = None) -> list[AgreementRow]:
    """All agreements, or those in one state, oldest first."""
    return [_ROWS.read(tx, row) for row in tx.run(_ALL, state=state)]


def active(tx: Tx, *, peer: str) -> list[AgreementRow]:
    """The agreements with a participant that are active, oldest first; some may have expired."""
    return [_ROWS.read(tx, row) for row in tx.run(_ACTIVE_WITH, peer=peer)]
