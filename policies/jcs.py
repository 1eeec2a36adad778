"""JSON Canonicalization Scheme (RFC 8785) and the digests made over it.

Everything Préau signs or names is digested over these bytes. orjson writes the same bytes many
times faster, but only where its key order (UTF-8) and number form agree with the RFC (UTF-16
order, ECMAScript numbers): a guard lets it do only the documents for which that is certain.
"""

import hashlib
from typing import Final

import orjson
import rfc8785

_MAX_INTEGER: Final = 2**53 - 1


def jcs(value: object) -> bytes:
    """The canonical bytes of a JSON value.

    Raises:
        ValueError: the value has no canonical form (not JSON, NaN, an integer beyond 2^53-1).
    """
    if _plain(value):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return rfc8785.dumps(value)  # type: ignore[arg-type]


def digest(value: object) -> str:
    """`sha-256:<64 hex>` over the canonical bytes of a JSON value."""
    return digest_bytes(jcs(value))


def digest_bytes(data: bytes) -> str:
    """`sha-256:<64 hex>` over bytes that are canonical already."""
    return "sha-256:" + hashlib.sha256(data).hexdigest()


def _plain(value: object) -> bool:
    """Whether orjson's form is certainly the canonical one: ASCII keys, no float, safe integers."""
    if isinstance(value, str) or value is None or value is True or value is False:
        return True
    if type(value) is int:
        return -_MAX_INTEGER <= value <= _MAX_INTEGER
    if type(value) is dict:
        return all(
            type(key) is str and key.isascii() and _plain(item) for key, item in value.items()
        )
    if type(value) is list or type(value) is tuple:
        return all(map(_plain, value))
    return False
