"""Token identifiers already used: a token counts once."""

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam

from connector.store.codec import stamp
from connector.store.queries import adding_once, removing
from connector.store.tables import JTI
from connector.store.tx import Tx

_REMEMBER: Final = adding_once(JTI, "issuer", "jti")
_PURGE: Final = removing(JTI, JTI.c.expires < bindparam("now"))


def remember(tx: Tx, *, issuer: str, jti: str, expires: datetime) -> bool:
    """Note a token's identifier; False when this issuer has used it before (a replay)."""
    return tx.change(_REMEMBER, issuer=issuer, jti=jti, expires=stamp(expires)) == 1


def purge(tx: Tx, *, now: datetime) -> int:
    """Forget what has expired (an expired token is refused anyway); how many."""
    return tx.change(_PURGE, now=stamp(now))
