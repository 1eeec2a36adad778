"""What a transfer has released (or received): session, parts and their issues, manifest."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, and_, bindparam, cast, func, literal_column, not_, select, update

from connector.store.codec import Codec, Json, stamp, to_text
from connector.store.queries import adding_once, by, chosen, given, putting, value
from connector.store.rows import ManifestRow, PartRow, SessionRow
from connector.store.statement import Statement
from connector.store.tables import MANIFEST, PART, SESSION, TRANSFER
from connector.store.tx import Tx
from policies.problem import Problem

_SESSIONS: Final = Codec(SessionRow, SESSION)
_PARTS: Final = Codec(PartRow, PART)
_MANIFESTS: Final = Codec(ManifestRow, MANIFEST)

_PUT_SESSION: Final = putting(SESSION)
_SESSION: Final = by(_SESSIONS, SESSION.c.transfer)
_BY_TOKEN: Final = by(_SESSIONS, SESSION.c.token_hash)

_ADD: Final = adding_once(PART, "transfer", "n", "issue")
_GET: Final = by(_PARTS, PART.c.transfer, PART.c.n, PART.c.issue)
_LATEST: Final = Statement(
    chosen(_PARTS, given(PART.c.transfer), given(PART.c.n)).order_by(PART.c.issue.desc()).limit(1)
)
_ALL: Final = Statement(chosen(_PARTS, given(PART.c.transfer)).order_by(PART.c.n, PART.c.issue))
_LAST_N: Final = Statement(
    select(func.coalesce(func.max(PART.c.n), literal_column("0"))).where(given(PART.c.transfer))
)
_NEWER: Final = PART.alias("newer")
_REPLACED: Final = (
    select(literal_column("1"))
    .where(
        _NEWER.c.transfer == PART.c.transfer,
        _NEWER.c.n == PART.c.n,
        _NEWER.c.issue > PART.c.issue,
    )
    .exists()
)
_RELEASED: Final = Statement(
    # PostgreSQL sums into another type.
    select(cast(func.coalesce(func.sum(PART.c.rows), literal_column("0")), BigInteger))
    .select_from(PART.join(TRANSFER, TRANSFER.c.pid == PART.c.transfer))
    .where(
        given(TRANSFER.c.agreement),
        not_(and_(PART.c.transfer == bindparam("transfer"), PART.c.n == bindparam("n"))),
        not_(_REPLACED),
    )
)
_ACKNOWLEDGE: Final = Statement(
    update(PART)
    .where(
        given(PART.c.transfer),
        given(PART.c.n),
        given(PART.c.issue),
        given(PART.c.digest),
        PART.c.acknowledged.is_(None),
    )
    .values(acknowledged=bindparam("acknowledged"))
)

_PUT_MANIFEST: Final = putting(MANIFEST)
_MANIFEST: Final = by(_MANIFESTS, MANIFEST.c.transfer)
_PUT_RECEIPT: Final = Statement(
    update(MANIFEST).where(given(MANIFEST.c.transfer)).values(receipt=bindparam("receipt"))
)


def put_session(tx: Tx, row: SessionRow) -> None:
    """Store a transfer's session, in place of the one before.

    Raises:
        Problem: `store-integrity`: no such transfer, or another session has this token.
    """
    tx.change(_PUT_SESSION, **_SESSIONS.values(row))


def session(tx: Tx, *, transfer: str) -> SessionRow | None:
    """The session of a transfer (our pid)."""
    return _SESSIONS.maybe(tx.one(_SESSION, transfer=transfer))


def session_by_token(tx: Tx, *, token_hash: str) -> SessionRow | None:
    """The session that a bearer token (its digest) opens."""
    return _SESSIONS.maybe(tx.one(_BY_TOKEN, token_hash=token_hash))


def add(tx: Tx, row: PartRow) -> None:
    """Store an issue of a part. Announces nothing: no state moves, and nobody waits for it.

    Raises:
        Problem: `store-conflict`: this issue exists; `store-integrity`: no such transfer.
    """
    if not tx.change(_ADD, **_PARTS.values(row)):
        raise Problem("store-conflict", what="part")


def get(tx: Tx, *, transfer: str, n: int, issue: int) -> PartRow | None:
    """One issue of a part."""
    return _PARTS.maybe(tx.one(_GET, transfer=transfer, n=n, issue=issue))


def latest(tx: Tx, *, transfer: str, n: int) -> PartRow | None:
    """The newest issue of a part."""
    return _PARTS.maybe(tx.one(_LATEST, transfer=transfer, n=n))


def listing(tx: Tx, *, transfer: str) -> list[PartRow]:
    """All issues of all parts, by part and issue."""
    return [_PARTS.read(row) for row in tx.run(_ALL, transfer=transfer)]


def last_number(tx: Tx, *, transfer: str) -> int:
    """The number of the last part so far, 0 before the first."""
    number: int = value(tx.one(_LAST_N, transfer=transfer))
    return number


def released(tx: Tx, *, agreement: str, besides: tuple[str, int]) -> int:
    """The records of all parts under an agreement, of each its newest issue, but for the part
    `besides` (transfer and number).
    """
    transfer, n = besides
    count: int = value(tx.one(_RELEASED, agreement=agreement, transfer=transfer, n=n))
    return count


def acknowledge(tx: Tx, *, transfer: str, n: int, issue: int, digest: str, at: datetime) -> bool:
    """Note that the consumer has this issue; the first time counts.

    Returns:
        Whether this issue exists with this digest (acknowledged now or before).
    """
    tx.change(
        _ACKNOWLEDGE, transfer=transfer, n=n, issue=issue, digest=digest, acknowledged=stamp(at)
    )
    part = get(tx, transfer=transfer, n=n, issue=issue)
    return part is not None and part.digest == digest


def put_manifest(tx: Tx, row: ManifestRow) -> None:
    """Store a transfer's manifest, in place of the one before. Announces "transfer".

    Raises:
        Problem: `store-integrity`: no such transfer.
    """
    tx.change(_PUT_MANIFEST, **_MANIFESTS.values(row))
    tx.announce("transfer")


def manifest(tx: Tx, *, transfer: str) -> ManifestRow | None:
    """The manifest of a transfer, with its receipt once there is one."""
    return _MANIFESTS.maybe(tx.one(_MANIFEST, transfer=transfer))


def put_receipt(tx: Tx, *, transfer: str, receipt: Json) -> None:
    """Store the consumer's receipt. Announces "transfer".

    Raises:
        Problem: `store-unknown`: there is no manifest.
    """
    if not tx.change(_PUT_RECEIPT, transfer=transfer, receipt=to_text(receipt)):
        raise Problem("store-unknown", what="manifest", id=transfer)
    tx.announce("transfer")
