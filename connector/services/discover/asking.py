"""Asking one peer for its catalogs: what is fetched is verified here, before anybody uses it.

A head is accepted only if it is signed by the peer's assertion key, is the head of the group that
was asked for, and follows the last head of that group this node saw (no rollback, no fork). A
document is accepted only if it has the digest the head names and says what the head says. Which
groups are open to us is known to the peer alone: it is asked with our token, and so is everything
behind a group.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from catalog import values, verify, versions
from catalog.canonical import parse
from catalog.model import Dataset, Entry, Head
from connector.identity.did import DidDocument
from connector.identity.ports import Response
from connector.services import access, identity
from connector.services.node import Node
from connector.services.publish.published import PUBLIC
from connector.store import catalogs, peers
from connector.store.rows import DocumentRow
from connector.store.tx import Tx
from policies.problem import Problem

OK: Final = 200
NOT_MODIFIED: Final = 304
NOT_FOUND: Final = 404
HEAD_BYTES: Final = 16 * 2**20
DOCUMENT_BYTES: Final = 2 * 2**20
MAX_GROUPS: Final = 64
_MAX_ETAG: Final = 200
_SMALL: Final = 2**16
_Keys = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A peer that is being asked: its DID document, its keys, the heads seen so far by group."""

    did: str
    document: DidDocument
    keys: Mapping[str, bytes]
    seen: Mapping[str, Any]

    @property
    def root(self) -> str:
        """Its public URL."""
        return self.document.root


@dataclass(frozen=True, slots=True)
class FetchedHead:
    """A verified head, the bytes it came in, and the peer's name for exactly these."""

    head: Head
    digest: str
    body: bytes
    etag: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A peer's dataset whose signed document was verified just now."""

    peer: str
    dataset: Dataset
    body: bytes
    digest: str

    @property
    def reference(self) -> dict[str, str]:
        """How messages and agreements name the document."""
        return {"id": self.dataset.document_iri, "digest": self.digest}

    @property
    def row(self) -> DocumentRow:
        """The document as this node keeps it beside its own."""
        return DocumentRow(
            iri=self.dataset.document_iri,
            dataset=self.dataset.iri,
            version=self.dataset.version,
            digest=self.digest,
            body=self.body,
        )


async def ask(node: Node, did: str) -> Asked:
    """Begin to ask a peer.

    Raises:
        Problem: `peer-unknown`, `identity-…`, `catalog-did-…`, `delivery-…`.
    """
    peer = await access.peer_of(node, did)
    if peer is None:
        raise Problem("peer-unknown", did=did)
    document = await node.resolver.document(did)
    return Asked(did, document, verify.assertion_keys(document.source, did), peer.head)


async def groups(node: Node, asked: Asked) -> tuple[str, ...] | None:
    """The groups of the peer that are open to us; None when it does not tell us.

    A peer that does not know us answers as if there were nothing to ask for.

    Raises:
        Problem: `peer-refused`, `peer-groups`, `catalog-json-…`, `delivery-…`.
    """
    url = f"{asked.root}/catalogs"
    answer = await _ask(node, asked, url, private=True, limit=2**16)
    if answer.status == NOT_FOUND:
        return None
    found = parse(_body(answer, url)).get("groups")
    if not isinstance(found, list) or len(found) > MAX_GROUPS or not all(map(_is_group, found)):
        raise Problem("peer-groups", host=urlsplit(url).netloc)
    return tuple(sorted(set(found)))


async def head(
    node: Node, asked: Asked, group: str = PUBLIC, etag: str | None = None
) -> FetchedHead | None:
    """The head of one group, verified; None when it is still the one that `etag` names.

    Raises:
        Problem: `peer-refused`, `catalog-…`, `delivery-…`; `peer-unknown`: removed meanwhile.
    """
    url = f"{asked.root}/catalog" + ("" if group == PUBLIC else f"/{group}")
    named = {"If-None-Match": etag} if etag else {}
    answer = await _ask(node, asked, url, private=group != PUBLIC, limit=HEAD_BYTES, headers=named)
    if etag and answer.status == NOT_MODIFIED:
        return None
    body = _body(answer, url)
    last = asked.seen.get(group)
    seen = (int(last["version"]), str(last["digest"])) if last else None
    given = (body, tuple(asked.keys.items()), asked.did, seen)
    # A small head is verified sooner than a thread is found for it.
    small = len(body) < _SMALL
    found = _verified_head(*given) if small else await asyncio.to_thread(_verified_head, *given)
    verify.check_place(found, asked.root, group)
    digest = versions.head_digest(found)
    if seen != (found.version, digest):
        await node.store.write(lambda tx: _saw(node, tx, asked.did, found, digest))
    return FetchedHead(found, digest, body, _etag(answer))


def _saw(node: Node, tx: Tx, did: str, head: Head, digest: str) -> None:
    access.known(node, tx, did)  # not removed while it answered
    peers.saw_head(tx, did=did, group=head.group, version=head.version, digest=digest)


async def document(node: Node, asked: Asked, group: str, entry: Entry) -> Found:
    """The document that a verified head names: the copy we keep, or fetched now; verified.

    Raises:
        Problem: `peer-refused`, `catalog-…`, `identity-address-foreign`, `delivery-…`.
    """
    kept = await node.store.read(lambda tx: catalogs.document_by_digest(tx, digest=entry.digest))
    asked.document.check_address(entry.document)
    if not entry.dataset.startswith(asked.root + "/"):
        raise Problem("catalog-document-other", document=entry.document[:300])
    if kept is not None:
        body = kept.body
    else:
        private = group != PUBLIC
        answer = await _ask(node, asked, entry.document, private=private, limit=DOCUMENT_BYTES)
        body = _body(answer, entry.document)
    dataset = _verified(body, tuple(asked.keys.items()), asked.did, entry.digest)
    verify.check_listed(dataset, entry, group)
    asked.document.check_address(dataset.endpoint)
    return Found(asked.did, dataset, body, entry.digest)


async def _ask(
    node: Node,
    asked: Asked,
    url: str,
    *,
    private: bool,
    limit: int,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One GET; with our token where a group is behind it, so that it never travels needlessly."""
    sent = dict(headers or {})
    if private:
        sent["Authorization"] = identity.authorization(node, asked.did)
    return await node.fetch.get(url, headers=sent, limit=limit)


def _body(answer: Response, url: str) -> bytes:
    if answer.status != OK:
        raise Problem("peer-refused", host=urlsplit(url).netloc, status=answer.status)
    return answer.body


def _etag(answer: Response) -> str | None:
    found = answer.headers.get("etag", "")
    return found if 0 < len(found) <= _MAX_ETAG and found.isprintable() else None


def _is_group(name: object) -> bool:
    return values.is_name(name) and name != PUBLIC


# The same bytes under the same keys have the same outcome; a key that is gone asks anew.


@lru_cache(maxsize=64)
def _verified_head(body: bytes, keys: _Keys, did: str, seen: versions.Seen | None) -> Head:
    return verify.verify_head(body, dict(keys), did, seen=seen)


@lru_cache(maxsize=256)
def _verified(body: bytes, keys: _Keys, did: str, digest: str) -> Dataset:
    return verify.verify_dataset(body, dict(keys), did, digest)
