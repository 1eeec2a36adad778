"""The signals of an Eclipse EDC without a data plane, written from the wire of two generations.

0.14.1 (JSON-LD, seen on 2026-11-25): a start is said again word for word to resume; suspend and
terminate carry nothing but their type. 0.17.0 (seen on 2026-11-26) differs from it by `later`.
0.18.0 (plain JSON, seen on 2026-11-22 and 26): each message has an id; a resumption repeats the
data address and names a process that is nobody's; a completion is an empty object. None of them
sends a header of its own. What they are told is kept by `Told`.
"""

import json
import uuid
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

from tests.peers.asgi import Receive, Send, answer, body_of

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


def later(start: Json) -> Json:
    """A start as 0.17.0 sends it, to `/start`: its addresses in the terms of DSP 2025-1."""
    made = json.loads(json.dumps(start))
    made["@context"]["dspace"] = "https://w3id.org/dspace/2025/1/"
    made["transferType"] = f"{made['transferTypeDestination']}-{made['flowType']}"
    for name in ("sourceDataAddress", "destinationDataAddress"):
        if name in made:
            made[name]["dspace:endpointType"] = {"@id": made[name]["dspace:endpointType"]}
            properties = made[name]["dspace:endpointProperties"]
            if len(properties) == 1:
                made[name]["dspace:endpointProperties"] = properties[0]
    return dict(made)


def start_18(process: str, agreement: str, *, consumer: str, callback: str, **source: str) -> Json:
    """A start of a pull by 0.18.0; `source` is what the asset `traces` has in `dataplaneMetadata`.

    The participant that signals is itself; whom the data are for is its counterparty.
    """
    return {
        "messageId": str(uuid.uuid4()),
        "participantId": "university",
        "counterPartyId": consumer,
        "dataspaceContext": "dataspace-protocol-http:2025-1",
        "processId": process,
        "agreementId": agreement,
        "datasetId": "traces",
        "callbackAddress": callback,
        "transferType": "HttpData-PULL",
        "labels": [],
        "metadata": source,
        "claims": {"client_id": consumer},
    }


SINK = {"baseUrl": "http://localhost:9501/rows", "authKey": "X-Sink", "authCode": "sink-secret"}


def pushed(start: Json) -> Json:
    """A start of 0.14.1 as one of a push to `SINK`."""
    properties = [
        {"@type": "dspace:EndpointProperty", "dspace:name": NS + name, "dspace:value": value}
        for name, value in SINK.items()
    ]
    address = {
        "@type": "dspace:DataAddress",
        "dspace:endpointType": "HttpData",
        "dspace:endpointProperties": properties,
    }
    return {**start, "flowType": "PUSH", "destinationDataAddress": address}


def sink_18(**changes: str) -> Json:
    """The data address of a push as 0.18.0 hands it on: no `endpoint`, names of its own."""
    named = {"type": "HttpData", **SINK, **changes}
    return {
        "endpointType": "HttpData",
        "endpoint": None,
        "endpointProperties": [
            {"name": NS + name, "value": value, "@type": "EndpointProperty"}
            for name, value in named.items()
        ],
        "@type": "DataAddress",
    }


def prepare_18(process: str, agreement: str, *, callback: str) -> Json:
    """What 0.18.0 says first where its institution is the consumer."""
    made = start_18(process, agreement, consumer="provider", callback=callback)
    return {**made, "participantId": "university", "claims": {"client_id": "provider"}}


def plain_18(reason: str | None = None) -> Json:
    """A suspension (with its reason) or a termination (without one) by 0.18.0."""
    made = {"messageId": str(uuid.uuid4())}
    return made if reason is None else {**made, "reason": reason}


def resume_18(given: Json) -> Json:
    """A resumption: the address that we gave, and the process of nobody."""
    stray = str(uuid.uuid4())
    return {"messageId": str(uuid.uuid4()), "dataAddress": given, "processId": stray}


def address_18(answer: Json) -> Json:
    """The data address of a status message as 0.18.0 reads it: type, properties, endpoint."""
    given = answer["dataAddress"]
    properties = {one["name"]: one["value"] for one in given["endpointProperties"]}
    found = {"type": given["endpointType"], **properties, "endpoint": given["endpoint"]}
    assert (answer["state"], given["@type"]) == ("STARTED", "DataAddress"), answer
    return found


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
    """Where it listens, as an ASGI application: each flow may end once, a second time is 409."""

    said: list[tuple[str, Json]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Receive,
        send: Send,
    ) -> None:
        content = await body_of(receive)
        path = scope["path"].removeprefix("/control").removeprefix("/transferprocess")
        path = path.removeprefix("/transfers")
        ended = any(path.split("/")[1] in one for one, _ in self.said)
        self.said.append((path, json.loads(content or b"{}")))
        self.headers.append({name.decode(): text.decode() for name, text in scope["headers"]})
        status = 409 if ended else 204
        await answer(send, status)
