"""An EDC has data pushed: to a sink that its consumer names and this node's operator allows."""

import json
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from connector.base.settings import SignaledSink
from connector.evidence.verify import verify
from connector.services.show import auditing, views
from tests.peers import control_plane
from tests.peers.asgi import Receive, Send, answer, body_of
from tests.support import behind as making
from tests.support.behind import FLOW, Behind
from tests.support.pair import AUDITOR, Pair

Json = dict[str, Any]
PUSH = "HttpData-PUSH"


@dataclass
class Sink:
    """What takes what is pushed, as an ASGI application."""

    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Receive,
        send: Send,
    ) -> None:
        content = await body_of(receive)
        self.bodies.append(content)
        self.keys.append(dict(scope["headers"])[b"x-sink"].decode())
        await answer(send, self.status)


@pytest_asyncio.fixture
async def behind(nodes: Pair) -> Behind:
    """A node behind a control plane, whose operator lets data be pushed to the lab's sink."""
    made = await making.behind(nodes)
    allow(made, ("lab", "http://localhost:9501"), ("other", "http://localhost:9502"))
    return made


@pytest.fixture
def sink(behind: Behind) -> Sink:
    made = Sink()
    for place in ("localhost:9501", "localhost:9502"):
        behind.nodes.wire.apps[place] = made
    return made


def allow(behind: Behind, *sinks: tuple[str, str]) -> None:
    allowed = tuple(SignaledSink(consumer=name, url=url) for name, url in sinks)
    settings = behind.node.settings.model_copy(update={"signaled_sink": allowed})
    object.__setattr__(behind.node, "settings", settings)


def message(behind: Behind, form: str, process: str = FLOW) -> tuple[str, Json]:
    """A start of a push in one of the forms, and where it is posted."""
    if form != "plain":
        start = control_plane.pushed(behind.message(process))
        return ("", start) if form == "json-ld" else ("/start", control_plane.later(start))
    address = control_plane.sink_18()
    return "/start", behind.message_18(process, transferType=PUSH, dataAddress=address)


async def flowed(behind: Behind) -> Json:
    """The flow, once all has gone its way."""
    await behind.node.background.idle()
    await behind.nodes.settle()
    told = len(behind.told.said)
    behind.nodes.clock.advance(seconds=2)  # its end waits, as any message to an EDC
    await behind.nodes.settle()
    assert told == 0
    return await behind.seen()


@pytest.mark.parametrize("form", ["json-ld", "json-ld 2025", "plain"])
async def test_the_rows_of_those_who_consent_arrive_and_it_is_completed(
    behind: Behind, sink: Sink, form: str, tmp_path: Path
):
    answer = await behind.signal(*message(behind, form))
    assert (answer.status_code, "dataAddress" in answer.json()) == (200, False)
    found = await flowed(behind)
    assert found["state"] == "COMPLETED", found["reasons"]
    [body] = sink.bodies
    assert (len(body.splitlines()), b"learner-" in body) == (40, False)
    assert sink.keys == ["sink-secret"]
    last = "dataflow/completed" if form == "plain" else "complete"
    assert [path for path, _ in behind.told.said] == [f"/{FLOW}/{last}"]
    assert "sink-secret" not in json.dumps(found)
    path = tmp_path / "bundle.zip"
    [made] = await views.agreements(behind.node)
    path.write_bytes(await auditing.bundle(behind.node, AUDITOR, made["id"]))
    report = verify(path)
    assert report.ok, report.failures


async def test_whose_answer_was_lost_is_answered_again(behind: Behind, sink: Sink):
    place, start = message(behind, "plain")
    await behind.signal(place, start)
    await flowed(behind)
    answer = await behind.signal(place, start)
    assert (answer.status_code, answer.json()["state"]) == (200, "COMPLETED")
    assert len(sink.bodies) == 1


@pytest.mark.parametrize("form", ["json-ld", "plain"])
@pytest.mark.parametrize(
    "sinks",
    [
        (),
        (("lab", "http://localhost:9502"),),
        (("lab", "https://localhost:9501"),),
        (("other", "http://localhost:9501"),),
    ],
)
async def test_nothing_goes_where_the_operator_did_not_allow_it_for_this_consumer(
    behind: Behind, sink: Sink, sinks: tuple[tuple[str, str], ...], form: str
):
    allow(behind, *sinks)
    answer = await behind.signal(*message(behind, form))
    assert (answer.status_code, answer.json()["title"]) == (422, "signaling-sink")
    assert (await views.transfers(behind.node), sink.bodies) == ([], [])


async def test_nor_inside_the_institution_even_if_allowed(behind: Behind, sink: Sink):
    allow(behind, ("lab", "https://169.254.169.254"))
    address = control_plane.sink_18(baseUrl="https://169.254.169.254/latest")
    answer = await behind.start_18(transferType=PUSH, dataAddress=address)
    assert answer.json()["title"] == "delivery-address-refused"
    assert sink.bodies == []


async def test_a_sink_that_refuses_suspends_and_a_resumption_begins_anew(
    behind: Behind, sink: Sink
):
    sink.status = 503
    await behind.signal(*message(behind, "plain"))
    assert (await flowed(behind))["state"] == "SUSPENDED"
    sink.status = 200
    elsewhere = control_plane.sink_18(baseUrl="http://localhost:9502/rows")
    refused = await behind.signal(f"/{FLOW}/resume", control_plane.resume_18(elsewhere))
    assert refused.json()["title"] == "signaling-sink"
    assert (await behind.seen())["state"] == "SUSPENDED"
    moved = control_plane.sink_18(baseUrl="http://localhost:9501/new", authCode="another")
    answer = await behind.signal(f"/{FLOW}/resume", control_plane.resume_18(moved))
    assert (answer.status_code, answer.json()["state"]) == (200, "STARTED")
    assert (await flowed(behind))["state"] == "COMPLETED"
    assert sink.keys == ["sink-secret", "another"]
