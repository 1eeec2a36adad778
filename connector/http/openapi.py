"""The OpenAPI documents of the two ports (OpenAPI 3.1), made from the routes that are served.

Paths and methods come from the application, so a document never lacks one; what a request may carry
stands in the tables below. A test compares: every POST has its body here, and no entry is idle.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from starlette.routing import Route

from connector.http.dsp import POSTS
from connector.http.signaling import PLACES
from connector.protocol.names import DSP_CONTEXT
from connector.services.access import ROLES

Json = dict[str, Any]

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
_OPEN: Final = re.compile(
    r"/health/|/\.well-known/|/did\.json|/ns|/log/|/catalog(/\{group\})?$|/datasets/"
)


def _text(**more: object) -> Json:
    return {"type": "string", "minLength": 1, **more}


def _object(required: Mapping[str, Json] | None = None, **optional: Json) -> Json:
    needed = dict(required or {})
    made: Json = {"type": "object", "properties": needed | optional}
    return made | {"required": list(needed)} if needed else made


_ANY: Final[Json] = {"type": "object"}
_REASON: Final = _object(reason={"type": "string"})
_SUBJECT: Final = _object({"type": _text(), "value": _text()}, home={"type": "string"})
_USE: Final = {"subject": _SUBJECT, "recipient": _text(), "purpose": _text(), "category": _text()}
_WAIT: Final[Json] = {"type": "number", "minimum": 0}

_FLOW: Final = _object(
    {
        "@type": {"const": "DataFlowStartMessage"},
        **{name: _text() for name in ("processId", "agreementId", "datasetId", "participantId")},
        "transferTypeDestination": _text(),
        "flowType": _text(),
        "callbackAddress": _text(),
        "sourceDataAddress": _ANY,
    }
)

_PLAIN_FLOW: Final = _object(
    {
        name: _text()
        for name in (
            *("messageId", "processId", "agreementId", "datasetId"),
            *("counterPartyId", "transferType"),
        )
    },
    callbackAddress=_text(),
    metadata=_ANY,
)
_SAID: Final = _object({"messageId": _text()})

BODIES: Final[Mapping[str, Json]] = {
    "/v1/node/quarantine": _object({"reason": _text()}),
    "/v1/tokens": _object({"name": _text(), "role": {"enum": list(ROLES)}}),
    "/v1/peers": _object(
        {"did": _text()},
        name={"type": "string"},
        groups={"type": "array", "items": {"type": "string"}},
        edc=_object({"dsp": _text()}, data={"type": "array", "items": {"type": "string"}}),
        signaled={"type": "boolean"},
    ),
    "/v1/peers/groups": _object(
        {"did": _text(), "groups": {"type": "array", "items": {"type": "string"}}}
    ),
    "/v1/peers/look-back": _object({"did": _text()}),
    "/look-back": _ANY,
    "/v1/datasets/{ident}/withdrawal": _REASON,
    "/v1/requests": _object({"dataset": _text()}, application=_ANY, peer=_text(), terms=_ANY),
    "/v1/offers": _object({"peer": _text(), "dataset": _text()}, offer=_text()),
    "/v1/negotiations/{pid}/decisions": _object(
        {"role": _text(), "outcome": {"enum": ["approve", "return", "reject"]}},
        reason={"type": "string"},
        offer=_ANY,
    ),
    "/v1/negotiations/{pid}/applications": _object({"application": _ANY}),
    "/v1/negotiations/{pid}/acceptance": _ANY,
    "/v1/negotiations/{pid}/offers": _object({"offer": _ANY}),
    "/v1/negotiations/{pid}/verification": _ANY,
    "/v1/negotiations/{pid}/finalization": _ANY,
    "/v1/negotiations/{pid}/termination": _object({"reason": _text()}),
    "/v1/transfers": _object(
        {"agreement": _text()},
        format={"type": "string"},
        again={"type": "boolean"},
        push={"type": "boolean"},
    ),
    "/v1/transfers/{pid}/fetch": _object(parts={"type": ["integer", "null"], "minimum": 1}),
    "/v1/transfers/{pid}/suspension": _REASON,
    "/v1/transfers/{pid}/start": _ANY,
    "/v1/transfers/{pid}/resumption": _ANY,
    "/v1/transfers/{pid}/completion": _ANY,
    "/v1/transfers/{pid}/termination": _REASON,
    "/v1/consents": _object({"status": _text(), **_USE}, at=_text(), reason={"type": "string"}),
    "/v1/consents/state": _object(dict(_USE), at=_text()),
    **{
        f"/v1/signaling{place}{act}": body
        for place in PLACES
        for act, body in (
            ("", _FLOW),
            ("/start", _PLAIN_FLOW),
            ("/prepare", _ANY),
            ("/{pid}/started", _ANY),
            ("/{pid}/suspend", _ANY),
            ("/{pid}/resume", _SAID),
            ("/{pid}/terminate", _ANY),
            ("/{pid}/completed", _ANY),
        )
    },
    "/data/{pid}/receipt": _object({"v": {"const": 1}, "manifest": _text(), "agreement": _text()}),
}

EMPTY: Final = frozenset({"/v1/backups", "/v1/datasets/{ident}/risk"})
"""POSTs without a body."""

OTHER_BODIES: Final[Mapping[str, Mapping[str, Json]]] = {
    "/v1/datasets": {
        "multipart/form-data": _object(
            {"about": {"type": "string", "format": "binary"}},
            file={"type": "string", "format": "binary"},
            max_bad={"type": "string"},
        )
    },
    "/data/{pid}/sink": {"application/octet-stream": {"type": "string", "format": "binary"}},
    "/v1/consents/import": {"text/csv": {"type": "string"}, JSON: {"type": "array"}},
}

_PAGE: Final[Json] = {"type": "integer", "minimum": 0}
QUERIES: Final[Mapping[str, Mapping[str, Json]]] = {
    "/v1/peers/{did}": {
        "reason": _text(**{"x-required": True}),
        "terminate": {"type": "boolean"},
    },
    "/v1/catalogs": {"peer": _text(**{"x-required": True})},
    "/v1/search": {
        **{
            name: {"type": "string"}
            for name in ("q", "access", "purpose", "category", "freshness", "publisher", "refresh")
        },
        "limit": _PAGE,
        "offset": _PAGE,
    },
    "/v1/copies/catalog": {"publisher": _text(**{"x-required": True}), "group": _text()},
    "/v1/changes": {"after": {**_PAGE, "maximum": 2**53}, "wait": _WAIT},
    "/v1/negotiations/{pid}": {"wait": _WAIT, "until": _text()},
    "/v1/transfers/{pid}": {"wait": _WAIT, "until": _text()},
    "/v1/openapi": {"port": {"enum": ["management", "public"]}},
    "/dsp/2025-1/catalog/request": {"cursor": _text()},
}

MEDIA: Final[Mapping[str, tuple[str, ...]]] = {
    "/v1/backups": ("application/x-tar",),
    "/v1/agreements/{ident}/bundle": ("application/zip",),
    "/v1/transfers/{pid}/files/{name}": ("application/octet-stream", "*/*"),
    "/.well-known/did.json": ("application/did+json",),
    "/did.json": ("application/did+json",),
    "/ns": ("application/ld+json",),
    "/catalog": ("application/ld+json",),
    "/catalog/{group}": ("application/ld+json",),
    "/datasets/{ident}": ("application/ld+json",),
    "/datasets/{ident}/v{version}": ("application/ld+json",),
    "/log/checkpoint": ("text/plain",),
    "/metrics": ("text/plain",),
    "/log/tile/{place}": ("application/octet-stream",),
    "/data/{pid}": ("application/x-ndjson", "text/csv"),
    "/data/{pid}/parts/{number}": ("application/x-ndjson", "text/csv"),
}

# Members of DSP messages beside `@context` and `@type`; the official schemas say the rest.
_PIDS: Final = {"providerPid": _text(), "consumerPid": _text()}
_OFFER: Final = _object({"@id": _text(), "@type": {"const": "Offer"}, "target": _text()})
_STOP: Final[Mapping[str, Json]] = {"code": _text(), "reason": {"type": "array", "minItems": 1}}
MESSAGES: Final[Mapping[str, Json]] = {
    "CatalogRequestMessage": _object(filter={"type": "array"}),
    "ContractRequestMessage": _object(
        {"consumerPid": _text(), "offer": _OFFER}, providerPid=_text(), callbackAddress=_text()
    ),
    "ContractOfferMessage": _object(
        {"providerPid": _text(), "offer": _OFFER}, consumerPid=_text(), callbackAddress=_text()
    ),
    "ContractAgreementMessage": _object({**_PIDS, "agreement": _ANY}),
    "ContractAgreementVerificationMessage": _object(_PIDS),
    "ContractNegotiationEventMessage": _object(
        {**_PIDS, "eventType": {"enum": ["ACCEPTED", "FINALIZED"]}}
    ),
    "ContractNegotiationTerminationMessage": _object(_PIDS, **_STOP),
    "TransferRequestMessage": _object(
        {
            "consumerPid": _text(),
            "agreementId": _text(),
            "format": _text(),
            "callbackAddress": _text(),
        },
        dataAddress=_ANY,
    ),
    "TransferStartMessage": _object(_PIDS, dataAddress=_ANY),
    "TransferSuspensionMessage": _object(_PIDS, **_STOP),
    "TransferCompletionMessage": _object(_PIDS),
    "TransferTerminationMessage": _object(_PIDS, **_STOP),
}


def document(app: FastAPI, *, prefix: str = "") -> Json:
    """The OpenAPI document of an application whose paths stand below `prefix`."""
    paths: Json = {}
    for path, method, name in operations(app):
        known = path.removeprefix(prefix)
        paths.setdefault(path, {})[method] = _operation(known, method, name)
    return {
        "openapi": "3.1.0",
        "info": {"title": app.title, "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def operations(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """(path, method, name) of every route, converters left out of the path."""
    told = [
        (path, method, found.get("summary", method))
        for path, methods in app.openapi()["paths"].items()
        for method, found in methods.items()
    ]
    told += [
        (route.path, method.lower(), route.name)
        for route in app.router.routes
        if type(route) is Route  # FastAPI tells of its own kind only
        for method in sorted(route.methods or ())
    ]
    for path, method, name in told:
        yield re.sub(r"\{(\w+):\w+\}", r"{\1}", path), method, name


def body_of(path: str) -> Mapping[str, Json] | None:
    """The bodies that a POST takes, by media type; None for one that is in no table."""
    if path in BODIES:
        return {JSON: BODIES[path]}
    if path in OTHER_BODIES:
        return OTHER_BODIES[path]
    for route in POSTS:
        if path == "/dsp/2025-1" + route.path:
            return {JSON: _message(route.message.TYPE)}
    return None


def _operation(path: str, method: str, name: str) -> Json:
    made: Json = {
        "operationId": f"{method} {path}",
        "summary": name.replace("_", " ").strip(),
        "parameters": _parameters(path),
        "responses": _responses(path),
    }
    if _OPEN.match(path) is None:
        made["security"] = [{"token": []}]
    bodies = body_of(path) if method == "post" else None
    if bodies:
        content = {media: {"schema": schema} for media, schema in bodies.items()}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _parameters(path: str) -> list[Json]:
    inside = [
        {"name": name, "in": "path", "required": True, "schema": _segment(name)}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    asked = [
        {
            "name": name,
            "in": "query",
            "required": bool(schema.get("x-required")),
            "schema": {key: value for key, value in schema.items() if key != "x-required"},
        }
        for name, schema in QUERIES.get(path, {}).items()
    ]
    return inside + asked


def _segment(name: str) -> Json:
    if name in {"version", "number"}:
        return {"type": "integer", "minimum": 0}
    return _text()


def _responses(path: str) -> Json:
    media = (*MEDIA.get(path, (JSON,)), JSON)
    good = {"description": "done", "content": {each: {} for each in media}}
    told = {"description": "refused, and why", "content": {PROBLEM: {}, JSON: {}}}
    return {"2XX": good, "default": told}


def _message(kind: str) -> Json:
    members = MESSAGES[kind]
    context = {"type": "array", "items": {"const": DSP_CONTEXT}, "minItems": 1, "maxItems": 1}
    return {
        **members,
        "properties": {
            "@context": context,
            "@type": {"const": kind},
            **members.get("properties", {}),
        },
        "required": ["@context", "@type", *members.get("required", [])],
    }
