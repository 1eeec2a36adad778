"""Signals in the JSON-LD of EDC 0.14 to 0.17, in the one compact form that each sends.

Seen on the wire of 0.14.1 (`tests/interop`) and 0.17.0; as everywhere it is read as plain JSON, so
the names must stand as EDC writes them. It calls, below the address that was registered:

    GET  /check                     is it there? (each minute; 0.16 and later do not ask)
    POST / or, from 0.15 on, /start DataFlowStartMessage: start, or resume what was suspended
    POST /{processId}/suspend       no more until it is started again
    POST /{processId}/terminate     over: terminated, or completed by the consumer

and is called, below `callbackAddress`: `POST /transferprocess/{processId}/fail` or `/complete`.
0.16 and 0.17 spell data addresses in the terms of DSP 2025-1, those before in the terms of 0.8: the
context of the start says in which, and the answer has the same.
"""

from collections.abc import Mapping
from typing import Final

from connector.protocol.messages import DataAddress
from connector.protocol.messages.address import EDC
from connector.protocol.messages.envelope import Reader
from connector.protocol.paths import segment
from connector.protocol.signaling.flow import PUSH, SOURCE, FlowStart, Form, named
from connector.protocol.transfer import Transfer
from policies.problem import Problem

_START: Final = "DataFlowStartMessage"
_DSPACE: Final = "dspace:"
_TERMS: Final = {
    Form.JSONLD: "https://w3id.org/dspace/v0.8/",
    Form.JSONLD_2025: "https://w3id.org/dspace/2025/1/",
}
_MAX_PROPERTIES: Final = 64

Json = dict[str, object]


def read(data: Mapping[str, object]) -> FlowStart:
    """The start that these members spell.

    Raises:
        Problem: `protocol-type-unexpected`, `protocol-member-missing`, `protocol-not-text`,
            `protocol-not-url`, `protocol-not-object`, `signaling-id`, `signaling-source`.
    """
    found = data.get("@type")
    if found != _START:
        raise Problem("protocol-type-unexpected", found=str(found)[:80], expected=_START)
    reader = Reader(data)
    callback = reader.url("callbackAddress")
    if callback is None:
        raise Problem("protocol-member-missing", where=reader.at("callbackAddress"))
    context = data.get("@context")
    said = context.get("dspace") if isinstance(context, Mapping) else None
    later = said == _TERMS[Form.JSONLD_2025]
    way = f"{reader.text('transferTypeDestination')}-{reader.text('flowType')}"
    return FlowStart(
        form=Form.JSONLD_2025 if later else Form.JSONLD,
        process=named(reader, "processId"),
        agreement=named(reader, "agreementId"),
        asset=reader.text("datasetId"),
        consumer=reader.text("participantId"),
        transfer_type=way,
        callback=callback,
        source=_source(reader),
        sink=_sink(reader) if way == PUSH else None,
    )


def flowing(form: Form) -> Json:
    """The answer to the start of a push: it has begun (DataFlowResponseMessage)."""
    context = {"@vocab": EDC, "dspace": _TERMS[form]}
    return {"@context": context, "@type": "DataFlowResponseMessage", "provisioning": False}


def started(endpoint: str, token: str, form: Form) -> Json:
    """The answer to the start of a pull: where the data are. Holds a secret.

    EDC reads the address in the terms that it sends, whatever protocol it speaks to its peers.
    """
    address = DataAddress.pull(endpoint, token)
    spelled = [(name, value) for name, value in address.properties if name.startswith(EDC)]
    return {
        **flowing(form),
        "dataAddress": {
            "@type": f"{_DSPACE}DataAddress",
            f"{_DSPACE}endpointType": address.endpoint_type,
            f"{_DSPACE}endpointProperties": [
                {
                    "@type": f"{_DSPACE}EndpointProperty",
                    f"{_DSPACE}name": name,
                    f"{_DSPACE}value": value,
                }
                for name, value in spelled
            ],
        },
    }


def failed(t: Transfer, reason: str, _message: str) -> tuple[str, Json]:
    """Where below the callback, and how, the control plane learns that a flow was ended here."""
    return f"/transferprocess/{segment(t.pid)}/fail", {"errorMessage": reason}


def completed(t: Transfer, _message: str) -> tuple[str, Json]:
    """As `failed`, of a flow that has handed out all there was."""
    return f"/transferprocess/{segment(t.pid)}/complete", {}


def _source(reader: Reader) -> dict[str, str]:
    """The data address of the asset by plain names; its type must be ours.

    Raises:
        Problem: `signaling-source`, besides those of the reader.
    """
    address = reader.inner("sourceDataAddress")
    if address is None:
        raise Problem("protocol-member-missing", where=reader.at("sourceDataAddress"))
    kind = _kind(address)
    if kind != SOURCE:
        raise Problem("signaling-source", found=kind[:80], expected=SOURCE)
    return {name.removeprefix(EDC): value for name, value in _properties(address)}


def _sink(reader: Reader) -> DataAddress | None:
    """Where a push goes, if the start says so."""
    address = reader.inner("destinationDataAddress")
    if address is None:
        return None
    return DataAddress(endpoint_type=_kind(address), properties=tuple(_properties(address)))


def _kind(address: Reader) -> str:
    """The type of an address: a text, or an object with that as `@id` in the later terms."""
    name = f"{_DSPACE}endpointType"
    if isinstance(address.data.get(name), Mapping):
        inner = address.inner(name)
        return "" if inner is None else inner.text("@id")
    return address.text(name)


def _properties(address: Reader) -> list[tuple[str, str]]:
    """The properties of an address, by the names it has, in order."""
    properties = address.items(f"{_DSPACE}endpointProperties")
    if len(properties) > _MAX_PROPERTIES:
        raise Problem("protocol-not-object", where=address.at("endpointProperties"))
    found = []
    for index, item in enumerate(properties):
        where = f"{address.at('endpointProperties')}/{index}"
        if not isinstance(item, Mapping):
            raise Problem("protocol-not-object", where=where)
        one = Reader(item, where)
        found.append((one.text(f"{_DSPACE}name"), one.text(f"{_DSPACE}value")))
    return found
