"""What a peer answers when it refuses: read with patience, because it is often malformed.

An EDC's error objects lack both pids, other servers answer in HTML; the reader of a refusal must
never fail. Our own error objects are written by `connector.protocol.errors.error_document`.
"""

from dataclasses import dataclass
from typing import Final

from connector.protocol.json import strict_json
from connector.protocol.messages.envelope import Reader, plain_term
from policies.problem import Problem

_TYPES: Final = frozenset({"CatalogError", "ContractNegotiationError", "TransferError"})
_MAX_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as the peer worded it. `type` is None when the body was no DSP error object."""

    type: str | None = None
    code: str | None = None
    reasons: tuple[str, ...] = ()


def read_error(body: bytes) -> Refusal:
    """The refusal in a peer's answer, as far as it can be read; never raises."""
    try:
        data = Reader(strict_json(body, max_bytes=_MAX_BYTES))
    except Problem:
        return Refusal()
    found = data.data.get("@type")
    kind = plain_term(found) if isinstance(found, str) else None
    return Refusal(kind if kind in _TYPES else None, data.code(), data.reasons())
