"""Checking what a publisher signed, from bytes already at hand: no network, no trust in a peer.

The rules, each in one place: bytes are one JSON object, read strictly; the publisher named inside
is the DID whose document was given; the proof is by a key that this DID document lists under
`assertionMethod`; the object is read strictly and has its canonical form; a dataset document has
the digest that the head names for it. Whether a head may follow another is `catalog.versions`.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from catalog import documents, dsp, heads, proofs, versions
from catalog.canonical import parse
from catalog.model import Dataset, Entry, Head
from policies.problem import Problem

Keys = Mapping[str, bytes]
"""Verification method (DID URL) to the 32 bytes of its Ed25519 public key."""

_RELATIONSHIP: Final = "assertionMethod"
_MAX_METHODS: Final = 64


@dataclass(frozen=True, slots=True)
class Checked:
    """What a verification found: a head, datasets, or both; all signed by `publisher`."""

    publisher: str
    head: Head | None
    datasets: tuple[Dataset, ...]
    digests: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, Any]:
        """The result for machines: every verified document with its digest."""
        return {
            "publisher": self.publisher,
            "documents": [{"id": iri, "digest": digest} for iri, digest in self.digests],
            "datasets": [dataset.iri for dataset in self.datasets],
        }


def assertion_keys(did_document: Mapping[str, object], did: str) -> dict[str, bytes]:
    """The Ed25519 keys with which a DID may sign what it asserts (DID Core, 5.2 and 5.3).

    Accepts `Multikey` and `JsonWebKey` (OKP, Ed25519) methods, embedded or referenced; keys of
    other kinds are passed over, since a DID document lists many.

    Raises:
        Problem: `catalog-did-other` (the document is another DID's), `catalog-did-malformed`,
            `catalog-did-no-key`.
    """
    if did_document.get("id") != did:
        raise Problem("catalog-did-other", found=str(did_document.get("id"))[:300], expected=did)
    listed = _array(did_document, "verificationMethod")
    methods: dict[str, Mapping[str, object]] = {}
    for method in listed:
        if isinstance(method, Mapping):
            methods[_absolute(method.get("id"), did)] = method
    keys: dict[str, bytes] = {}
    for reference in _array(did_document, _RELATIONSHIP):
        if isinstance(reference, Mapping):
            name, method = _absolute(reference.get("id"), did), reference
        else:
            name = _absolute(reference, did)
            method = methods.get(name, {})
        key = _key(method, did)
        if key is not None and name.startswith(did + "#"):
            keys[name] = key
    if not keys:
        raise Problem("catalog-did-no-key", did=did)
    return keys


def verify_head(data: bytes, keys: Keys, did: str, *, seen: versions.Seen | None = None) -> Head:
    """The head that some bytes hold, signed by this DID and not older than `seen`.

    Raises:
        Problem: `catalog-json-…`, `catalog-proof-…`, `catalog-member-…`, `catalog-unfit-…`,
            `catalog-document-form`, `catalog-publisher-other`, `catalog-head-rollback`,
            `catalog-head-fork`.
    """
    return _head(parse(data), keys, did, seen)


def verify_dataset(
    data: bytes, keys: Keys, did: str, expected_digest: str | None = None
) -> Dataset:
    """The dataset that some bytes describe, signed by this DID, with the digest a head names.

    Raises:
        Problem: as `verify_head`, and `catalog-digest-other`, `catalog-offer-…`, `policy-…`.
    """
    return _dataset(parse(data), keys, did, expected_digest)


def check_place(head: Head, root: str, group: str) -> None:
    """That a verified head is the one of a group of the publisher whose public URL is `root`.

    Raises:
        Problem: `catalog-head-other`.
    """
    expected = f"{root}/catalog/{group}/v{head.version}"
    if head.iri != expected:
        raise Problem("catalog-head-other", found=head.iri[:300], expected=expected[:300])


def check_listed(dataset: Dataset, entry: Entry, group: str) -> None:
    """That a verified document says of itself what the head of a group says of it.

    Raises:
        Problem: `catalog-document-other`.
    """
    stated = (entry.document, entry.dataset, group)
    if (dataset.document_iri, dataset.iri, dataset.group) != stated:
        raise Problem("catalog-document-other", document=entry.document[:300])


def verify_catalog(
    head: bytes,
    documents_by_iri: Mapping[str, bytes],
    keys: Keys,
    did: str,
    *,
    seen: versions.Seen | None = None,
) -> Checked:
    """A head and every document it names, all verified.

    Raises:
        Problem: those of `verify_head` and `verify_dataset`; `catalog-document-missing` when a
            named document is not there.
    """
    checked = verify_head(head, keys, did, seen=seen)
    named = {entry.document for entry in checked.entries} & documents_by_iri.keys()
    by_iri = {iri: parse(documents_by_iri[iri]) for iri in named}
    return _complete(checked, by_iri, keys, did)


def verify_projection(wire: Mapping[str, object], head: Head) -> Dataset:
    """The dataset behind a DSP dataset that a verified head names: no other signature is needed.

    Raises:
        Problem: `catalog-projection-…` (what the wire says was not signed), `catalog-digest-other`
            (it was, but is not what this head names), and those of `documents.read`.
    """
    document = dsp.unproject(wire)
    dataset = documents.read(document)
    found = Entry(dataset.iri, dataset.document_iri, documents.digest(document))
    if found not in head.entries:
        raise Problem("catalog-digest-other", document=found.document[:300])
    return dataset


def verify_file(data: bytes, did_document: bytes) -> Checked:
    """A saved dataset document, head, or catalog (`save`), against a saved DID document.

    Raises:
        Problem: those of the functions above; `catalog-file-unknown` for any other object.
    """
    return _any(parse(data), parse(did_document))


def verify_document(
    document: Mapping[str, object], did_document: Mapping[str, object]
) -> dict[str, Any]:
    """`verify_file` for JSON that is parsed already; the result for machines.

    Raises:
        Problem: as `verify_file`.
    """
    return _any(document, did_document).document()


def save(head: Mapping[str, object], signed: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """One file that holds a signed head and the signed documents it names (`catalog save`)."""
    return {"v": 1, "type": "SavedCatalog", "head": dict(head), "documents": list(signed)}


def _any(found: Mapping[str, object], described: Mapping[str, object]) -> Checked:
    """Whatever of ours a file may hold."""
    did = described.get("id")
    if not isinstance(did, str):
        raise Problem("catalog-did-malformed", member="id")
    keys = assertion_keys(described, did)
    if found.get("type") == "CatalogHead":
        return _checked(_head(found, keys, did, None), ())
    if found.get("type") == "DatasetDocument":
        dataset = _dataset(found, keys, did, None)
        named = ((dataset.document_iri, documents.digest(found)),)
        return Checked(did, None, (dataset,), named)
    if found.get("type") == "SavedCatalog":
        return _saved(found, keys, did)
    raise Problem("catalog-file-unknown")


def _checked(head: Head, datasets: tuple[Dataset, ...]) -> Checked:
    """A verified head and those of its datasets that were verified with it."""
    named = {entry.document: entry.digest for entry in head.entries}
    digests = [(head.iri, versions.head_digest(head))]
    digests += [(each.document_iri, named[each.document_iri]) for each in datasets]
    return Checked(head.publisher, head, datasets, tuple(digests))


def _saved(found: Mapping[str, object], keys: Keys, did: str) -> Checked:
    head, listed = found.get("head"), found.get("documents")
    if not isinstance(head, Mapping) or not isinstance(listed, list):
        raise Problem("catalog-file-unknown")
    checked = _head(head, keys, did, None)
    by_iri = {str(item.get("id")): item for item in listed if isinstance(item, Mapping)}
    return _complete(checked, by_iri, keys, did)


def _complete(
    head: Head, by_iri: Mapping[str, Mapping[str, object]], keys: Keys, did: str
) -> Checked:
    """Every entry of a verified head with its document."""
    datasets = []
    for entry in head.entries:
        if entry.document not in by_iri:
            raise Problem("catalog-document-missing", document=entry.document[:300])
        dataset = _dataset(by_iri[entry.document], keys, did, entry.digest)
        check_listed(dataset, entry, head.group)
        datasets.append(dataset)
    return _checked(head, tuple(datasets))


def _head(document: Mapping[str, object], keys: Keys, did: str, seen: versions.Seen | None) -> Head:
    _signed_by(document, document.get("publisher"), keys, did)
    head = heads.read_head(document)
    versions.check(seen, head)
    return head


def _dataset(document: Mapping[str, object], keys: Keys, did: str, expected: str | None) -> Dataset:
    subject = document.get("subject")
    publisher = subject.get("publisher") if isinstance(subject, Mapping) else None
    named = publisher.get("id") if isinstance(publisher, Mapping) else None
    _signed_by(document, named, keys, did)
    if expected is not None and documents.digest(document) != expected:
        raise Problem("catalog-digest-other", document=str(document.get("id"))[:300])
    return documents.read(document)


def _signed_by(document: Mapping[str, object], publisher: object, keys: Keys, did: str) -> None:
    if publisher != did:
        raise Problem("catalog-publisher-other", found=str(publisher)[:300], expected=did)

    def key_of(method: str) -> bytes:
        if method not in keys:
            raise Problem("catalog-proof-method", method=method[:300], did=did)
        return keys[method]

    proofs.verify(document, key_of)


def _array(document: Mapping[str, object], name: str) -> list[object]:
    items = document.get(name, [])
    if not isinstance(items, list) or len(items) > _MAX_METHODS:
        raise Problem("catalog-did-malformed", member=name)
    return items


def _absolute(reference: object, did: str) -> str:
    """A verification method's DID URL; a relative one (`#key-1`) belongs to this document."""
    if not isinstance(reference, str):
        raise Problem("catalog-did-malformed", member="verificationMethod")
    return did + reference if reference.startswith("#") else reference


def _key(method: Mapping[str, object], did: str) -> bytes | None:
    """The Ed25519 key of a verification method under this controller; None for other kinds."""
    if method.get("controller") != did:
        return None
    jwk = method.get("publicKeyJwk")
    if method.get("type") == "Multikey":
        try:
            return proofs.decode_key(method.get("publicKeyMultibase"))
        except Problem:
            return None
    if method.get("type") in ("JsonWebKey", "JsonWebKey2020") and isinstance(jwk, Mapping):
        return _jwk(jwk)
    return None


def _jwk(jwk: Mapping[str, object]) -> bytes | None:
    x = jwk.get("x")
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519" or not isinstance(x, str):
        return None
    try:
        key = base64.b64decode(x + "=" * (-len(x) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    same = base64.urlsafe_b64encode(key).decode().rstrip("=") == x
    return key if len(key) == 32 and same else None
