"""Subject keys: the one pure function that names a person inside the node (decision S1).

Room: subjects. A person arrives as one of the four xAPI identifiers or as the value of a declared
column. `canonical` gives every spelling of one identifier the same text, `subject_key` turns that
text into 32 bytes that nobody can reverse or recompute without the node's subject secret. Only
keys are stored.

Normalisation (the vectors in the tests are the reference):

- every text: Unicode NFC, outer white space dropped; empty, over 2,048 characters or with a
  control character is malformed;
- IRIs (`homePage`, `openid`): absolute; scheme and host in lower case, default port dropped, an
  empty path is `/` (RFC 3986 section 6.2); `http` and `https` stay two things;
- `mbox`: `mailto:` in any case, then an address, wholly in lower case; the canonical form is its
  `mbox_sha1sum`, so that a person known by either is one person (xAPI 1.0.3 part 2, 2.4.2.3).
  A sum made elsewhere over capitals cannot meet it: that needs an alias;
- `mbox_sha1sum`: 40 hexadecimal digits, lower case;
- account names and column values: case is kept, they are opaque.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

import orjson

from policies.problem import Problem

IdentifierType = Literal["account", "mbox", "mbox_sha1sum", "openid", "column"]

TYPES: Final[tuple[IdentifierType, ...]] = ("account", "mbox", "mbox_sha1sum", "openid", "column")
KEY_BYTES: Final = 32

_MAX_TEXT: Final = 2048
_CONTEXT: Final = b"preau subject key 1\0"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SHA1: Final = re.compile(r"[0-9a-f]{40}")
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_PORTS: Final = {"http": 80, "https": 443}
_AGENT_TYPES: Final[tuple[IdentifierType, ...]] = ("account", "mbox", "mbox_sha1sum", "openid")


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier as it was written: `home` is the homePage of an account or the namespace of
    a column, and empty for the other types.
    """

    type: IdentifierType
    value: str
    home: str = ""


def from_agent(agent: Mapping[str, object]) -> Identifier:
    """The identifier of an xAPI Agent or identified Group.

    Raises:
        Problem: `subjects-identifier-malformed`, when there is none, more than one (xAPI asks for
            exactly one), or one of the wrong JSON type.
    """
    found = [name for name in _AGENT_TYPES if name in agent]
    if len(found) != 1:
        raise Problem("subjects-identifier-malformed", type="agent")
    kind = found[0]
    value = agent[kind]
    if kind == "account":
        name = value.get("name") if isinstance(value, Mapping) else None
        home = value.get("homePage") if isinstance(value, Mapping) else None
        if isinstance(name, str) and isinstance(home, str):
            return Identifier("account", name, home)
    elif isinstance(value, str):
        return Identifier(kind, value)
    raise Problem("subjects-identifier-malformed", type=kind)


def canonical(identifier: Identifier) -> str:
    """The one text of an identifier: a JSON array `[type, …]` (see the module's rules).

    Raises:
        Problem: `subjects-identifier-type` or `subjects-identifier-malformed`; the value itself
            is never repeated.
    """
    kind = identifier.type
    if kind not in TYPES:
        raise Problem("subjects-identifier-type", allowed=", ".join(TYPES))
    value = _text(identifier.value, kind)
    if kind == "account":
        return _join("account", _iri(_text(identifier.home, kind), kind), value)
    if kind == "column":
        return _join("column", _text(identifier.home, kind), value)
    if identifier.home:
        raise Problem("subjects-identifier-malformed", type=kind)
    if kind == "mbox":
        return _join("mbox_sha1sum", _sum(value))
    if kind == "mbox_sha1sum":
        if not _SHA1.fullmatch(value.lower()):
            raise Problem("subjects-identifier-malformed", type=kind)
        return _join("mbox_sha1sum", value.lower())
    return _join("openid", _iri(value, kind))


def subject_key(secret: bytes, identifier: Identifier) -> bytes:
    """32 bytes: HMAC-SHA-256 under the node's subject secret over the canonical text.

    Raises:
        Problem: as `canonical`.
    """
    return key_of(secret, canonical(identifier))


def key_of(secret: bytes, canonical_text: str) -> bytes:
    """As `subject_key`, for a text that `canonical` has made already."""
    return hmac.digest(secret, _CONTEXT + canonical_text.encode(), "sha256")


def _join(*parts: str) -> str:
    return orjson.dumps(parts).decode()


def _text(value: object, kind: str) -> str:
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    if not text or len(text) > _MAX_TEXT or _CONTROL.search(text) or not _encodable(text):
        raise Problem("subjects-identifier-malformed", type=kind)
    return text


def _encodable(text: str) -> bool:
    """A lone surrogate is no Unicode text."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _sum(mbox: str) -> str:
    scheme, _, address = mbox.partition(":")
    if scheme.lower() != "mailto" or not _ADDRESS.fullmatch(address):
        raise Problem("subjects-identifier-malformed", type="mbox")
    # SHA-1 is what xAPI prescribes for this member; nothing here relies on it resisting collisions.
    spelled = f"mailto:{address.lower()}".encode()
    return hashlib.sha1(spelled, usedforsecurity=False).hexdigest()


def _iri(value: str, kind: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise Problem("subjects-identifier-malformed", type=kind) from None
    scheme = parts.scheme.lower()
    if not _SCHEME.fullmatch(scheme) or " " in value:
        raise Problem("subjects-identifier-malformed", type=kind)
    if not parts.netloc:  # urn:, tag: and the like have no authority to normalise
        rest = value[len(scheme) + 1 :]
        if not rest.strip("/") or scheme in _PORTS:
            raise Problem("subjects-identifier-malformed", type=kind)
        return f"{scheme}:{rest}"
    user, at, _ = parts.netloc.rpartition("@")
    host = (parts.hostname or "").lower()
    if not host:
        raise Problem("subjects-identifier-malformed", type=kind)
    host = f"[{host}]" if ":" in host else host
    suffix = "" if port is None or port == _PORTS.get(scheme) else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{scheme}://{user}{at}{host}{suffix}{parts.path or '/'}{query}{fragment}"
