"""Verifying a node's catalog from outside, as anybody can: by its URL alone."""

import json
from typing import Any, Final
from urllib.parse import urlsplit

from catalog import verify, versions
from connector.base.clock import SystemClock
from connector.base.settings import is_loopback
from connector.delivery.client import PeerClient
from connector.identity.resolver import DidResolver
from connector.services.publish.published import PUBLIC
from policies.problem import Problem

_OK: Final = 200
_LIMIT: Final = 16 * 2**20


async def catalog_at(url: str) -> dict[str, Any]:
    """Fetch and verify the catalog of the node at `url`.

    Raises:
        Problem: `catalog-…`, `identity-…`, `delivery-…`, `peer-refused`.
    """
    root = url.rstrip("/").removesuffix("/catalog")
    dev = urlsplit(root).scheme == "http" and is_loopback(urlsplit(root).hostname or "")
    async with PeerClient(dev=dev) as client:

        async def get(address: str) -> bytes:
            answer = await client.get(address, limit=_LIMIT)
            if answer.status != _OK:
                raise Problem("peer-refused", host=urlsplit(address).netloc, status=answer.status)
            return answer.body

        body = await get(f"{root}/catalog")
        did = _publisher(body)
        document = await DidResolver(client, SystemClock(), dev=dev).document(did)
        if document.root != root:
            raise Problem("catalog-publisher-other", found=document.root, expected=root)
        keys = verify.assertion_keys(document.source, did)
        head = verify.verify_head(body, keys, did)
        verify.check_place(head, root, PUBLIC)
        found = []
        for entry in head.entries:
            document.check_address(entry.document)
            dataset = verify.verify_dataset(await get(entry.document), keys, did, entry.digest)
            verify.check_listed(dataset, entry, head.group)
            found.append({"id": dataset.document_iri, "digest": entry.digest})
    return {
        "v": 1,
        "publisher": did,
        "version": head.version,
        "digest": versions.head_digest(head),
        "documents": found,
    }


def _publisher(body: bytes) -> str:
    """Who the head says signed it; verified right after."""
    try:
        publisher = json.loads(body)["publisher"]
    except (ValueError, KeyError, TypeError):
        raise Problem("catalog-file-unknown") from None
    return str(publisher.get("id") if isinstance(publisher, dict) else publisher)
