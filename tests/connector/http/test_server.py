"""What comes before a body, on a real socket: neither late nor endless."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from connector.http.application import application
from connector.http.server import Guarded, Server

Talk = tuple[asyncio.StreamReader, asyncio.StreamWriter]
GET = b"GET /echo HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def echoing(held: asyncio.Event | None = None) -> FastAPI:
    made = application("echo")

    @made.get("/held")
    async def wait() -> dict[str, bool]:
        assert held is not None
        await held.wait()
        return {"held": True}

    @made.get("/echo")
    @made.post("/echo")
    async def echo(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return made


@contextlib.asynccontextmanager
async def served(app: FastAPI | None = None) -> AsyncIterator[int]:
    """An application behind the server of both ports; its port."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = Server(app or echoing(), bound)
        running = asyncio.create_task(server.run())
        try:
            yield bound.getsockname()[1]
        finally:
            server.stop()
            await running


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Talk]:
    while True:
        with contextlib.suppress(ConnectionRefusedError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            break
    try:
        yield reader, writer
    finally:
        writer.close()


async def said(talk: Talk, *pieces: bytes) -> bytes:
    """All that is answered until the server hangs up."""
    reader, writer = talk
    for piece in pieces:
        writer.write(piece)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


def problem(answer: bytes) -> tuple[int, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    return int(head.split()[1]), json.loads(body)


async def test_requests_are_answered_on_one_connection():
    async with served() as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for size in (0, 10, 300_000):
            answer = await client.post("/echo", content=b"x" * size)
            assert answer.json() == {"bytes": size}


@pytest.mark.parametrize("begun", [b"GET /ec", GET, GET + b"X-Slow: "])
async def test_a_head_that_does_not_arrive_is_refused(begun: bytes, monkeypatch: Any):
    monkeypatch.setattr(Guarded, "patience", 0.05)
    async with served() as port, connected(port) as talk:
        status, document = problem(await said(talk, begun))
    assert (status, document["code"]) == (408, "http-slow")


async def test_a_connection_without_a_byte_is_closed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Guarded, "patience", 0.05)
    async with served() as port, connected(port) as talk:
        assert await said(talk) == b""


async def test_the_second_head_is_waited_for_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Guarded, "patience", 0.2)
    async with served() as port, connected(port) as talk:
        answers = await said(talk, GET + b"\r\n" + GET)
    first, _, second = answers.partition(b'{"bytes":0}')
    assert first.startswith(b"HTTP/1.1 200")
    assert problem(second)[0] == 408


async def test_a_late_head_does_not_cut_off_the_answer_before_it(monkeypatch: pytest.MonkeyPatch):
    late, give_up = asyncio.Event(), Guarded._give_up

    def noted(server: Guarded) -> None:
        give_up(server)
        late.set()

    monkeypatch.setattr(Guarded, "patience", 0.05)
    monkeypatch.setattr(Guarded, "_give_up", noted)
    async with served(echoing(held=late)) as port, connected(port) as talk:
        answers = await said(talk, GET.replace(b"echo", b"held") + b"\r\n" + GET)
    first, _, second = answers.partition(b'{"held":true}')
    assert first.startswith(b"HTTP/1.1 200")
    assert problem(second)[0] == 408


@pytest.mark.parametrize(
    "endless",
    [
        b"G" * 70_000,
        b"GET /" + b"e" * 300_000,
        GET + b"X: " + b"y" * 300_000,
        GET + b"X: y\r\n" * 60_000,
    ],
)
async def test_an_endless_head_is_refused(endless: bytes):
    async with served() as port, connected(port) as talk:
        answer = await said(talk, endless)
    if answer:  # what was sent beyond the refusal may have reset the connection before it was read
        assert problem(answer)[0] in {400, 431}


async def test_what_is_no_http_is_refused_in_words():
    async with served() as port, connected(port) as talk:
        status, document = problem(await said(talk, b"\x16\x03\x01\x02\x00"))
    assert (status, document["code"]) == (400, "http-malformed")


async def test_a_large_head_is_refused_in_words():
    async with served() as port, connected(port) as talk:
        status, document = problem(await said(talk, GET + b"X: " + b"y" * 70_000))
    assert (status, document["code"]) == (431, "http-head-too-large")


async def test_endless_trailers_end_the_connection():
    chunk = b"1\r\nx\r\n0\r\n"
    async with served() as port, connected(port) as talk:
        answer = await said(talk, POST + chunk + b"X: " + b"y" * 70_000, b"y" * 300_000)
    assert b'{"bytes":1}' not in answer


async def test_small_chunks_without_end_are_a_body():
    async with served() as port, connected(port) as talk:
        last = b"0\r\nConnection: close\r\n\r\n"
        closing = POST.replace(b"Host: x", b"Host: x\r\nConnection: close")
        answer = await said(talk, closing, *[b"1\r\nx\r\n" * 20_000] * 5, last)
    assert answer.endswith(b'{"bytes":100000}')


# ------------------------------------------------------------------ bodies that are none


def split(answers: bytes) -> list[int]:
    """The statuses of all answers on a connection."""
    return [int(piece[:3]) for piece in answers.split(b"HTTP/1.1 ")[1:]]


