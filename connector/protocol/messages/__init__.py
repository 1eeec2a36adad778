"""Every message of DSP 2025-1 as a typed dataclass: `.wire()` writes it, `parse` reads it.

`parse(body, ContractRequest)` is the one door for what a peer sends: strict JSON, the envelope,
the members, the policy. Members unknown to the schema are ignored (but for our own namespace),
and some habits of peers are accepted on purpose; they are listed in `docs/dsp-divergences.md`.
"""

from connector.protocol.messages.address import DataAddress, read_address
from connector.protocol.messages.catalog import CatalogRequest, DatasetRequest
from connector.protocol.messages.envelope import Message, check_envelope, parse, read
from connector.protocol.messages.errors import Refusal, read_error
from connector.protocol.messages.extensions import Reference, extend, extension, reference
from connector.protocol.messages.negotiation import (
    ContractAgreement,
    ContractAgreementVerification,
    ContractNegotiation,
    ContractNegotiationEvent,
    ContractNegotiationTermination,
    ContractOffer,
    ContractRequest,
    Event,
)
from connector.protocol.messages.terms import Terms
from connector.protocol.messages.transfer import (
    TransferCompletion,
    TransferProcess,
    TransferRequest,
    TransferStart,
    TransferSuspension,
    TransferTermination,
)

__all__ = [
    "CatalogRequest",
    "ContractAgreement",
    "ContractAgreementVerification",
    "ContractNegotiation",
    "ContractNegotiationEvent",
    "ContractNegotiationTermination",
    "ContractOffer",
    "ContractRequest",
    "DataAddress",
    "DatasetRequest",
    "Event",
    "Message",
    "Reference",
    "Refusal",
    "Terms",
    "TransferCompletion",
    "TransferProcess",
    "TransferRequest",
    "TransferStart",
    "TransferSuspension",
    "TransferTermination",
    "check_envelope",
    "extend",
    "extension",
    "parse",
    "read",
    "read_address",
    "read_error",
    "reference",
]
