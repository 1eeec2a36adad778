"""Transfer processes: one table, one pure step (DSP 2025-1 "Transfer Process Protocol").

The same two rules as in `negotiation`: everything that moves a transfer stands here, and the
table does not know which side we are. Repeating a TransferRequestMessage for one consumerPid
changes nothing (DSP "Transfer Request Message", note): the inbox (`dedup`) replays the stored
answer before `start_provider` is called a second time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Self, TypedDict, Unpack

from connector.base.clock import parse_time
from connector.protocol.machine import Role, follow, peer_pid_after, refusal, row_of

__all__ = [
    "TERMINAL",
    "TRANSITIONS",
    "Act",
    "Content",
    "Role",
    "State",
    "Transfer",
    "adopt",
    "learn",
    "start_consumer",
    "start_provider",
    "step",
    "unanswered",
]


class State(StrEnum):
    """The states of DSP "Transfer Process States"; the values are the words of the wire."""

    NEW = "NEW"  # before the first message: in the table only, never stored, never sent
    REQUESTED = "REQUESTED"
    STARTED = "STARTED"
    SUSPENDED = "SUSPENDED"
    COMPLETED = "COMPLETED"
    TERMINATED = "TERMINATED"


class Act(StrEnum):
    """What a party can do, one message each (`Transfer…Message`)."""

    REQUEST = "REQUEST"
    START = "START"
    SUSPEND = "SUSPEND"
    COMPLETE = "COMPLETE"
    TERMINATE = "TERMINATE"


_C: Final = Role.CONSUMER
_P: Final = Role.PROVIDER

# DSP "Transfer Process Protocol", state machine. (START, provider) in STARTED is no transition:
# it hands over the data address that the provider owes after the consumer resumed (rule in
# `_start_content`; divergences, T1).
TRANSITIONS: Final[Mapping[State, Mapping[tuple[Act, Role], State]]] = {
    State.NEW: {
        (Act.REQUEST, _C): State.REQUESTED,
    },
    State.REQUESTED: {
        (Act.START, _P): State.STARTED,
        (Act.TERMINATE, _C): State.TERMINATED,
        (Act.TERMINATE, _P): State.TERMINATED,
    },
    State.STARTED: {
        (Act.START, _P): State.STARTED,
        (Act.SUSPEND, _C): State.SUSPENDED,
        (Act.SUSPEND, _P): State.SUSPENDED,
        (Act.COMPLETE, _C): State.COMPLETED,
        (Act.COMPLETE, _P): State.COMPLETED,
        (Act.TERMINATE, _C): State.TERMINATED,
        (Act.TERMINATE, _P): State.TERMINATED,
    },
    State.SUSPENDED: {
        (Act.START, _C): State.STARTED,
        (Act.START, _P): State.STARTED,
        (Act.TERMINATE, _C): State.TERMINATED,
        (Act.TERMINATE, _P): State.TERMINATED,
    },
    State.COMPLETED: {},
    State.TERMINATED: {},
}

TERMINAL: Final = frozenset(state for state, acts in TRANSITIONS.items() if not acts)
_RUNNING: Final = frozenset({State.STARTED, State.SUSPENDED})

CONTROL_PLANE: Final = "control-plane"
"""Whom we speak to about a transfer that the institution's own control plane runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One transfer process as this node knows it; replaced, never changed.

    `data_address` is the wire JSON of the address that the provider gave with the latest start;
    it is dropped when the transfer leaves STARTED, because its token is dead then. `sink` is the
    address that a consumer gave with its request, for a push. `started_by` and `suspended_by`
    say whose act led here: after a consumer's START the provider owes an address, and the side
    that suspended knows whether its reason is over. `callback` and `version` as in Negotiation.
    `control` says that another control plane of this institution runs it and signals to us
    (`protocol.signaling`), with the digest of its start: `pid` is then its id, `callback` its own.
    """

    pid: str
    role: Role
    peer: str
    peer_pid: str | None
    callback: str
    state: State
    agreement: str
    format: str
    data_address: Mapping[str, object] | None = None
    sink: Mapping[str, object] | None = None
    started_by: Role | None = None
    suspended_by: Role | None = None
    ended_by: Role | None = None
    code: str | None = None
    reasons: tuple[str, ...] = ()
    control: str | None = None
    version: int = 1
    created: datetime
    updated: datetime

    @property
    def addressee(self) -> str:
        """Whom our messages about it go to: the peer, or the control plane that runs it."""
        return self.peer if self.control is None else CONTROL_PLANE

    @property
    def provider_pid(self) -> str | None:
        """The provider's identifier, if known."""
        return self.pid if self.role is Role.PROVIDER else self.peer_pid

    @property
    def consumer_pid(self) -> str | None:
        """The consumer's identifier, if known."""
        return self.pid if self.role is Role.CONSUMER else self.peer_pid

    @property
    def over(self) -> bool:
        """Whether the state is terminal."""
        return self.state in TERMINAL

    @property
    def address_due(self) -> bool:
        """Whether the provider still owes a data address because the consumer resumed."""
        return self.state is State.STARTED and self.started_by is Role.CONSUMER

    def legal(self, act: Act, by: Role) -> bool:
        """Whether `by` may do `act` now (content aside)."""
        if (self.state, act) == (State.STARTED, Act.START):
            return by is Role.PROVIDER and self.address_due
        return (act, by) in TRANSITIONS[self.state]

    def crossed(self, act: Act, by: Role) -> bool:
        """Whether `by` asks for what the other party had just done, before it could know: both
        pause, or both resume. There is nothing left to do (divergences, T10).
        """
        if act is Act.SUSPEND:
            return self.state is State.SUSPENDED and self.suspended_by is by.other
        resumed = self.state is State.STARTED and self.started_by is by.other
        return act is Act.START and resumed and by is Role.CONSUMER

    def to_row(self) -> dict[str, object]:
        """The transfer as plain JSON, member by member."""
        return row_of(self)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The transfer that `to_row` wrote."""
        roles = {
            name: None if row[name] is None else Role(row[name])
            for name in ("started_by", "suspended_by", "ended_by")
        }
        return cls(
            **{
                **row,
                **roles,
                "role": Role(row["role"]),
                "state": State(row["state"]),
                "reasons": tuple(row["reasons"]),
                "created": parse_time(row["created"]),
                "updated": parse_time(row["updated"]),
            }
        )


class Content(TypedDict, total=False):
    """What an act may carry. A message of the peer always names both pids."""

    provider_pid: str | None
    consumer_pid: str | None
    data_address: Mapping[str, object] | None  # START by the provider
    code: str | None  # SUSPEND, TERMINATE
    reasons: tuple[str, ...]  # SUSPEND, TERMINATE


def start_consumer(
    *,
    now: datetime,
    pid: str,
    peer: str,
    callback: str,
    agreement: str,
    format: str,
    sink: Mapping[str, object] | None = None,
) -> Transfer:
    """The transfer of a node that has just decided to ask for data under an agreement."""
    return Transfer(
        pid=pid,
        role=Role.CONSUMER,
        peer=peer,
        peer_pid=None,
        callback=callback.rstrip("/"),
        state=TRANSITIONS[State.NEW][Act.REQUEST, Role.CONSUMER],
        agreement=agreement,
        format=format,
        sink=sink,
        created=now,
        updated=now,
    )


def start_provider(
    *,
    now: datetime,
    pid: str,
    consumer_pid: str,
    peer: str,
    callback: str,
    agreement: str,
    format: str,
    sink: Mapping[str, object] | None = None,
) -> Transfer:
    """The transfer of a node that a consumer has just asked for data."""
    return Transfer(
        pid=pid,
        role=Role.PROVIDER,
        peer=peer,
        peer_pid=consumer_pid,
        callback=callback.rstrip("/"),
        state=TRANSITIONS[State.NEW][Act.REQUEST, Role.CONSUMER],
        agreement=agreement,
        format=format,
        sink=sink,
        created=now,
        updated=now,
    )


def step(t: Transfer, act: Act, by: Role, now: datetime, **content: Unpack[Content]) -> Transfer:
    """The transfer after `act` by `by`; `t` itself is never changed.

    The act must stand in the table for that party, the pids must be ours and the peer's. START
    ("Transfer Start Message"): from REQUESTED by the provider; from SUSPENDED by either; in
    STARTED only by the provider, once, to hand over the address it owes after the consumer
    resumed; only a provider's carries an address. Nothing follows COMPLETED and TERMINATED.

    Raises:
        RemoteProtocolError: the peer may not do that now.
        LocalProtocolError: we may not, or its pid is not known yet.
    """
    remote = by is not t.role
    state = follow(TRANSITIONS, t.state, act, by, remote=remote)
    peer_pid = peer_pid_after(
        t, content.get("provider_pid"), content.get("consumer_pid"), remote=remote
    )
    changes = _RULES[act](t, by, content)
    return replace(t, state=state, peer_pid=peer_pid, version=t.version + 1, updated=now, **changes)


def learn(
    t: Transfer, now: datetime, *, provider_pid: str | None, consumer_pid: str | None
) -> Transfer:
    """The transfer after the peer's answer to our message; as `negotiation.learn`."""
    peer_pid = peer_pid_after(t, provider_pid, consumer_pid, remote=True)
    if peer_pid == t.peer_pid:
        return t
    return replace(t, peer_pid=peer_pid, version=t.version + 1, updated=now)


