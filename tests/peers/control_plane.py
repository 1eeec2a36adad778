"""The signals of an Eclipse EDC 0.14.1 without a data plane, written from the wire (2026-11-25).

It sends no header of its own; a start is said again word for word to resume; suspend and terminate
carry nothing but their type. What it is told (`fail`, `complete`) is kept by `Told`.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

NS = "https://w3id.org/edc/v0.0.1/ns/"
CONTEXT = {
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "dspace": "https://w3id.org/dspace/v0.8/",
    "@vocab": NS,
}


def start(process: str, agreement: str, *, consumer: str, callback: str, **source: str) -> Json:
    """A start of a pull; `source` is the data address of the asset `traces`."""
    return {
        "@type": "DataFlowStartMessage",
        "transferTypeDestination": "HttpData",
        "flowType": "PULL",
        "agreementId": agreement,
        "processId": process,
        "datasetId": "traces",
        "properties": {},
        "callbackAddress": callback,
        "sourceDataAddress": {
            "@type": "dspace:DataAddress",
            "dspace:endpointType": "Preau",
            "dspace:endpointProperties": [
                {
                    "@type": "dspace:EndpointProperty",
                    "dspace:name": NS + name,
                    "dspace:value": value,
                }
                for name, value in source.items()
            ],
        },
        "participantId": consumer,
        "@context": CONTEXT,
    }


def plain(kind: str) -> Json:
    """A `DataFlowSuspendMessage` or a `DataFlowTerminateMessage`."""
    return {"@type": kind, "@context": CONTEXT}


def address(answer: Json) -> Json:
    """The data address of a response as this EDC hands it to its consumer: by plain names."""
    assert answer["@type"] == "DataFlowResponseMessage", answer
    given = answer["dataAddress"]
    assert (given["@type"], answer["provisioning"]) == ("dspace:DataAddress", False)
    properties = given["dspace:endpointProperties"]
    return {
        one["dspace:name"].removeprefix(NS): one["dspace:value"]
        for one in properties
        if one["dspace:name"].startswith(NS)
    }


@dataclass
class Told:
    """Its control API as an ASGI application: each flow may end once, a second time is 409."""

    said: list[tuple[str, Json]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        content = b""
        while True:
            event = await receive()
            content += event.get("body", b"")
            if not event.get("more_body"):
                break
        path = scope["path"].removeprefix("/control/transferprocess")
        ended = any(path.split("/")[1] in one for one, _ in self.said)
        self.said.append((path, json.loads(content or b"{}")))
        self.headers.append({name.decode(): text.decode() for name, text in scope["headers"]})
        status = 409 if ended else 204
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
