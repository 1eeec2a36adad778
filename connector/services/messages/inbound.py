"""How a message from a peer becomes a promise (constitution 3; DECISIONS P2).

A 2xx exists only after one durable transaction that holds the new state, the messages it causes,
the deduplication record with the exact reply, and the leaf. The same message again gets the same
reply and has no effect; the same key with another content is an error and changes nothing.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from connector.base.packed import Packed
from connector.protocol.dedup import message_digest, message_key, opens, repeated
from connector.services import access
from connector.services.access import Caller
from connector.services.committing import commit
from connector.services.node import Node
from connector.store import inbox, negotiations, replay, transfers
from connector.store.rows import InboxRow
from connector.store.store import Tx
from policies.jcs import jcs
from policies.problem import Problem

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Incoming(Generic[M]):
    """A message as it came: who sent it, typed, its JSON, and the pid or cursor in its address;
    `written` are the JSON's canonical bytes.
    """

    caller: Caller
    message: M
    wire: dict[str, Any]
    pid: str | None
    cursor: str | None = None
    written: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "written", jcs(self.wire))


@dataclass(frozen=True, slots=True)
class Reply:
    """What the peer is answered: a status and a JSON body, or an empty one; `headers`, and a body
    that is packed already, only for answers that are not stored.
    """

    status: int
    body: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    packed: Packed | None = None


async def receive(node: Node, incoming: Incoming[Any], act: Callable[[Tx], Reply]) -> Reply:
    """Let `act` take effect exactly once and answer.

    Raises:
        Problem: `protocol-message-conflict`, for a first message whose pid was used for another
            one; `identity-token-replayed`; `access-unknown-peer`, `access-moved`: the sender was
            removed, or put into other groups, meanwhile; whatever `act` raises. Nothing has changed
            then.
    """
    caller = incoming.caller
    digest = message_digest(incoming.wire, incoming.written)
    key = message_key(caller.did, incoming.wire, digest)

    def unit(tx: Tx) -> Reply:
        spend(tx, caller)
        access.check_standing(node, tx, caller)
        seen = inbox.find(tx, key=key)
        if seen is not None and _again(tx, incoming, digest, seen):
            return Reply(seen.status, json.loads(seen.reply))
        reply = act(tx)
        if seen is not None:  # a fresh act in the same words, which is answered in the same words
            return reply
        row = InboxRow(
            key=key,
            peer=caller.did,
            digest=digest,
            status=reply.status,
            reply=jcs(reply.body),
            at=node.clock.now(),
        )
        inbox.put(tx, row)
        return reply

    try:
        return await commit(node, unit)
    except Problem as problem:
        if problem.code != "identity-token-replayed":
            # The refused transaction took the token's use with it; a token still serves once.
            await node.store.write(lambda tx: spend(tx, caller))
        raise


def _again(tx: Tx, incoming: Incoming[Any], digest: str, seen: InboxRow) -> bool:
    """Whether a message whose answer is stored came before, to this very address: elsewhere it is
    refused like any other that does not belong there.
    """
    wire, pid = incoming.wire, incoming.pid
    if pid is None or opens(wire):
        here = pid is None and opens(wire)
        return here and repeated(wire, digest, seen.digest, legal_now=False)
    process = negotiations.get(tx, pid=pid) or transfers.get(tx, pid=pid)
    if process is None or process.pid not in {wire.get("providerPid"), wire.get("consumerPid")}:
        return False
    legal = process.legal(incoming.message.act, process.role.other)
    return repeated(wire, digest, seen.digest, legal_now=legal)


async def admit(node: Node, caller: Caller) -> None:
    """Use up the token of a request that changes nothing.

    Raises:
        Problem: `identity-token-replayed`.
    """
    await node.store.write(lambda tx: spend(tx, caller))


def spend(tx: Tx, caller: Caller) -> None:
    """Use up the caller's token: its `jti`, if it has one, may serve once (DCP 4.3.3; P9).

    Raises:
        Problem: `identity-token-replayed`.
    """
    if caller.jti is None:
        return
    if not replay.remember(tx, issuer=caller.did, jti=caller.jti, expires=caller.expires):
        raise Problem("identity-token-replayed")
