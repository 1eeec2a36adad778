"""Other nodes: known by their DID, in the groups this node's operator put them in.

What they publish is fetched and verified by `asking`, gathered for searches by `discovering`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from catalog import values
from connector.evidence.leaf import Entry
from connector.identity import did_web, edc, static
from connector.identity.did import DidDocument
from connector.services import access
from connector.services.access import Actor
from connector.services.discover import asking, foreign, left
from connector.services.discover.asking import NOT_MODIFIED, Asked, FetchedHead, Found
from connector.services.node import Node
from connector.services.publish.published import PUBLIC
from connector.store import peers
from connector.store.rows import PeerRow
from connector.store.store import Tx
from policies.problem import Problem

BY_CONFIGURATION: Final = Actor("configuration", "operator")
"""Who knows a peer when the node's TOML says so."""


async def add(node: Node, who: Actor, did: str, name: str, groups: list[str]) -> dict[str, Any]:
    """Know a peer from now on, by its DID or its public URL; its DID document must resolve.

    Raises:
        Problem: `access-role`, `identity-did-…`, `identity-url-invalid`, `peer-group-name`.
    """
    access.require(who, "operator", "steward")
    if did.startswith(("https://", "http://")):
        did = did_web.from_url(did, dev=node.settings.dev.on)
    return await _know(node, who, await node.resolver.document(did), name, groups)


async def add_edc(
    node: Node, who: Actor, participant: DidDocument, name: str, groups: list[str]
) -> dict[str, Any]:
    """Know an Eclipse EDC with mock identity from now on: what it is called, and where (P9).

    Raises:
        Problem: `access-role`, `peer-edc-off` (the node's TOML does not allow it),
            `peer-group-name`.
    """
    access.require(who, "operator")
    if not node.settings.edc.mock_identity:
        raise Problem("peer-edc-off")
    made = await _know(node, who, participant, name, groups)
    node.resolver.pin(participant)
    return made


async def add_consumer(
    node: Node, who: Actor, name: str, shown: str, groups: list[str]
) -> dict[str, Any]:
    """Know a participant that only our own control plane speaks to (`protocol.signaling`): by the
    name that its signals give it, for learners' consents and our policies. It has no address, and
    nothing that calls itself so is ever let in here.

    Raises:
        Problem: `access-role`, `signaling-off`, `identity-edc-name` (one with a DID is known by
            it), `peer-group-name`.
    """
    access.require(who, "operator", "steward")
    if node.settings.signaling.control_plane is None:
        raise Problem("signaling-off")
    if not edc.is_name(name):
        raise Problem("identity-edc-name", name=name[:200])
    return await _know(node, who, DidDocument.of({"id": name}, name), shown, groups, only=True)


async def recall(node: Node) -> None:
    """Know again, at a start, the peers that only configuration can tell about; how one that was
    removed is spoken to, should a last message be due to it.
    """
    gone = await node.store.read(left.listing)
    for partner in node.partners.listing():
        node.resolver.pin(partner.document)
        known = await node.store.read(lambda tx, did=partner.name: peers.get(tx, did=did))  # type: ignore[misc]
        if known is None and partner.name not in gone:
            await _know(node, BY_CONFIGURATION, partner.document, "", [])
    if not node.settings.edc.mock_identity:
        return
    listed = {row.did: row.did_document for row in await node.store.read(peers.listing)}
    for did, source in ({did: one.did_document for did, one in gone.items()} | listed).items():
        if edc.is_name(did) and source:
            node.resolver.pin(DidDocument.of(source, did))


async def _know(
    node: Node,
    who: Actor,
    document: DidDocument,
    name: str,
    groups: list[str],
    *,
    only: bool = False,
) -> dict[str, Any]:
    """Keep a peer; `only` its name, so that nothing is ever asked of it or taken from it."""
    _check_names(groups)
    did = document.did
    row = PeerRow(
        did=did,
        name=name or None,
        groups=tuple(sorted(set(groups))),
        added=node.clock.now(),
        head={},
        did_document=None if only else dict(document.source),
    )
    where: dict[str, Any] = {}
    if edc.is_name(did):
        where = {"profile": _profile(node, row), "addresses": dict(document.services)}

    def unit(tx: Tx) -> PeerRow:
        known, gone = peers.get(tx, did=did), left.drop(tx, did)
        if known is not None:
            return _keep(node, tx, who, _merged(known, row), where)
        # Removed and added again: its catalogs must go on from where they were seen last.
        return _keep(node, tx, who, replace(row, head=gone.head) if gone else row, where)

    shown = _shown(node, await node.store.write(unit))
    node.alarm.ring()  # running agreements may depend on a membership
    return shown


async def set_groups(node: Node, who: Actor, did: str, groups: list[str]) -> dict[str, Any]:
    """Put a peer into these groups and out of all others.

    Raises:
        Problem: `access-role`, `peer-unknown`, `peer-group-name`.
    """
    access.require(who, "operator", "steward")
    _check_names(groups)

    def unit(tx: Tx) -> PeerRow:
        known = peers.get(tx, did=did)
        if known is None:
            raise Problem("peer-unknown", did=did[:200])
        return _keep(node, tx, who, replace(known, groups=tuple(sorted(set(groups)))), {})

    shown = _shown(node, await node.store.write(unit))
    node.alarm.ring()
    return shown


def _check_names(groups: list[str]) -> None:
    if not all(values.is_name(group) for group in groups):
        raise Problem("peer-group-name")


