"""Messages already answered, with the exact answer: the same message again gets it again.

Look up and store in the unit that changes the state, or two copies of a message may both be new.
"""

from typing import Final

from connector.store.additions import Addition
from connector.store.codec import Codec
from connector.store.queries import chosen, given
from connector.store.rows import InboxRow
from connector.store.statement import Statement
from connector.store.tables import INBOX
from connector.store.tx import Tx
from policies.problem import Problem

_CODEC: Final = Codec(InboxRow, INBOX)
_FIND: Final = Statement(chosen(_CODEC, given(INBOX.c.key)), beside=True)
_PUT: Final = Addition(INBOX)


def find(tx: Tx, *, key: str) -> InboxRow | None:
    """The answer given to a message; the caller compares `digest` with its own message."""
    place = (_FIND, key)
    if place not in tx.seen:
        tx.seen[place] = _CODEC.maybe(tx.one(_FIND, key=key))
    found: InboxRow | None = tx.seen[place]
    return found


def put(tx: Tx, row: InboxRow) -> None:
    """Remember an answer.

    Raises:
        Problem: `store-conflict`: this message is answered already.
    """
    if find(tx, key=row.key) is not None:
        raise Problem("store-conflict", what="inbox")
    tx.seen[_FIND, row.key] = row
    tx.add(_PUT, _CODEC.values(row))
