"""A node has its data pushed by another node: one stream to a sink of its own, by consent."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from connector.evidence.verify import verify
from connector.protocol.messages import DataAddress
from connector.services.fetch import received
from connector.services.release import transferring
from connector.services.release.pushing import _credential
from connector.services.show import auditing, views
from tests.support.behind import configure
from tests.support.pair import AUDITOR, RESEARCHER, Pair, statements


@pytest_asyncio.fixture
async def agreed(nodes: Pair) -> AsyncIterator[Pair]:
    """An agreement on the traces of thirty learners, twenty of whom consent."""
    dataset = await nodes.publish(statements(30, 2))
    await nodes.consent([f"learner-{number}" for number in range(20)])
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
