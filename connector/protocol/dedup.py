"""Recognising a message that came before, in a protocol without message numbers.

A message is known by *who* says *what kind of thing* about *which process* with *which content*
(`message_key`); the inbox keeps the key, the digest and the exact answer in the transaction of
the state change. A repeat gets the stored answer again and changes nothing. Another content is
another message (a second counter-offer is lawful), and `step` decides.

A message with its own `@id` (ours, EDC's, the official kit's) is a repeat for ever. One without
may lawfully come twice (suspend, start, suspend with the same bytes), so it is a repeat only if
it could not be a fresh act now. Only the *first* message of a process is known without its
content, by the sender's pid (DSP "Transfer Request Message", note on idempotency; we do the same
for negotiations): the same pid with other content is a conflict. Its `@id` is left out of the
digest, because a sender may number its attempts.
"""

from collections.abc import Mapping
from typing import Final

from connector.protocol.errors import RemoteProtocolError
from connector.protocol.messages.envelope import plain_term
from policies.jcs import digest, digest_bytes

# A first message names one pid only.
_FIRST: Final = {
    "ContractRequestMessage": "providerPid",
    "ContractOfferMessage": "consumerPid",
    "TransferRequestMessage": "providerPid",
}


def message_key(peer: str, wire: Mapping[str, object], named: str) -> str:
    """`sha-256:…` over the peer's DID, the type, both pids, and, of a later message, the digest:
    `named` is its `message_digest`.
    """
    pids = [wire.get(name) for name in ("consumerPid", "providerPid")]
    content = None if opens(wire) else named
    return digest([peer, plain_term(str(wire.get("@type"))), *pids, content])


def message_digest(wire: Mapping[str, object], written: bytes | None = None) -> str:
    """`sha-256:…` over the JCS form of a message (a first message: without its `@id`); `written`
    is that of the whole message, where it is known.

    Raises:
        ValueError: the value has no canonical form; what `strict_json` returned always has one.
    """
    if opens(wire):
        return digest({name: value for name, value in wire.items() if name != "@id"})
    return digest(wire) if written is None else digest_bytes(written)


def opens(wire: Mapping[str, object]) -> bool:
    """Whether a message is the first of a process."""
    missing = _FIRST.get(plain_term(str(wire.get("@type"))))
    return missing is not None and wire.get(missing) is None


def repeated(wire: Mapping[str, object], named: str, seen: str | None, *, legal_now: bool) -> bool:
    """Whether an arriving message came before, so that its stored answer is to be sent again.

    Args:
        wire: the message as received, JSON parsed.
        named: its `message_digest`.
        seen: the digest stored under its key, if any.
        legal_now: whether its act is possible in the state as it is now (`Negotiation.legal`,
            `Transfer.legal`); False for a first message.

    Raises:
        RemoteProtocolError: `protocol-message-conflict`, a first message whose pid was used for
            another one.
    """
    if seen is None:
        return False
    if seen != named:
        raise RemoteProtocolError("protocol-message-conflict")
    return isinstance(wire.get("@id"), str) or opens(wire) or not legal_now
