"""The other participants this node knows: their groups, DID documents and last catalog heads.

Every change announces the topic "peer": rows are recalled by it (`Store.recall`).
"""

from typing import Final

from sqlalchemy import bindparam, update

from connector.store.codec import Codec, Json, to_text
from connector.store.queries import by, chosen, given, putting, removing
from connector.store.rows import PeerRow
from connector.store.statement import Statement
from connector.store.tables import PEER
from connector.store.tx import Tx
from policies.problem import Problem

_CODEC: Final = Codec(PeerRow, PEER)
_PUT: Final = putting(PEER)
_GET: Final = by(_CODEC, PEER.c.did)
_ALL: Final = Statement(chosen(_CODEC).order_by(PEER.c.did))
_REMOVE: Final = removing(PEER, given(PEER.c.did))
_SET_HEAD: Final = Statement(update(PEER).where(given(PEER.c.did)).values(head=bindparam("head")))
_SET_DOCUMENT: Final = Statement(
    update(PEER)
    .where(given(PEER.c.did))
    .values(did_document=bindparam("document"), key=bindparam("new_key"))
)


def put(tx: Tx, row: PeerRow) -> None:
    """Store a peer, in place of what was known about it."""
    tx.change(_PUT, **_CODEC.values(row))
    tx.announce("peer")


def get(tx: Tx, *, did: str) -> PeerRow | None:
    """A peer by its DID."""
    return _CODEC.maybe(tx.one(_GET, did=did))


def listing(tx: Tx) -> list[PeerRow]:
    """All peers, by DID."""
    return [_CODEC.read(row) for row in tx.run(_ALL)]


def remove(tx: Tx, *, did: str) -> bool:
    """Forget a peer; False when it was unknown."""
    tx.announce("peer")
    return tx.change(_REMOVE, did=did) == 1


def saw_head(tx: Tx, *, did: str, group: str, version: int, digest: str) -> None:
    """Remember the head of one of the peer's groups (the caller has checked it moves forward).

    Raises:
        Problem: `store-unknown`: no such peer.
    """
    peer = get(tx, did=did)
    if peer is None:
        raise Problem("store-unknown", what="peer", id=did)
    head = {**peer.head, group: {"version": version, "digest": digest}}
    tx.change(_SET_HEAD, did=did, head=to_text(head))
    tx.announce("peer")


def set_document(tx: Tx, *, did: str, document: Json | None, key: str | None) -> None:
    """Remember the peer's DID document and assertion key.

    Raises:
        Problem: `store-unknown`: no such peer.
    """
    text = None if document is None else to_text(document)
    if not tx.change(_SET_DOCUMENT, did=did, document=text, new_key=key):
        raise Problem("store-unknown", what="peer", id=did)
    tx.announce("peer")
