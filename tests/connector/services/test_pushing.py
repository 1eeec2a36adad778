"""A node has its data pushed by another node: one stream to a sink of its own, by consent."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from connector.evidence.verify import verify
from connector.protocol.messages import DataAddress, read_address
from connector.services.consent import consents
from connector.services.fetch import received
from connector.services.release import pushing, transferring
from connector.services.release.pushing import _credential
from connector.services.show import auditing, views
from connector.store import parts as part_rows
from connector.store import transfers as transfer_rows
from policies.problem import Problem
from tests.support import traces
from tests.support.behind import configure
from tests.support.pair import AUDITOR, DPO, RESEARCHER, Pair, statements

Json = dict[str, Any]


@pytest_asyncio.fixture
async def agreed(nodes: Pair) -> AsyncIterator[Pair]:
    """An agreement on the traces of thirty learners, twenty of whom consent."""
    dataset = await nodes.publish(statements(30, 2))
    names = [f"learner-{number}" for number in range(20)]
    said = traces.consent_file(names, nodes.consumer.did)
    await consents.load(nodes.provider, DPO, said.encode())
    await nodes.request(dataset)
    yield nodes


async def pushed(nodes: Pair) -> str:
    """Ask for a push and let all of it happen; the consumer's pid."""
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson", push=True)
    for _ in range(2):
        await nodes.settle()
        await nodes.provider.background.idle()
    await nodes.settle()
    return pid


async def test_the_rows_of_those_who_consent_arrive_and_the_evidence_holds(
    agreed: Pair, tmp_path: Path
):
    pid = await pushed(agreed)
    found = await views.transfer(agreed.consumer, pid)
    assert (found["state"], found["format"]) == ("COMPLETED", "HttpData-PUSH"), found
    folder = received.folder_of(agreed.consumer, pid)
    content = (folder / "data.ndjson").read_bytes()
    assert (len(content.splitlines()), b"learner-" in content) == (40, False)
    assert found["receipt"]["received"]["bytes"] == len(content)
    for node in (agreed.consumer, agreed.provider):
        path = tmp_path / "bundle.zip"
        path.write_bytes(await auditing.bundle(node, AUDITOR, found["agreement"]))
        files = folder if node is agreed.consumer else None
        report = verify(path, files=files)
        assert report.ok, report.failures


async def test_no_token_of_the_sink_is_kept_in_a_timeline(agreed: Pair):
    pid = await pushed(agreed)
    [there] = await views.transfers(agreed.provider)
    for node, name in ((agreed.consumer, pid), (agreed.provider, there["pid"])):
        seen = json.dumps((await views.transfer(node, name))["messages"])
        assert "TransferRequestMessage" in seen
        assert "preau_" not in seen


async def test_more_than_the_operator_allows_is_refused_and_nothing_is_kept(agreed: Pair):
    configure(agreed.consumer, "limits", pushed_bytes=1_000)
    pid = await pushed(agreed)
    found = await views.transfer(agreed.consumer, pid)
    assert found["state"] == "SUSPENDED"
    assert received.finished(received.folder_of(agreed.consumer, pid)) == []
    assert list(received.folder_of(agreed.consumer, pid).glob("*.partial")) == []


async def test_a_declared_length_is_refused_before_the_body(agreed: Pair):
    transport = httpx.ASGITransport(agreed.wire.apps["localhost:9201"])
    async with httpx.AsyncClient(transport=transport) as client:
        headers = {"Content-Length": str(10**13), "Authorization": "Bearer preau_0"}
        answer = await client.post("http://localhost:9201/data/x/sink", headers=headers)
    assert answer.status_code in {404, 413}


@pytest.mark.parametrize(
    ("properties", "header"),
    [
        ({"authorization": "secret"}, {"Authorization": "secret"}),
        ({"authKey": "X-Api-Key", "authCode": "c"}, {"X-Api-Key": "c"}),
        ({"authKey": "Authorization", "authCode": "c"}, {"Authorization": "c"}),
        ({"authKey": "Host", "authCode": "c"}, {}),
        ({"authKey": "Content-Length", "authCode": "1"}, {}),
        ({"authKey": "X-A\r\nHost", "authCode": "c"}, {}),
        ({"authKey": "X-Api-Key"}, {}),
        ({}, {}),
    ],
)
def test_a_sink_chooses_a_credential_and_no_other_header(
    properties: dict[str, str], header: dict[str, str]
):
    address = DataAddress(endpoint_type="HttpData", properties=tuple(properties.items()))
    assert _credential(address) == header


# -------------------------------------------------------------------- what comes to our own sink


