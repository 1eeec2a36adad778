"""A DID document as it stood when something was agreed (T5): its canonical bytes and digest.

Bundles carry these files so that an auditor checks signatures with the keys of that day, on a
machine without network and without a node: this module imports neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.identity.did import MAX_BYTES, DidDocument
from connector.identity.strict import read_object
from policies.jcs import digest_bytes, jcs
from policies.problem import Problem


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One DID document, canonical (RFC 8785) and named by its digest."""

    did: str
    digest: str
    content: bytes = field(repr=False)


def take(document: DidDocument) -> Snapshot:
    """The snapshot of a document: same document, same bytes, whatever the spelling received."""
    return of_source(document.source, document.did)


def of_source(source: Mapping[str, object], did: str) -> Snapshot:
    """As `take`, from the JSON of a document that is ours.

    Raises:
        Problem: `identity-document-malformed`: it has no canonical form (a number beyond 2^53).
    """
    try:
        content = jcs(dict(source))
    except ValueError:
        raise Problem("identity-document-malformed", did=did, member="JSON") from None
    return Snapshot(did, digest_bytes(content), content)


def read(content: bytes, digest: str | None = None) -> DidDocument:
    """The document in a snapshot, about whichever DID it names.

    Args:
        content: the bytes of a bundle's `did/*.json`, or of any saved DID document.
        digest: what the snapshot must hash to, where something names it.

    Raises:
        Problem: `identity-snapshot-digest`, or as `DidDocument.parse`.
    """
    if digest is not None and digest_bytes(content) != digest:
        raise Problem("identity-snapshot-digest", digest=digest)
    if len(content) > MAX_BYTES:
        raise Problem("identity-document-size", did="?", limit=MAX_BYTES)
    try:
        source = read_object(content)
    except ValueError:
        raise Problem("identity-document-malformed", did="?", member="JSON") from None
    did = source.get("id")
    if not isinstance(did, str):
        raise Problem("identity-document-malformed", did="?", member="id")
    return DidDocument.of(source, did)
