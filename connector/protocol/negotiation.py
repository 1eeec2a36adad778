"""Contract negotiation: one table, one pure step (DSP 2025-1 "Contract Negotiation Protocol").

Rule 1: everything that moves a negotiation from state to state stands in this file. Rule 2: the
table does not know which side we are; our own acts pass through the same `step` as the peer's.

    n = start_provider(pid=…, peer_pid=…, peer=…, callback=…, offer=…, now=…)   # their request
    n = step(n, Act.AGREE, Role.PROVIDER, now, agreement=…)                     # our answer
    n = step(n, Act.VERIFY, Role.CONSUMER, now, provider_pid=…, consumer_pid=…) # their message

What an offer *means*, whether an agreement covers it and who may decide are not asked here.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Self, TypedDict, Unpack
from uuid import UUID

from connector.base.clock import parse_time
from connector.protocol.errors import LocalProtocolError
from connector.protocol.machine import (
    Role,
    follow,
    name_of,
    peer_pid_after,
    refusal,
    row_of,
)
from connector.protocol.names import NO_PID
from policies.jcs import jcs

__all__ = [
    "NOT_OURS",
    "TERMINAL",
    "TRANSITIONS",
    "Act",
    "Content",
    "Negotiation",
    "Role",
    "State",
    "agreement_id",
    "awaiting",
    "learn",
    "read_document",
    "start_consumer",
    "start_provider",
    "step",
    "unanswered",
]


class State(StrEnum):
    """The states of DSP "Contract Negotiation States"; the values are the words of the wire."""

    NEW = "NEW"  # before the first message: in the table only, never stored, never sent
    REQUESTED = "REQUESTED"
    OFFERED = "OFFERED"
    ACCEPTED = "ACCEPTED"
    AGREED = "AGREED"
    VERIFIED = "VERIFIED"
    FINALIZED = "FINALIZED"
    TERMINATED = "TERMINATED"


class Act(StrEnum):
    """What a party can do, one message each."""

    REQUEST = "REQUEST"  # ContractRequestMessage
    OFFER = "OFFER"  # ContractOfferMessage
    ACCEPT = "ACCEPT"  # ContractNegotiationEventMessage, ACCEPTED
    AGREE = "AGREE"  # ContractAgreementMessage
    VERIFY = "VERIFY"  # ContractAgreementVerificationMessage
    FINALIZE = "FINALIZE"  # ContractNegotiationEventMessage, FINALIZED
    TERMINATE = "TERMINATE"  # ContractNegotiationTerminationMessage


_C: Final = Role.CONSUMER
_P: Final = Role.PROVIDER

# DSP "Contract Negotiation Protocol", state machine. The picture lets only some parties terminate
# in some states; the text lets both "at any state", and peers do: the text wins (divergences, N1).
TRANSITIONS: Final[Mapping[State, Mapping[tuple[Act, Role], State]]] = {
    State.NEW: {
        (Act.REQUEST, _C): State.REQUESTED,
        (Act.OFFER, _P): State.OFFERED,
    },
    State.REQUESTED: {
        (Act.OFFER, _P): State.OFFERED,
        (Act.AGREE, _P): State.AGREED,
        (Act.TERMINATE, _C): State.TERMINATED,
        (Act.TERMINATE, _P): State.TERMINATED,
    },
    State.OFFERED: {
        (Act.REQUEST, _C): State.REQUESTED,
        (Act.ACCEPT, _C): State.ACCEPTED,
        (Act.TERMINATE, _C): State.TERMINATED,
        (Act.TERMINATE, _P): State.TERMINATED,
    },
    State.ACCEPTED: {
        (Act.AGREE, _P): State.AGREED,
        (Act.TERMINATE, _C): State.TERMINATED,
        (Act.TERMINATE, _P): State.TERMINATED,
    },
    State.AGREED: {
        (Act.VERIFY, _C): State.VERIFIED,
        (Act.TERMINATE, _C): State.TERMINATED,
        (Act.TERMINATE, _P): State.TERMINATED,
    },
    State.VERIFIED: {
        (Act.FINALIZE, _P): State.FINALIZED,
        (Act.TERMINATE, _C): State.TERMINATED,
        (Act.TERMINATE, _P): State.TERMINATED,
    },
    State.FINALIZED: {},
    State.TERMINATED: {},
}

TERMINAL: Final = frozenset(state for state, acts in TRANSITIONS.items() if not acts)

# What we take from a peer but never begin: a consumer's termination in VERIFIED may cross the
# provider's FINALIZED, and then each side is in another terminal state for ever (divergences, N2).
NOT_OURS: Final = frozenset({(State.VERIFIED, Act.TERMINATE, _C)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiation:
    """One negotiation as this node knows it; replaced, never changed.

    `offer` and `agreement` are the wire JSON of the policies, in the order received or sent, so
    that they can be repeated exactly. `callback` is the peer's DSP base URL for this process,
    without a slash at the end. `awaiting` names the roles of people (`dpo`, `ethics`) whose
    decision is still missing, in order. `reasons` are the texts that came or went with the
    latest offer or termination. `version` counts changes, for the store's compare-and-swap.
    """

    pid: str
    role: Role
    peer: str
    peer_pid: str | None
    callback: str
    state: State
    dataset: str
    offer_id: str
    offer: Mapping[str, object]
    offered_by: Role
    application: Mapping[str, object] | None = None
    signed_document: Mapping[str, str] | None = None
    agreement_id: str | None = None
    agreement: Mapping[str, object] | None = None
    awaiting: tuple[str, ...] = ()
    code: str | None = None
    reasons: tuple[str, ...] = ()
    terminated_by: Role | None = None
    version: int = 1
    created: datetime
    updated: datetime

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

    def legal(self, act: Act, by: Role) -> bool:
        """Whether the table lets `by` do `act` now (content aside)."""
        return (act, by) in TRANSITIONS[self.state]

    def to_row(self) -> dict[str, object]:
        """The negotiation as plain JSON, member by member."""
        return row_of(self)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The negotiation that `to_row` wrote."""
        terminated_by = row["terminated_by"]
        return cls(
            **{
                **row,
                "role": Role(row["role"]),
                "state": State(row["state"]),
                "offered_by": Role(row["offered_by"]),
                "terminated_by": None if terminated_by is None else Role(terminated_by),
                "awaiting": tuple(row["awaiting"]),
                "reasons": tuple(row["reasons"]),
                "created": parse_time(row["created"]),
                "updated": parse_time(row["updated"]),
            }
        )


