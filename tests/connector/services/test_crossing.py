"""Both sides pause and resume without hearing of each other: they end in the same state, alive."""

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from connector.delivery.outbox import Outcome
from connector.identity.ports import Response
from connector.protocol.messages import TransferProcess
from connector.protocol.transfer import State
from connector.services.messages import settling
from connector.services.release import transferring
from connector.services.show import views
from connector.store import outbox
from connector.store import transfers as rows
from policies.problem import Problem
from tests.support.pair import DPO, RESEARCHER, Pair, statements


@pytest.fixture
async def pids(nodes: Pair) -> tuple[str, str]:
    """A transfer that runs, by its pid at the provider and at the consumer."""
    dataset = await nodes.publish(statements(12))
    await nodes.consent([f"learner-{number}" for number in range(12)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    assert await rest(nodes) == ("STARTED", "STARTED")
    return (await views.transfers(nodes.provider))[0]["pid"], pid


async def states(nodes: Pair) -> tuple[str, str]:
    (theirs,) = await views.transfers(nodes.provider)
    (mine,) = await views.transfers(nodes.consumer)
    return theirs["state"], mine["state"]


def part(nodes: Pair, *sides: str) -> Callable[[], None]:
    """Make these sides unreachable, until what is returned is called."""
    for side in sides:
        nodes.wire.down.add(urlsplit(getattr(nodes, side).url).netloc)
    return nodes.wire.down.clear


async def rest(nodes: Pair) -> tuple[str, str]:
    for _ in range(12):
        nodes.clock.advance(60)
        await nodes.settle()
    return await states(nodes)


async def pause(nodes: Pair, pids: tuple[str, str], *sides: str) -> None:
    for side in sides:
        node, pid = getattr(nodes, side), pids[side == "consumer"]
        await transferring.suspend(node, DPO, pid, "A pause.")


async def resume(nodes: Pair, pids: tuple[str, str], *sides: str) -> None:
    for side in sides:
        await transferring.resume(getattr(nodes, side), DPO, pids[side == "consumer"])


async def test_both_pause_at_once(nodes: Pair, pids: tuple[str, str]):
    heal = part(nodes, "provider", "consumer")
    await pause(nodes, pids, "provider", "consumer")
    heal()
    assert await rest(nodes) == ("SUSPENDED", "SUSPENDED")
    await resume(nodes, pids, "consumer")
    assert await rest(nodes) == ("STARTED", "STARTED")


async def test_both_resume_at_once_and_the_address_arrives(nodes: Pair, pids: tuple[str, str]):
    await pause(nodes, pids, "provider")
    await rest(nodes)
    heal = part(nodes, "provider", "consumer")
    await resume(nodes, pids, "provider", "consumer")
    heal()
    assert await rest(nodes) == ("STARTED", "STARTED")
    held = await nodes.consumer.store.read(lambda tx: rows.get(tx, pid=pids[1]))
    assert held is not None
    assert held.data_address is not None


async def test_what_the_provider_has_to_say_goes_first(nodes: Pair, pids: tuple[str, str]):
    heal = part(nodes, "consumer")
    await pause(nodes, pids, "provider")
    await nodes.settle()  # tried in vain
    await resume(nodes, pids, "provider")
    await pause(nodes, pids, "consumer")
    await nodes.consumer.worker.run_until_idle()
    assert nodes.wire.seen[-1][2] == 503
    heal()
    assert await rest(nodes) == ("SUSPENDED", "SUSPENDED")


async def test_a_pause_that_arrives_after_the_provider_paused_and_resumed(
    nodes: Pair, pids: tuple[str, str]
):
    heal = part(nodes, "provider")
    await pause(nodes, pids, "consumer")
    await nodes.settle()  # in vain
    await pause(nodes, pids, "provider")
    await nodes.settle()
    await resume(nodes, pids, "provider")
    await nodes.settle()
    heal()
    assert await rest(nodes) == ("SUSPENDED", "SUSPENDED")
    told = (await views.transfer(nodes.consumer, pids[1]))["messages"]
    crossed = [one for m in told for one in m.get("attempts", ()) if one["n"] == 0]
    assert [one["problem"] for one in crossed] == ["transfer-crossed"]


async def test_a_provider_that_cannot_be_asked_is_asked_again(
    nodes: Pair, pids: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    await pause(nodes, pids, "provider")
    await nodes.settle()
    plain, refused = type(nodes.wire).get, list[str]()

    async def get(self, url, **options):
        if "/transfers/" in url and len(refused) < 2:
            refused.append(url)
            raise Problem("delivery-unreachable", host="localhost")
        return await plain(self, url, **options)

    monkeypatch.setattr(type(nodes.wire), "get", get)
    await resume(nodes, pids, "consumer")
    assert await rest(nodes) == ("STARTED", "STARTED")
    assert len(refused) == 2


async def test_a_refusal_for_good_still_ends_a_transfer(nodes: Pair, pids: tuple[str, str]):
    heal = part(nodes, "provider", "consumer")
    await pause(nodes, pids, "provider")
    await transferring.terminate(nodes.consumer, RESEARCHER, pids[1], "Enough.")
    heal()
    assert await rest(nodes) == ("TERMINATED", "TERMINATED")


async def test_what_was_refused_by_who_ended_the_transfer_never_counts_as_arrived(
    nodes: Pair, pids: tuple[str, str]
):
    heal = part(nodes, "provider", "consumer")
    await transferring.terminate(nodes.provider, DPO, pids[0], "Enough.")
    await pause(nodes, pids, "consumer")
    heal()
    assert await rest(nodes) == ("TERMINATED", "TERMINATED")
    row = (await nodes.consumer.store.read(lambda tx: outbox.of(tx, process=pids[1])))[-1]
    assert (row.type, row.state) == ("TransferSuspensionMessage", "failed")
    refused = Outcome(Response(400), Problem("delivery-refused", peer=row.peer, status=400))
    assert not await settling.settle(nodes.consumer, row, refused)


async def test_what_the_provider_says_while_it_is_asked_counts(
    nodes: Pair, pids: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    """Its answer to the question is older than what it has said since: it is asked again."""
    heal = part(nodes, "provider", "consumer")
    await pause(nodes, pids, "provider", "consumer")
    heal()
    plain, asked = type(nodes.wire).get, list[str]()

    async def get(self, url, **options):
        answer = await plain(self, url, **options)
        if "/transfers/" in url:
            asked.append(json.loads(answer.body)["state"])
            if len(asked) == 1:
                await resume(nodes, pids, "provider")
                await nodes.provider.worker.run_until_idle()
        return answer

    monkeypatch.setattr(type(nodes.wire), "get", get)
    nodes.clock.advance(60)
    await nodes.provider.worker.run_until_idle()
    first, second = await rest(nodes)
    assert (first, asked[:2]) == (second, ["SUSPENDED", "STARTED"])
    assert first == "STARTED"


ANOTHER = TransferProcess(provider_pid="urn:uuid:1", consumer_pid="urn:uuid:2", state=State.STARTED)


@pytest.mark.parametrize(
    "told",
    [b"<html>", json.dumps(ANOTHER.wire()).encode()],
    ids=["no JSON", "another transfer"],
)
async def test_an_answer_that_says_nothing_about_this_transfer_is_none(
    nodes: Pair, pids: tuple[str, str], monkeypatch: pytest.MonkeyPatch, told: bytes
):
    heal = part(nodes, "provider", "consumer")
    await pause(nodes, pids, "provider", "consumer")
    heal()
    plain = type(nodes.wire).get

    async def get(self, url, **options):
        answer = await plain(self, url, **options)
        return Response(200, {}, told) if "/transfers/" in url else answer

    monkeypatch.setattr(type(nodes.wire), "get", get)
    theirs, mine = await rest(nodes)
    row = (await nodes.consumer.store.read(lambda tx: outbox.of(tx, process=pids[1])))[-1]
    # Nothing is made up of it: both stay where their own messages led.
    assert (theirs, mine, row.state) == ("SUSPENDED", "SUSPENDED", "sent")
