"""Tokens of the people and machines that may use the management API; only hashes are kept."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, update

from connector.store.codec import Codec, stamp
from connector.store.queries import adding_once, by, chosen, given
from connector.store.rows import TokenRow
from connector.store.statement import Statement
from connector.store.tables import TOKEN
from connector.store.tx import Tx
from policies.problem import Problem

_CODEC: Final = Codec(TokenRow, TOKEN)
_ADD: Final = adding_once(TOKEN, "hash")
_GET: Final = by(_CODEC, TOKEN.c.id)
_BY_HASH: Final = by(_CODEC, TOKEN.c.hash)
_ALL: Final = Statement(chosen(_CODEC).order_by(TOKEN.c.created, TOKEN.c.id))
_REVOKE: Final = Statement(
    update(TOKEN)
    .where(given(TOKEN.c.id), TOKEN.c.revoked.is_(None))
    .values(revoked=bindparam("revoked"))
)


def add(tx: Tx, row: TokenRow) -> None:
    """Store a new token.

    Raises:
        Problem: `store-conflict`: this token exists already.
    """
    if not tx.change(_ADD, **_CODEC.values(row)):
        raise Problem("store-conflict", what="token")


def get(tx: Tx, *, id: str) -> TokenRow | None:
    """A token by its id, revoked or not."""
    return _CODEC.maybe(tx.one(_GET, id=id))


def by_hash(tx: Tx, *, hash: str) -> TokenRow | None:  # noqa: A002  (the column's name)
    """A token by the digest of its secret, revoked or not: look at `revoked`."""
    return _CODEC.maybe(tx.one(_BY_HASH, hash=hash))


def listing(tx: Tx) -> list[TokenRow]:
    """All tokens, oldest first."""
    return [_CODEC.read(row) for row in tx.run(_ALL)]


def revoke(tx: Tx, *, id: str, at: datetime) -> bool:
    """End a token; False when there is none by this id, or it is ended already."""
    return tx.change(_REVOKE, id=id, revoked=stamp(at)) == 1