class Content(TypedDict, total=False):
    """What an act may carry. A message of the peer always names both pids."""

    provider_pid: str | None
    consumer_pid: str | None
    offer: Mapping[str, object]  # REQUEST, OFFER: wire JSON with @id and target
    application: Mapping[str, object] | None  # REQUEST: the signed application
    signed_document: Mapping[str, str] | None  # REQUEST, OFFER, AGREE: {"id", "digest"}
    agreement: Mapping[str, object]  # AGREE: wire JSON
    awaiting: tuple[str, ...]  # any: roles that must decide before our next act
    code: str | None  # TERMINATE
    reasons: tuple[str, ...]  # OFFER, TERMINATE


def start_consumer(
    *,
    by: Role = Role.CONSUMER,
    now: datetime,
    pid: str,
    peer: str,
    callback: str,
    **content: Unpack[Content],
) -> Negotiation:
    """The negotiation of a node that wants data: opened by its own request, or (`by` the
    provider, with `provider_pid`) by the provider's offer (DSP "Contract Offer Message").

    Raises:
        RemoteProtocolError: the peer's first message lacks its pid (the nil UUID is none) or its
            offer a target.
        LocalProtocolError: the same for our own first message.
    """
    return _start(Role.CONSUMER, by, now, pid, peer, callback, content)


def start_provider(
    *,
    by: Role = Role.CONSUMER,
    now: datetime,
    pid: str,
    peer: str,
    callback: str,
    **content: Unpack[Content],
) -> Negotiation:
    """The negotiation of a node that offers data: opened by the consumer's request (with
    `consumer_pid`), or (`by` the provider) by our own offer. Errors as `start_consumer`.
    """
    return _start(Role.PROVIDER, by, now, pid, peer, callback, content)


