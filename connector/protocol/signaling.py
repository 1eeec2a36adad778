"""Data Plane Signaling: how a control plane elsewhere has this node's data plane release.

An institution that keeps its Eclipse EDC as control plane negotiates there; for each transfer the
EDC tells a data plane to start, suspend or terminate a *data flow*. What EDC 0.14 sends is JSON-LD
in one compact form (seen on the wire, `tests/interop`); as everywhere it is read as plain JSON, so
the names must stand as EDC writes them. It calls, below the address that was registered:

    GET  /check                     is it there? (each minute)
    POST /                          DataFlowStartMessage: start, or resume what was suspended
    POST /{processId}/suspend       no more until it is started again
    POST /{processId}/terminate     over: terminated, or completed by the consumer

and is called, below `callbackAddress`: `POST /transferprocess/{processId}/fail` or `/complete`.
Here is also what messages of a transfer become when its parties do not hear us, but that EDC.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final, Self

from connector.protocol.messages import (
    DataAddress,
    Message,
    TransferCompletion,
    TransferStart,
    TransferSuspension,
    TransferTermination,
)
from connector.protocol.messages.address import EDC
from connector.protocol.messages.envelope import Reader
from connector.protocol.paths import segment
from connector.protocol.transfer import CONTROL_PLANE, Transfer
from policies.problem import Problem

PULL: Final = "HttpData-PULL"
SOURCE: Final = "Preau"
"""The `type` that an EDC asset's data address has, for this data plane to serve it."""

_START: Final = "DataFlowStartMessage"
_DSPACE: Final = "dspace:"
_CONTEXT: Final = {"@vocab": EDC, "dspace": "https://w3id.org/dspace/v0.8/"}
_MAX_PROPERTIES: Final = 64
_MAX_ID: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStart:
    """What a start says, as far as it concerns us.

    `process` is the control plane's own id of the transfer and `agreement` that of the agreement
    it made; `asset` is what it calls the data, `source` what its operator wrote into the asset's
    data address (plain names); `consumer` is the participant the data are for, `callback` where
    the control plane listens.
    """

    process: str
    agreement: str
    asset: str
    consumer: str
    transfer_type: str
    callback: str
    source: Mapping[str, str]

    @classmethod
    def read(cls, data: Mapping[str, object]) -> Self:
        """The start that these members spell.

        Raises:
            Problem: `protocol-type-unexpected`, `protocol-member-missing`, `protocol-not-text`,
                `protocol-not-url`, `protocol-not-object`, `signaling-id`.
        """
        found = data.get("@type")
        if found != _START:
            raise Problem("protocol-type-unexpected", found=str(found)[:80], expected=_START)
        reader = Reader(data)
        callback = reader.url("callbackAddress")
        if callback is None:
            raise Problem("protocol-member-missing", where=reader.at("callbackAddress"))
        return cls(
            process=_named(reader, "processId"),
            agreement=_named(reader, "agreementId"),
            asset=reader.text("datasetId"),
            consumer=reader.text("participantId"),
            transfer_type=f"{reader.text('transferTypeDestination')}-{reader.text('flowType')}",
            callback=callback,
            source=_source(reader),
        )

    @property
    def dataset(self) -> str:
        """The dataset that is meant: what the data address names, or else the asset's own id."""
        return self.source.get("dataset", self.asset)

    @property
    def offer(self) -> str | None:
        """The offer of the dataset that the asset was bound to, if its data address names one."""
        return self.source.get("offer")

    def document(self) -> dict[str, object]:
        """The start as it is kept: what was read of it, and nothing else."""
        return {"@type": _START, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Signal:
    """What a message of a transfer becomes for a control plane: the record that is kept, and,
    where the API has a word for it, the path below `callbackAddress` and the body to post there.
    """

    kept: dict[str, object]
    path: str | None = None
    body: Mapping[str, object] | None = None


def signal(t: Transfer, message: Message) -> Signal | None:
    """`message` as our control plane is to learn it; None for a transfer without one.

    A suspension of ours has no word in that API: the data stop, and only who reads them learns it.
    """
    if t.control is None:
        return None
    place = f"/transferprocess/{segment(t.pid)}"
    match message:
        case TransferTermination():
            said: dict[str, object] = {"errorMessage": " ".join(message.reasons) or "-"}
            return Signal(_kept("DataFlowFailed", t, **said), f"{place}/fail", said)
        case TransferCompletion():
            return Signal(_kept("DataFlowCompleted", t), f"{place}/complete", {})
        case TransferSuspension():
            return Signal(_kept("DataFlowSuspended", t, reason=list(message.reasons)))
        case TransferStart():
            return Signal(_kept("DataFlowStarted", t))
    raise TypeError(f"{message.TYPE} is not for a control plane")


def heard(kind: str, process: str) -> dict[str, object]:
    """A control plane's word about a known process, as it is kept."""
    return {"@type": kind, "process": process}


def started(endpoint: str, token: str) -> dict[str, object]:
    """The answer to a start: where the data are (DataFlowResponseMessage). Holds a secret.

    EDC reads the address in the terms of DSP 0.8, whatever protocol it speaks to its peers.
    """
    address = DataAddress.pull(endpoint, token)
    spelled = [(name, value) for name, value in address.properties if name.startswith(EDC)]
    return {
        "@context": dict(_CONTEXT),
        "@type": "DataFlowResponseMessage",
        "provisioning": False,
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


def _kept(kind: str, t: Transfer, **more: object) -> dict[str, object]:
    return {"@type": kind, "process": t.pid, **more}


def _named(reader: Reader, name: str) -> str:
    """An id of the control plane's that becomes one of ours: it stands in paths and views."""
    text = reader.text(name)
    if len(text) > _MAX_ID or segment(text) != text or text.strip(".") == "":
        raise Problem("signaling-id", where=reader.at(name), limit=_MAX_ID)
    return text


def _source(reader: Reader) -> dict[str, str]:
    """The data address of the asset by plain names; its type must be ours.

    Raises:
        Problem: `signaling-source`, besides those of the reader.
    """
    address = reader.inner("sourceDataAddress")
    if address is None:
        raise Problem("protocol-member-missing", where=reader.at("sourceDataAddress"))
    kind = address.text(f"{_DSPACE}endpointType")
    if kind != SOURCE:
        raise Problem("signaling-source", found=kind[:80], expected=SOURCE)
    properties = address.items(f"{_DSPACE}endpointProperties")
    if len(properties) > _MAX_PROPERTIES:
        raise Problem("protocol-not-object", where=address.at("endpointProperties"))
    found = {}
    for index, item in enumerate(properties):
        where = f"{address.at('endpointProperties')}/{index}"
        if not isinstance(item, Mapping):
            raise Problem("protocol-not-object", where=where)
        one = Reader(item, where)
        found[one.text(f"{_DSPACE}name").removeprefix(EDC)] = one.text(f"{_DSPACE}value")
    return found


__all__ = ["CONTROL_PLANE", "PULL", "SOURCE", "FlowStart", "Signal", "heard", "signal", "started"]
