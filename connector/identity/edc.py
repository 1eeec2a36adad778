"""The `edc-mock` profile: how an Eclipse EDC with mock identity says who it is (P9).

Its `Authorization` is a JSON object that names the sender and proves nothing: whoever reaches the
port can name anybody. So the profile is off unless the node's TOML says otherwise; a name counts
only if the operator has put it into the peer list, with the addresses it may be called at; and a
name that looks like a DID is refused, because somebody would take it for a proven one.

EDC 0.14 sends `{"region", "audience", "clientId"}`, 0.18 `{"audience", "clientId"}`; either reads
the other's.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

from connector.identity import did_web
from connector.identity.did import CATALOG_SERVICE, DATA_PLANE, DidDocument
from connector.identity.strict import read_object
from policies.problem import Problem

PROFILE: Final = "edc-mock"
MAX_HEADER: Final = 8192
_NAME: Final = re.compile(r"(?!did:)[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")


def is_name(peer: str) -> bool:
    """Whether this is the name of such a peer; all others have a DID."""
    return _NAME.fullmatch(peer) is not None


def spoken(header: str) -> bool:
    """Whether an `Authorization` is of this profile."""
    return header.startswith("{")


def read(header: str) -> str:
    """The sender that an `Authorization` names.

    Raises:
        Problem: `identity-edc-header`.
    """
    try:
        found = read_object(header.encode("utf-8")[:MAX_HEADER]).get("clientId")
    except ValueError:
        found = None
    if not isinstance(found, str) or not is_name(found):
        raise Problem("identity-edc-header")
    return found


def authorization(own: str, audience: str) -> str:
    """Our `Authorization` to such a peer: we name ourselves by our DID."""
    said = {"region": "eu", "audience": audience, "clientId": own}
    return json.dumps(said, separators=(",", ":"))


def participant(name: str, dsp: str, data: Sequence[str] = ()) -> DidDocument:
    """What the operator's word says about a peer, in the shape that a DID document has for others.

    Args:
        name: what the EDC calls itself (`edc.participant.id`).
        dsp: the base of its Dataspace Protocol 2025-1.
        data: where its data planes hand out data and its sinks take them, if of other origins.

    Raises:
        Problem: `identity-edc-name`, `identity-edc-url`.
    """
    if not is_name(name):
        raise Problem("identity-edc-name", name=name[:200])
    places = {CATALOG_SERVICE: _plain(dsp) + "/catalog"}
    places |= {f"{DATA_PLANE}{n or ''}": _plain(url) for n, url in enumerate(data)}
    services = [
        {"id": f"{name}#{kind}", "type": kind, "serviceEndpoint": url}
        for kind, url in places.items()
    ]
    return DidDocument.of({"id": name, "service": services}, name)


def _plain(url: str) -> str:
    plain = url.rstrip("/")
    if not plain.startswith(("http://", "https://")) or "?" in plain or "#" in plain:
        raise Problem("identity-edc-url", url=url[:200])
    did_web.origin(plain)
    return plain