def _start(
    role: Role, by: Role, now: datetime, pid: str, peer: str, callback: str, content: Content
) -> Negotiation:
    remote = by is not role
    act = Act.REQUEST if by is Role.CONSUMER else Act.OFFER
    consumer_pid, provider_pid = content.get("consumer_pid"), content.get("provider_pid")
    peer_pid = consumer_pid if role is Role.PROVIDER else provider_pid
    if remote == (peer_pid in (None, NO_PID)):
        member = "consumerPid" if role is Role.PROVIDER else "providerPid"
        raise refusal(remote=remote, code="protocol-pid-mismatch", member=member)
    offer = _taken(content, "offer", act)
    offer_id, dataset = name_of(offer.get("@id")), name_of(offer.get("target"))
    if offer_id is None or dataset is None:
        member = "target" if offer_id else "@id"
        raise refusal(remote=remote, code="protocol-offer-incomplete", member=member)
    return Negotiation(
        pid=pid,
        role=role,
        peer=peer,
        peer_pid=peer_pid,
        callback=callback.rstrip("/"),
        state=TRANSITIONS[State.NEW][act, by],
        dataset=dataset,
        offer_id=offer_id,
        offer=offer,
        offered_by=by,
        application=content.get("application"),
        signed_document=content.get("signed_document"),
        awaiting=content.get("awaiting", ()),
        reasons=content.get("reasons", ()),
        created=now,
        updated=now,
    )


def step(
    n: Negotiation, act: Act, by: Role, now: datetime, **content: Unpack[Content]
) -> Negotiation:
    """The negotiation after `act` by `by`; `n` itself is never changed.

    In every state (DSP "State Machine", "Message Types"): the act must stand in the table for
    that party; the pids must be ours and the peer's (`machine.peer_pid_after`). Per act:

    - REQUEST, "Contract Request Message": a counter-offer keeps the dataset; without a new
      application the earlier one stands.
    - OFFER, "Contract Offer Message": keeps the dataset.
    - ACCEPT, "Contract Negotiation Event Endpoint": only an offer of the provider.
    - AGREE, "Contract Agreement Message": `@id`, the dataset as `target`, and from a peer
      itself as `assigner`.
    - VERIFY, FINALIZE: only their order and their party, which the table knows.
    - TERMINATE, "Contract Negotiation Termination Message": any party, any state not terminal.

    Raises:
        RemoteProtocolError: the peer may not do that, or its content breaks a rule.
        LocalProtocolError: we may not, or the caller left content out.
    """
    remote = by is not n.role
    state = follow(TRANSITIONS, n.state, act, by, remote=remote)
    if not remote and (n.state, act, by) in NOT_OURS:
        raise LocalProtocolError("protocol-final-is-near")
    peer_pid = peer_pid_after(
        n, content.get("provider_pid"), content.get("consumer_pid"), remote=remote
    )
    changes = _RULES.get(act, _nothing)(n, by, content)
    return replace(
        n,
        state=state,
        peer_pid=peer_pid,
        awaiting=content.get("awaiting", ()),
        version=n.version + 1,
        updated=now,
        **changes,
    )


def learn(
    n: Negotiation, now: datetime, *, provider_pid: str | None, consumer_pid: str | None
) -> Negotiation:
    """The negotiation after the peer's answer (a ContractNegotiation object) to our message.

    The answer moves no state: ours moved when our message was decided, and the peer's next
    message may have come before it. Unchanged if it teaches nothing.

    Raises:
        RemoteProtocolError: `protocol-pid-mismatch`.
    """
    peer_pid = peer_pid_after(n, provider_pid, consumer_pid, remote=True)
    if peer_pid == n.peer_pid:
        return n
    return replace(n, peer_pid=peer_pid, version=n.version + 1, updated=now)


def unanswered(
    n: Negotiation,
    now: datetime,
    *,
    code: str | None,
    reasons: tuple[str, ...],
    by: Role | None = None,
) -> Negotiation:
    """The negotiation after our first message was refused or could not be delivered: the peer has
    none of it, so there is no pid of its to name, and it is over. `by` our own role where we end
    what the peer has not answered yet: should the answer come, it is told so.
    """
    return replace(
        n,
        state=State.TERMINATED,
        terminated_by=by or n.role.other,
        awaiting=(),
        code=code,
        reasons=reasons,
        version=n.version + 1,
        updated=now,
    )


