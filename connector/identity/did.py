"""DID documents: ours as we serve it, and those of peers as we believe them.

(https://www.w3.org/TR/did-core/.) A document is believed only about itself: its `id` is the DID
it was found under, the controller of a key is that DID, and a key serves a purpose only if the
document lists it under that relationship. Members we do not know are kept, never interpreted;
keys of a kind we do not use are remembered as such, so that a token made with one is refused for
that reason and no other.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from catalog.proofs import decode_key, encode_key
from connector.identity import did_web
from connector.identity.keys import KeyRing
from connector.identity.strict import read_object
from policies.problem import Problem

MAX_BYTES: Final = 65_536
MAX_ENTRIES: Final = 64
DATA_SERVICE: Final = "DataService"
CATALOG_SERVICE: Final = "CatalogService"
DATA_PLANE: Final = "DataPlane"
"""Ours: where a participant hands out or takes data, if that is not the origin of its protocol;
several have a number behind it.
"""
VERSION_PATH: Final = "/.well-known/dspace-version"

Relationship = Literal["authentication", "assertionMethod", "capabilityInvocation"]
Algorithm = Literal["ES256", "EdDSA"]
PublicKey = EllipticCurvePublicKey | Ed25519PublicKey

_RELATIONSHIPS: Final[tuple[Relationship, ...]] = (
    "authentication",
    "assertionMethod",
    "capabilityInvocation",
)
_CONTEXTS: Final = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/jwk/v1",
    "https://w3id.org/security/multikey/v1",
)
_COORDINATE: Final = 32


def document(did: str, keys: KeyRing, *, root: str, dsp_base: str) -> dict[str, object]:
    """The DID document of this node.

    Args:
        did: our DID.
        keys: the keys in use; their fragments are `#token-1`, `#assertion-1`, `#log-1`.
        root: our public URL; `/.well-known/dspace-version` lies below it.
        dsp_base: the DSP 2025-1 base; `/catalog` lies below it.
    """
    token, assertion, log = (f"{did}#{keys.fragment(n)}" for n in ("token", "assertion", "log"))
    return {
        "@context": list(_CONTEXTS),
        "id": did,
        "verificationMethod": [
            {
                "id": token,
                "type": "JsonWebKey",
                "controller": did,
                "publicKeyJwk": _jwk(keys.token_key.public_key()),
            },
            _multikey(assertion, did, keys.assertion_public),
            # The log key speaks in checkpoints only: listed, but under no relationship (T1).
            _multikey(log, did, keys.log_public),
        ],
        "authentication": [token],
        "assertionMethod": [assertion],
        "capabilityInvocation": [token],
        "service": [
            {
                "id": f"{did}#dataspace",
                "type": DATA_SERVICE,
                "serviceEndpoint": root.rstrip("/") + VERSION_PATH,
            },
            {
                "id": f"{did}#catalog",
                "type": CATALOG_SERVICE,
                "serviceEndpoint": dsp_base.rstrip("/") + "/catalog",
            },
        ],
    }


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key of a DID document, loaded; `key` is None when its kind is not ours."""

    id: str
    key: PublicKey | None
    relationships: frozenset[str]

    @property
    def algorithm(self) -> Algorithm | None:
        """The one JWS algorithm this key may verify."""
        if self.key is None:
            return None
        return "EdDSA" if isinstance(self.key, Ed25519PublicKey) else "ES256"


@dataclass(frozen=True, slots=True)
class DidDocument:
    """A DID document that was read strictly; `source` is the JSON as received."""

    did: str
    keys: Mapping[str, VerificationKey]
    services: Mapping[str, str]
    source: Mapping[str, object] = field(repr=False)

    @classmethod
    def parse(cls, data: bytes, did: str) -> "DidDocument":
        """The document of `did` in JSON bytes.

        Raises:
            Problem: `identity-document-size`, `identity-document-malformed` (with the member),
                `identity-document-other` (about another DID), `identity-document-private-key`.
        """
        if len(data) > MAX_BYTES:
            raise Problem("identity-document-size", did=did, limit=MAX_BYTES)
        try:
            source = read_object(data)
        except ValueError:
            raise Problem("identity-document-malformed", did=did, member="JSON") from None
        return cls.of(source, did)

    @classmethod
    def of(cls, source: Mapping[str, object], did: str) -> "DidDocument":
        """As `parse`, from JSON that has been parsed strictly already (a snapshot)."""
        if source.get("id") != did:
            raise Problem("identity-document-other", did=did)
        return cls(did, _Reader(source, did).keys(), _services(source, did), source)

    def key(self, kid: str, relationship: Relationship | None) -> VerificationKey:
        """The usable key named `kid` that the document lists under `relationship`.

        Args:
            kid: its absolute name (`did:…#…`).
            relationship: what it must be listed for; None for a key without purpose (the log's).

        Raises:
            Problem: `identity-key-unknown`, `identity-key-unsupported`,
                `identity-key-relationship`.
        """
        found = self.keys.get(kid)
        if found is None:
            raise Problem("identity-key-unknown", did=self.did, kid=kid[:600])
        if found.key is None:
            raise Problem("identity-key-unsupported", did=self.did, kid=kid)
        if relationship is not None and relationship not in found.relationships:
            raise Problem("identity-key-relationship", kid=kid, relationship=relationship)
        return found

    def assertion_key(self, kid: str) -> bytes:
        """The 32 bytes of an Ed25519 key listed under assertionMethod (`catalog.proofs.verify`)."""
        found = self.key(kid, "assertionMethod").key
        if not isinstance(found, Ed25519PublicKey):
            raise Problem("identity-key-unsupported", did=self.did, kid=kid)
        return found.public_bytes_raw()

    def service(self, kind: str) -> str:
        """The endpoint of the first service of a type.

        Raises:
            Problem: `identity-service-missing`.
        """
        if kind not in self.services:
            raise Problem("identity-service-missing", did=self.did, type=kind)
        return self.services[kind]

    @property
    def signs(self) -> bool:
        """Whether the participant has a key of its own to sign with."""
        return bool(self.keys)

    @property
    def dsp(self) -> str:
        """The base of the participant's Dataspace Protocol endpoints."""
        return self.service(CATALOG_SERVICE).removesuffix("/catalog")

    @property
    def root(self) -> str:
        """The URL below which `/.well-known/dspace-version` lies."""
        return self.service(DATA_SERVICE).removesuffix(VERSION_PATH)

    def check_address(self, url: str) -> None:
        """Refuse an address (a callback, a data address) that is not the participant's own.

        It must have the origin of a Dataspace Protocol service or a data plane in this document:
        a peer never names a host to fetch beyond what its own DID document allows
        (constitution 4).

        Raises:
            Problem: `identity-address-foreign`.
        """
        own = {
            did_web.origin(endpoint)
            for kind, endpoint in self.services.items()
            if kind in (DATA_SERVICE, CATALOG_SERVICE) or kind.startswith(DATA_PLANE)
        }
        if did_web.origin(url) not in own:
            raise Problem("identity-address-foreign", did=self.did, origin=did_web.origin(url))


