"""Bodies too large to hold, from peers that lie about them, stall or break off."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest

from connector.delivery.client import PeerClient
from policies.problem import Problem
from tests.connector.delivery.conftest import Serve, answer

MEGABYTE = b"0123456789abcdef" * 65_536


@pytest.fixture
async def client() -> AsyncIterator[PeerClient]:
    async with PeerClient(dev=True) as client:
        yield client


class Sink:
    """Where a body goes, piece by piece."""

    def __init__(self) -> None:
        self.size = self.largest = 0
        self.hash = hashlib.sha256()

    async def write(self, piece: bytes) -> None:
        self.size += len(piece)
        self.largest = max(self.largest, len(piece))
        self.hash.update(piece)


async def test_a_large_body_passes_in_small_pieces(client: PeerClient, serve: Serve):
    peer, sink = await serve(answer(MEGABYTE * 8, headers="Content-Type: text/csv\r\n")), Sink()
    got = await client.download(peer.url, sink.write, limit=len(MEGABYTE) * 8)
    assert (got.status, got.body, got.headers["content-type"]) == (200, b"", "text/csv")
    assert sink.hash.digest() == hashlib.sha256(MEGABYTE * 8).digest()
    assert sink.largest < len(MEGABYTE)


async def test_a_refusal_is_returned_and_nothing_written(client: PeerClient, serve: Serve):
    peer, sink = await serve(answer(b'{"no":1}', "403 Forbidden")), Sink()
    got = await client.download(peer.url, sink.write, limit=10)
    assert (got.status, got.body, sink.size) == (403, b'{"no":1}', 0)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (answer(b"x" * 100), "delivery-too-large"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 100,
            "delivery-too-large",
        ),
        (answer(b"", "302 Found", "Location: http://localhost/\r\n"), "delivery-redirect"),
        (answer(b"x", headers="Content-Encoding: gzip\r\n"), "delivery-encoding"),
        (b"garbage\r\n\r\n", "delivery-garbled"),
    ],
)
async def test_what_must_not_be_used(client: PeerClient, serve: Serve, reply: bytes, code: str):
    peer, sink = await serve(reply), Sink()
    with pytest.raises(Problem, match=code):
        await client.download(peer.url, sink.write, limit=50)
    assert sink.size <= 50


async def test_a_body_that_breaks_off_is_no_body(client: PeerClient, serve: Serve):
    async def broken(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"x" * 50, length=100))
        await writer.drain()
        writer.transport.abort()

    peer = await serve(broken)
    with pytest.raises(Problem, match=r"delivery-(unreachable|garbled)"):
        await client.download(peer.url, Sink().write, limit=1000)


async def test_silence_has_an_end(client: PeerClient, serve: Serve):
    async def stalls(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"x" * 50, length=100))
        await writer.drain()

    peer = await serve(stalls)
    with pytest.raises(Problem, match="delivery-timeout"):
        await client.download(peer.url, Sink().write, limit=1000, timeout=0.1)


async def test_our_own_slow_disk_is_not_the_peers_silence(client: PeerClient, serve: Serve):
    peer, sink = await serve(answer(b"x" * 100)), Sink()
    gate = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def slow(piece: bytes) -> None:
        loop.call_later(1.2, gate.set)
        await gate.wait()
        await sink.write(piece)

    assert (await client.download(peer.url, slow, limit=100, timeout=1.0)).status == 200
    assert sink.size == 100


async def test_addresses_we_do_not_speak_to(serve: Serve):
    async with PeerClient() as strict:
        for url in ("http://peer.example/x", "https://127.0.0.1/x", "file:///etc/passwd"):
            with pytest.raises(Problem, match="delivery-"):
                await strict.download(url, Sink().write, limit=10)
