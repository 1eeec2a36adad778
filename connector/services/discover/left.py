"""What is remembered of peers that were removed.

The catalog heads seen last outlive a peer: added again, it can go back behind them no more than
before. So do the addresses of one that publishes nothing about itself (an Eclipse EDC): its last
messages are still to be delivered in the way it reads them, and what it attested stays shown as
attested. And that it was removed: a start does not undo what the operator did.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from connector.store import notes
from connector.store.codec import to_text
from connector.store.tx import Tx

NOTE: Final = "peers-left"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Left:
    """One removed peer: `told` is the answer to whoever removed it, `head` as in its row, and
    `did_document` where configuration alone knows it.
    """

    did: str
    told: Json
    head: Json
    did_document: Json | None


def of(tx: Tx, did: str) -> Left | None:
    """What is remembered of a removed peer; None for one that is known, or never was."""
    return listing(tx).get(did)


def listing(tx: Tx) -> dict[str, Left]:
    """All of them, by DID."""
    text = notes.get(tx, key=NOTE)
    return {did: Left(**one) for did, one in orjson.loads(text).items()} if text else {}


def keep(tx: Tx, left: Left) -> None:
    """Remember a peer that is being removed."""
    _put(tx, {**listing(tx), left.did: left})


def drop(tx: Tx, did: str) -> Left | None:
    """A peer is known again; what was remembered of it, which its row holds from now on."""
    found = listing(tx)
    left = found.pop(did, None)
    if left is not None:
        _put(tx, found)
    return left


def _put(tx: Tx, found: Mapping[str, Left]) -> None:
    notes.put(tx, key=NOTE, text=to_text({did: asdict(one) for did, one in found.items()}))
