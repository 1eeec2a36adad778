"""Who calls: nodes by Self-Issued token, people and machines of this institution by their token."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from connector.delivery.egress import check_url, networks
from connector.evidence.leaf import Entry
from connector.identity import edc
from connector.identity import tokens as self_issued
from connector.identity.did import DidDocument
from connector.services.node import Node
from connector.store import peers, tokens
from connector.store.rows import PeerRow, TokenRow
from connector.store.store import Tx
from policies.problem import Problem

Role = Literal["operator", "steward", "dpo", "ethics", "researcher", "auditor", "control-plane"]
CONTROL: Final = "control-plane"
"""The role of a program, not of people: a control plane that signals to this node."""
PREFIX: Final = "preau_"
ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Caller:
    """A node that proved its DID on one request, and the groups this node's operator put it in.

    `jti` is what the token may be used once by; None where the profile knows no such thing (an
    EDC with mock identity, which proves nothing: see `identity.edc`). `credential` is the digest
    of what it identified itself with.
    """

    did: str
    jti: str | None
    expires: datetime
    document: DidDocument
    groups: frozenset[str]
    credential: str = ""

    @property
    def signs(self) -> bool:
        """Whether it can sign what it promises; if not, its message alone attests it (P6)."""
        return self.document.signs


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or machine of this institution: a pseudonymous id and a role, nothing more (P5)."""

    id: str
    role: str


async def authenticate(node: Node, token: str) -> Caller:
    """The node behind a Self-Issued token (P9), or the configured peer behind a shared
    secret or a mock identity. The token is not yet used up: see `inbound.spend`.

    Raises:
        Problem: `identity-…` when anything about the token or its DID document is not right;
            `access-unknown-peer` when the operator does not know this DID.
    """
    partner = node.partners.of(token)
    if partner is not None:
        return await _pinned(node, partner.name, token)
    if edc.spoken(token):
        return await _mocked(node, token)
    known: dict[str, PeerRow] = {}

    async def document_of(did: str) -> DidDocument:
        peer = await peer_of(node, did)
        if peer is None:
            raise Problem("access-unknown-peer")
        known[did] = peer
        return await node.resolver.document(did)

    claims = await self_issued.verify(
        token,
        audience=node.did,
        document_of=document_of,
        now=node.clock.now(),
        refresh=node.resolver.refresh,
    )
    did = claims.issuer
    document = await node.resolver.document(did)
    groups = frozenset(known[did].groups)
    return Caller(did, claims.jti, claims.expires, document, groups, token_hash(token))


async def peer_of(node: Node, did: str) -> PeerRow | None:
    """What the operator's list says of a participant; read once, until the list changes."""
    return await node.store.recall("peer", did, lambda tx: peers.get(tx, did=did))


def listed(node: Node, tx: Tx, did: str) -> PeerRow | None:
    """What the operator's list says of a participant in this very transaction; read only when the
    list has changed since somebody asked.
    """
    kept = None if "peer" in tx.topics else node.store.kept("peer", did)
    return kept if isinstance(kept, PeerRow) else peers.get(tx, did=did)


def known(node: Node, tx: Tx, did: str) -> PeerRow:
    """As `listed`, for whatever begins something with a participant.

    Raises:
        Problem: `peer-unknown`: never added, or removed while we prepared to ask it.
    """
    peer = listed(node, tx, did)
    if peer is None:
        raise Problem("peer-unknown", did=did[:200])
    return peer


def check_standing(node: Node, tx: Tx, caller: Caller) -> None:
    """Refuse a message whose sender was let in and, before this transaction decides about it, was
    removed or put into other groups.

    Raises:
        Problem: `access-unknown-peer`; `access-moved`: it may come again, and is judged by its new
            groups.
    """
    peer = listed(node, tx, caller.did)
    if peer is None:
        raise Problem("access-unknown-peer")
    if frozenset(peer.groups) != caller.groups:
        raise Problem("access-moved")