@pytest.mark.parametrize(
    "head",
    [
        POST + b"zz\r\nx\r\n",
        POST + b"-1\r\nx\r\n",
        POST + b"1\r\nxyz\r\n",
        POST.replace(b"chunked", b"gzip"),
        POST.replace(b"chunked", b"identity"),
    ],
)
async def test_a_body_that_is_no_http_is_refused_in_words(head: bytes):
    async with served() as port, connected(port) as talk:
        status, document = problem(await said(talk, head))
    assert (status, document["code"]) == (400, "http-malformed")


async def test_what_is_longer_than_it_says_is_answered_and_then_refused():
    """The first five bytes are a request; what follows is none, and ends the connection."""
    short = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
    async with served() as port, connected(port) as talk:
        answer = await said(talk, short + b"{}{}{}{}{}")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'{"bytes":5}')


@pytest.mark.parametrize("offered", [b"h2c", b"websocket"])
@pytest.mark.parametrize("sized", [True, False])
async def test_a_request_that_offers_another_protocol_keeps_its_body(offered: bytes, sized: bool):
    """Java's HTTP client offers h2c with whatever it posts."""
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    head += b"HTTP2-Settings: AAMAAABk\r\nUpgrade: " + offered + b"\r\n"
    how, body = b"Content-Length: 5\r\n\r\n", b"12345"
    if not sized:
        how, body = b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n12345\r\n0\r\n\r\n"
    last = GET.replace(b"Host", b"Connection: close\r\nHost") + b"\r\n"
    async with served() as port, connected(port) as talk:
        talk[1].write((head + how)[:60])
        answers = await said(talk, (head + how)[60:], body, last)
    assert split(answers) == [200, 200]
    assert b'{"bytes":5}' in answers


async def test_a_thousand_such_offers_at_once_are_a_thousand_requests():
    offer = GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    last = GET.replace(b"Host", b"Connection: close\r\nHost") + b"\r\n"
    async with served() as port, connected(port) as talk:
        answers = await said(talk, offer * 1_200 + last)
    assert split(answers) == [200] * 1_201


async def test_trailers_are_no_headers():
    made, seen = application("seen"), list[str]()

    @made.post("/echo")
    async def echo(request: Request) -> None:
        await request.body()
        seen.extend(request.headers)

    async with served(made) as port, connected(port) as talk:
        closing = POST.replace(b"Host: x", b"Host: x\r\nConnection: close")
        await said(talk, closing + b"1\r\nx\r\n0\r\nAuthorization: Bearer x\r\n\r\n")
    assert seen == ["host", "connection", "transfer-encoding"]


# ------------------------------------------------------------------ places held for nothing


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", b"x"),
        (POST.replace(b"echo", b"nothing"), b"1\r\nx\r\n"),
        (POST.replace(b"echo", b"nothing"), b"0"),
        (GET.replace(b"echo", b"nothing") + b"\r\n", b"\r\n"),
    ],
)
async def test_a_refused_request_that_never_ends_is_cut_off(
    begun: bytes, more: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Guarded, "patience", 0.1)
    async with served() as port, connected(port) as talk:
        reader, writer = talk
        writer.write(begun)
        await reader.readuntil(b"404")
        writer.write(more)
        assert b"HTTP/1.1" not in await reader.read()


async def test_who_waits_longest_makes_room(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Guarded, "most", 3)
    async with served() as port, contextlib.AsyncExitStack() as opened:
        talks = [await opened.enter_async_context(connected(port)) for _ in range(3)]
        for reader, writer in talks[:1]:  # one that has just been answered
            writer.write(GET + b"\r\n")
            await reader.readuntil(b"}")
        last = await opened.enter_async_context(connected(port))
        assert await talks[1][0].read() == b""
        for reader, writer in (talks[0], talks[2], last):
            writer.write(GET + b"\r\n")
            assert await reader.readuntil(b"}")


async def test_an_answer_that_nobody_reads_is_given_up(monkeypatch: pytest.MonkeyPatch):
    gone, lost = asyncio.Event(), Guarded.connection_lost

    def noted(server: Guarded, exc: Exception | None) -> None:
        lost(server, exc)
        gone.set()

    monkeypatch.setattr(Guarded, "stalled", 0.05)
    monkeypatch.setattr(Guarded, "connection_lost", noted)
    made = application("large")
    made.add_api_route("/echo", lambda: Response(b"x" * 50_000_000))
    async with served(made) as port, connected(port) as talk:
        talk[1].write(GET + b"\r\n")
        await asyncio.wait_for(gone.wait(), 30)


async def test_pipelined_requests_of_somebody_who_left_fail_in_silence(
    monkeypatch: pytest.MonkeyPatch,
):
    failed: list[object] = []
    monkeypatch.setattr("connector.base.telemetry.failure", lambda *said: failed.append(said))
    held = asyncio.Event()
    async with served(echoing(held)) as port:
        async with connected(port) as talk:
            talk[1].write((GET.replace(b"echo", b"held") + b"\r\n") * 5)
            await talk[1].drain()
            talk[1].transport.abort()
        held.set()
    assert failed == []
