"""The official schemas as one offline registry, and processes in any state."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connector.protocol import negotiation as cn
from connector.protocol import transfer as tp
from connector.protocol.machine import Role
from tests.support import schemas as official_schemas
from tests.support.clock import START

OURS = {Role.CONSUMER: "urn:uuid:c", Role.PROVIDER: "urn:uuid:p"}
DIDS = {Role.CONSUMER: "did:web:lab.example", Role.PROVIDER: "did:web:mooc.example"}
PIDS = {"provider_pid": OURS[Role.PROVIDER], "consumer_pid": OURS[Role.CONSUMER]}
DATASET = "https://mooc.example/datasets/traces"


def offer(name: str = "urn:offer:1", target: str = DATASET) -> dict[str, Any]:
    return {"@id": name, "@type": "Offer", "target": target, "permission": [{"action": "use"}]}


def agreement(name: str = "urn:uuid:a", target: str = DATASET, **more: Any) -> dict[str, Any]:
    parties = {"assigner": DIDS[Role.PROVIDER], "assignee": DIDS[Role.CONSUMER]}
    rules = {"permission": [{"action": "use"}]}
    return {"@id": name, "@type": "Agreement", "target": target, **parties, **rules, **more}


def content(act: str) -> dict[str, Any]:
    """What a lawful act carries, without pids."""
    return {
        "REQUEST": {"offer": offer()},
        "OFFER": {"offer": offer()},
        "AGREE": {"agreement": agreement()},
    }.get(act, {})


@pytest.fixture
def make() -> "type[Make]":
    return Make


class Make:
    """Processes, acts and their content for the tests of this folder."""

    offer = staticmethod(offer)
    agreement = staticmethod(agreement)
    content = staticmethod(content)
    DATASET = DATASET
    DIDS = DIDS
    PIDS = PIDS
    OURS = OURS

    # the shortest lawful way to each state
    NEGOTIATION: ClassVar = {
        "REQUESTED": "REQUEST",
        "OFFERED": "REQUEST OFFER",
        "ACCEPTED": "REQUEST OFFER ACCEPT",
        "AGREED": "REQUEST AGREE",
        "VERIFIED": "REQUEST AGREE VERIFY",
        "FINALIZED": "REQUEST AGREE VERIFY FINALIZE",
        "TERMINATED": "REQUEST TERMINATE",
    }
    TRANSFER: ClassVar = {
        "REQUESTED": "REQUEST",
        "STARTED": "REQUEST START",
        "SUSPENDED": "REQUEST START SUSPEND",
        "COMPLETED": "REQUEST START COMPLETE",
        "TERMINATED": "REQUEST TERMINATE",
    }
    BY_CONSUMER = frozenset({"REQUEST", "ACCEPT", "VERIFY"})

    @classmethod
    def negotiation(cls, role: Role, state: str = "REQUESTED") -> cn.Negotiation:
        """A negotiation in a state, as the party in `role` knows it."""
        start = cn.start_consumer if role is Role.CONSUMER else cn.start_provider
        other = "provider_pid" if role is Role.CONSUMER else "consumer_pid"
        learnt: dict[str, Any] = {} if role is Role.CONSUMER else {other: OURS[role.other]}
        n = start(
            now=START,
            pid=OURS[role],
            peer=DIDS[role.other],
            callback=f"https://{role.other}.example/dsp/",
            offer=offer(),
            **learnt,
        )
        for word in cls.NEGOTIATION[state].split()[1:]:
            n = cls.act(n, word, Role.CONSUMER if word in cls.BY_CONSUMER else Role.PROVIDER)
        return n

    @staticmethod
    def act(
        n: cn.Negotiation, act: str, by: Role, now: datetime | None = None, **more: Any
    ) -> cn.Negotiation:
        """One lawful-looking act with its usual content; the peer's names both pids."""
        remote = {} if by is n.role and n.peer_pid else PIDS
        now = now or n.updated + timedelta(seconds=1)
        return cn.step(n, cn.Act(act), by, now, **{**content(act), **remote, **more})

    @classmethod
    def transfer(cls, role: Role, state: str = "REQUESTED") -> tp.Transfer:
        """A transfer in a state, as the party in `role` knows it."""
        common: Any = {
            "now": START,
            "pid": OURS[role],
            "peer": DIDS[role.other],
            "callback": f"https://{role.other}.example/dsp/",
            "agreement": "urn:uuid:a",
            "format": "HttpData-PULL",
        }
        if role is Role.CONSUMER:
            t = tp.start_consumer(**common)
        else:
            t = tp.start_provider(consumer_pid=OURS[Role.CONSUMER], **common)
        for word in cls.TRANSFER[state].split()[1:]:
            t = cls.move(t, word, Role.PROVIDER)
        return t

    @staticmethod
    def move(t: tp.Transfer, act: str, by: Role, **more: Any) -> tp.Transfer:
        """As `act`, for a transfer."""
        remote = {} if by is t.role and t.peer_pid else PIDS
        now = t.updated + timedelta(seconds=1)
        return tp.step(t, tp.Act(act), by, now, **{**remote, **more})


@pytest.fixture(scope="session")
def schemas(official: Callable[[str], Path]) -> Callable[[str, object], None]:
    """`schemas("negotiation/contract-offer-message", wire)` fails unless the wire form is valid."""
    return official_schemas.read(official(official_schemas.FOLDER)).validate


@pytest.fixture(scope="session")
def examples(official: Callable[[str], Path]) -> dict[str, dict[str, Any]]:
    """The official example messages, by file name without `.json`."""
    folder = official("dsp-2025-1")
    return {
        path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*/example/*.json"))
    }
