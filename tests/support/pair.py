"""Two whole nodes in one process: real stores, logs and rooms; the network is a function call.

`Pair` is for tests of the use cases: the clock is held still, ids are seeded, and `settle` lets
every message that is due arrive before the test goes on. Streaming and crashes need real
processes (`tests/real`).
"""

import atexit
import functools
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from connector.base import settings as configuration
from connector.evidence.log import Log
from connector.identity.did import DidDocument
from connector.identity.keys import KeyRing
from connector.identity.ports import DEFAULT_LIMIT, DEFAULT_TIMEOUT, Response
from connector.runtime import database, initialise
from connector.services import identity
from connector.services.access import Actor
from connector.services.consent import consents
from connector.services.discover import peering
from connector.services.negotiate import people
from connector.services.node import Node
from connector.services.operate import starting
from connector.services.publish import publishing
from connector.services.publish.publishing import Upload
from connector.services.show import views
from connector.store import outbox
from connector.store.store import Store
from policies.problem import Problem
from tests.support import doors, schemas
from tests.support.clock import ManualClock
from tests.support.fetching import NoDownload
from tests.support.ids import SeededIds

PURPOSE = "https://w3id.org/preau/ns#EducationResearch"
CATEGORY = "https://w3id.org/preau/ns#LearningTraces"
_DSP = "/dsp/2025-1/"
REASON = "The learner took it back in writing."
OPERATOR = Actor("actor-operator", "operator")
DPO = Actor("actor-dpo", "dpo")
ETHICS = Actor("actor-ethics", "ethics")
RESEARCHER = Actor("actor-researcher", "researcher")
AUDITOR = Actor("actor-auditor", "auditor")

ABOUT = """
id = "{id}"
kind = "xapi"
category = "{category}"
audience = "adults"
periodicity = "irregular"
until = 2027-12-31T00:00:00Z
retention = "P1Y"
group = "{group}"
decisions = [{decisions}]
[title]
fr = "Traces"
en = "Traces"
[notice]
iri = "https://example.org/notice"
version = "1"
text = "…"
[basis]
type = "{basis}"
reference = "register 1"
[policy]
template = "{template}"
[policy.params]
purposes = ["{purpose}"]
until = "2027-12-31T00:00:00Z"
retention = "P1Y"
"""


