"""SIGKILL around what people do to a process: changed offers, ends, pauses; on either side.

As in `test_kills`: whoever was killed starts again, people do again what was not acknowledged to
them, and both nodes come to the same end with one history.
"""

from collections.abc import Callable
from typing import Any

import pytest

from policies.problem import Problem
from tests.support import invariants, traces
from tests.support.killing import Before, delivered, eventually
from tests.support.nodes import Two

pytestmark = pytest.mark.slow

Json = dict[str, Any]
Step = Callable[[], bool]
OFFER, EVENT = "ContractOfferMessage", "ContractNegotiationEventMessage"
STOP = "ContractNegotiationTerminationMessage"
PAUSE, GO = "TransferSuspensionMessage", "TransferStartMessage"
END = "TransferTerminationMessage"
NARROWER = {"v": 1, "fields": ["verb.id", "object.id"]}


def around(sender: str, message: str) -> list[tuple[str, str]]:
    """Every point at which a message of one side can be cut off."""
    receiver = "lab" if sender == "platform" else "platform"
    return [
        (sender, f"before-commit/out:{message}"),
        (sender, f"after-commit/out:{message}"),
        (sender, f"after-send/{message}"),
        (receiver, f"before-commit/in:{message}"),
        (receiver, f"after-commit/in:{message}"),
    ]


def act(client: Any, path: str, body: Json) -> None:
    """What a former life has done already is refused now; that is well."""
    try:
        client.post(path, body)
    except Problem as problem:
        if problem.code not in {"protocol-not-now", "decision-not-awaited"}:
            raise


def asked(nodes: Two) -> list[Json]:
    """The lab's negotiations, after it has asked for what a DPO decides on."""
    lab = nodes.lab.client("researcher")
    found: list[Json] = lab.get("/v1/negotiations")
    if not found:
        lab.post("/v1/requests", {"dataset": nodes.dataset, "application": traces.application()})
    return found


def returned(nodes: Two) -> Step:
    """The DPO returns the request, the researcher asks for less, the DPO approves: FINALIZED."""

    def go_on() -> bool:
        lab, platform = nodes.lab.client("researcher"), nodes.platform.client("dpo")
        mine = asked(nodes)
        theirs = platform.get("/v1/negotiations")
        for one in theirs:
            if one["awaiting"]:
                act(platform, f"/v1/negotiations/{one['pid']}/decisions", decision(platform, one))
        for one in mine:
            if one["state"] == "OFFERED":
                less = {"application": traces.application(fields=NARROWER["fields"])}
                act(lab, f"/v1/negotiations/{one['pid']}/applications", less)
        return states(mine, theirs) == {"FINALIZED"} and delivered(nodes)

    return go_on


def decision(platform: Any, one: Json) -> Json:
    """Less at first, yes to the second request."""
    told = platform.get(f"/v1/negotiations/{one['pid']}")["messages"]
    if any(message["type"] == OFFER for message in told):
        return {"role": "dpo", "outcome": "approve"}
    return {"role": "dpo", "outcome": "return", "offer": NARROWER, "reason": "Less."}


def states(*lists: list[Json]) -> set[str]:
    return {one["state"] for found in lists for one in found} if all(lists) else set()


def ending(nodes: Two, side: str) -> Step:
    """Somebody on one side ends the negotiation while the DPO is thinking."""

    def go_on() -> bool:
        mine, theirs = asked(nodes), nodes.platform.client().get("/v1/negotiations")
        node = nodes.lab if side == "lab" else nodes.platform
        for one in mine if side == "lab" else theirs:
            if one["state"] == "REQUESTED" and theirs:
                path = f"/v1/negotiations/{one['pid']}/termination"
                act(node.client(), path, {"reason": "Enough."})
        return states(mine, theirs) == {"TERMINATED"} and delivered(nodes)

    return go_on


def steering(nodes: Two, agreement: str, side: str, *acts: str) -> Step:
    """One side does these acts to a running transfer, in order, each until both sides say so."""
    ends = {"suspension": "SUSPENDED", "resumption": "STARTED", "termination": "TERMINATED"}
    left = list(acts)

    def go_on() -> bool:
        lab, platform = nodes.lab.client("researcher"), nodes.platform.client()
        mine = lab.get("/v1/transfers")
        if not mine:
            lab.post("/v1/transfers", {"agreement": agreement})
            return False
        theirs = platform.get("/v1/transfers")
        if states(mine, theirs) == {"REQUESTED"} or len(states(mine, theirs)) != 1:
            return False
        if not left:
            return delivered(nodes)
        if states(mine, theirs) == {ends[left[0]]}:
            left.pop(0)
            return False
        (one,) = mine if side == "lab" else theirs
        client = nodes.lab.client() if side == "lab" else platform
        act(client, f"/v1/transfers/{one['pid']}/{left[0]}", {"reason": "Because."})
        return False

    return go_on


@pytest.mark.parametrize(("side", "failpoint"), around("platform", OFFER))
def test_a_changed_offer_survives(before: Before, started: Any, side: str, failpoint: str):
    nodes = started(before.published, side, failpoint)
    assert eventually(nodes, returned(nodes)) == 1
    nodes.stop()
    invariants.check(nodes)


@pytest.mark.parametrize("ender", ["lab", "platform"])
@pytest.mark.parametrize("number", range(5))
def test_an_end_survives(before: Before, started: Any, ender: str, number: int):
    side, failpoint = around(ender, STOP)[number]
    nodes = started(before.published, side, failpoint)
    assert eventually(nodes, ending(nodes, ender)) == 1
    nodes.stop()
    invariants.check(nodes)


@pytest.mark.parametrize("side", ["lab", "platform"])
@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(
    ("message", "acts"),
    [(PAUSE, ["suspension", "resumption"]), (END, ["termination"])],
    ids=["suspension", "termination"],
)
def test_a_steered_transfer_survives(
    before: Before, started: Any, side: str, number: int, message: str, acts: list[str]
):
    where, failpoint = around(side, message)[number]
    nodes = started(before.agreed, where, failpoint)
    assert eventually(nodes, steering(nodes, before.agreement, side, *acts)) == 1
    nodes.stop()
    for node in nodes.both:
        invariants.check_log(node)
        invariants.check_histories(node)
        invariants.check_outbox(node)
    invariants.check_messages_met(nodes)
