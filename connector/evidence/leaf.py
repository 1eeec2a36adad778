"""What one line of the log says, and how it commits to bodies that it does not hold.

Pure. A leaf's bytes are the JCS form of `{v, type, time, agreement, n, shared?, private?}`. The
bodies and their salts lie beside the log and go to those entitled; destroying a salt unlinks a
body while numbering, type and every proof stay valid (decision T2).

- `agreement`  `sha-256:<hex>` of the agreement's salt followed by its id in UTF-8, or null;
- `shared`     `sha-256:<hex>` of the leaf's salt followed by the JCS bytes of the shared body;
- `private`    `hmac-sha-256:<hex>` of the JCS bytes of our own body, keyed with our salt;
- `n`          1, 2, 3 … over the leaves with a shared body of one agreement (or, where there is
  none, one process or dataset) and one type; null where there is no shared body.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.base.clock import format_time, parse_time
from policies.jcs import digest, jcs
from policies.problem import Problem

TYPES: Final = frozenset(
    {
        "catalog",
        "negotiation",
        "decision",
        "agreement",
        "plan",
        "transfer",
        "consent-tick",
        "part",
        "manifest",
        "receipt",
        "key",
        "config",
    }
)
SALT_SIZE: Final = 32
FIRST_NUMBER: Final = 1
_SHA: Final = re.compile(r"sha-256:[0-9a-f]{64}", re.ASCII)
_HMAC: Final = re.compile(r"hmac-sha-256:[0-9a-f]{64}", re.ASCII)
_REQUIRED: Final = frozenset({"v", "type", "time", "agreement", "n"})
_OPTIONAL: Final = frozenset({"shared", "private"})
_MAX_LEAF: Final = 4096


@dataclass(frozen=True, slots=True)
class Entry:
    """What a service wants logged: one act, with a body for both parties and one for ours.

    `agreement` is the agreement's id (`urn:uuid:`), or None where there is none (yet). Then
    `about` says under what the leaf is filed and numbered on this node: our pid for a consumer's
    first request, the dataset's IRI for a catalog leaf. It never enters the leaf's bytes.
    """

    type: str
    agreement: str | None
    shared: Mapping[str, object] | None = None
    private: Mapping[str, object] | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """One line of the log, commitments only."""

    type: str
    time: datetime
    agreement: str | None
    n: int | None
    shared: str | None
    private: str | None

    def bytes(self) -> bytes:
        """The bytes that are hashed into the tree."""
        members: dict[str, object] = {
            "v": 1,
            "type": self.type,
            "time": format_time(self.time),
            "agreement": self.agreement,
            "n": self.n,
        }
        if self.shared is not None:
            members["shared"] = self.shared
        if self.private is not None:
            members["private"] = self.private
        return jcs(members)


@dataclass(frozen=True, slots=True)
class Salts:
    """The random values that hide what one leaf commits to."""

    agreement: bytes | None
    shared: bytes | None
    private: bytes | None


def make(entry: Entry, time: datetime, number: int | None, salts: Salts) -> Leaf:
    """The leaf of an entry.

    Raises:
        ValueError: the entry's type is unknown, or a salt or number is missing that it needs.
    """
    if entry.type not in TYPES:
        raise ValueError(f"unknown leaf type {entry.type!r}")
    if (entry.shared is None) != (number is None):
        raise ValueError("a leaf is numbered if and only if it has a shared body")
    return Leaf(
        type=entry.type,
        time=time,
        agreement=None
        if entry.agreement is None
        else commit(_salt(salts.agreement), entry.agreement.encode()),
        n=number,
        shared=None if entry.shared is None else commit_body(_salt(salts.shared), entry.shared),
        private=None
        if entry.private is None
        else commit_keyed(_salt(salts.private), jcs(entry.private)),
    )


def commit(salt: bytes, data: bytes) -> str:
    """`sha-256:<hex>` over salt and data: checkable by whoever was given the salt."""
    return "sha-256:" + hashlib.sha256(salt + data).hexdigest()


def commit_body(salt: bytes, body: Mapping[str, object]) -> str:
    """The commitment to a shared body.

    Raises:
        ValueError: the body has no canonical form.
    """
    return commit(salt, jcs(body))


def commit_keyed(key: bytes, data: bytes) -> str:
    """`hmac-sha-256:<hex>` of data under a key."""
    return "hmac-sha-256:" + hmac.digest(key, data, "sha256").hex()


def read(data: bytes) -> Leaf:
    """The leaf that these bytes spell; only the canonical bytes are accepted.

    Raises:
        Problem: `evidence-leaf-malformed`.
    """
    malformed = Problem("evidence-leaf-malformed", where="leaf")
    if len(data) > _MAX_LEAF:
        raise malformed
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        raise malformed from None
    if not isinstance(members, dict) or not _REQUIRED <= set(members) <= _REQUIRED | _OPTIONAL:
        raise malformed
    leaf = _typed(members)
    if leaf is None or leaf.bytes() != data:
        raise malformed
    return leaf


def _typed(members: dict[str, object]) -> Leaf | None:
    time, number, kind = members["time"], members["n"], members["type"]
    if not isinstance(time, str) or not isinstance(kind, str) or kind not in TYPES:
        return None
    if number is not None and (type(number) is not int or number < FIRST_NUMBER):
        return None
    agreement, shared = members["agreement"], members.get("shared")
    private = members.get("private")
    for value, form in ((agreement, _SHA), (shared, _SHA), (private, _HMAC)):
        if value is not None and not (isinstance(value, str) and form.fullmatch(value)):
            return None
    if (shared is None) != (number is None):
        return None
    try:
        instant = parse_time(time)
    except Problem:
        return None
    return Leaf(
        kind,
        instant,
        agreement if isinstance(agreement, str) else None,
        number if isinstance(number, int) else None,
        shared if isinstance(shared, str) else None,
        private if isinstance(private, str) else None,
    )


def without_secrets(wire: Mapping[str, object]) -> dict[str, object]:
    """A protocol message as evidence keeps it: the data address, which bears a token, left out."""
    return {name: value for name, value in wire.items() if name != "dataAddress"}


def message_digest(wire: Mapping[str, object]) -> str:
    """The digest by which a leaf names a protocol message, and that of its file in a bundle."""
    return digest(without_secrets(wire))


def _salt(salt: bytes | None) -> bytes:
    if salt is None or len(salt) != SALT_SIZE:
        raise ValueError(f"a commitment needs a salt of {SALT_SIZE} bytes")
    return salt
