"""Data brought to the consumer's own address: the same parts, the same rules, another carrier."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from connector.dataplane import parts as forms
from connector.protocol.messages import DataAddress, extension
from connector.services import pushing, transferring, views
from connector.store import messages, outbox, parts
from policies.problem import Problem
from tests.support.pair import OPERATOR, RESEARCHER, Pair, statements

LEARNERS = 40
SINK = "http://localhost:9201/sink"


@dataclass(slots=True)
class Sink:
    """What the consumer's address took, and how it answers."""

    app: Any
    statuses: list[int] = field(default_factory=list)
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/sink":
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.taken.append((headers, body))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def sink(nodes: Pair) -> Sink:
    made = Sink(nodes.wire.apps["localhost:9201"])
    nodes.wire.apps["localhost:9201"] = made
    return made


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch):
    async def at_once(_: float) -> None:
        return None

    monkeypatch.setattr(asyncio, "sleep", at_once)


async def push(nodes: Pair, address: str = SINK, learners: int = LEARNERS) -> str:
    """A push that was asked for and came to rest; the consumer's pid."""
    release = nodes.provider.settings.release.model_copy(
        update={"first_part_rows": 10, "max_part_rows": 30}
    )
    settings = nodes.provider.settings.model_copy(update={"release": release})
    object.__setattr__(nodes.provider, "settings", settings)
    dataset = await nodes.publish(statements(LEARNERS))
    await nodes.consent([f"learner-{n}" for n in range(learners)])
    agreement = (await nodes.seen(nodes.consumer, await nodes.request(dataset)))["agreement"]
    pid = await transferring.start(
        nodes.consumer, RESEARCHER, agreement, "ndjson", DataAddress.push(address, "a-secret")
    )
    await rest(nodes)
    return pid


async def rest(nodes: Pair) -> None:
    for _ in range(3):
        await nodes.settle()
        await nodes.provider.background.idle()


async def states(nodes: Pair, pid: str) -> tuple[str, str]:
    (theirs,) = await views.transfers(nodes.provider)
    return theirs["state"], (await views.transfer(nodes.consumer, pid))["state"]


async def test_every_part_arrives_and_the_transfer_completes(nodes: Pair, sink: Sink):
    pid = await push(nodes, learners=30)
    assert await states(nodes, pid) == ("COMPLETED", "COMPLETED")
    rows = [orjson.loads(line) for _, body in sink.taken for line in body.splitlines()]
    assert len(rows) == 30 * 3  # of those who consent, and of nobody else
    assert [headers["preau-part"] for headers, _ in sink.taken] == ["1", "2", "3", "4"]
    assert {headers["authorization"] for headers, _ in sink.taken} == {"Bearer a-secret"}
    assert b"learner-" not in b"".join(body for _, body in sink.taken)


async def test_each_was_logged_before_it_left_and_can_be_checked(nodes: Pair, sink: Sink):
    pid = await push(nodes)
    (theirs,) = await views.transfers(nodes.provider)

    def unit(tx: Any) -> Any:
        return parts.listing(tx, transfer=theirs["pid"])

    logged = await nodes.provider.store.read(unit)
    assert [row.digest for row in logged] == [one["preau-digest"] for one, _ in sink.taken]
    assert all(row.leaf and row.acknowledged for row in logged)
    came = await nodes.consumer.store.read(lambda tx: messages.of(tx, process=pid))
    start = next(orjson.loads(row.body) for row in came if row.type == "TransferStartMessage")
    assert "dataAddress" not in start
    salt = extension(start, "partSalt")
    if isinstance(salt, str):  # what the log keeps may have its secrets removed
        for headers, body in sink.taken:
            assert forms.part_digest(bytes.fromhex(salt), body) == headers["preau-digest"]
    assert theirs["manifest"]["state"] == "complete"


async def test_an_address_of_somebody_else_is_refused(nodes: Pair, sink: Sink):
    for address in ("http://localhost:9101/sink", "http://169.254.169.254/latest"):
        pid = await push(nodes, address)
        shown = await views.transfer(nodes.consumer, pid)
        assert (shown["state"], shown["code"]) == ("TERMINATED", "identity-address-foreign")
        break
    assert sink.taken == []


async def test_a_sink_that_says_no_ends_the_transfer(nodes: Pair, sink: Sink):
    sink.statuses = [200, 403]
    pid = await push(nodes)
    assert await states(nodes, pid) == ("TERMINATED", "TERMINATED")
    assert (await views.transfer(nodes.consumer, pid))["code"] == "push-refused"
    assert len(sink.taken) == 1


async def test_a_sink_that_is_silent_suspends_it_and_it_goes_on_where_it_stopped(
    nodes: Pair, sink: Sink
):
    sink.statuses = [200, 503, 503, 503, 503]
    pid = await push(nodes)
    assert await states(nodes, pid) == ("SUSPENDED", "SUSPENDED")
    await transferring.resume(nodes.consumer, RESEARCHER, pid)
    await rest(nodes)
    assert await states(nodes, pid) == ("COMPLETED", "COMPLETED")
    assert [headers["preau-part"] for headers, _ in sink.taken] == ["1", "2", "3", "4", "5"]


async def test_a_short_silence_is_waited_out(nodes: Pair, sink: Sink):
    sink.statuses = [503, 200, 429]
    pid = await push(nodes)
    assert await states(nodes, pid) == ("COMPLETED", "COMPLETED")


async def test_a_push_without_an_address_and_an_address_without_a_push(nodes: Pair):
    from connector.protocol.messages import TransferRequest
    from connector.services.transfers import _sink

    common: Any = {
        "consumer_pid": "urn:c",
        "agreement": "urn:a",
        "callback": "http://localhost:9201",
    }
    for word, address in (("HttpData-PUSH", None), ("HttpData-PULL", DataAddress.push(SINK))):
        message = TransferRequest(**common, format=word, address=address)
        with pytest.raises(Problem, match="push-address"):
            _sink(nodes.provider, None, message)  # type: ignore[arg-type]


async def test_after_a_crash_it_goes_on(nodes: Pair, sink: Sink):
    sink.statuses = [200, 503, 503, 503, 503]
    pid = await push(nodes)
    await transferring.resume(
        nodes.provider, OPERATOR, (await views.transfers(nodes.provider))[0]["pid"]
    )
    await nodes.provider.background.stop()
    pushing.push_soon(nodes.provider)  # as at a start
    await rest(nodes)
    assert (await states(nodes, pid))[0] == "COMPLETED"
    assert await nodes.provider.store.read(outbox.next_due) is None
