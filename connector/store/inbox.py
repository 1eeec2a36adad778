"""Messages already answered, with the exact answer: the same message again gets it again.

Look up and store in the unit that changes the state, or two copies of a message may both be new.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam

from connector.store.codec import Codec, stamp
from connector.store.queries import adding_once, by, removing
from connector.store.rows import InboxRow
from connector.store.tables import INBOX
from connector.store.tx import Tx
from policies.problem import Problem

_CODEC: Final = Codec(InboxRow, INBOX)
_FIND: Final = by(_CODEC, INBOX.c.key)
_PUT: Final = adding_once(INBOX, "key")
_PURGE: Final = removing(INBOX, INBOX.c.at < bindparam("before"))


def find(tx: Tx, *, key: str) -> InboxRow | None:
    """The answer given to a message; the caller compares `digest` with its own message."""
    return _CODEC.maybe(tx.one(_FIND, key=key))


def put(tx: Tx, row: InboxRow) -> None:
    """Remember an answer.

    Raises:
        Problem: `store-conflict`: this message is answered already.
    """
    if not tx.change(_PUT, **_CODEC.values(row)):
        raise Problem("store-conflict", what="inbox")


def purge(tx: Tx, *, before: datetime) -> int:
    """Forget answers given before an instant; how many."""
    return tx.change(_PURGE, before=stamp(before))