def _keep(node: Node, tx: Tx, who: Actor, row: PeerRow, where: Mapping[str, Any]) -> PeerRow:
    """Store what is known of a peer from now on, and log it."""
    peers.put(tx, row)
    change = {"v": 1, "change": "peer", "did": row.did, "groups": list(row.groups), "by": who.id}
    node.log.append(tx, Entry("config", None, None, {**change, **where}), node.clock.now())
    return row


async def listing(node: Node) -> list[dict[str, Any]]:
    """The peers known, by DID."""
    return [_shown(node, row) for row in await node.store.read(peers.listing)]


async def catalog_of(node: Node, did: str) -> dict[str, Any]:
    """Every catalog of a peer that is open to us, fetched and verified now.

    `version` and `digest` are those of the public head.

    Raises:
        Problem: `peer-unknown`, `peer-…`, `catalog-…`, `delivery-…`, `identity-…`.
    """
    if node.resolver.pinned(did) is not None:
        return await foreign.shown(node, did)
    asked = await asking.ask(node, did)
    public = await _head(node, asked, PUBLIC)
    heads = [public]
    heads += [await _head(node, asked, group) for group in await asking.groups(node, asked) or ()]
    found = [
        await asking.document(node, asked, one.head.group, entry)
        for one in heads
        for entry in one.head.entries
    ]
    return {
        "v": 1,
        "publisher": did,
        "version": public.head.version,
        "digest": public.digest,
        "datasets": [
            {
                "id": one.dataset.iri,
                "title": {"fr": one.dataset.title.fr, "en": one.dataset.title.en},
                "document": one.dataset.document_iri,
                "digest": one.digest,
                "group": one.dataset.group,
                "offers": [offer.policy.id for offer in one.dataset.offers],
                "fields": [field.name for field in one.dataset.fields],
                "rows": one.dataset.rows,
                "persons": one.dataset.persons,
            }
            for one in found
        ],
    }


async def find(node: Node, iri: str) -> Found:
    """The dataset of an IRI, at whichever known peer publishes it, public or open to us.

    Peers that do not answer are passed over, unless the IRI is theirs by name.

    Raises:
        Problem: `peer-no-publisher`: no known peer's address covers the IRI; `dataset-unknown`:
            no catalog open to us lists it; `peer-…`, `catalog-…`, `delivery-…`, `identity-…`.
    """
    for peer in await node.store.read(peers.listing):
        if edc.is_name(peer.did):
            continue
        try:
            asked = await asking.ask(node, peer.did)
            root = asked.root
        except Problem:
            if iri.startswith(did_web.read(peer.did, dev=True).base + "/"):
                raise
            continue
        if iri.startswith(root + "/"):
            return await _published(node, asked, iri)
    raise Problem("peer-no-publisher", host=(urlsplit(iri).netloc or iri)[:100])


async def _published(node: Node, asked: Asked, iri: str) -> Found:
    """A peer's dataset; its groups are asked for only when the public catalog lacks it."""
    found = await _listed(node, asked, PUBLIC, iri)
    if found is not None:
        return found
    for group in await asking.groups(node, asked) or ():
        found = await _listed(node, asked, group, iri)
        if found is not None:
            return found
    raise Problem("dataset-unknown")


async def _listed(node: Node, asked: Asked, group: str, iri: str) -> Found | None:
    key = f"{asked.did} {group}"
    head = (await node.heads.ask(key, lambda: _asked_head(node, asked.did, group))).head
    for entry in head.entries:
        if entry.dataset == iri:
            return await asking.document(node, asked, group, entry)
    return None


async def _asked_head(node: Node, did: str, group: str) -> FetchedHead:
    """The head as it is now, held against the last one seen by now."""
    return await _head(node, await asking.ask(node, did), group)


async def _head(node: Node, asked: Asked, group: str) -> FetchedHead:
    found = await asking.head(node, asked, group)
    if found is None:
        # Unasked for: we named no version that could be the same.
        raise Problem("peer-refused", host=urlsplit(asked.root).netloc, status=NOT_MODIFIED)
    return found


def _merged(known: PeerRow, new: PeerRow) -> PeerRow:
    return PeerRow(
        did=known.did,
        name=new.name or known.name,
        groups=new.groups or known.groups,
        added=known.added,
        head=known.head,
        did_document=new.did_document,
    )


def _shown(node: Node, row: PeerRow) -> dict[str, Any]:
    return {
        "did": row.did,
        "name": row.name or "",
        "groups": list(row.groups),
        "added": row.added.isoformat(),
        "head": row.head,
        "profile": _profile(node, row),
        "url": _url(row),
    }


def _profile(node: Node, row: PeerRow) -> str:
    """How a peer says who it is."""
    if node.partners.named(row.did) is not None:
        return static.PROFILE
    if is_silent(row):
        return "control-plane"
    return edc.PROFILE if edc.is_name(row.did) else "did"


def is_silent(row: PeerRow) -> bool:
    """Whether a peer is known by name only: our control plane speaks to it, not we."""
    return edc.is_name(row.did) and not row.did_document


def _url(row: PeerRow) -> str:
    """Where a peer is reached: by its DID, or by the operator's word."""
    if is_silent(row):
        return ""
    if edc.is_name(row.did):
        return DidDocument.of(row.did_document or {}, row.did).dsp
    return did_web.read(row.did, dev=True).base
