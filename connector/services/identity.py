"""Who this node is, as it tells others and its own people."""

from typing import Any

from connector.identity import did, edc, tokens
from connector.protocol.transfer import CONTROL_PLANE
from connector.services.node import Node
from connector.services.operate import quarantine
from connector.store.rows import OutboxRow


def document(node: Node) -> dict[str, Any]:
    """This node's DID document as it is now."""
    return did.document(node.did, node.keys, root=node.url, dsp_base=node.dsp)


def headers(node: Node, row: OutboxRow) -> dict[str, str]:
    """What shows the addressee of one message who we are. Our own control plane, on the
    institution's side of the wall, reads no token; what its API asks for goes to the one address
    that is configured now, not to where a flow of former days was to be answered.
    """
    if row.peer != CONTROL_PLANE:
        return {"Authorization": authorization(node, row.peer)}
    there = node.settings.signaling.control_plane
    if node.control_key and there and row.url.startswith(f"{there}/"):
        return {"X-Api-Key": node.control_key}
    return {}


def authorization(node: Node, peer: str) -> str:
    """The `Authorization` of one request to a peer: a fresh token for it alone (P9), or what a
    configured peer reads: the secret shared with it, the header of an EDC with mock identity.
    """
    partner = node.partners.named(peer)
    if partner is not None:
        return f"Bearer {partner.secret}"
    configured = node.resolver.pinned(peer)
    if configured is not None:
        return edc.authorization(node.did, configured.dsp)
    kid = f"{node.did}#{node.keys.fragment('token')}"
    token = tokens.mint(node.keys.token_key, node.did, kid, peer, node.clock.now(), node.ids.uuid())
    return f"Bearer {token}"


async def overview(node: Node) -> dict[str, Any]:
    """What the institution's people see of their node."""
    settings = node.settings.node
    held = await node.store.read(quarantine.current)
    return {
        "v": 1,
        "did": node.did,
        "name": settings.name,
        "public_url": node.url,
        "language": settings.language,
        "country": settings.country,
        "keys": dict(node.keys.versions),
        "log": {"size": node.log.size},
        "dev": node.settings.dev.on,
        "quarantine": held.document() if held else None,
    }
