"""Catalogs of peers that sign nothing (an Eclipse EDC): asked for, read as plain JSON, kept.

They are shown beside the verified ones, marked unsigned. What is kept is a card for searches and
no more: offers change their names with every answer, so whoever asks for a dataset asks its
connector first (C3).
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urljoin

import orjson

from catalog import foreign
from catalog.foreign import Listed
from connector.identity import edc
from connector.identity.did import DidDocument
from connector.identity.ports import Response
from connector.protocol import messages
from connector.protocol.json import strict_json
from connector.services import access, identity
from connector.services.node import Node
from connector.services.publish.published import PUBLIC
from connector.store import known, peers
from connector.store.rows import KnownDatasetRow
from connector.store.store import Tx
from policies.problem import Problem

OK: Final = 200
MAX_PAGES: Final = 2_000
MAX_DATASETS: Final = 20_000
PAGE_BYTES: Final = 16 * 2**20
CATALOG_BYTES: Final = 64 * 2**20
_NEXT: Final = re.compile(r'<([^<>]{1,8192})>\s*;\s*rel="?next"?')


async def catalog(node: Node, peer: str) -> tuple[Listed, ...]:
    """Everything such a peer lists for us, page after page.

    Raises:
        Problem: `peer-unknown`, `peer-refused`, `identity-address-foreign` (a page elsewhere),
            `discovery-large`, `protocol-json-…`, `delivery-…`.
    """
    document = await configured(node, peer)
    body = orjson.dumps(messages.CatalogRequest().wire())
    url: str | None = f"{document.dsp}/catalog/request"
    found: list[Listed] = []
    left = CATALOG_BYTES
    for _ in range(MAX_PAGES):
        if url is None:
            return tuple(found)
        document.check_address(url)
        answer = await node.fetch.post(url, body, headers=_headers(node, peer), limit=PAGE_BYTES)
        page = foreign.listing(_body(answer, peer))
        found += page
        url = _next(answer, url) if page else None
        left -= len(answer.body)
        if len(found) > MAX_DATASETS or left < 0:
            break
    raise Problem("discovery-large", did=peer, found=len(found), limit=MAX_DATASETS)


async def dataset(node: Node, peer: str, ident: str) -> Listed:
    """One dataset with its offers as they are named now.

    Raises:
        Problem: `peer-unknown`, `dataset-unknown`, `peer-refused`, `catalog-foreign-dataset`,
            `protocol-json-…`, `delivery-…`.
    """
    document = await configured(node, peer)
    url = f"{document.dsp}/catalog/datasets/{quote(ident, safe='')}"
    answer = await node.fetch.get(url, headers=_headers(node, peer), limit=PAGE_BYTES)
    if answer.status == 404:
        raise Problem("dataset-unknown")
    return foreign.dataset(_body(answer, peer))


async def publisher(node: Node, ident: str) -> str | None:
    """The one configured peer that listed a dataset of this id, if there is one.

    Raises:
        Problem: `peer-ambiguous`: several did; the caller must say which one is meant.
    """

    def unit(tx: Tx) -> list[str]:
        rows = known.datasets(tx)
        return sorted({row.peer for row in rows if row.iri == ident and edc.is_name(row.peer)})

    found = await node.store.read(unit)
    if len(found) > 1:
        raise Problem("peer-ambiguous", peers=", ".join(found))
    return found[0] if found else None


async def crawl(node: Node, peer: str) -> tuple[int, int]:
    """Keep a card of each dataset that the peer lists now; how many are kept, how many went."""
    listed = await catalog(node, peer)
    row = await node.store.read(lambda tx: peers.get(tx, did=peer))
    name = row.name or "" if row else ""
    cards = {one.id: foreign.card(one, peer, name, PUBLIC) for one in listed}
    rows = [
        KnownDatasetRow(peer, each.dataset, PUBLIC, each.digest, each.document_json())
        for each in cards.values()
    ]

    def unit(tx: Tx) -> int:
        had = {row.iri for row in known.datasets_of(tx, peer=peer, group=PUBLIC)}
        for iri in had - cards.keys():
            known.forget_dataset(tx, peer=peer, group=PUBLIC, iri=iri)
        known.put_datasets(tx, rows)
        return len(had - cards.keys())

    return len(rows), await node.store.write(unit)


async def shown(node: Node, peer: str) -> dict[str, Any]:
    """The whole catalog of such a peer as people see it; nothing in it is signed."""
    return {
        "v": 1,
        "publisher": peer,
        "version": None,
        "digest": None,
        "signed": False,
        "datasets": [
            {
                "id": one.id,
                "title": {"fr": one.title, "en": one.title},
                "document": None,
                "digest": None,
                "group": PUBLIC,
                "offers": [str(offer.get("@id")) for offer in one.offers],
                "fields": [],
                "formats": list(one.formats),
                "rows": None,
                "persons": None,
            }
            for one in await catalog(node, peer)
        ],
    }


async def configured(node: Node, peer: str) -> DidDocument:
    """What the operator's word says about such a peer; one that was removed is none.

    Raises:
        Problem: `peer-unknown`.
    """
    document = node.resolver.pinned(peer)
    if document is None or await access.peer_of(node, peer) is None:
        raise Problem("peer-unknown", did=peer[:200])
    return document


def echo(found: Listed, offer: Mapping[str, Any], peer: str) -> dict[str, Any]:
    """An offer as it is sent back: literally, with the two members that a catalog leaves out."""
    return {**offer, "@type": "Offer", "target": found.id, "assigner": peer}


def _headers(node: Node, peer: str) -> dict[str, str]:
    return {
        "Authorization": identity.authorization(node, peer),
        "Content-Type": "application/json",
        "Accept": "application/json",
    }


def _body(answer: Response, peer: str) -> dict[str, Any]:
    if answer.status != OK:
        raise Problem("peer-refused", host=peer, status=answer.status)
    return strict_json(answer.body, max_bytes=PAGE_BYTES)


def _next(answer: Response, url: str) -> str | None:
    found = _NEXT.search(answer.headers.get("link", ""))
    return urljoin(url, found[1]) if found else None
