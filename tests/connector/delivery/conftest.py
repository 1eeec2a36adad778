"""Peers of every temper (real servers on loopback), and a worker over a real database."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from connector.delivery.outbox import Limits, Outcome, Worker
from connector.identity.ports import Response
from connector.store import outbox
from connector.store.rows import OutboxRow
from connector.store.store import Store
from policies.problem import Problem
from tests.support.clock import ManualClock
from tests.support.databases import fresh
from tests.support.fetching import NoDownload
from tests.support.ids import SeededIds

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Peer:
    """One server; `requests` holds what arrived, head and body, byte for byte."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.partition(b":")[2]))
    return head


def answer(
    body: bytes = b"{}", status: str = "200 OK", headers: str = "", *, length: int | None = None
) -> bytes:
    """A whole HTTP answer; `length` lies about the body."""
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n{headers}\r\n".encode() + body


Serve = Callable[..., Awaitable[Peer]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """`await serve(b"HTTP/1.1 …")` answers every request with these bytes; or pass a handler."""
    async with AsyncExitStack() as stack:
        writers: list[asyncio.StreamWriter] = []

        async def start(
            reply: bytes | Handler, tls: ssl.SSLContext | None = None, greeting: bytes = b""
        ) -> Peer:
            peer = Peer(0)

            async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writers.append(writer)
                peer.connections += 1
                writer.write(greeting)
                try:
                    while True:
                        peer.requests.append(await read_request(reader))
                        if isinstance(reply, bytes):
                            writer.write(reply)
                            await writer.drain()
                        else:
                            await reply(reader, writer)
                except (asyncio.IncompleteReadError, ConnectionError):
                    pass
                finally:
                    writer.close()

            server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
            stack.push_async_callback(_stop, server, writers)
            peer.port = server.sockets[0].getsockname()[1]
            return peer

        yield start


async def _stop(server: asyncio.Server, writers: list[asyncio.StreamWriter]) -> None:
    server.close()
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0)
    await server.wait_closed()


# ------------------------------------------------------------------ a node that only delivers

BOB = "did:web:bob.example"
Answer = Response | Problem | asyncio.Event


def unreachable() -> Problem:
    return Problem("delivery-unreachable", host="bob.example", port=443)


@dataclass
class Post(NoDownload):
    """Implements Fetch: per URL a queue of answers, then 200; an Event holds an answer back."""

    answers: dict[str, deque[Answer]] = field(default_factory=dict)
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    flying: int = 0
    most: int = 0
    down: Callable[[str], bool] = field(default=lambda url: False)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def script(self, url: str, *answers: Answer | int) -> None:
        self.answers[url] = deque(Response(a) if isinstance(a, int) else a for a in answers)

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = 0,
        timeout: float = 0,  # noqa: ASYNC109
    ) -> Response:
        self.sent.append((url, body))
        self.headers.append(headers or {})
        self.changed.set()
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            queue = self.answers.get(url)
            now = queue.popleft() if queue else Response(200, {}, b'{"ok":true}')
            if isinstance(now, asyncio.Event):
                await now.wait()
                return Response(200)
            await asyncio.sleep(0)
            if self.down(url):
                raise unreachable()
            if isinstance(now, Problem):
                raise now
            return now
        finally:
            self.flying -= 1

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = 0,
        timeout: float = 0,  # noqa: ASYNC109
    ) -> Response:
        raise AssertionError("the worker reads nothing")

    @property
    def urls(self) -> list[str]:
        return [url for url, _ in self.sent]


class World:
    """A node's store, clock and worker; `settled` holds what services would have recorded."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self.store = store
        self.clock = clock
        self.post = Post()
        self.settled: list[tuple[int, Outcome]] = []
        self.on_settle: Callable[[OutboxRow, Outcome], None] = lambda row, outcome: None
        self.tokens = 0
        self.worker = self.new_worker()

    def new_worker(self, **limits: float) -> Worker:
        return Worker(
            self.store,
            self.post,
            self.clock,
            authorize=self.authorize,
            settle=self.settle,
            random=SeededIds("jitter").token,
            limits=replace(Limits(), **limits),  # type: ignore[arg-type]
        )

    def authorize(self, row: OutboxRow) -> dict[str, str]:
        self.tokens += 1
        return {"Authorization": f"Bearer {row.peer} {self.tokens}"}

    async def settle(self, row: OutboxRow, outcome: Outcome) -> bool:
        self.on_settle(row, outcome)
        self.settled.append((row.seq, outcome))
        self.post.changed.set()
        return outcome.delivered

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what a sent or settled message brings about."""
        while not condition():
            self.post.changed.clear()
            await self.post.changed.wait()

    def message(self, process: str, n: int = 1, peer: str = BOB, **more: object) -> OutboxRow:
        now = self.clock.now()
        row = OutboxRow(
            process=process,
            peer=peer,
            url=f"https://{peer.rpartition(':')[2]}/{process}/{n}",
            type="ContractRequestMessage",
            body=f"{process}-{n}".encode(),
            next_at=now,
            created=now,
        )
        return replace(row, **more)  # type: ignore[arg-type]

    async def put(self, process: str, n: int = 1, peer: str = BOB, **more: object) -> int:
        row = self.message(process, n, peer, **more)
        return await self.store.write(lambda tx: outbox.put(tx, row))

    async def row(self, seq: int) -> OutboxRow:
        found = await self.store.write(lambda tx: outbox.get(tx, seq=seq))  # flushes marks
        assert found is not None
        return found

    async def due(self) -> float | None:
        """Seconds until something can be sent."""
        found = await self.store.write(outbox.next_due)
        return None if found is None else (found - self.clock.now()).total_seconds()

    async def pass_time(self) -> bool:
        """Move to the next due instant and deliver; False when nothing is pending."""
        seconds = await self.due()
        if seconds is None:
            return False
        self.clock.advance(max(seconds, 0))
        await self.worker.run_until_idle()
        return True


@pytest.fixture
async def world(tmp_path: Path, clock: ManualClock) -> AsyncIterator[World]:
    store = Store.open(fresh(tmp_path / "node.db"))
    yield World(store, clock)
    await asyncio.to_thread(store.close)
