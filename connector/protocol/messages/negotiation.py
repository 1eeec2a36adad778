"""The messages of DSP 2025-1 "Contract Negotiation Protocol"."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

from connector.protocol.messages.envelope import Message, Reader, without_none
from connector.protocol.messages.terms import Terms
from connector.protocol.names import NO_PID
from connector.protocol.negotiation import Act, Negotiation, State
from policies.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRequest(Message):
    """A consumer asks for an agreement ("Contract Request Message"): the first of a negotiation
    with `callback`, a counter-offer with `provider_pid`; exactly one of the two.
    """

    TYPE: ClassVar[str] = "ContractRequestMessage"
    act: ClassVar[Act] = Act.REQUEST

    consumer_pid: str
    offer: Terms
    provider_pid: str | None = None
    callback: str | None = None

    def __post_init__(self) -> None:
        _first_or_later(self.TYPE, self.callback, self.provider_pid)

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return without_none(
            providerPid=self.provider_pid,
            consumerPid=self.consumer_pid,
            offer=dict(self.offer.wire),
            callbackAddress=self.callback,
        )

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(
            consumer_pid=data.text("consumerPid"),
            provider_pid=data.maybe("providerPid"),
            callback=data.url("callbackAddress"),
            offer=Terms.at(data, "offer", kind="Offer"),
            **data.header(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractOffer(Message):
    """A provider offers ("Contract Offer Message"): the first of a negotiation with `callback`,
    a counter-offer with `consumer_pid`; exactly one of the two.
    """

    TYPE: ClassVar[str] = "ContractOfferMessage"
    act: ClassVar[Act] = Act.OFFER

    provider_pid: str
    offer: Terms
    consumer_pid: str | None = None
    callback: str | None = None

    def __post_init__(self) -> None:
        _first_or_later(self.TYPE, self.callback, self.consumer_pid)

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return without_none(
            providerPid=self.provider_pid,
            consumerPid=self.consumer_pid,
            offer=dict(self.offer.wire),
            callbackAddress=self.callback,
        )

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(
            provider_pid=data.text("providerPid"),
            consumer_pid=data.maybe("consumerPid"),
            callback=data.url("callbackAddress"),
            offer=Terms.at(data, "offer", kind="Offer"),
            **data.header(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractAgreement(Message):
    """A provider agrees ("Contract Agreement Message"). Our members (`proof`, `offer`,
    `signedDocument`, `application`) stand on the agreement: read them from `agreement.wire`.
    """

    TYPE: ClassVar[str] = "ContractAgreementMessage"
    act: ClassVar[Act] = Act.AGREE

    provider_pid: str
    consumer_pid: str
    agreement: Terms

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return {
            "providerPid": self.provider_pid,
            "consumerPid": self.consumer_pid,
            "agreement": dict(self.agreement.wire),
        }

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(
            provider_pid=data.text("providerPid"),
            consumer_pid=data.text("consumerPid"),
            agreement=Terms.at(data, "agreement", kind="Agreement"),
            **data.header(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractAgreementVerification(Message):
    """A consumer confirms the agreement ("Contract Agreement Verification Message"); its
    signature is our member `proof`.
    """

    TYPE: ClassVar[str] = "ContractAgreementVerificationMessage"
    act: ClassVar[Act] = Act.VERIFY

    provider_pid: str
    consumer_pid: str

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return {"providerPid": self.provider_pid, "consumerPid": self.consumer_pid}

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(
            provider_pid=data.text("providerPid"),
            consumer_pid=data.text("consumerPid"),
            **data.header(),
        )


class Event(StrEnum):
    """The words of `eventType`."""

    ACCEPTED = "ACCEPTED"
    FINALIZED = "FINALIZED"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractNegotiationEvent(Message):
    """A consumer accepts or a provider finalizes ("Contract Negotiation Event Message")."""

    TYPE: ClassVar[str] = "ContractNegotiationEventMessage"

    provider_pid: str
    consumer_pid: str
    event: Event

    @property
    def act(self) -> Act:
        """What the event does; who may do it is the table's business."""
        return Act.ACCEPT if self.event is Event.ACCEPTED else Act.FINALIZE

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return {
            "providerPid": self.provider_pid,
            "consumerPid": self.consumer_pid,
            "eventType": self.event.value,
        }

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(
            provider_pid=data.text("providerPid"),
            consumer_pid=data.text("consumerPid"),
            event=data.term("eventType", Event, without=frozenset()),
            **data.header(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractNegotiationTermination(Message):
    """Either party ends it ("Contract Negotiation Termination Message"). `reasons` of ours are
    a sentence in English, then one in French (`errors.reasons`).
    """

    TYPE: ClassVar[str] = "ContractNegotiationTerminationMessage"
    act: ClassVar[Act] = Act.TERMINATE

    provider_pid: str
    consumer_pid: str
    code: str | None = None
    reasons: tuple[str, ...] = ()

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return without_none(
            providerPid=self.provider_pid,
            consumerPid=self.consumer_pid,
            code=self.code,
            reason=list(self.reasons) or None,
        )

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(
            provider_pid=data.text("providerPid"),
            consumer_pid=data.text("consumerPid"),
            code=data.code(),
            reasons=data.reasons(),
            **data.header(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractNegotiation(Message):
    """The answer that names a negotiation and its state ("ACK - Contract Negotiation")."""

    TYPE: ClassVar[str] = "ContractNegotiation"

    provider_pid: str
    consumer_pid: str
    state: State

    @classmethod
    def of(cls, n: Negotiation) -> Self:
        """The state of a negotiation of ours; a pid we do not know yet is `NO_PID`."""
        return cls(
            provider_pid=n.provider_pid or NO_PID,
            consumer_pid=n.consumer_pid or NO_PID,
            state=n.state,
        )

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return {
            "providerPid": self.provider_pid,
            "consumerPid": self.consumer_pid,
            "state": self.state.value,
        }

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(
            provider_pid=data.text("providerPid"),
            consumer_pid=data.text("consumerPid"),
            state=data.term("state", State, without=frozenset({State.NEW})),
            **data.header(),
        )


def _first_or_later(kind: str, callback: str | None, peer_pid: str | None) -> None:
    if (callback is None) == (peer_pid is None):
        raise Problem("protocol-first-or-later", type=kind)