class _Reader:
    """Reads the keys of one document."""

    def __init__(self, source: Mapping[str, object], did: str) -> None:
        self._source = source
        self._did = did
        self._material: dict[str, PublicKey | None] = {}
        self._listed: dict[str, set[str]] = {}

    def keys(self) -> dict[str, VerificationKey]:
        for entry in _entries(self._source, self._did, "verificationMethod"):
            self._add(entry, "verificationMethod")
        for relationship in _RELATIONSHIPS:
            for entry in _entries(self._source, self._did, relationship):
                kid = entry if isinstance(entry, str) else self._add(entry, relationship)
                self._listed.setdefault(self._absolute(kid), set()).add(relationship)
        return {
            kid: VerificationKey(kid, key, frozenset(self._listed.get(kid, ())))
            for kid, key in self._material.items()
        }

    def _add(self, entry: object, member: str) -> str:
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise Problem("identity-document-malformed", did=self._did, member=member)
        kid = self._absolute(entry["id"])
        if kid in self._material:  # two keys under one name: which one is meant?
            raise Problem("identity-document-malformed", did=self._did, member=member)
        self._material[kid] = self._load(entry) if kid.startswith(self._did + "#") else None
        return kid

    def _load(self, entry: Mapping[str, object]) -> PublicKey | None:
        if entry.get("controller") != self._did:
            return None
        kind = entry.get("type")
        if kind == "Multikey":
            return _load_multikey(entry.get("publicKeyMultibase"))
        if kind in ("JsonWebKey", "JsonWebKey2020"):
            jwk = entry.get("publicKeyJwk")
            if isinstance(jwk, dict) and "d" in jwk:
                raise Problem("identity-document-private-key", did=self._did)
            return _load_jwk(jwk) if isinstance(jwk, dict) else None
        return None

    def _absolute(self, kid: str) -> str:
        return self._did + kid if kid.startswith("#") else kid


def _entries(source: Mapping[str, object], did: str, member: str) -> Iterator[object]:
    entries = source.get(member, [])
    if not isinstance(entries, list) or len(entries) > MAX_ENTRIES:
        raise Problem("identity-document-malformed", did=did, member=member)
    return iter(entries)


def _services(source: Mapping[str, object], did: str) -> dict[str, str]:
    """Type -> endpoint of the services whose endpoint is one URL; the first of a type counts."""
    found: dict[str, str] = {}
    for entry in _entries(source, did, "service"):
        if not isinstance(entry, dict):
            raise Problem("identity-document-malformed", did=did, member="service")
        kinds, endpoint = entry.get("type"), entry.get("serviceEndpoint")
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            if isinstance(kind, str) and isinstance(endpoint, str):
                found.setdefault(kind, endpoint)
    return found


def _load_multikey(text: object) -> PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(decode_key(text))
    except (Problem, ValueError):  # another kind of key, or none
        return None


def _load_jwk(jwk: Mapping[str, object]) -> PublicKey | None:
    """The key of a JWK that may verify signatures, None for any other (RFC 7517, 4.2-4.4)."""
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list):
        return None
    if "verify" not in operations:
        return None
    match jwk.get("kty"), jwk.get("crv"), jwk.get("alg"):
        case "EC", "P-256", None | "ES256":
            return _load_p256(jwk)
        case "OKP", "Ed25519", None | "EdDSA" | "Ed25519":
            coordinate = _coordinate(jwk.get("x"))
            return Ed25519PublicKey.from_public_bytes(coordinate) if coordinate else None
    return None


def _load_p256(jwk: Mapping[str, object]) -> PublicKey | None:
    x, y = _coordinate(jwk.get("x")), _coordinate(jwk.get("y"))
    if x is None or y is None:
        return None
    try:
        numbers = EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1())
        return numbers.public_key()
    except ValueError:  # no point of the curve
        return None


def _coordinate(text: object) -> bytes | None:
    if not isinstance(text, str) or not text.isascii():
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    return data if len(data) == _COORDINATE and _base64url(data) == text else None


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _jwk(key: EllipticCurvePublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "use": "sig",
        "x": _base64url(numbers.x.to_bytes(_COORDINATE)),
        "y": _base64url(numbers.y.to_bytes(_COORDINATE)),
    }


def _multikey(kid: str, did: str, key: bytes) -> dict[str, str]:
    return {
        "id": kid,
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": encode_key(key),
    }
