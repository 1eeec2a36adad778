"""Small facts of the node that deserve no table: a key, a text."""

from typing import Final

from sqlalchemy import select

from connector.store.queries import given, putting, removing, value
from connector.store.statement import Statement
from connector.store.tables import NOTE
from connector.store.tx import Tx

_GET: Final = Statement(select(NOTE.c.value).where(given(NOTE.c.key)))
_PUT: Final = putting(NOTE)
_REMOVE: Final = removing(NOTE, given(NOTE.c.key))


def get(tx: Tx, *, key: str) -> str | None:
    """The text under a key."""
    text: str | None = value(tx.one(_GET, key=key))
    return text


def put(tx: Tx, *, key: str, text: str) -> None:
    """Store a text under a key, in place of the one before."""
    tx.change(_PUT, key=key, value=text)


def remove(tx: Tx, *, key: str) -> bool:
    """Forget a key; False when it was unknown."""
    return tx.change(_REMOVE, key=key) == 1
