"""What a control plane's start says, whichever form it has, and how a flow is remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from connector.protocol.messages import DataAddress
from connector.protocol.messages.envelope import Reader
from connector.protocol.paths import segment
from connector.protocol.transfer import Transfer
from policies.jcs import digest
from policies.problem import Problem

PULL: Final = "HttpData-PULL"
PULLS: Final = (PULL, "https://w3id.org/dspace-sig/profile/http-pull")
"""The names of a pull: EDC's own, and that of the HTTP profile."""

PUSH: Final = "HttpData-PUSH"
"""The name of a push, to a sink that the start names."""

SOURCE: Final = "Preau"
"""The `type` that an EDC asset's data address has, for this data plane to serve it."""

_START: Final = "DataFlowStartMessage"
_MAX_ID: Final = 200


class Form(StrEnum):
    """The forms of signals; the two of JSON-LD differ in the DSP whose terms their addresses have.

    The value is what stands before the digest in a flow's mark.
    """

    JSONLD = ""
    JSONLD_2025 = "2025 "
    PLAIN = "plain "


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStart:
    """What a start says, as far as it concerns us.

    `process` is the control plane's own id of the transfer and `agreement` that of the agreement
    it made; `asset` is what it calls the data, `source` what its operator wrote into the asset for
    us (plain names); `consumer` is the participant the data are for, `callback` where the control
    plane listens ("" where it does not say). `sink` is where a push goes; it holds secrets.
    `message` is the id of the message itself: plain JSON has one, JSON-LD has none.
    """

    form: Form = Form.JSONLD

    process: str
    agreement: str
    asset: str
    consumer: str
    transfer_type: str
    callback: str
    source: Mapping[str, str]
    sink: DataAddress | None = None
    message: str | None = None

    @property
    def dataset(self) -> str:
        """The dataset that is meant: what the asset names, or else the asset's own id."""
        return self.source.get("dataset", self.asset)

    @property
    def offer(self) -> str | None:
        """The offer of the dataset that the asset was bound to, if the asset names one."""
        return self.source.get("offer")

    def document(self) -> dict[str, object]:
        """The start as it is kept: what was read of it, and nothing else; of a sink only where it
        is, without what could be a key to it.
        """
        names = [field.name for field in fields(self) if field.name != "form"]
        made = {name: getattr(self, name) for name in names}
        if self.sink is not None:
            made["sink"] = url_of(self.sink).partition("?")[0]
        read = {name: value for name, value in made.items() if value is not None}
        return {"@type": _START, **read}

    @property
    def mark(self) -> str:
        """What a flow remembers of its start (`Transfer.control`): its form and its digest."""
        return self.form.value + digest(self.document())


@dataclass(frozen=True, slots=True)
class Signal:
    """What a message of a transfer becomes for a control plane: the record that is kept, and,
    where the API has a word for it, the path below `callbackAddress` and the body to post there.
    """

    kept: dict[str, object]
    path: str | None = None
    body: Mapping[str, object] | None = None


def url_of(sink: DataAddress) -> str:
    """The address of a sink: EDC calls it `baseUrl`, others `endpoint`; "" if it names none."""
    return sink.get("baseUrl") or sink.url or ""


def form_of(t: Transfer) -> Form:
    """The form in which a flow's control plane speaks, and is spoken to."""
    mark = t.control or ""
    others = (Form.PLAIN, Form.JSONLD_2025)
    return next((form for form in others if mark.startswith(form.value)), Form.JSONLD)


def heard(kind: str, process: str, message: str | None = None) -> dict[str, object]:
    """A control plane's word about a known process, as it is kept, by its id if it has one."""
    said: dict[str, object] = {"@type": kind, "process": process}
    return said if message is None else {**said, "message": message}


def kept(kind: str, t: Transfer, **more: object) -> dict[str, object]:
    """A word of ours to a control plane, as it is kept."""
    return {"@type": kind, "process": t.pid, **more}


def named(reader: Reader, name: str) -> str:
    """An id of the control plane's that becomes one of ours: it stands in paths and views.

    Raises:
        Problem: `signaling-id`, besides those of the reader.
    """
    text = reader.text(name)
    if len(text) > _MAX_ID or segment(text) != text or text.strip(".") == "":
        raise Problem("signaling-id", where=reader.at(name), limit=_MAX_ID)
    return text
