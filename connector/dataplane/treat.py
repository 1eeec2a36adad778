"""Treatments: what an agreed value becomes on its way out (decision X5). Pure.

Room: dataplane. Pseudonyms stand for persons, one AES block permutation re-keys ids (unique stays
unique, and this node alone can turn one back, so that a notice can name a statement), and times
are generalised. None of this makes data anonymous; it stops trivial joins and look-ups.
"""

import base64
import hmac
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PSEUDONYM_LENGTH: Final = 26
PRECISIONS: Final = ("minute", "hour", "day", "none")

_BLOCK: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STEP: Final = {"minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000}
_URN: Final = "urn:uuid:"


def pseudonym(key: bytes, subject_key: bytes) -> str:
    """26 base32 characters (130 bits) for a person, under a release's 32-byte pseudonym key."""
    return base64.b32encode(hmac.digest(key, subject_key, "sha256")).decode()[:PSEUDONYM_LENGTH]


def permute(key: bytes, blocks: bytes) -> bytes:
    """Encrypt 16-byte blocks, each for itself: one call for a whole part.

    ECB is right here, and only here: every block is one 128-bit value to be mapped one to one.
    """
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  (see above)
    return encryptor.update(blocks) + encryptor.finalize()


def unpermute(key: bytes, blocks: bytes) -> bytes:
    """The inverse of `permute`."""
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305  (see permute)
    return decryptor.update(blocks) + decryptor.finalize()


def block_of(uuid: str) -> bytes:
    """The 16 bytes of a UUID text, with or without `urn:uuid:`."""
    return bytes.fromhex(uuid[-36:].replace("-", ""))


def uuid_text(block: bytes) -> str:
    """The canonical UUID text of 16 bytes."""
    text = block.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def rekey(key: bytes, uuids: Sequence[str]) -> list[str]:
    """Each UUID's released form, in order; a `urn:uuid:` prefix stays, spelling becomes lower."""
    blocks = permute(key, b"".join(map(block_of, uuids)))
    return [
        (_URN if len(uuid) > 36 else "") + uuid_text(blocks[at : at + _BLOCK])
        for uuid, at in zip(uuids, range(0, len(blocks), _BLOCK), strict=True)
    ]


def invert(key: bytes, uuid: str) -> str:
    """The source UUID behind a released one (for notices)."""
    return uuid_text(unpermute(key, block_of(uuid)))


def generalise(micros: int, precision: str) -> str | None:
    """A time as RFC 3339 UTC with `Z`, cut down to the precision; None for "none".

    `micros` are microseconds since 1970.

    Raises:
        KeyError: an unknown precision (a plan cannot hold one).
    """
    if precision == "none":
        return None
    instant = _EPOCH + timedelta(microseconds=micros - micros % _STEP[precision])
    return instant.isoformat().replace("+00:00", "Z")


def ranks(key: bytes, numbers: Sequence[int]) -> list[int]:
    """A keyed value for each number; sorting by it is the order inside a part or a revision."""
    blocks = permute(key, b"".join(number.to_bytes(_BLOCK, "big") for number in numbers))
    return [value for value, _ in struct.iter_unpack(">QQ", blocks)]
