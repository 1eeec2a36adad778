"""did:web names: the host, perhaps port and path, that they stand for, and back.

(https://w3c-ccg.github.io/did-method-web/.) One DID has one spelling here: lower-case A-labels,
`%3A` before the port, plain path segments; anything else is refused rather than normalised, for
DIDs are compared as strings everywhere. IP addresses are no hosts; `localhost` is one only in a
node started for development, and only there is http spoken.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from policies.problem import Problem

MAX_DID: Final = 512
MAX_PORT: Final = 65535

_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SEGMENT: Final = re.compile(r"[A-Za-z0-9._-]+")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_MAX_HOST: Final = 253


@dataclass(frozen=True, slots=True)
class WebDid:
    """A did:web, taken apart."""

    did: str
    host: str
    port: int | None
    path: tuple[str, ...]

    @property
    def base(self) -> str:
        """The URL this DID stands for, without a final slash; its document lies below it."""
        scheme = "http" if self.host == "localhost" else "https"
        port = f":{self.port}" if self.port else ""
        return "/".join([f"{scheme}://{self.host}{port}", *self.path])

    @property
    def document_url(self) -> str:
        """Where the document is served: `/.well-known/did.json`, or `did.json` below a path."""
        return self.base + ("/did.json" if self.path else "/.well-known/did.json")


def read(did: str, *, dev: bool = False) -> WebDid:
    """A did:web in its one spelling.

    Raises:
        Problem: `identity-did-method`, `identity-did-host`, `identity-did-port`,
            `identity-did-path`: the part that cannot stand; `identity-did-loopback`: localhost
            outside development.
    """
    if len(did) > MAX_DID or not did.startswith("did:web:"):
        raise Problem("identity-did-method", did=did[:200])
    authority, *path = did.removeprefix("did:web:").split(":")
    host, colon, port = authority.partition("%3A")
    if host == "localhost" and not dev:
        raise Problem("identity-did-loopback", did=did)
    if not _is_host(host):
        raise Problem("identity-did-host", did=did[:200])
    if colon and not (_PORT.fullmatch(port) and int(port) <= MAX_PORT):
        raise Problem("identity-did-port", did=did[:200])
    if not all(_SEGMENT.fullmatch(segment) and segment.strip(".") for segment in path):
        raise Problem("identity-did-path", did=did[:200])
    return WebDid(did, host, int(port) if colon else None, tuple(path))


def from_url(url: str, *, dev: bool = False) -> str:
    """The did:web of a node served at `url` (`https://host[:port][/path]`).

    Raises:
        Problem: `identity-url-invalid`: another scheme, a user, a query, or parts that did:web
            cannot name; `identity-did-loopback` for localhost outside development.
    """
    refusal = Problem("identity-url-invalid", url=url[:200])
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refusal from None
    host = parts.hostname or ""
    scheme = "http" if host == "localhost" else "https"
    if parts.scheme != scheme or set(url) & set("@?#%\\") or not url.isascii():
        raise refusal
    authority = host + (f"%3A{port}" if port and (scheme, port) != ("https", 443) else "")
    segments = parts.path.strip("/")
    did = ":".join(["did:web", authority, *(segments.split("/") if segments else ())])
    try:
        return read(did, dev=dev).did
    except Problem as problem:
        if problem.code == "identity-did-loopback":
            raise
        raise refusal from None


def origin(url: str) -> str:
    """`scheme://host:port` of an absolute http(s) URL, the port always written.

    Raises:
        Problem: `identity-url-invalid`.
    """
    refusal = Problem("identity-url-invalid", url=url[:200])
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refusal from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise refusal
    return f"{parts.scheme}://{parts.hostname}:{port or (443 if parts.scheme == 'https' else 80)}"


def _is_host(host: str) -> bool:
    if host == "localhost":
        return True
    labels = host.split(".")
    top = labels[-1]
    return (
        len(host) <= _MAX_HOST
        and len(labels) > 1
        and all(map(_LABEL.fullmatch, labels))
        # A last label that is a number makes an address of it (WHATWG URL, "ends in a number").
        and not top.isdigit()
        and not top.startswith("0x")
        and top != "localhost"
    )
