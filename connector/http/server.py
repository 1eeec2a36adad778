"""The server of both ports: uvicorn on bound sockets, with limits on what comes before a body.

uvicorn waits for ever for the head of a request, keeps as much of one as it is sent, and takes as
many connections as come. Bodies have their own limits (`requests`).
"""

import asyncio
import contextlib
import resource
import socket
from typing import Final

import httptools
import uvicorn
from fastapi import FastAPI
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from connector.http.problems import problem_response
from policies.problem import Problem

PATIENCE: Final = 30.0
"""Seconds in which the head of a request must be here, from its connection or first byte on."""
LARGEST_HEAD: Final = 65_536
"""Bytes without a piece of body among them: a request line, headers, trailers."""
STALLED: Final = 120.0
"""Seconds in which nothing of an answer is read, after which it is given up."""
_GRACE: Final = 3
_KEEP_ALIVE: Final = 65
_BAD: Final = 400
_TIMEOUT: Final = 408
_TOO_LARGE: Final = 431
_FEWEST: Final = 16
_ENOUGH: Final = 30_000


def most_connections() -> int:
    """How many connections a port holds: a third of the files that this process may open, so that
    no number of them keeps the other port, the database or deliveries from working.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(_FEWEST, (_ENOUGH if files == resource.RLIM_INFINITY else min(files, _ENOUGH)) // 3)


class Server:
    """One uvicorn server on a bound socket; signals are the runtime's business."""

    def __init__(self, app: FastAPI, bound: socket.socket) -> None:
        self._server = uvicorn.Server(_config(app))
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
        self._bound = bound

    async def run(self) -> None:
        """Serve until told to stop."""
        await self._server.serve(sockets=[self._bound])

    def stop(self) -> None:
        """Finish what runs, take nothing new."""
        self._server.should_exit = True


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Guarded,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=True,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
        ws="none",
    )


class Guarded(HttpToolsProtocol):
    """HTTP/1.1 in which no head is late or endless, and nobody holds a place without asking."""

    patience = PATIENCE
    largest = LARGEST_HEAD
    stalled = STALLED
    most = most_connections()

    since = 0.0
    """When the connection was made, or its latest answer was out."""

    _late: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None
    _running: RequestResponseCycle | None = None
    _unread = 0
    _begun = False  # a head, not yet whole
    _again: bytes | None = None  # the head of a request that must be read without its `Upgrade`

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head; where all places are taken, who waits longest makes room."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self._wait()
        if len(self.connections) > self.most:
            known = (each for each in self.connections if isinstance(each, Guarded))
            idle = (each for each in known if not each.answers)
            min(idle, key=lambda each: each.since, default=self).transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._arrived()
        self.resume_writing()
        if self._running is not None:  # uvicorn tells the latest request only
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what goes on and on without becoming a request or a body."""
        self._unset_keepalive_if_required()
        self._unread += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(_BAD, Problem("http-malformed"))
        if self._unread > self.largest and not self.transport.is_closing():
            self._refuse(_TOO_LARGE, Problem("http-head-too-large", limit=self.largest))
        if self._late is None and not self.answers:
            self._wait()  # the rest of a body that was refused, or bytes between two requests

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        super().on_message_begin()
        self._begun = True
        if self._late is None:
            self._wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of a head. Trailers are none: nobody may say after a body what it was."""
        if self._begun:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here."""
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._again = self._plain_head()
            return
        self._arrived()
        self._begun = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body, which the application counts."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        if self._again is not None:
            return
        self._arrived()
        super().on_message_complete()
        self.cycle.more_body = False  # also where the answer came first

    def on_response_complete(self) -> None:
        """An answer is out."""
        self.since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Nobody reads the answer: for some time that may be."""
        super().pause_writing()
        self._stuck = self.loop.call_later(self.stalled, self.transport.abort)

    def resume_writing(self) -> None:
        """It is read."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        super().resume_writing()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _feed(self, data: bytes) -> None:
        """Parse. A request that offers another protocol is served in this one, as RFC 9110 (7.8)
        allows: Java's client offers HTTP/2 so. The parser would take its body for that protocol.
        """
        rest = memoryview(data)
        while rest:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                head, self._again = self._again, None
                if head is None:  # CONNECT: what follows is for nobody here
                    return
                self.parser.feed_data(head)
                rest = rest[upgrade.args[0] :]
            else:
                return

    def _plain_head(self) -> bytes:
        """The head of the request at hand without its `Upgrade`."""
        line = b"%s %s HTTP/1.1" % (self.parser.get_method(), self.url)
        kept = (b"%s: %s" % each for each in self.headers if each[0] != b"upgrade")
        return b"\r\n".join((line, *kept, b"", b""))

    @property
    def answers(self) -> bool:
        """Whether a request has come whose answer is not out."""
        under_way: RequestResponseCycle | None = self.cycle
        return under_way is not None and not under_way.response_complete

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.patience, self._give_up)

    def _arrived(self) -> None:
        self._unread = 0
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if self.answers:  # we do not read on before that is out
            self._wait()
        elif not self._begun:  # not a byte came
            self.transport.close()
        elif not self.transport.is_closing():
            self._refuse(_TIMEOUT, Problem("http-slow", seconds=round(self.patience)))

    def _refuse(self, status: int, problem: Problem) -> None:
        """Answer and hang up; not into an answer that is on its way, nor after one."""
        cycle: RequestResponseCycle | None = self.cycle
        unsaid = cycle is None or not cycle.more_body
        if cycle is not None and not cycle.response_complete:
            if not cycle.more_body:  # a whole request came before: it is answered, then we hang up
                cycle.keep_alive = False
                self.flow.pause_reading()
                return
            unsaid = not cycle.response_started and not self.pipeline
            cycle.disconnected = True
            cycle.message_event.set()
        if unsaid:
            answer = problem_response(problem, status)
            headers = (*answer.raw_headers, (b"connection", b"close"))
            lines = (b"HTTP/1.1 %d Refused" % status, *(b"%s: %s" % each for each in headers))
            self.transport.write(b"\r\n".join((*lines, b"", bytes(answer.body))))
        self.transport.close()
