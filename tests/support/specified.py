"""What the specification says, written down a second time, for judges.

A judge that looks into the tables of the code it judges finds every table right. So nothing here
comes from the product: the two state machines are those of DSP 2025-1 ("Contract Negotiation
Protocol", "Transfer Process Protocol"; our readings N1 and T1 in `docs/dsp-divergences.md`), the
name of an agreement is that of `docs/evidence.md`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

Machine = Mapping[tuple[str, str, str], str]
"""The state after (state, act, `C` or `P`); what is not in it is forbidden."""


def _machine(text: str) -> Machine:
    words = text.split()
    return {(a, b, c): d for a, b, c, d in zip(*(words[i::4] for i in range(4)), strict=True)}


# The picture, then what the text adds: a termination "MAY be sent at any state" by either party.
NEGOTIATION: Final = _machine("""
    NEW REQUEST C REQUESTED          NEW OFFER P OFFERED
    REQUESTED OFFER P OFFERED        REQUESTED AGREE P AGREED
    OFFERED REQUEST C REQUESTED      OFFERED ACCEPT C ACCEPTED
    ACCEPTED AGREE P AGREED          AGREED VERIFY C VERIFIED
    VERIFIED FINALIZE P FINALIZED
    REQUESTED TERMINATE C TERMINATED REQUESTED TERMINATE P TERMINATED
    OFFERED TERMINATE C TERMINATED   OFFERED TERMINATE P TERMINATED
    ACCEPTED TERMINATE P TERMINATED  AGREED TERMINATE C TERMINATED
    VERIFIED TERMINATE P TERMINATED

    ACCEPTED TERMINATE C TERMINATED  AGREED TERMINATE P TERMINATED
    VERIFIED TERMINATE C TERMINATED
""")
TRANSFER: Final = _machine("""
    NEW REQUEST C REQUESTED
    REQUESTED START P STARTED      STARTED COMPLETE P COMPLETED  STARTED COMPLETE C COMPLETED
    STARTED SUSPEND P SUSPENDED    STARTED SUSPEND C SUSPENDED
    SUSPENDED START P STARTED      SUSPENDED START C STARTED
    REQUESTED TERMINATE P TERMINATED REQUESTED TERMINATE C TERMINATED
    STARTED TERMINATE P TERMINATED   STARTED TERMINATE C TERMINATED
    SUSPENDED TERMINATE P TERMINATED SUSPENDED TERMINATE C TERMINATED
""")
MACHINES: Final = {"negotiation": NEGOTIATION, "transfer": TRANSFER}

_ACTS: Final = {
    "ContractRequestMessage": "REQUEST",
    "ContractOfferMessage": "OFFER",
    "ContractAgreementMessage": "AGREE",
    "ContractAgreementVerificationMessage": "VERIFY",
    "ContractNegotiationTerminationMessage": "TERMINATE",
    "TransferRequestMessage": "REQUEST",
    "TransferStartMessage": "START",
    "TransferSuspensionMessage": "SUSPEND",
    "TransferCompletionMessage": "COMPLETE",
    "TransferTerminationMessage": "TERMINATE",
}
_EVENTS: Final = {"ACCEPTED": "ACCEPT", "FINALIZED": "FINALIZE"}
# Both sides paused or resumed before they heard of each other (T10), or a provider hands over the
# address after the consumer resumed (T1): the same act again, but of the other party.
_AGAIN: Final = {("SUSPENDED", "SUSPEND"), ("STARTED", "START")}


def act_of(wire: Mapping[str, Any]) -> str:
    """What a message does."""
    return _ACTS.get(wire["@type"]) or _EVENTS[wire["eventType"]]


def walked(machine: Machine, role: str, said: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """Where a process stands after these messages, each "in" or "out" of a node in `role`.

    Raises:
        AssertionError: one of them was not allowed where it came.
    """
    ours, theirs = ("C", "P") if role == "consumer" else ("P", "C")
    state, last = "NEW", ("", "")
    for direction, wire in said:
        act, by = act_of(wire), ours if direction == "out" else theirs
        again = (state, act) in _AGAIN and last[0] == act and last[1] != by
        assert again or (state, act, by) in machine, f"{act} by {by} in {state}"
        if not again:
            state = machine[state, act, by]
        last = act, by
    return state


def agreement_id(provider: str, consumer: str, provider_pid: str, consumer_pid: str) -> str:
    """The name of the agreement of two parties (DIDs) in one negotiation: a UUIDv8 of SHA-256
    over the JSON array of these four, without blanks.
    """
    named = [provider, consumer, provider_pid, consumer_pid]
    text = json.dumps(named, separators=(",", ":"), ensure_ascii=False)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])
    number = number & ~(0xF << 76) | 8 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    return UUID(int=number).urn
