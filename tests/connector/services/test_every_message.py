"""Every message and answer of DSP between two nodes: valid, and without effect when it comes again.

`Wire` compares whatever passes with the official schemas, in every test that has two nodes. Here
all types pass, so that none is left out; and each message comes twice, the second time with a token
of its own, as after an answer that was lost.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.protocol import messages
from connector.services import identity
from connector.services.negotiate import people, proposing
from connector.services.node import Node
from connector.services.release import transferring
from connector.services.show import views
from tests.support import schemas
from tests.support.pair import DPO, OPERATOR, RESEARCHER, Pair, statements

UNTIL = {"v": 1, "until": "2027-03-31T00:00:00Z"}
EARLIER = {"v": 1, "until": "2027-01-31T00:00:00Z"}
Json = dict[str, Any]
NOBODY = "urn:uuid:00000000-0000-4000-8000-000000000000"


@dataclass
class Twice:
    """A port that is asked everything twice; `replies` are each message and both its answers."""

    app: ASGIApp
    sender: Node
    receiver: Node
    replies: list[tuple[Json, httpx.Response, httpx.Response]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST" or "/catalog/" in scope["path"]:
            await self.app(scope, receive, send)
            return
        body = (await receive())["body"]
        first, again = await self._ask(scope["path"], body), await self._ask(scope["path"], body)
        self.replies.append((orjson.loads(body), first, again))
        headers = [(b"content-type", first.headers.get("content-type", "").encode())]
        await send({"type": "http.response.start", "status": first.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": first.content})

    async def _ask(self, path: str, body: bytes) -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        token = identity.authorization(self.sender, self.receiver.did)
        headers = {"Authorization": token, "Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=transport, base_url=self.receiver.url) as client:
            return await client.post(path, content=body, headers=headers)


@pytest.fixture
def ports(nodes: Pair) -> list[Twice]:
    """The two nodes' ports."""
    both = (nodes.provider, nodes.consumer)
    made = []
    for receiver, sender in (both, both[::-1]):
        host = urlsplit(receiver.url).netloc
        made.append(Twice(nodes.wire.apps[host], sender, receiver))
        nodes.wire.apps[host] = made[-1]
    return made


async def decide(nodes: Pair, outcome: str, **more: Any) -> None:
    """What the DPO says of the newest request."""
    pid = (await nodes.at_provider())["pid"]
    body = {"role": "dpo", "outcome": outcome, "reason": "So.", **more}
    await people.decide(nodes.provider, DPO, pid, body)
    await nodes.settle()


async def offered(nodes: Pair, dataset: str) -> None:
    """An offer that nobody asked for, declined."""
    await proposing.offer(nodes.provider, OPERATOR, nodes.consumer.did, dataset, None)
    await nodes.settle()
    pid = (await views.negotiations(nodes.consumer))[0]["pid"]
    await people.terminate(nodes.consumer, RESEARCHER, pid, "No use for it.")
    await nodes.settle()


async def countered(nodes: Pair, dataset: str) -> None:
    """A request, an offer, a request again, an offer again, which is accepted."""
    pid = await nodes.request(dataset)
    await decide(nodes, "return", offer=UNTIL)
    await proposing.counter(nodes.consumer, RESEARCHER, pid, EARLIER)
    await nodes.settle()
    await decide(nodes, "return", offer=EARLIER)
    await people.accept(nodes.consumer, RESEARCHER, pid)
    await nodes.settle()
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"


async def automatic(nodes: Pair, dataset: str) -> None:
    """A request that nobody has to decide on."""
    pid = await nodes.request(dataset)
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"


async def transferred(nodes: Pair) -> None:
    """A transfer that is paused and resumed by the consumer, then completed; one that is ended."""
    agreement = (await views.agreements(nodes.consumer))[0]["id"]
    for end in ("complete", "terminate"):
        pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
        await nodes.settle()
        for _ in range(2):
            await transferring.suspend(nodes.consumer, DPO, pid, "A pause.")
            await nodes.settle()
            await transferring.resume(nodes.consumer, DPO, pid)
            await nodes.settle()
        reason = ["Enough."] if end == "terminate" else []
        await getattr(transferring, end)(nodes.consumer, DPO, pid, *reason)
        await nodes.settle()
        theirs = (await views.transfers(nodes.provider))[0]
        assert theirs["state"] == f"{end}d".upper()
        nodes.clock.advance(1)


