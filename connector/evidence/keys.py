"""The public keys that a bundle brings along: DID documents as they stood (decision T5).

Pure. A document is believed about itself only, and only if a leaf of the log names its digest:
otherwise whoever repacks a bundle could add a key of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from catalog.proofs import decode_key
from policies.jcs import digest
from policies.problem import Problem

_RELATIONSHIPS: Final = (
    "authentication",
    "assertionMethod",
    "capabilityInvocation",
    "capabilityDelegation",
    "keyAgreement",
)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One DID document of a bundle: its file, the DID it is about, its digest and Ed25519 keys.

    `assertion` maps the key ids listed under `assertionMethod`; `log` holds the keys that are
    listed for no relationship at all (decision T1: that is what the log's key looks like).
    """

    where: str
    did: str
    digest: str
    assertion: Mapping[str, bytes]
    log: Mapping[str, bytes]


def read(document: Mapping[str, object], where: str) -> Snapshot:
    """The snapshot that a DID document is.

    Raises:
        Problem: `evidence-did-malformed`.
    """
    did = document.get("id")
    if not isinstance(did, str) or not did.startswith("did:"):
        raise Problem("evidence-did-malformed", where=where)
    keys = _ed25519(document, did, where)
    assertion = _listed(document, "assertionMethod", did)
    used = {name for use in _RELATIONSHIPS for name in _listed(document, use, did)}
    return Snapshot(
        where,
        did,
        digest(document),
        {name: key for name, key in keys.items() if name in assertion},
        {name: key for name, key in keys.items() if name not in used},
    )


def _ed25519(document: Mapping[str, object], did: str, where: str) -> dict[str, bytes]:
    """The Ed25519 keys of a document by absolute id; keys of other kinds are passed over."""
    methods = document.get("verificationMethod")
    if not isinstance(methods, list):
        raise Problem("evidence-did-malformed", where=where)
    keys: dict[str, bytes] = {}
    for method in methods:
        if not isinstance(method, Mapping) or method.get("controller") != did:
            raise Problem("evidence-did-malformed", where=where)
        name = _absolute(method.get("id"), did)
        if name is None or name in keys:
            raise Problem("evidence-did-malformed", where=where)
        if method.get("type") == "Multikey":
            try:
                keys[name] = decode_key(method.get("publicKeyMultibase"))
            except Problem:  # a Multikey of another curve
                continue
    return keys


def _listed(document: Mapping[str, object], relationship: str, did: str) -> set[str]:
    names = document.get(relationship, [])
    found = (_absolute(name, did) for name in (names if isinstance(names, list) else []))
    return {name for name in found if name is not None}


def _absolute(name: object, did: str) -> str | None:
    """A key's id in full; a key embedded in a relationship, or of another DID, is not taken."""
    if not isinstance(name, str):
        return None
    full = did + name if name.startswith("#") else name
    return full if full.startswith(did + "#") else None
