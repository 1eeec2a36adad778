"""The server of both ports: uvicorn on bound sockets, with limits on what comes before a body.

uvicorn waits for ever for the head of a request, and keeps as much of one as it is sent. Bodies
have their own limits (`requests`).
"""

import asyncio
import contextlib
import socket
from typing import Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from connector.http.problems import problem_response
from policies.problem import Problem

PATIENCE: Final = 30.0
"""Seconds in which the head of a request must be here, from its connection or first byte on."""
LARGEST_HEAD: Final = 65_536
"""Bytes without a piece of body among them: a request line, headers, trailers."""
_GRACE: Final = 3
_KEEP_ALIVE: Final = 65
_BAD: Final = 400
_TIMEOUT: Final = 408
_TOO_LARGE: Final = 431


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
    """HTTP/1.1 in which the head of a request is neither late nor endless."""

    patience = PATIENCE
    largest = LARGEST_HEAD

    _late: asyncio.TimerHandle | None = None
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and refuse what goes on and on without becoming a request or a body."""
        self._unread += len(data)
        super().data_received(data)
        if self._unread > self.largest and not self.transport.is_closing():
            self._refuse(_TOO_LARGE, Problem("http-head-too-large", limit=self.largest))

    def on_message_begin(self) -> None:
        """The first byte of a head."""
        super().on_message_begin()
        if self._late is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._arrived()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body, which the application counts."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        self._unread = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (the library's own word)
        """What cannot be read as HTTP."""
        self._refuse(_BAD, Problem("http-malformed"))

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.patience, self._give_up)

    def _arrived(self) -> None:
        self._unread = 0
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        if self.scope is None:  # not a byte came
            self.transport.close()
        elif self._answers():  # we do not read on before that is out
            self._wait()
        elif not self.transport.is_closing():
            self._refuse(_TIMEOUT, Problem("http-slow", seconds=round(self.patience)))

    def _refuse(self, status: int, problem: Problem) -> None:
        """Answer and hang up; not into an answer that is on its way."""
        if not self._answers():
            answer = problem_response(problem, status)
            headers = (*answer.raw_headers, (b"connection", b"close"))
            lines = (b"HTTP/1.1 %d Refused" % status, *(b"%s: %s" % each for each in headers))
            self.transport.write(b"\r\n".join((*lines, b"", bytes(answer.body))))
        self.transport.close()

    def _answers(self) -> bool:
        under_way: RequestResponseCycle | None = self.cycle
        return under_way is not None and not under_way.response_complete
