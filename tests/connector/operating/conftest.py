"""The two nodes of a release, restored once and copied for each test; wired in this process.

`platform` has published, agreed and sent two parts to `lab`; both were backed up in the middle of
that transfer. A node is opened by `runtime.opened` with a clock that stands and a `Fetch` that
calls the other node's public application: real services, no sockets.
"""

import gzip
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connector import operating, runtime
from connector.base import settings as configuration
from connector.identity import vault
from connector.identity.ports import Response
from connector.services import access
from connector.services.access import Actor
from connector.services.fetch import fetching
from connector.services.fetch.fetches import Progress
from connector.services.node import Node
from connector.services.operate import restored, starting
from connector.services.operate.restoring import Restoring
from connector.store import transfers
from policies.problem import Problem
from tests.support import doors
from tests.support.clock import ManualClock
from tests.support.fetching import NoDownload
from tests.support.ids import SeededIds
from tests.support.source import ROOT

FIXTURES = ROOT / "tests" / "fixtures"
PASSPHRASE = "release 0.1 test fixture"
LATER = datetime(2027, 1, 10, 8, 0, tzinfo=UTC)


def archive_of(release: str, name: str, target: Path) -> Path:
    """A node's backup as that release wrote it."""
    packed = FIXTURES / f"release-{release}" / f"{name}.tar.gz"
    target.write_bytes(gzip.decompress(packed.read_bytes()))
    return target


@pytest.fixture(autouse=True)
def _cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealing at the lowest cost a reader accepts; the usual one is for `identity/test_vault`."""
    monkeypatch.setattr(vault, "_COST", 2**14)


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The backups of the current release's two nodes."""
    root = tmp_path_factory.mktemp("archives")
    return {name: archive_of("0.1", name, root / f"{name}.tar") for name in ("platform", "lab")}


@pytest.fixture(scope="session")
def folders(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both nodes restored, still in quarantine; copied, never used."""
    root = tmp_path_factory.mktemp("restored")
    for name, archive in archives.items():
        restoring = Restoring(PASSPHRASE)
        operating.restore(archive, root / name, restoring, clock=ManualClock(LATER))
        operating.upgrade(root / name)
    return {name: root / name for name in archives}


@pytest.fixture
def clock() -> ManualClock:
    """A clock some weeks after the backups."""
    return ManualClock(LATER)


@pytest.fixture
def copy_of(folders: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A node's folder of this test's own, in quarantine."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(folders[name], tmp_path / name))

    return copy


@dataclass
class Wire(NoDownload):
    """Implements Fetch: calls the other node's public port in this process.

    `answers` come first, by the end of the URL: a Response or a Problem in place of the node's.
    """

    app: Any = None
    answers: dict[str, Response | Problem] = field(default_factory=dict)

    async def get(self, url: str, **options: Any) -> Response:
        return await self._send("GET", url, None, options.get("headers"))

    async def post(self, url: str, body: bytes, **options: Any) -> Response:
        return await self._send("POST", url, body, options.get("headers"))

    async def _send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> Response:
        for end, answer in self.answers.items():
            if url.endswith(end):
                if isinstance(answer, Problem):
                    raise answer
                return answer
        if self.app is None:
            raise Problem("delivery-unreachable", host="localhost", port=0)
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport) as client:
            found = await client.request(method, url, content=body, headers=headers)
        return Response(found.status_code, dict(found.headers), found.content)


@dataclass
class Opened:
    """One node at work, and what it reaches others through."""

    node: Node
    wire: Wire
    who: dict[str, Actor]

    async def release(self) -> None:
        """The data protection officer ends the quarantine."""
        await restored.confirm(self.node, self.who["dpo"], "Checked.")

    async def progress(self) -> Progress:
        """How far the fetch of this node's one transfer is."""
        rows = await self.node.store.read(transfers.listing)
        return self.node.fetches.of(rows[0].pid)


async def fetch_all(lab: Opened, parts: int | None = None) -> Problem | None:
    """Let a consumer fetch everything, or so many parts; why it stopped, if it did."""
    rows = await lab.node.store.read(transfers.listing)
    await fetching.start(lab.node, lab.who["researcher"], rows[0].pid, parts)
    await lab.node.background.idle()
    return (await lab.progress()).problem


Open = Callable[[Path], AbstractAsyncContextManager[Opened]]


@pytest.fixture
def opening(clock: ManualClock) -> Open:
    """Open a node's folder as `serve` does, without ports."""

    @asynccontextmanager
    async def open_node(folder: Path, own: ManualClock = clock) -> AsyncIterator[Opened]:
        wire = Wire()
        checked = configuration.read(folder)
        with runtime.opened(folder, checked, wire, clock=own, ids=SeededIds(folder.name)) as node:
            await starting.resume(node)
            try:
                roles: dict[str, Actor] = {
                    role: Actor(f"actor-{role}", role) for role in access.ROLES
                }
                yield Opened(node, wire, roles)
            finally:
                await node.background.stop()
                await node.worker.stop()

    return open_node


@asynccontextmanager
async def pair(opening: Open, platform: Path, lab: Path) -> AsyncIterator[tuple[Opened, Opened]]:
    """Both nodes, each reaching the other."""
    async with opening(platform) as one, opening(lab) as other:
        one.wire.app, other.wire.app = doors.public(other.node), doors.public(one.node)
        yield one, other


@pytest.fixture
def paired(
    opening: Open, copy_of: Callable[[str], Path]
) -> Callable[[], AbstractAsyncContextManager[tuple[Opened, Opened]]]:
    """Fresh copies of both nodes, connected; both in quarantine."""
    return lambda: pair(opening, copy_of("platform"), copy_of("lab"))