async def _mocked(node: Node, header: str) -> Caller:
    """The peer that a mock identity names, if configuration lets it count.

    Raises:
        Problem: `identity-edc-header`; `access-unknown-peer`: the profile is off, or nobody put
            this name into the peer list (one answer for both).
    """
    if not node.settings.edc.mock_identity:
        raise Problem("access-unknown-peer")
    name = edc.read(header)
    if node.partners.named(name) is not None:  # it has a secret to show
        raise Problem("access-unknown-peer")
    return await _pinned(node, name, header)


async def _pinned(node: Node, name: str, credential: str) -> Caller:
    """A participant that only configuration tells about."""
    document = node.resolver.pinned(name)
    peer = await peer_of(node, name)
    if document is None or peer is None:
        raise Problem("access-unknown-peer")
    groups = frozenset(peer.groups)
    return Caller(name, None, node.clock.now(), document, groups, token_hash(credential))


async def actor(node: Node, token: str) -> Actor:
    """The person or machine behind a management token.

    Raises:
        Problem: `access-token-unknown`.
    """
    row = await node.store.read(lambda tx: tokens.by_hash(tx, hash=token_hash(token)))
    if row is None or row.revoked is not None:
        raise Problem("access-token-unknown")
    return Actor(row.actor, row.role)


async def person(node: Node, token: str) -> Actor:
    """As `actor`, for whatever is not open to a control plane: it signals, and that is all.

    Raises:
        Problem: `access-token-unknown`, `access-role`.
    """
    who = await actor(node, token)
    if who.role == CONTROL:
        require(who, *(role for role in ROLES if role != CONTROL))
    return who


def check_address(node: Node, caller: Caller, url: str) -> None:
    """Refuse an address (a callback, a sink) that is not the caller's own, or that this node would
    not connect to: said now, not when there is something to deliver.

    Raises:
        Problem: `identity-address-foreign`, `delivery-url-invalid`, `delivery-scheme`,
            `delivery-port`, `delivery-address-refused`.
    """
    caller.document.check_address(url)
    private = networks(node.settings.egress.private)
    check_url(url, private=private, dev=node.settings.dev.on)


def require(who: Actor, *roles: str) -> None:
    """Let only these roles pass.

    Raises:
        Problem: `access-role`, naming the roles that could.
    """
    if who.role not in roles:
        raise Problem("access-role", role=who.role, roles=", ".join(roles))


async def add_token(node: Node, by: Actor, name: str, role: str) -> dict[str, Any]:
    """Make a token for one person; only its hash is kept.

    Raises:
        Problem: `access-role` (only an operator), `access-role-unknown`.
    """
    require(by, "operator")
    secret = new_secret(node)
    made = await node.store.write(lambda tx: put_token(node, tx, by, name, role, secret))
    return {"v": 1, "name": name, "role": role, "actor": made, "token": secret}


def put_token(node: Node, tx: Tx, by: Actor, name: str, role: str, secret: str) -> str:
    """Store a token's hash and log who let whom in; the new pseudonymous actor id."""
    if role not in ROLES:
        raise Problem("access-role-unknown", role=role[:40], roles=", ".join(ROLES))
    if not 0 < len(name.strip()) <= 200:
        raise Problem("access-name")
    now = node.clock.now()
    identifier = f"actor-{node.ids.token(8).hex()}"
    row = TokenRow(
        id=node.ids.uuid(),
        name=name.strip(),
        role=role,
        actor=identifier,
        hash=token_hash(secret),
        created=now,
    )
    tokens.add(tx, row)
    change = {"v": 1, "change": "token-added", "actor": identifier, "role": role, "by": by.id}
    node.log.append(tx, Entry("config", None, None, change), now)
    return identifier


def new_secret(node: Node) -> str:
    """A fresh management token: 256 bits, recognisable by its prefix in a leaked file."""
    return PREFIX + node.ids.token(32).hex()


def token_hash(token: str) -> str:
    """What is stored and looked up instead of the token."""
    return "sha-256:" + hashlib.sha256(token.encode()).hexdigest()


def same_secret(given: str, expected_hash: str | None) -> bool:
    """Compare a secret with a stored hash in constant time; no stored hash matches nothing."""
    return expected_hash is not None and hmac.compare_digest(token_hash(given), expected_hash)
