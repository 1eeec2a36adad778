"""Our own members on the DSP wire, and how they survive a peer's JSON-LD processor.

Keys are absolute IRIs under `https://w3id.org/preau/ns#`. A document travels as a JSON *string*
(its JCS text): expansion and compaction leave a string alone, while a nested object would lose
every member the peer's contexts do not know. What is only named travels as a reference
`{"@id": …, "https://w3id.org/preau/ns#digest": …}`. A processor may wrap either in an array of
one or in `{"@value": …}`; reading accepts that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.protocol.json import strict_value
from connector.protocol.names import MAX_BYTES, MAX_TEXT
from policies.jcs import jcs
from policies.problem import Problem
from policies.vocabulary import PREAU

_DIGEST: Final = re.compile(r"sha-256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A document named by its IRI and its digest (`sha-256:<64 hex>`)."""

    id: str
    digest: str

    def document(self) -> dict[str, str]:
        """The reference as plain JSON for what we sign and store: `{"id", "digest"}`."""
        return {"id": self.id, "digest": self.digest}


def extend(wire: Mapping[str, object], name: str, value: object) -> dict[str, object]:
    """A copy of `wire` with our member `name`: the JCS text of a JSON value, or a `Reference`."""
    if isinstance(value, Reference):
        member: object = {"@id": value.id, PREAU + "digest": value.digest}
    else:
        member = jcs(value).decode("utf-8")
    return {**wire, PREAU + name: member}


def extension(wire: Mapping[str, object], name: str) -> object | None:
    """The JSON value under our member `name`, or None if `wire` has none.

    Raises:
        Problem: `protocol-extension-invalid`, when it is no JSON text.
    """
    member = _unwrapped(wire.get(PREAU + name))
    if member is None:
        return None
    if not isinstance(member, str):
        raise Problem("protocol-extension-invalid", name=name)
    try:
        # The text came inside a message of limited size, so this is no second allowance.
        return strict_value(member.encode("utf-8"), max_bytes=MAX_BYTES * 16)
    except (Problem, UnicodeEncodeError):
        raise Problem("protocol-extension-invalid", name=name) from None


def reference(wire: Mapping[str, object], name: str) -> Reference | None:
    """The reference under our member `name`, or None if `wire` has none.

    Raises:
        Problem: `protocol-extension-invalid`, when it lacks its IRI or a SHA-256 digest.
    """
    member = _unwrapped(wire.get(PREAU + name))
    if member is None:
        return None
    if isinstance(member, Mapping):
        iri, digest = member.get("@id"), _unwrapped(member.get(PREAU + "digest"))
        named = isinstance(iri, str) and 0 < len(iri) <= MAX_TEXT
        if named and isinstance(digest, str) and _DIGEST.fullmatch(digest):
            return Reference(str(iri), digest)
    raise Problem("protocol-extension-invalid", name=name)


def ours(wire: Mapping[str, object]) -> dict[str, object]:
    """Every member of `wire` under our namespace, as it stands."""
    return {key: value for key, value in wire.items() if key.startswith(PREAU)}


def _unwrapped(member: object) -> object:
    if isinstance(member, list) and len(member) == 1:
        member = member[0]
    if isinstance(member, Mapping) and "@value" in member:
        return member["@value"]
    return member