@dataclass(slots=True)
class Wire(NoDownload):
    """The network between the two nodes: what passed, what GETs were answered, who is down.

    Every DSP message and answer is compared with the official schema of its type, where those are:
    `faults` says what was found, `kinds` how many of which type passed.
    """

    apps: dict[str, Any] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    seen: list[tuple[str, str, int]] = field(default_factory=list)
    answers: dict[str, Response] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = DEFAULT_LIMIT,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109
    ) -> Response:
        return await self._send("GET", url, None, headers)

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = DEFAULT_LIMIT,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109
    ) -> Response:
        return await self._send("POST", url, body, headers)

    async def upload(
        self,
        url: str,
        body: AsyncIterator[bytes],
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 0,  # noqa: ASYNC109
    ) -> Response:
        return await self._send("POST", url, body, headers)

    async def _send(
        self,
        method: str,
        url: str,
        body: bytes | AsyncIterator[bytes] | None,
        headers: Mapping[str, str] | None,
    ) -> Response:
        host = urlsplit(url).netloc
        if host in self.down or host not in self.apps:
            raise Problem("delivery-unreachable", host=host)
        transport = httpx.ASGITransport(self.apps[host], raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.request(method, url, content=body, headers=dict(headers or {}))
        self.seen.append((method, urlsplit(url).path, answer.status_code))
        found = {name.lower(): value for name, value in answer.headers.items()}
        response = Response(answer.status_code, found, answer.content)
        if method == "GET":
            self.answers[url] = response
        if urlsplit(url).path.startswith(_DSP):
            self._check(url, body)
            self._check(url, answer.content)
        return response

    def _check(self, url: str, body: object) -> None:
        """Note the type of a message or an answer, and what its schema has against it."""
        if not isinstance(body, bytes) or not body:
            return
        wire = orjson.loads(body)
        self.kinds[wire["@type"]] += 1
        if fault := schemas.fault(wire):
            self.faults.append(f"{url}: {fault}")


@dataclass(slots=True)
class Pair:
    """A provider and a consumer that know each other."""

    provider: Node
    consumer: Node
    wire: Wire
    clock: ManualClock

    async def settle(self) -> None:
        """Let every message that is due arrive, and what it sets going end."""
        nodes = (self.provider, self.consumer)
        for _ in range(50):
            for node in nodes:
                await node.worker.run_until_idle()
            # After both: what one has just sent may have set the other preparing.
            for node in nodes:
                await node.background.ended("prepare")
            due = [await self._due(node) for node in nodes]
            # At one moment: while one was asked, the other may have been handed something.
            if not any(due) and not any(node.worker.delivering for node in nodes):
                return
        raise AssertionError("the nodes do not come to rest")

    async def publish(self, rows: list[dict[str, Any]], **about: str) -> str:
        """Publish statements at the provider; the dataset's IRI."""
        chosen = {
            "id": "traces",
            "category": CATEGORY,
            "decisions": "",
            "group": "public",
            "basis": "consent",
            "template": "research-under-consent",
            "purpose": PURPOSE,
        } | about
        content = b"".join(orjson.dumps(row) + b"\n" for row in rows)
        chunks = [content, b""]

        async def read(_: int) -> bytes:
            return chunks.pop(0)

        text = ABOUT.format(**chosen).encode()
        made = await publishing.add(self.provider, OPERATOR, Upload(text, "t.jsonl", read, 0.001))
        return str(made["dataset"])

    async def consent(self, names: list[str], status: str = "given") -> None:
        """Record what learners said about the consumer's use."""
        for name in names:
            body = {"status": status, "reason": REASON, **self.scope(name)}
            await consents.record(self.provider, DPO, body)

    def scope(self, name: str) -> dict[str, Any]:
        """The use that these tests are about, for one learner."""
        return {
            "subject": {"type": "account", "value": name, "home": "https://mooc.example"},
            "recipient": self.consumer.did,
            "purpose": PURPOSE,
            "category": CATEGORY,
        }

    async def request(self, dataset: str, **changes: Any) -> str:
        """Ask for a dataset and let the answer arrive; our pid."""
        draft = application(**changes)
        made = await people.request(self.consumer, RESEARCHER, dataset, draft)
        await self.settle()
        return str(made["pid"])

    async def seen(self, node: Node, pid: str) -> dict[str, Any]:
        """A negotiation as a node's people see it."""
        return await views.negotiation(node, pid)

    async def at_provider(self) -> dict[str, Any]:
        """The provider's newest negotiation."""
        pid = (await views.negotiations(self.provider))[0]["pid"]
        return await views.negotiation(self.provider, pid)

    @staticmethod
    async def _due(node: Node) -> bool:
        now = node.clock.now()
        await node.store.write(lambda _tx: None)  # the marks that wait may hide what is due
        due = await node.store.read(outbox.next_due)
        return due is not None and due <= now


def application(**changes: Any) -> dict[str, Any]:
    """A researcher's draft."""
    return {
        "purpose": PURPOSE,
        "project": {"title": "A study", "end": "2027-06-30"},
        "fields": ["actor", "verb.id", "object.id", "timestamp"],
        "period": {"from": "2020-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"},
        "relation": {"type": "separate"},
        "processors": [],
    } | changes


def statements(learners: int, each: int = 3) -> list[dict[str, Any]]:
    """Statements of learners `learner-0` …, `each` of them apiece."""
    return [
        {
            "id": f"00000000-0000-4000-8000-{learner:06d}{index:06d}",
            "actor": {
                "objectType": "Agent",
                "account": {"homePage": "https://mooc.example", "name": f"learner-{learner}"},
            },
            "verb": {"id": "https://example.org/verbs/played"},
            "object": {"id": f"https://mooc.example/videos/{index}", "objectType": "Activity"},
            "timestamp": f"2026-0{index % 9 + 1}-10T12:34:56.789Z",
        }
        for learner in range(learners)
        for index in range(each)
    ]


@asynccontextmanager
async def pair(folder: Path, clock: ManualClock) -> AsyncIterator[Pair]:
    """Two nodes that have added each other."""
    wire = Wire()
    provider = _node(folder / "provider", 9101, wire, clock, seed=1)
    consumer = _node(folder / "consumer", 9201, wire, clock, seed=2)
    made = Pair(provider, consumer, wire, clock)
    nodes = (provider, consumer)
    try:
        for node in nodes:
            wire.apps[urlsplit(node.url).netloc] = doors.public(node)
            node.resolver.learn(DidDocument.of(identity.document(node), node.did))
        await peering.add(provider, OPERATOR, consumer.did, "Lab", ["labs"])
        await peering.add(consumer, OPERATOR, provider.did, "Platform", [])
        yield made
        assert not wire.faults, wire.faults
    finally:
        for node in nodes:
            await node.background.stop()
            await node.worker.stop()
            node.bitmaps.close()
            node.journal.close()
            node.log.close()
            node.store.close()


@functools.cache
def initialised(name: str, port: int) -> Path:
    """A node's folder as `init` leaves it; made once, copied for every test."""
    kept = tempfile.TemporaryDirectory(prefix="preau-pair-")
    atexit.register(kept.cleanup)
    folder = Path(kept.name) / name
    initialise(folder, name=name, public_url=f"http://localhost:{port}", dev=True)
    return folder


def _node(folder: Path, port: int, wire: Wire, clock: ManualClock, seed: int) -> Node:
    shutil.copytree(initialised(folder.name, port), folder)
    checked = configuration.read(folder)
    keys = KeyRing.load(folder / checked.keys.dir)
    store = Store.open(database(folder, checked))
    ids = SeededIds(seed)
    log = Log.open(
        folder / "log",
        store,
        sign=keys.sign_log,
        key=keys.log_public,
        origin=f"localhost:{port}/log",
        clock=clock,
        ids=ids,
    )
    return starting.assemble(
        folder=folder,
        settings=checked,
        clock=clock,
        ids=ids,
        keys=keys,
        store=store,
        log=log,
        fetch=wire,
    )
