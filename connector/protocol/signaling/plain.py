"""Signals in plain JSON: "Data Plane Signaling" 1.0 RC3, and EDC 0.18, which says it a little else.

Below the address that was registered (EDC appends to it as it is):

    POST /start                     DataFlowStartMessage; no flow of this id may exist
    POST /{processId}/suspend       no more until it is resumed
    POST /{processId}/resume        go on; the answer holds the data address again
    POST /{processId}/terminate     over
    POST /{processId}/completed     over: the consumer has all it wanted
    GET  /{processId}/status        how it stands (EDC does not ask)
    POST /prepare, /{id}/started    for the data plane of a consumer, which this node is none of

and below the control plane's own: `POST /transfers/{processId}/dataflow/errored` or `/completed`,
with a DataFlowStatusMessage. An error changes no state there (specification, "Errored"): EDC 0.18
warns its operator and tells nobody.

The start of a push holds the sink as `dataAddress`; that of a pull must hold none.

EDC 0.18 still says `transferType` for what the specification calls `profile`, and names a
`callbackAddress`, which the specification has given up. It sends no address of the asset: what the
asset's operator wrote for us stands in `metadata`. EDC 0.16 and 0.17 speak this form only if told
to, and swap the participants (`counterPartyId` is their own): there it names nobody we know.
"""

from collections.abc import Mapping
from typing import Final

from connector.protocol.messages import DataAddress
from connector.protocol.messages.address import HTTP
from connector.protocol.messages.envelope import Reader, without_none
from connector.protocol.paths import segment
from connector.protocol.signaling.flow import PULL, PULLS, FlowStart, Form, named
from connector.protocol.transfer import State, Transfer
from policies.problem import Problem

Json = dict[str, object]

_STATES: Final = {
    State.NEW: "INITIALIZED",
    State.REQUESTED: "STARTING",
    State.STARTED: "STARTED",
    State.SUSPENDED: "SUSPENDED",
    State.COMPLETED: "COMPLETED",
    State.TERMINATED: "TERMINATED",
}
_OURS: Final = ("dataset", "offer")


def read(data: Mapping[str, object]) -> FlowStart:
    """The start that these members spell. Claims and labels are the control plane's own affair.

    Raises:
        Problem: `protocol-member-missing`, `protocol-not-text`, `protocol-not-url`,
            `protocol-not-object`, `protocol-address-ambiguous`, `signaling-id`,
            `signaling-address`.
    """
    reader = Reader(data)
    way = reader.maybe("profile") or reader.text("transferType")
    sink = sink_of(data)
    if way in PULLS and sink is not None:  # the specification's MUST, "Start"
        raise Problem("signaling-address", where=reader.at("dataAddress"))
    return FlowStart(
        form=Form.PLAIN,
        process=named(reader, "processId"),
        agreement=named(reader, "agreementId"),
        asset=reader.text("datasetId"),
        consumer=reader.text("counterPartyId"),
        transfer_type=way,
        callback=reader.url("callbackAddress") or "",
        source=_source(reader),
        sink=sink,
        message=message_id(data),
    )


def sink_of(data: Mapping[str, object]) -> DataAddress | None:
    """The data address in a start or a resumption: in a push, where the data go.

    Raises:
        Problem: `protocol-…`.
    """
    address = Reader(data).inner("dataAddress")
    return None if address is None else DataAddress.read(address)


def message_id(data: Mapping[str, object]) -> str:
    """The id of a message: one that is sent again keeps it.

    Raises:
        Problem: `protocol-member-missing`, `protocol-not-text`, `signaling-id`.
    """
    return named(Reader(data), "messageId")


def started(t: Transfer, endpoint: str, token: str, message: str) -> Json:
    """The answer to a start or a resumption: where the data are. Holds a secret.

    EDC 0.18 hands the names on as they are, so both spellings stand here, as in any address of
    ours.
    """
    address = DataAddress.pull(endpoint, token).wire()
    kind = HTTP if t.format == PULL else t.format
    return {**status(t, message), "dataAddress": {**address, "endpointType": kind}}


def status(t: Transfer, message: str | None = None, error: str | None = None) -> Json:
    """How a flow stands: a DataFlowStatusMessage, or, without its id, the answer to who asks."""
    starting = t.state is State.REQUESTED or t.address_due
    return without_none(
        messageId=message,
        dataFlowId=t.pid,
        state="STARTING" if starting else _STATES[t.state],
        error=error,
    )


def failed(t: Transfer, reason: str, message: str) -> tuple[str, Json]:
    """Where below the callback, and how, the control plane learns that a flow was ended here."""
    said = {**status(t, message, reason), "state": "TERMINATED"}
    return f"/transfers/{segment(t.pid)}/dataflow/errored", said


def completed(t: Transfer, message: str) -> tuple[str, Json]:
    """As `failed`, of a flow that has handed out all there was."""
    said = {**status(t, message), "state": "COMPLETED"}
    return f"/transfers/{segment(t.pid)}/dataflow/completed", said


def _source(reader: Reader) -> dict[str, str]:
    """What the asset's `dataplaneMetadata` says to us; other members are for other data planes."""
    metadata = reader.inner("metadata")
    if metadata is None:
        return {}
    found = {name: metadata.maybe(name) for name in _OURS}
    return {name: value for name, value in found.items() if value is not None}
