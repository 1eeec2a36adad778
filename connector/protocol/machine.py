"""What the two state machines share: roles, the look-up in a table, who answers to which pid.

Three habits make both sides of a conversation obey the same rules: the tables do not know which
side we are; one look-up serves our acts and the peer's; only the *name* of the refusal differs
(`LocalProtocolError` when we tried, `RemoteProtocolError` when the peer did).
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from connector.base.clock import format_time
from connector.protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from connector.protocol.names import NO_PID

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


_PLAIN: Final = frozenset({str, int, bool, dict, type(None)})


class Role(StrEnum):
    """The two parties of a negotiation or a transfer."""

    CONSUMER = "consumer"
    PROVIDER = "provider"

    @property
    def other(self) -> "Role":
        """The counterparty's role."""
        return Role.PROVIDER if self is Role.CONSUMER else Role.CONSUMER


class Process(Protocol):
    """What a negotiation and a transfer have in common for the rules below."""

    @property
    def pid(self) -> str:
        """Our own identifier of the process."""
        ...

    @property
    def peer_pid(self) -> str | None:
        """The peer's identifier, once known."""
        ...

    @property
    def role(self) -> Role:
        """Our role."""
        ...


StateT = TypeVar("StateT", bound=StrEnum)
ActT = TypeVar("ActT", bound=StrEnum)


def refusal(*, remote: bool, code: str, **params: object) -> ProtocolError:
    """The error of whoever broke the rule: the peer (`remote`) or this node."""
    return (RemoteProtocolError if remote else LocalProtocolError)(code, **params)


def follow(
    table: Mapping[StateT, Mapping[tuple[ActT, Role], StateT]],
    state: StateT,
    act: ActT,
    by: Role,
    *,
    remote: bool,
) -> StateT:
    """The state that `act` by `by` leads to.

    Raises:
        RemoteProtocolError: `protocol-illegal-act`; the answer is 400 and nothing changes (DSP
            Contract Negotiation HTTPS Binding, "State Transition Errors"; the transfer's alike).
        LocalProtocolError: `protocol-not-now`, when this node or its user tried it.
    """
    try:
        return table[state][act, by]
    except KeyError:
        code = "protocol-illegal-act" if remote else "protocol-not-now"
        params = {"act": act.value, "by": by.value, "state": state.value}
        raise refusal(remote=remote, code=code, **params) from None


def peer_pid_after(
    process: Process, provider_pid: str | None, consumer_pid: str | None, *, remote: bool
) -> str | None:
    """The peer's pid after a message with these two pids (DSP "Message Types": both MUST stand
    in every message but the first).

    The peer's pid is learnt from whichever comes first, its answer to our first message or its
    next message, which may overtake that answer; afterwards it must stay equal.

    Raises:
        RemoteProtocolError: `protocol-pid-mismatch`, for a pid that is not ours, a peer's pid
            that changed, or a message of the peer without one of them.
        LocalProtocolError: the same for our own; `protocol-not-acknowledged` when we must name
            a pid that the peer has not told yet.
    """
    pids = {Role.PROVIDER: provider_pid, Role.CONSUMER: consumer_pid}
    ours, theirs = pids[process.role], pids[process.role.other]
    own = "providerPid" if process.role is Role.PROVIDER else "consumerPid"
    other = "consumerPid" if process.role is Role.PROVIDER else "providerPid"
    if ours != process.pid and (remote or ours is not None):
        raise refusal(remote=remote, code="protocol-pid-mismatch", member=own)
    if remote and theirs in (None, NO_PID):
        raise RemoteProtocolError("protocol-pid-mismatch", member=other)
    if None not in (theirs, process.peer_pid) and theirs != process.peer_pid:
        raise refusal(remote=remote, code="protocol-pid-mismatch", member=other)
    known = process.peer_pid or theirs
    if known is None:
        raise LocalProtocolError("protocol-not-acknowledged")
    return known


def name_of(value: object) -> str | None:
    """The IRI that `value` stands for: a string, or a node reference `{"@id": …}`."""
    if isinstance(value, Mapping):
        value = value.get("@id")
    return value if isinstance(value, str) and value else None


def row_of(record: "DataclassInstance") -> dict[str, object]:
    """A process as plain JSON: times as RFC 3339, tuples as lists, enumerations as their values."""
    names, values = _members(type(record))
    row = dict(zip(names, values(record), strict=True))
    for name, value in row.items():
        kind = type(value)
        if kind is datetime:
            row[name] = format_time(value)
        elif kind is tuple:
            row[name] = list(value)
        elif kind not in _PLAIN and isinstance(value, StrEnum):
            row[name] = value.value
    return row


@cache
def _members(kind: "type[DataclassInstance]") -> "tuple[tuple[str, ...], attrgetter[Any]]":
    """The names of a record's members, and what reads them all at once."""
    names = tuple(field.name for field in fields(kind))
    return names, attrgetter(*names)
