"""Data Integrity proofs: `eddsa-jcs-2022` (W3C Data Integrity EdDSA Cryptosuites v1.0, 3.3).

The proof of a document is one Ed25519 signature over 64 bytes: SHA-256 of the canonical proof
options, then SHA-256 of the canonical document without its proof. The document's `@context` is
part of the proof options. One proof a document: sets and chains are refused, not half-checked.
Keys come in as a `sign` function or as 32 bytes; nothing here holds or finds a key.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from catalog import values
from catalog.canonical import canonical, check, digest_bytes, jcs
from policies.problem import Problem

CRYPTOSUITE: Final = "eddsa-jcs-2022"
PURPOSE: Final = "assertionMethod"
_REQUIRED: Final = frozenset(
    {"type", "cryptosuite", "created", "verificationMethod", "proofPurpose", "proofValue"}
)
_ALLOWED: Final = _REQUIRED | {"id", "@context"}
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS: Final = {sign: value for value, sign in enumerate(_ALPHABET)}
_PAIRS: Final = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_TEN_DIGITS: Final = 58**10
_FIVE_DIGITS: Final = 58**5
_PAIR: Final = 58**2
_ED25519: Final = b"\xed\x01"
_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
# "z" and the most base58 digits that so many bytes can take: checked before any arithmetic,
# because decoding base58 is quadratic in its length.
_KEY_CHARACTERS: Final = 48
_SIGNATURE_CHARACTERS: Final = 89


def sign(
    document: Mapping[str, object],
    *,
    sign: Callable[[bytes], bytes],
    method: str,
    created: datetime,
    proof_id: str,
    purpose: str = PURPOSE,
    digest: str | None = None,
) -> dict[str, object]:
    """The document with one `proof` as its last member.

    `sign` is the Ed25519 signature function of the key that `method` (a DID URL) names;
    `proof_id` is a `urn:uuid:` name; `digest` that of the bytes for which `canonical.check` found
    this very document fit, where that was asked before.

    Raises:
        Problem: `catalog-unfit-…` (the document may not be signed), `catalog-proof-several` (it
            carries a proof already).
    """
    if "proof" in document:
        raise Problem("catalog-proof-several")
    digest = digest_bytes(check(document)) if digest is None else digest
    proof: dict[str, object] = {
        "id": proof_id,
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": values.format_instant(created),
        "verificationMethod": method,
        "proofPurpose": purpose,
    }
    if "@context" in document:
        proof["@context"] = document["@context"]
    value = encode_multibase(sign(_input(jcs(proof), digest)))
    return {**document, "proof": {**proof, "proofValue": value}}


def verify(
    document: Mapping[str, object],
    key_of: Callable[[str], bytes],
    *,
    purpose: str = PURPOSE,
    digest: str | None = None,
) -> None:
    """That the document's one proof is a valid signature by the key it names.

    `key_of` gives the 32 bytes of the Ed25519 key that a verification method names, or raises a
    Problem; it decides whose keys count. This function says nothing about *who* may sign.
    `digest` is that of the document without its proof, where it is known.

    Raises:
        Problem: `catalog-proof-…`: missing, several, malformed, of another suite or purpose, over
            another context, or simply not valid.
    """
    unsecured = {name: value for name, value in document.items() if name != "proof"}
    proof = read_proof(document.get("proof"), purpose)
    if "@context" in unsecured:
        _same_context(proof.get("@context"), unsecured["@context"])
        if proof["@context"] != unsecured["@context"]:  # the first of them only
            unsecured["@context"], digest = proof["@context"], None
    elif "@context" in proof:
        raise Problem("catalog-proof-context")
    signature = decode_multibase(proof["proofValue"], _SIGNATURE_CHARACTERS)
    if len(signature) != _SIGNATURE_BYTES:
        raise Problem("catalog-proof-encoding")
    try:
        digest = digest_bytes(canonical(unsecured)) if digest is None else digest
        signed = _input(canonical(_options(proof)), digest)
    except Problem as fault:
        raise Problem("catalog-proof-document", reason=fault.code) from None
    _verify_signature(key_of(str(proof["verificationMethod"])), signature, signed)


def read_proof(proof: object, purpose: str = PURPOSE) -> Mapping[str, object]:
    """The one proof of a document, its members checked, its signature not.

    Raises:
        Problem: `catalog-proof-missing`, `-several`, `-unknown-member`, `-malformed`,
            `-cryptosuite`, `-purpose`.
    """
    if proof is None:
        raise Problem("catalog-proof-missing")
    if isinstance(proof, list | tuple):
        raise Problem("catalog-proof-several")
    if not isinstance(proof, Mapping):
        raise Problem("catalog-proof-malformed", member="proof")
    for name in proof:
        if name not in _ALLOWED:
            raise Problem("catalog-proof-unknown-member", member=_shown(name))
    for name in sorted(_REQUIRED | (_ALLOWED & set(proof)) - {"@context"}):
        if not isinstance(proof.get(name), str):
            raise Problem("catalog-proof-malformed", member=name)
    if proof["type"] != "DataIntegrityProof" or proof["cryptosuite"] != CRYPTOSUITE:
        raise Problem("catalog-proof-cryptosuite", found=_shown(proof["cryptosuite"]))
    if proof["proofPurpose"] != purpose:
        raise Problem(
            "catalog-proof-purpose", found=_shown(proof["proofPurpose"]), expected=purpose
        )
    if values.parse_instant(proof["created"]) is None:
        raise Problem("catalog-proof-malformed", member="created")
    return proof


def signing_input(document: Mapping[str, object], proof: Mapping[str, object]) -> bytes:
    """The 64 bytes that are signed: hash of the proof options, then hash of the document.

    Raises:
        Problem: `catalog-unfit-…` when either has no canonical form.
    """
    return _input(canonical(_options(proof)), digest_bytes(canonical(document)))


@lru_cache(maxsize=256)
def encode_key(key: bytes) -> str:
    """An Ed25519 public key (32 bytes) as a Multikey (`z6Mk…`)."""
    if len(key) != _KEY_BYTES:
        raise Problem("catalog-proof-key")
    return encode_multibase(_ED25519 + key)


def decode_key(text: object) -> bytes:
    """The 32 bytes of an Ed25519 Multikey.

    Raises:
        Problem: `catalog-proof-encoding`, `catalog-proof-key` (a key of another kind).
    """
    if not isinstance(text, str):
        raise Problem("catalog-proof-encoding")
    return _decode_key(text)


@lru_cache(maxsize=256)
def _decode_key(text: str) -> bytes:
    data = decode_multibase(text, _KEY_CHARACTERS)
    if len(data) != _KEY_BYTES + len(_ED25519) or not data.startswith(_ED25519):
        raise Problem("catalog-proof-key")
    return data[len(_ED25519) :]


def _options(proof: Mapping[str, object]) -> dict[str, object]:
    """What is signed of a proof: all but the signature."""
    return {name: value for name, value in proof.items() if name != "proofValue"}


def _input(options: bytes, digest: str) -> bytes:
    return hashlib.sha256(options).digest() + bytes.fromhex(digest.removeprefix("sha-256:"))


def encode_multibase(data: bytes) -> str:
    """Bytes as multibase base58btc (`z…`)."""
    zeros = len(data) - len(data.lstrip(b"\0"))
    number = int.from_bytes(data)
    signs = ""
    while number:
        # Ten digits at a time: dividing a long number costs more than dividing a short one.
        number, ten = divmod(number, _TEN_DIGITS)
        signs = _five_digits(ten // _FIVE_DIGITS) + _five_digits(ten % _FIVE_DIGITS) + signs
    return "z" + "1" * zeros + signs.lstrip("1")


def _five_digits(number: int) -> str:
    rest = number // _PAIR
    return _ALPHABET[rest // _PAIR] + _PAIRS[rest % _PAIR] + _PAIRS[number % _PAIR]


def decode_multibase(text: object, longest: int) -> bytes:
    """The bytes of a multibase base58btc text of at most `longest` characters.

    Raises:
        Problem: `catalog-proof-encoding`.
    """
    if not isinstance(text, str) or not text.startswith("z") or len(text) > longest:
        raise Problem("catalog-proof-encoding")
    number, digits = 0, text[1:]
    try:
        for sign_ in digits:
            number = number * 58 + _DIGITS[sign_]
    except KeyError:
        raise Problem("catalog-proof-encoding") from None
    # Every text of these digits is the canonical one of its bytes: only ones can lead to zeros.
    zeros = len(digits) - len(digits.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)


def _verify_signature(key: bytes, signature: bytes, signed: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature:
        raise Problem("catalog-proof-invalid") from None
    except (ValueError, TypeError):  # not 32 bytes
        raise Problem("catalog-proof-key") from None


def _same_context(signed: object, present: object) -> None:
    """The signed contexts are the first ones of the document (cryptosuite, 3.3.2 step 4)."""
    ours = signed if isinstance(signed, list | tuple) else [signed]
    theirs = present if isinstance(present, list | tuple) else [present]
    if signed is None or list(ours) != list(theirs[: len(ours)]):
        raise Problem("catalog-proof-context")


def _shown(text: object) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(text)[:60])