@dataclass
class Sink:
    """What the consumer gave out for a push that never came: its pid, place and token."""

    nodes: Pair
    pid: str
    token: str

    async def take(self, *pieces: bytes, whole: bool = True, length: str = "") -> tuple[int, Json]:
        """Push these pieces by hand; not `whole`, the connection ends behind them."""
        said = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
        last = {"type": "http.request" if whole else "http.disconnect", "body": b""}
        given = {"authorization": f"Bearer {self.token}", "content-type": "text/csv"}
        given |= {"content-length": length} if length else {}
        scope = {
            "type": "http",
            "method": "POST",
            "path": f"/data/{self.pid}/sink",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        told: list[Json] = []

        async def receive() -> Json:
            return said.pop(0) if said else last

        async def send(message: Json) -> None:
            told.append(message)

        await self.nodes.wire.apps["localhost:9201"](scope, receive, send)
        body = json.loads(b"".join(one.get("body", b"") for one in told))
        return told[0]["status"], body

    def kept(self) -> list[str]:
        folder = received.folder_of(self.nodes.consumer, self.pid)
        return sorted(path.name for path in folder.glob("*"))


@pytest_asyncio.fixture
async def sink(agreed: Pair, monkeypatch: pytest.MonkeyPatch) -> Sink:
    monkeypatch.setattr(pushing, "soon", _never)
    pid = await pushed(agreed)
    (t,) = await agreed.provider.store.read(
        lambda tx: [t for t in transfer_rows.listing(tx) if t.peer_pid == pid]
    )
    return Sink(agreed, pid, str(read_address(t.sink or {}).authorization))


async def _never(_: object) -> None:
    """The provider pushes nothing by itself."""


async def test_a_push_that_breaks_off_leaves_nothing_and_may_come_again(sink: Sink):
    status, said = await sink.take(b"a,b\n", b"1,", whole=False)
    assert (status, said["code"], sink.kept()) == (400, "http-broken-off", [])
    assert (await views.transfer(sink.nodes.consumer, sink.pid))["receipt"] is None
    assert await sink.take(b"a,b\n", b"1,2\n") == (200, {"v": 1, "received": True})
    folder = received.folder_of(sink.nodes.consumer, sink.pid)
    assert (folder / "data.csv").read_bytes() == b"a,b\n1,2\n"


async def test_the_first_whole_push_counts_and_no_later_one(sink: Sink):
    await sink.take(b"a,b\n1,2\n")
    first = (await views.transfer(sink.nodes.consumer, sink.pid))["receipt"]
    assert await sink.take(b"a,b\n3,4\n") == (200, {"v": 1, "received": True})
    folder = received.folder_of(sink.nodes.consumer, sink.pid)
    assert (folder / "data.csv").read_bytes() == b"a,b\n1,2\n"
    assert (await views.transfer(sink.nodes.consumer, sink.pid))["receipt"] == first
    assert [name for name in sink.kept() if name.endswith(".partial")] == []


async def test_of_two_pushes_at_once_one_counts(sink: Sink):
    bodies = [b"a,b\n1,2\n", b"a,b\n3,4\n"]
    answers = await asyncio.gather(*(sink.take(body) for body in bodies))
    assert [status for status, _ in answers] == [200, 200]
    folder = received.folder_of(sink.nodes.consumer, sink.pid)
    content = (folder / "data.csv").read_bytes()
    receipt = (await views.transfer(sink.nodes.consumer, sink.pid))["receipt"]
    assert content in bodies
    digest = "sha-256:" + hashlib.sha256(content).hexdigest()
    assert receipt["received"]["digest"] == digest
    assert json.loads((folder / "receipt.json").read_bytes())["received"]["digest"] == digest
    assert [name for name in sink.kept() if name.endswith(".partial")] == []


async def test_a_receipt_that_a_crash_left_unsaid_is_kept_with_the_next_push(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as once:
        once.setattr(part_rows, "put_manifest", _full)
        status, said = await sink.take(b"a,b\n1,2\n")
    assert (status, said["code"]) == (503, "store-disk-full")
    assert (await views.transfer(sink.nodes.consumer, sink.pid))["receipt"] is None
    assert (await sink.take(b"a,b\n3,4\n"))[0] == 200
    receipt = (await views.transfer(sink.nodes.consumer, sink.pid))["receipt"]
    content = (received.folder_of(sink.nodes.consumer, sink.pid) / "data.csv").read_bytes()
    assert content == b"a,b\n1,2\n"
    assert receipt["received"]["digest"] == "sha-256:" + hashlib.sha256(content).hexdigest()


def _full(*_: object) -> None:
    raise Problem("store-disk-full")


async def test_a_push_after_the_end_is_refused(sink: Sink):
    await transferring.terminate(sink.nodes.consumer, RESEARCHER, sink.pid, "Enough.")
    status, said = await sink.take(b"a,b\n1,2\n")
    assert (status, said["code"], sink.kept()) == (410, "release-ended", [])


async def test_what_declares_too_much_is_refused_before_it_comes(sink: Sink):
    configure(sink.nodes.consumer, "limits", pushed_bytes=10)
    status, said = await sink.take(b"", length="11")
    assert (status, said["code"], sink.kept()) == (400, "http-too-large", [])


@pytest.mark.parametrize("token", ["", "preau_0"])
async def test_nothing_is_pushed_without_the_token(sink: Sink, token: str):
    sink.token = token or "x"
    assert (await sink.take(b"a,b\n"))[0] == 404
    theirs = (await views.transfers(sink.nodes.provider))[0]["pid"]
    assert (theirs == sink.pid, sink.kept()) == (False, [])
