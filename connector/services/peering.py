"""Other nodes: known by their DID, their catalogs fetched, verified, and never believed twice.

A catalog is accepted only if its head is signed by the peer's assertion key, follows the last head
this node saw (no rollback, no fork), and every document in it has the digest the head names.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from catalog import documents, verify, versions
from catalog.model import Dataset, Head
from connector.evidence.leaf import Entry
from connector.identity import did_web
from connector.services import access
from connector.services.access import Actor
from connector.services.node import Node
from connector.store import catalogs, peers
from connector.store.rows import DocumentRow, PeerRow
from connector.store.store import Tx
from policies.problem import Problem

PUBLIC: Final = "public"
OK: Final = 200
_LIMIT: Final = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Found:
    """A peer's dataset whose signed document was fetched and verified just now."""

    peer: str
    dataset: Dataset
    body: bytes
    digest: str

    @property
    def reference(self) -> dict[str, str]:
        """How messages and agreements name the document."""
        return {"id": self.dataset.document_iri, "digest": self.digest}


async def add(node: Node, who: Actor, did: str, name: str, groups: list[str]) -> dict[str, Any]:
    """Know a peer from now on; its DID document must resolve.

    Raises:
        Problem: `access-role`, `identity-did-…`, `peer-group-name`.
    """
    access.require(who, "operator", "steward")
    if not all(group.replace("-", "").isalnum() for group in map(str, groups)):
        raise Problem("peer-group-name")
    document = await node.resolver.document(did)
    now = node.clock.now()
    row = PeerRow(
        did=did,
        name=name or None,
        groups=tuple(sorted(set(groups))),
        added=now,
        head={},
        did_document=dict(document.source),
    )
    change = {"v": 1, "change": "peer", "did": did, "groups": list(row.groups), "by": who.id}

    def unit(tx: Tx) -> PeerRow:
        known = peers.get(tx, did=did)
        kept = row if known is None else _merged(known, row)
        peers.put(tx, kept)
        node.log.append(tx, Entry("config", None, None, change), now)
        return kept

    return _shown(await node.store.write(unit))


async def listing(node: Node) -> list[dict[str, Any]]:
    """The peers known, by DID."""
    return [_shown(row) for row in await node.store.read(peers.listing)]


async def catalog_of(node: Node, did: str) -> dict[str, Any]:
    """A peer's whole public catalog, fetched and verified.

    Raises:
        Problem: `peer-unknown`, `catalog-…`, `delivery-…`, `identity-…`.
    """
    head = await head_of(node, did)
    found = [await _fetch(node, did, entry.document, entry.digest) for entry in head.entries]
    return {
        "v": 1,
        "publisher": did,
        "version": head.version,
        "digest": versions.head_digest(head),
        "datasets": [
            {
                "id": one.dataset.iri,
                "title": {"fr": one.dataset.title.fr, "en": one.dataset.title.en},
                "document": one.dataset.document_iri,
                "digest": one.digest,
                "offers": [offer.policy.id for offer in one.dataset.offers],
                "fields": [field.name for field in one.dataset.fields],
                "rows": one.dataset.rows,
                "persons": one.dataset.persons,
            }
            for one in found
        ],
    }


async def head_of(node: Node, did: str) -> Head:
    """A peer's public head, verified against its DID document and the last one seen."""
    peer = await node.store.read(lambda tx: peers.get(tx, did=did))
    if peer is None:
        raise Problem("peer-unknown", did=did)
    document = await node.resolver.document(did)
    body = await _get(node, f"{document.root}/catalog")
    last = peer.head.get(PUBLIC)
    seen = (int(last["version"]), str(last["digest"])) if last else None
    keys = verify.assertion_keys(document.source, did)
    head = _verified_head(body, tuple(keys.items()), did, seen)
    digest = versions.head_digest(head)
    if seen != (head.version, digest):
        await node.store.write(
            lambda tx: peers.saw_head(
                tx, did=did, group=PUBLIC, version=head.version, digest=digest
            )
        )
    return head


async def find(node: Node, iri: str) -> Found:
    """The dataset of an IRI, at whichever known peer publishes it.

    Raises:
        Problem: `peer-no-publisher`: no known peer's address covers the IRI; `dataset-unknown`:
            its catalog does not list it; and those of `head_of`.
    """
    for peer in await node.store.read(peers.listing):
        document = await node.resolver.document(peer.did)
        if not iri.startswith(document.root + "/"):
            continue
        head = await head_of(node, peer.did)
        for entry in head.entries:
            if entry.dataset == iri:
                return await _fetch(node, peer.did, entry.document, entry.digest)
        raise Problem("dataset-unknown")
    raise Problem("peer-no-publisher", host=urlsplit(iri).netloc[:100])


def document_row(found: Found) -> DocumentRow:
    """The verified document as this node keeps it beside its own."""
    return DocumentRow(
        iri=found.dataset.document_iri,
        dataset=found.dataset.iri,
        version=found.dataset.version,
        digest=found.digest,
        body=found.body,
    )


async def _fetch(node: Node, did: str, address: str, digest: str) -> Found:
    kept = await node.store.read(lambda tx: catalogs.document_by_digest(tx, digest=digest))
    document = await node.resolver.document(did)
    document.check_address(address)
    body = kept.body if kept else await _get(node, address)
    keys = verify.assertion_keys(document.source, did)
    dataset = _verified(body, tuple(keys.items()), did, digest)
    document.check_address(dataset.endpoint)
    return Found(did, dataset, body, digest)


# The same bytes under the same keys have the same outcome; a key that is gone asks anew.
_Keys = tuple[tuple[str, bytes], ...]


@lru_cache(maxsize=64)
def _verified_head(body: bytes, keys: _Keys, did: str, seen: versions.Seen | None) -> Head:
    return verify.verify_head(body, dict(keys), did, seen=seen)


@lru_cache(maxsize=256)
def _verified(body: bytes, keys: _Keys, did: str, digest: str) -> Dataset:
    return verify.verify_dataset(body, dict(keys), did, digest)


async def _get(node: Node, url: str) -> bytes:
    answer = await node.fetch.get(url, limit=_LIMIT)
    if answer.status != OK:
        raise Problem("peer-refused", host=urlsplit(url).netloc, status=answer.status)
    return answer.body


def _merged(known: PeerRow, new: PeerRow) -> PeerRow:
    return PeerRow(
        did=known.did,
        name=new.name or known.name,
        groups=new.groups or known.groups,
        added=known.added,
        head=known.head,
        did_document=new.did_document,
    )


def _shown(row: PeerRow) -> dict[str, Any]:
    return {
        "did": row.did,
        "name": row.name or "",
        "groups": list(row.groups),
        "added": row.added.isoformat(),
        "head": row.head,
        "url": did_web.read(row.did, dev=True).base,
    }


def digest_of(document: dict[str, Any]) -> str:
    """The digest by which a document is named."""
    return documents.digest(document)
