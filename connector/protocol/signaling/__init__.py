"""Data Plane Signaling: how a control plane elsewhere has this node's data plane release.

An institution that keeps its Eclipse EDC as control plane negotiates there; for each transfer the
EDC tells a data plane to start, suspend, resume or terminate a *data flow*. Its generations say it
in two ways, which differ by what arrives (`read`): JSON-LD up to EDC 0.17 (`jsonld`), and the
plain JSON of the Eclipse specification "Data Plane Signaling", which EDC 0.18 speaks (`plain`).
What a start means (`FlowStart`) and all that follows from it is the same for both.

Here is also what messages of a transfer become when its parties do not hear us, but that EDC.
"""

from collections.abc import Mapping

from connector.protocol.messages import (
    Message,
    TransferCompletion,
    TransferStart,
    TransferSuspension,
    TransferTermination,
)
from connector.protocol.signaling import jsonld, plain
from connector.protocol.signaling.flow import (
    PULL,
    PULLS,
    PUSH,
    SOURCE,
    FlowStart,
    Form,
    Signal,
    form_of,
    heard,
    kept,
    url_of,
)
from connector.protocol.transfer import Transfer

_FORMS = {Form.JSONLD: jsonld, Form.JSONLD_2025: jsonld, Form.PLAIN: plain}


def read(data: Mapping[str, object]) -> FlowStart:
    """The start that a control plane sends, in the form that it has: only JSON-LD has a type.

    Raises:
        Problem: `protocol-…`, `signaling-id`, `signaling-source`, `signaling-address`.
    """
    linked = "@type" in data or "@context" in data
    return jsonld.read(data) if linked else plain.read(data)


def started(t: Transfer, endpoint: str, token: str, message: str) -> dict[str, object]:
    """The answer to a start or a resumption, in the form of the flow. Holds a secret."""
    if (form := form_of(t)) is Form.PLAIN:
        return plain.started(t, endpoint, token, message)
    return jsonld.started(endpoint, token, form)


def flowing(t: Transfer, message: str) -> dict[str, object]:
    """As `started`, for a push: there is no address to give."""
    form = form_of(t)
    return plain.status(t, message) if form is Form.PLAIN else jsonld.flowing(form)


def signal(t: Transfer, message: Message) -> Signal | None:
    """`message` as our control plane is to learn it; None for a transfer without one.

    A suspension of ours has no word in either API: the data stop, and only who reads them learns
    it.
    """
    if t.control is None:
        return None
    spoken = _FORMS[form_of(t)]
    match message:
        case TransferTermination():
            path, body = spoken.failed(t, " ".join(message.reasons) or "-", message.id or t.pid)
            said = " ".join(message.reasons) or "-"
            return Signal(kept("DataFlowFailed", t, errorMessage=said), path, body)
        case TransferCompletion():
            path, body = spoken.completed(t, message.id or t.pid)
            return Signal(kept("DataFlowCompleted", t), path, body)
        case TransferSuspension():
            return Signal(kept("DataFlowSuspended", t, reason=list(message.reasons)))
        case TransferStart():
            return Signal(kept("DataFlowStarted", t))
    raise TypeError(f"{message.TYPE} is not for a control plane")


__all__ = [
    "PULL",
    "PULLS",
    "PUSH",
    "SOURCE",
    "FlowStart",
    "Form",
    "Signal",
    "flowing",
    "form_of",
    "heard",
    "read",
    "signal",
    "started",
    "url_of",
]
