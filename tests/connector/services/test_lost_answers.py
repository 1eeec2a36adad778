"""An answer lost on the way: the message goes again, the stored reply comes, nothing is twice."""

from typing import Any

import pytest

from connector.identity.ports import Response
from connector.services.release import transferring
from connector.services.show import views
from connector.store import agreements as agreement_rows
from policies.problem import Problem
from tests.support.pair import RESEARCHER, Pair, Wire, statements


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
                attempts = message["attempts"]
                assert [one["problem"] for one in attempts[:-1]] == ["delivery-timeout"] * times
                assert attempts[-1]["status"] in {200, 201}
        # Each message of the other came once into the timeline, however often on the wire.
        taken = [one["digest"] for one in side["messages"] if one["direction"] == "in"]
        assert len(taken) == len(set(taken))

    started = await transferring.start(nodes.consumer, RESEARCHER, held[1][0].id, "ndjson")
    for _ in range(20):
        nodes.clock.advance(30)
        await nodes.settle()
    assert (await views.transfer(nodes.consumer, started))["state"] == "STARTED"
    assert len(await views.transfers(nodes.provider)) == 1
