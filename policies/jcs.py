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
    # A loop with exact types, not a recursion: everything that is signed or named passes here.
    waiting = [value]
    while waiting:
        item = waiting.pop()
        kind = type(item)
        if kind is str or item is None or kind is bool:
            continue
        if kind is dict:
            for key in item:  # type: ignore[attr-defined]
                if type(key) is not str or not key.isascii():
                    return False
            waiting.extend(item.values())  # type: ignore[attr-defined]
        elif kind is list or kind is tuple:
            waiting.extend(item)  # type: ignore[arg-type]
        elif kind is not int or not -_MAX_INTEGER <= item <= _MAX_INTEGER:  # type: ignore[operator]
            return False
    return True
