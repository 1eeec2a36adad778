"""Where a message goes: its path below the receiver's DSP base URL (DSP HTTPS bindings).

The receiver is the one that did not send it: its own pid stands in the path.
"""

from urllib.parse import quote

from connector.protocol.machine import Role
from connector.protocol.messages import (
    CatalogRequest,
    ContractAgreement,
    ContractAgreementVerification,
    ContractNegotiationEvent,
    ContractNegotiationTermination,
    ContractOffer,
    ContractRequest,
    DatasetRequest,
    Message,
    TransferCompletion,
    TransferRequest,
    TransferStart,
    TransferSuspension,
    TransferTermination,
)

_Paired = (
    ContractAgreement
    | ContractAgreementVerification
    | ContractNegotiationEvent
    | ContractNegotiationTermination
    | TransferStart
    | TransferCompletion
    | TransferSuspension
    | TransferTermination
)
_LAST: dict[type[Message], str] = {
    ContractAgreement: "agreement",
    ContractAgreementVerification: "agreement/verification",
    ContractNegotiationEvent: "events",
    ContractNegotiationTermination: "termination",
    TransferStart: "start",
    TransferCompletion: "completion",
    TransferSuspension: "suspension",
    TransferTermination: "termination",
}


def path_of(message: Message, *, to: Role) -> str:
    """The path of `message` when it is posted to the party in role `to` (a dataset request: got).

    Raises:
        TypeError: a message that is an answer and never sent by itself.
    """
    match message:
        case CatalogRequest():
            return "/catalog/request"
        case DatasetRequest():
            return f"/catalog/datasets/{segment(message.dataset)}"
        case ContractRequest():
            pid = message.provider_pid
            return "/negotiations/request" if pid is None else negotiation_path(pid) + "/request"
        case ContractOffer():
            pid = message.consumer_pid
            return "/negotiations/offers" if pid is None else negotiation_path(pid) + "/offers"
        case TransferRequest():
            return "/transfers/request"
    if not isinstance(message, _Paired):
        raise TypeError(f"{message.TYPE} is an answer")
    pid = message.provider_pid if to is Role.PROVIDER else message.consumer_pid
    root = transfer_path(pid) if message.TYPE.startswith("Transfer") else negotiation_path(pid)
    return f"{root}/{_LAST[type(message)]}"


def negotiation_path(pid: str) -> str:
    """Where the party that named it `pid` shows a negotiation."""
    return f"/negotiations/{segment(pid)}"


def transfer_path(pid: str) -> str:
    """Where the party that named it `pid` shows a transfer process."""
    return f"/transfers/{segment(pid)}"


def segment(text: str) -> str:
    """An identifier as one segment of a path (RFC 3986 `pchar`); `:` stays readable."""
    return quote(text, safe=":@!$&'()*+,;=~")