def adopt(t: Transfer, state: State, now: datetime) -> Transfer:
    """A consumer's transfer once it has asked where its provider stands, after messages of both
    had crossed: running or pausing as the provider says (divergences, T10).
    """
    if t.role is Role.PROVIDER or state is t.state or not {state, t.state} <= _RUNNING:
        return t
    resumed = state is State.STARTED
    return replace(
        t,
        state=state,
        data_address=None,
        started_by=Role.CONSUMER if resumed else None,  # the address is still to come
        suspended_by=None if resumed else Role.PROVIDER,
        version=t.version + 1,
        updated=now,
    )


def unanswered(
    t: Transfer,
    now: datetime,
    *,
    code: str | None,
    reasons: tuple[str, ...],
    by: Role | None = None,
) -> Transfer:
    """The transfer after our first message was refused or could not be delivered; as
    `negotiation.unanswered`.
    """
    return replace(
        t,
        state=State.TERMINATED,
        ended_by=by or t.role.other,
        code=code,
        reasons=reasons,
        version=t.version + 1,
        updated=now,
    )


# ------------------------------------------------------------------ content, act by act


def _start_content(t: Transfer, by: Role, content: Content) -> dict[str, Any]:
    remote = by is not t.role
    if t.state is State.STARTED and not t.address_due:
        code = "protocol-illegal-act" if remote else "protocol-not-now"
        raise refusal(
            remote=remote, code=code, act=Act.START.value, by=by.value, state=t.state.value
        )
    address = content.get("data_address") if by is Role.PROVIDER else None
    return {
        "data_address": address,
        "started_by": by,
        "suspended_by": None,
        "code": None,
        "reasons": (),
    }


def _suspend(_t: Transfer, by: Role, content: Content) -> dict[str, Any]:
    return {"suspended_by": by, "started_by": None, **_stopped(content)}


def _end(_t: Transfer, by: Role, content: Content) -> dict[str, Any]:
    return {"ended_by": by, "started_by": None, **_stopped(content)}


def _stopped(content: Content) -> dict[str, Any]:
    return {
        "data_address": None,
        "code": content.get("code"),
        "reasons": content.get("reasons", ()),
    }


_Rule = Callable[[Transfer, Role, Content], dict[str, Any]]
_RULES: Final[Mapping[Act, _Rule]] = {
    Act.START: _start_content,
    Act.SUSPEND: _suspend,
    Act.COMPLETE: _end,
    Act.TERMINATE: _end,
}
