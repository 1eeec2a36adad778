"""An answer lost on the way: the message goes again, the stored reply comes, nothing is twice."""

from typing import Any

import pytest

from connector.identity.ports import Response
from connector.services.negotiate import people
from connector.services.release import transferring
from connector.services.show import views
from connector.store import agreements as agreement_rows
from policies.problem import Problem
from tests.support.pair import DPO, RESEARCHER, Pair, Wire, statements

OFFER = {"v": 1, "fields": ["verb.id", "timestamp"]}


@pytest.mark.parametrize("times", [1, 3])
async def test_every_answer_may_be_lost_and_both_end_alike(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, times: int
):
    dataset = await nodes.publish(statements(12))
    await nodes.consent([f"learner-{number}" for number in range(12)])
    plain, lost = Wire.post, dict[bytes, int]()

    async def post(self: Wire, url: str, body: bytes, **options: Any) -> Response:
        answer = await plain(self, url, body, **options)
        if lost.setdefault(body, 0) < times:
            lost[body] += 1
            raise Problem("delivery-timeout", host="localhost", port=9101)
        return answer

    monkeypatch.setattr(Wire, "post", post)
    pid = await nodes.request(dataset)
    for _ in range(60):
        nodes.clock.advance(30)
        await nodes.settle()
    mine, theirs = await nodes.seen(nodes.consumer, pid), await nodes.at_provider()
    assert (mine["state"], theirs["state"]) == ("FINALIZED", "FINALIZED")
    held = [
        await node.store.read(agreement_rows.listing) for node in (nodes.provider, nodes.consumer)
    ]
    assert [len(rows) for rows in held] == [1, 1]
    assert held[0][0].digest == held[1][0].digest
    for side in (mine, theirs):
        for message in side["messages"]:
            if message["direction"] == "out":
                *lost, last = message["attempts"]
                assert {one["problem"] for one in lost} <= {"delivery-timeout"}
                assert len(lost) <= times
                # Answered at last, or by what the peer said next.
                assert last["status"] in {200, 201} or message["delivery"] == "sent"
        # Each message of the other came once into the timeline, however often on the wire.
        taken = [one["digest"] for one in side["messages"] if one["direction"] == "in"]
        assert len(taken) == len(set(taken))

    started = await transferring.start(nodes.consumer, RESEARCHER, held[1][0].id, "ndjson")
    for _ in range(20):
        nodes.clock.advance(30)
        await nodes.settle()
    assert (await views.transfer(nodes.consumer, started))["state"] == "STARTED"
    assert len(await views.transfers(nodes.provider)) == 1


async def test_a_peer_whose_answers_never_come_is_believed_by_what_it_says_next(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    """It acts on every message and answers none in time: what waits behind must not wait for ever,
    nor end with the deadline what both have agreed.
    """
    dataset, plain = await nodes.publish(statements(12)), Wire.post

    async def post(self: Wire, url: str, body: bytes, **options: Any) -> Response:
        await plain(self, url, body, **options)
        raise Problem("delivery-timeout", host="localhost", port=9101)

    monkeypatch.setattr(Wire, "post", post)
    pid = await nodes.request(dataset)
    for _ in range(20):
        nodes.clock.advance(30)
        await nodes.settle()
    mine, theirs = await nodes.seen(nodes.consumer, pid), await nodes.at_provider()
    assert (mine["state"], theirs["state"]) == ("FINALIZED", "FINALIZED")
    assert mine["waiting"]["kind"] == "nothing"
    assert {one["delivery"] for one in mine["messages"]} == {None, "sent"}


async def test_at_its_deadline_a_message_that_arrived_is_asked_about(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    """The peer took it and said 500 ever since; it knows, when asked, where the matter stands."""
    dataset, plain = await nodes.publish(statements(12), decisions='"dpo"'), Wire.post
    pid = await nodes.request(dataset)
    there = (await nodes.at_provider())["pid"]

    async def post(self: Wire, url: str, body: bytes, **options: Any) -> Response:
        await plain(self, url, body, **options)
        return Response(500, {}, b"")

    monkeypatch.setattr(Wire, "post", post)
    decided = {"role": "dpo", "outcome": "return", "reason": "Less.", "offer": OFFER}
    await people.decide(nodes.provider, DPO, there, decided)
    await nodes.settle()
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "OFFERED"
    for _ in range(12):
        nodes.clock.advance(6 * 3600 + 60)
        await nodes.settle()
    monkeypatch.undo()
    seen = await nodes.at_provider()
    assert (seen["state"], seen["waiting"]["kind"]) == ("OFFERED", "peer")
    assert seen["messages"][-1]["delivery"] == "sent"
    await people.accept(nodes.consumer, RESEARCHER, pid)
    await nodes.settle()
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"