def awaiting(n: Negotiation, roles: tuple[str, ...], now: datetime) -> Negotiation:
    """The negotiation with these roles still to decide (a person has just decided)."""
    return replace(n, awaiting=roles, version=n.version + 1, updated=now)


def read_document(n: Negotiation, reference: Mapping[str, str], now: datetime) -> Negotiation:
    """The negotiation once we have read the signed document behind an offer that came unasked."""
    return replace(n, signed_document=reference, version=n.version + 1, updated=now)


@lru_cache(maxsize=1024)
def agreement_id(provider: str, consumer: str, provider_pid: str, consumer_pid: str) -> str:
    """The one agreement id of a negotiation: `urn:uuid:` with a UUIDv8 (RFC 9562 section 5.8).

    Made from the first 16 bytes of SHA-256 over JCS of the two DIDs and the two pids, so that a
    provider that crashed can only make the same one again, and each party can check it.
    """
    digest = bytearray(
        hashlib.sha256(jcs([provider, consumer, provider_pid, consumer_pid])).digest()[:16]
    )
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return UUID(bytes=bytes(digest)).urn


# ------------------------------------------------------------------ content, act by act


def _taken(content: Content, name: str, act: Act) -> Mapping[str, object]:
    value = content.get(name)
    if not isinstance(value, Mapping):
        raise LocalProtocolError("protocol-content", act=act.value, content=name)
    return value


def _policy(n: Negotiation, policy: Mapping[str, object], *, remote: bool) -> str:
    """The id of an offer or agreement, which must be about the dataset of this negotiation."""
    name, dataset = name_of(policy.get("@id")), name_of(policy.get("target"))
    if name is None or dataset is None:
        member = "target" if name else "@id"
        raise refusal(remote=remote, code="protocol-offer-incomplete", member=member)
    if dataset != n.dataset:
        raise refusal(
            remote=remote, code="protocol-other-dataset", expected=n.dataset, found=dataset
        )
    return name


def _request(n: Negotiation, by: Role, content: Content) -> dict[str, Any]:
    offer = _taken(content, "offer", Act.REQUEST)
    return {
        "offer": offer,
        "offer_id": _policy(n, offer, remote=by is not n.role),
        "offered_by": by,
        "application": content.get("application") or n.application,
        "signed_document": content.get("signed_document") or n.signed_document,
        "reasons": (),
    }


def _offer(n: Negotiation, by: Role, content: Content) -> dict[str, Any]:
    offer = _taken(content, "offer", Act.OFFER)
    return {
        "offer": offer,
        "offer_id": _policy(n, offer, remote=by is not n.role),
        "offered_by": by,
        "signed_document": content.get("signed_document") or n.signed_document,
        "reasons": content.get("reasons", ()),
    }


def _accept(n: Negotiation, by: Role, _content: Content) -> dict[str, Any]:
    if n.offered_by is not Role.PROVIDER:
        raise refusal(remote=by is not n.role, code="protocol-own-offer")
    return {}


def _agree(n: Negotiation, by: Role, content: Content) -> dict[str, Any]:
    agreement = _taken(content, "agreement", Act.AGREE)
    remote = by is not n.role
    name = _policy(n, agreement, remote=remote)
    assigner = name_of(agreement.get("assigner"))
    if remote and assigner != n.peer:
        raise refusal(remote=remote, code="protocol-agreement-assigner", expected=n.peer)
    return {
        "agreement": agreement,
        "agreement_id": name,
        "signed_document": content.get("signed_document") or n.signed_document,
    }


def _terminate(_n: Negotiation, by: Role, content: Content) -> dict[str, Any]:
    return {
        "code": content.get("code"),
        "reasons": content.get("reasons", ()),
        "terminated_by": by,
    }


def _nothing(_n: Negotiation, _by: Role, _content: Content) -> dict[str, Any]:
    return {}


_Rule = Callable[[Negotiation, Role, Content], dict[str, Any]]
_RULES: Final[Mapping[Act, _Rule]] = {
    Act.REQUEST: _request,
    Act.OFFER: _offer,
    Act.ACCEPT: _accept,
    Act.AGREE: _agree,
    Act.TERMINATE: _terminate,
}
