"""What an Eclipse EDC 0.14.1 signals to its data plane, for those who have none at hand.

    python3 control_plane.py URL TOKEN_FILE start | read | suspend | terminate | id

`start` prints the data address that the node hands out, `read` (address on standard input) the rows
that the consumer's application gets there. A second `start` resumes what was suspended.
"""

import json
import sys
import urllib.request
from pathlib import Path

FLOW = "5f95aa23-4d9b-4795-83b3-b93c3802b8e0"  # the EDC's id of the transfer
AGREEMENT = "0c869fe7-fd0d-4a48-9af0-ba0c0a13f284"
NS = "https://w3id.org/edc/v0.0.1/ns/"
CONTEXT = {"dspace": "https://w3id.org/dspace/v0.8/", "@vocab": NS}
START = {
    "@type": "DataFlowStartMessage",
    "transferTypeDestination": "HttpData",
    "flowType": "PULL",
    "agreementId": AGREEMENT,
    "processId": FLOW,
    "datasetId": "traces",
    "properties": {},
    "callbackAddress": "http://localhost:9192/control",
    "sourceDataAddress": {
        "@type": "dspace:DataAddress",
        "dspace:endpointType": "Preau",
        "dspace:endpointProperties": {
            "@type": "dspace:EndpointProperty",
            "dspace:name": NS + "dataset",
            "dspace:value": "traces",
        },
    },
    "participantId": "south-edc",
    "@context": CONTEXT,
}


def signal(place: str, body: dict[str, object]) -> bytes:
    """Post one signal, as JSON; the answer."""
    content = {"Content-Type": "application/json"}
    request = urllib.request.Request(place, json.dumps(body).encode(), content)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def address(answer: bytes) -> dict[str, str]:
    """The data address in the answer to a start, by plain names."""
    properties = json.loads(answer)["dataAddress"]["dspace:endpointProperties"]
    return {one["dspace:name"].removeprefix(NS): one["dspace:value"] for one in properties}


def read(found: dict[str, str]) -> bytes:
    """What the consumer's application reads: GET with the bare token."""
    headers = {"Authorization": found["authorization"]}
    request = urllib.request.Request(found["endpoint"], headers=headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def main(url: str, token_file: str, act: str) -> None:
    """Do one act."""
    place = f"{url}/v1/signaling/{Path(token_file).read_text().strip()}/dataflows"
    if act == "id":
        print(FLOW)
    elif act == "start":
        print(json.dumps(address(signal(place, START)), indent=2))
    elif act == "read":
        sys.stdout.buffer.write(read(json.load(sys.stdin)))
    else:
        kind = f"DataFlow{act.capitalize()}Message"
        signal(f"{place}/{FLOW}/{act}", {"@type": kind, "@context": CONTEXT})


if __name__ == "__main__":
    main(*sys.argv[1:])
