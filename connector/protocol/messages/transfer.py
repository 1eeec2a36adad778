"""The messages of DSP 2025-1 "Transfer Process Protocol"."""

from dataclasses import dataclass
from typing import ClassVar, Self

from connector.protocol.messages.address import DataAddress
from connector.protocol.messages.envelope import Message, Reader, without_none
from connector.protocol.names import NO_PID
from connector.protocol.transfer import Act, State, Transfer
from policies.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest(Message):
    """A consumer asks for data under an agreement ("Transfer Request Message"); `address` only
    for a push.
    """

    TYPE: ClassVar[str] = "TransferRequestMessage"
    act: ClassVar[Act] = Act.REQUEST

    consumer_pid: str
    agreement: str
    format: str
    callback: str
    address: DataAddress | None = None

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return without_none(
            consumerPid=self.consumer_pid,
            agreementId=self.agreement,
            format=self.format,
            callbackAddress=self.callback,
            dataAddress=self.address.wire() if self.address else None,
        )

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        callback = data.url("callbackAddress")
        if callback is None:
            raise Problem("protocol-member-missing", where=data.at("callbackAddress"))
        return cls(
            consumer_pid=data.text("consumerPid"),
            agreement=data.text("agreementId"),
            format=data.text("format"),
            callback=callback,
            address=_address(data),
            **data.header(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStart(Message):
    """Data may flow ("Transfer Start Message"); a consumer sends it to resume.

    A provider's carries the address for a pull, also when it resumes.
    """

    TYPE: ClassVar[str] = "TransferStartMessage"
    act: ClassVar[Act] = Act.START

    provider_pid: str
    consumer_pid: str
    address: DataAddress | None = None

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return without_none(
            providerPid=self.provider_pid,
            consumerPid=self.consumer_pid,
            dataAddress=self.address.wire() if self.address else None,
        )

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(
            provider_pid=data.text("providerPid"),
            consumer_pid=data.text("consumerPid"),
            address=_address(data),
            **data.header(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop(Message):
    """What suspension and termination have in common: both pids, a code, reasons."""

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
class TransferSuspension(_Stop):
    """Either party pauses ("Transfer Suspension Message")."""

    TYPE: ClassVar[str] = "TransferSuspensionMessage"
    act: ClassVar[Act] = Act.SUSPEND


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferTermination(_Stop):
    """Either party ends it for good ("Transfer Termination Message")."""

    TYPE: ClassVar[str] = "TransferTerminationMessage"
    act: ClassVar[Act] = Act.TERMINATE


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCompletion(Message):
    """Either party has finished ("Transfer Completion Message")."""

    TYPE: ClassVar[str] = "TransferCompletionMessage"
    act: ClassVar[Act] = Act.COMPLETE

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


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferProcess(Message):
    """The answer that names a transfer and its state ("ACK - Transfer Process")."""

    TYPE: ClassVar[str] = "TransferProcess"

    provider_pid: str
    consumer_pid: str
    state: State

    @classmethod
    def of(cls, t: Transfer) -> Self:
        """The state of a transfer of ours; a pid we do not know yet is `NO_PID`."""
        return cls(
            provider_pid=t.provider_pid or NO_PID,
            consumer_pid=t.consumer_pid or NO_PID,
            state=t.state,
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


def _address(data: Reader) -> DataAddress | None:
    inner = data.inner("dataAddress")
    return None if inner is None else DataAddress.read(inner)
