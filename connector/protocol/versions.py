"""The version document of a node (DSP 2025-1 "Exposure of Versions")."""

from collections.abc import Mapping
from typing import Final

from connector.protocol.json import strict_json
from connector.protocol.names import VERSION
from policies.problem import Problem

PATH: Final = "/dsp/2025-1"
WELL_KNOWN: Final = "/.well-known/dspace-version"


def version_document(
    *,
    path: str = PATH,
    identifier_type: str = "did:web",
    service_id: str | None = None,
    auth: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """The body of `/.well-known/dspace-version`; plain JSON, no context.

    Args:
        path: what follows the node's root URL and makes the DSP base URL.
        identifier_type: the kind of identifier participants have.
        service_id: the IRI of the node's data service, if it has one.
        auth: `{"protocol", "version", "profile": […]}`, once the node really speaks it.
    """
    item: dict[str, object] = {
        "version": VERSION,
        "path": path,
        "binding": "HTTPS",
        "identifierType": identifier_type,
    }
    if service_id is not None:
        item["serviceId"] = service_id
    if auth is not None:
        item["auth"] = dict(auth)
    return {"protocolVersions": [item]}


def base_url(root: str, body: bytes) -> str:
    """The DSP base URL of a peer for the version we speak.

    Args:
        root: the URL before `/.well-known/dspace-version`.
        body: what the peer answered there.

    Raises:
        Problem: `protocol-no-common-version` (DSP: then the client MUST stop), or
            `protocol-json-*` for a body that is no JSON object.
    """
    found = strict_json(body).get("protocolVersions")
    items = [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
    for item in items:
        path = item.get("path")
        ours = item.get("version") == VERSION and item.get("binding", "HTTPS") == "HTTPS"
        if ours and isinstance(path, str) and _plain(path):
            return root.rstrip("/") + path.rstrip("/")
    offered = ", ".join(str(item.get("version"))[:20] for item in items[:8]) or "-"
    raise Problem("protocol-no-common-version", offered=offered, expected=VERSION)


def _plain(path: str) -> bool:
    """Whether a peer's path stays a path: it may not lead to another host or upwards."""
    return (
        path.startswith("/")
        and not path.startswith("//")
        and ".." not in path.split("/")
        and path.isascii()
        and path.isprintable()
        and not any(sign in path for sign in "?#\\ @")
    )
