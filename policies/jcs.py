"""JSON Canonicalization Scheme (RFC 8785) and the digests made over it.

Everything Préau signs or names is digested over these bytes. orjson writes the same bytes many
times faster, but only where its key order (UTF-8) and number form agree with the RFC (UTF-16
order, ECMAScript numbers). What it wrote tells: a look at the bytes costs a tenth of a walk over
the document, and whatever looks doubtful there is written again by the book.
"""

import hashlib
import re
from typing import Final

import orjson
import rfc8785

_FORM: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
_BEYOND_BMP: Final = bytes(range(0xF0, 0x100))
"""First bytes of characters whose UTF-8 and UTF-16 orders differ."""
_NUMBER: Final = re.compile(rb"[:,\[](?<![^\"]:)-?(?:[0-9]+[.eE]|[0-9]{16})")
"""A number that may be no safe integer; inside a string it only costs the slow way."""
_SHORT: Final = 512
"""Below so many bytes the one look costs less than taking the strings out first."""
_PLAIN_NUMBER: Final = re.compile(rb"[0-9](?:[.eE]|[0-9]{15})")
_STRUCTURE: Final = b"{}[]:"


def jcs(value: object) -> bytes:
    """The canonical bytes of a JSON value.

    Raises:
        ValueError: the value has no canonical form (not JSON, NaN, an integer beyond 2^53-1).
    """
    if type(value) is dict or type(value) is list:
        try:
            written = orjson.dumps(value, option=_FORM)
        except TypeError:  # a type, a depth or a surrogate that orjson does not take
            return rfc8785.dumps(value)
        # orjson writes a NaN as null too, which does not read back as what it was.
        if _canonical(written) and (b"null" not in written or orjson.loads(written) == value):
            return written
    return rfc8785.dumps(value)  # type: ignore[arg-type]


def _canonical(written: bytes) -> bool:
    """Whether these bytes of orjson are certainly canonical, but for `null` (it may be a NaN)."""
    if not written.isascii() and len(written.translate(None, _BEYOND_BMP)) != len(written):
        return False
    if len(written) < _SHORT or b"\\" in written:
        return _NUMBER.search(written) is None
    # No quote is escaped, so every second piece lies outside strings; these are few bytes.
    outside = b"".join(written.split(b'"')[::2]).translate(None, _STRUCTURE)
    return _PLAIN_NUMBER.search(outside) is None


def digest(value: object) -> str:
    """`sha-256:<64 hex>` over the canonical bytes of a JSON value."""
    return digest_bytes(jcs(value))


def digest_bytes(data: bytes) -> str:
    """`sha-256:<64 hex>` over bytes that are canonical already."""
    return "sha-256:" + hashlib.sha256(data).hexdigest()