async def asked(nodes: Pair) -> None:
    """The catalog, a dataset of it, and what is not there."""
    node, base = nodes.consumer, nodes.provider.dsp

    async def get(path: str) -> dict[str, Any]:
        headers = {"Authorization": identity.authorization(node, nodes.provider.did)}
        answer = await nodes.wire.get(base + path, headers=headers)
        found: dict[str, Any] = orjson.loads(answer.body)
        return found

    headers = {
        "Authorization": identity.authorization(node, nodes.provider.did),
        "Content-Type": "application/json",
    }
    body = orjson.dumps(messages.CatalogRequest().wire())
    answer = await nodes.wire.post(base + "/catalog/request", body, headers=headers)
    dataset, _ = orjson.loads(answer.body)["dataset"]
    assert (await get(f"/catalog/datasets/{dataset['@id']}"))["@type"] == "Dataset"
    for place in ("catalog/datasets", "negotiations", "transfers"):
        assert (await get(f"/{place}/{NOBODY}"))["@type"].endswith("Error")


async def test_all_of_them(nodes: Pair, ports: list[Twice]):
    dataset = await nodes.publish(statements(12), decisions='"dpo"')
    await nodes.consent([f"learner-{number}" for number in range(12)])
    await offered(nodes, dataset)
    nodes.clock.advance(1)  # the newest comes first
    await countered(nodes, dataset)
    await automatic(nodes, await nodes.publish(statements(12), id="automatic"))
    await transferred(nodes)
    await asked(nodes)

    replies = [each for port in ports for each in port.replies]
    # A catalog request changes nothing; a dataset request is a GET over HTTPS.
    asking = {"CatalogRequestMessage", "DatasetRequestMessage"}
    kinds = {kind for kind in schemas.OF_TYPE if kind.endswith("Message")}
    assert {wire["@type"] for wire, _, _ in replies} == kinds - asking
    for wire, first, again in replies:
        assert (first.status_code, json_of(first)) == told(wire, json_of(first)), wire
        assert (again.status_code, json_of(again)) == (first.status_code, json_of(first)), wire
    for node in (nodes.provider, nodes.consumer):
        await had_effect_once(node)
    assert nodes.wire.kinds.keys() == schemas.OF_TYPE.keys() - {"DatasetRequestMessage"}


def told(wire: Json, found: Any) -> tuple[int, object]:
    """What DSP has a message answered with: the process and its first state, or nothing."""
    missing = {"providerPid", "consumerPid"} - wire.keys()
    if not missing:
        return 200, found if wire["@type"] == "ContractRequestMessage" else None
    state = "OFFERED" if "consumerPid" in missing else "REQUESTED"
    process = {
        "@context": wire["@context"],
        "@type": "TransferProcess" if "agreementId" in wire else "ContractNegotiation",
        **{name: wire.get(name, found[name]) for name in ("providerPid", "consumerPid")},
        "state": state,
    }
    return 201, process


def json_of(answer: httpx.Response) -> object:
    """What an answer says; None if it is empty."""
    return orjson.loads(answer.content) if answer.content else None


async def had_effect_once(node: Node) -> None:
    """Each message stands once in the timeline and in the log, and was sent once."""
    said, leaves, sent = [
        await node.store.read(lambda tx, sql=sql: rows(tx, sql))  # type: ignore[misc]
        for sql in (
            "SELECT direction, type, digest FROM message",
            "SELECT type FROM leaf WHERE type IN ('negotiation', 'transfer')",
            "SELECT type FROM outbox",
        )
    ]
    assert max(Counter(said).values()) == 1
    assert len(leaves) == len(said)
    assert len(sent) == len([one for one in said if one[0] == "out"])


def rows(tx: Any, sql: str) -> list[tuple[Any, ...]]:
    """All rows of a question that no module of the store asks."""
    return [tuple(row) for row in tx._connection.execute(sql, {}).fetchall()]
