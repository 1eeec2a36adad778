"""Bodies that are made while they go out."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from connector.delivery.client import PeerClient
from policies.problem import Problem
from tests.connector.delivery.conftest import Serve, answer


@pytest.fixture
async def client() -> AsyncIterator[PeerClient]:
    async with PeerClient(dev=True) as client:
        yield client


async def pieces(*given: bytes | Problem) -> AsyncIterator[bytes]:
    for each in given:
        if isinstance(each, Problem):
            raise each
        yield each


class Sink:
    """A server that reads one chunked body to its end, and says whether the end was clean."""

    def __init__(self, status: str = "200 OK") -> None:
        self.body, self.clean, self.status = b"", False, status

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while size := int(await reader.readline(), 16):
            self.body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        self.clean = True
        writer.write(answer(b"{}", self.status))
        await writer.drain()


async def test_pieces_arrive_as_one_body(client: PeerClient, serve: Serve):
    sink = Sink("201 Created")
    peer = await serve(sink)
    headers = {"Content-Type": "text/csv", "Authorization": "secret"}
    got = await client.upload(peer.url + "/sink", pieces(b"a,b\n", b"1,2\n"), headers=headers)
    assert (got.status, sink.body, sink.clean) == (201, b"a,b\n1,2\n", True)
    head = peer.requests[0].lower()
    assert head.startswith(b"post /sink http/1.1")
    assert b"content-type: text/csv" in head
    assert b"content-length" not in head


async def test_a_cut_never_ends_cleanly(client: PeerClient, serve: Serve):
    sink = Sink()
    peer = await serve(sink)
    with pytest.raises(Problem, match="release-suspended"):
        await client.upload(peer.url, pieces(b"a", Problem("release-suspended")))
    assert not sink.clean


async def test_a_refusal_is_an_answer_and_a_redirect_none(client: PeerClient, serve: Serve):
    peer = await serve(Sink("403 Forbidden"))
    assert (await client.upload(peer.url, pieces(b"a"))).status == 403
    elsewhere = await serve(Sink("307 Temporary Redirect"))
    with pytest.raises(Problem, match="delivery-redirect"):
        await client.upload(elsewhere.url, pieces(b"a"))


async def test_a_peer_that_does_not_answer(client: PeerClient, serve: Serve):
    async def stalls(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(10)

    peer = await serve(stalls)
    with pytest.raises(Problem, match="delivery-timeout"):
        await client.upload(peer.url, pieces(b"a"), timeout=0.1)


async def test_nobody_there(client: PeerClient):
    with pytest.raises(Problem, match="delivery-unreachable"):
        await client.upload("http://localhost:1025/", pieces(b"a"))
