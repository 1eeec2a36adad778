"""A node and a connector with the habits of an EDC that know each other, for these tests."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector.identity import edc as profile
from connector.services.consent import consents
from connector.services.discover import peering
from connector.services.negotiate import people
from connector.services.node import Node
from connector.services.publish import publishing
from connector.services.publish.publishing import Upload
from connector.services.release import transferring
from connector.services.show import auditing, views
from tests.peers.edc import FakeEdc, Process
from tests.support import traces
from tests.support.pair import AUDITOR, DPO, OPERATOR, RESEARCHER
from tests.support.served import served

GENERATIONS = ("0.14.1", "0.18.0")
# Where both generations do the same, one is enough.
ONE = pytest.mark.parametrize("world", ["0.14.1"], indirect=True)
LATER = pytest.mark.parametrize("world", ["0.18.0"], indirect=True)
SOON = 60.0


@dataclass
class World:
    """A node and a connector that know each other."""

    node: Node
    edc: FakeEdc

    async def ask(self, dataset: str) -> dict[str, Any]:
        """The node asks; the negotiation once it has settled."""
        draft = traces.application()
        made = await people.request(self.node, RESEARCHER, dataset, draft, self.edc.name)
        return await views.negotiation(self.node, made["pid"], wait=SOON, until=views.SETTLED)

    async def begin(self, agreement: str) -> str:
        """The node asks for the data; our pid of the transfer, once it has started."""
        pid = await transferring.start(self.node, RESEARCHER, agreement, "ndjson")
        await self.until(pid, "STARTED")
        return pid

    async def until(self, pid: str, state: str) -> dict[str, Any]:
        found = await views.transfer(self.node, pid, wait=SOON, until=state)
        assert found["state"] == state, found
        return found

    async def agreed(self, which: int = 0) -> Process:
        """The connector asks for the node's dataset under one of its offers, to the end."""
        asked = (self.node.did, self.node.dsp, f"{self.node.url}/datasets/traces", which)
        made = await asyncio.to_thread(self.edc.negotiate, *asked)
        state = await asyncio.to_thread(made.reached, "FINALIZED", "TERMINATED")
        assert state == "FINALIZED", (made.failed, (await views.negotiations(self.node)))
        return made

    async def pulls(self, negotiation: Process) -> Process:
        """The connector asks for the data; its transfer, once it has started."""
        made = self.edc.pull(negotiation)
        assert await asyncio.to_thread(made.reached, "STARTED", "TERMINATED") == "STARTED"
        return made

    async def bundle(self, agreement: str, path: Path) -> Path:
        content = await auditing.bundle(self.node, AUDITOR, agreement)
        await asyncio.to_thread(path.write_bytes, content)
        return path


@pytest.fixture(params=GENERATIONS)
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with meeting(tmp_path, FakeEdc("edc-university", request.param)) as made:
        yield made


class meeting:  # noqa: N801  (reads as what happens)
    """A node that knows a connector, for the length of a `with`."""

    def __init__(self, folder: Path, edc: FakeEdc) -> None:
        self.edc = edc
        self.serving = served(folder / "node", {"edc": {"mock_identity": True, "pause_millis": 20}})

    async def __aenter__(self) -> World:
        node = await self.serving.__aenter__()
        where = profile.participant(self.edc.name, self.edc.dsp, [self.edc.plane.url])
        await peering.add_edc(node, OPERATOR, where, "EDC", ["labs"])
        return World(node, self.edc)

    async def __aexit__(self, *_: object) -> None:
        await self.serving.__aexit__(None, None, None)
        self.edc.close()


async def publish(node: Node, **about: Any) -> None:
    """A dataset under consent, for which every learner consents to the group `labs`."""
    rows = traces.statements(12, 3)
    chunks = [traces.lines(rows), b""]

    async def read(_: int) -> bytes:
        return chunks.pop(0)

    await publishing.add(
        node, OPERATOR, Upload(traces.about(**about).encode(), "t.jsonl", read, 0.0)
    )
    names = sorted({str(row["actor"]["account"]["name"]) for row in rows})
    await consents.load(node, DPO, traces.consent_file(names, "group:labs").encode())
