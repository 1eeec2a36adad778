"""The other participant of a conformance scenario: it serves, it calls, it forgets nothing.

Its habits are those of foreign connectors that a node must bear: it answers 200 where DSP says 201,
without a content type, with empty bodies; its paths have slashes at the end; its messages have
members that no schema knows; it cannot sign anything.
"""

import http.client
import json
import queue
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import quote, urlsplit

from tests.conformance.scenarios import PARTICIPANT

Json = dict[str, Any]

CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"
UNKNOWN: Final = "urn:uuid:00000000-0000-0000-0000-000000000000"
"""What stands for a pid that is not known yet."""
_TIMEOUT: Final = 120
_FIRST: Final = {("negotiations", "request"), ("negotiations", "offers"), ("transfers", "request")}
_OWN: Final = {"request": "consumerPid", "offers": "providerPid"}
_POLICY: Final = {"permission": [{"action": "use", "constraint": []}]}


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the connector under test, and the path it came to."""

    path: str
    wire: Json
    fault: str = ""
    """What its schema has against it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the connector under test answered."""

    status: int
    body: Any
    headers: Json


class Counterpart:
    """A participant that speaks with one connector.

    Args:
        port: where it listens.
        base: the connector's DSP base URL.
        authorization: the `Authorization` it sends, verbatim; none if empty.
        check: looks at every JSON body of the connector (its schema).
        host: the address it listens at; loopback unless the connector is on another machine.
        url: its own DSP base URL, as the connector reaches it.
    """

    def __init__(
        self,
        port: int,
        base: str,
        authorization: str,
        check: Callable[[Json], None],
        *,
        host: str = "127.0.0.1",
        url: str = "",
    ) -> None:
        self.url = url.rstrip("/") or f"http://localhost:{port}"
        self.base = base
        self._authorization = authorization
        self._check = check
        self._states: dict[str, Json] = {}
        self._inbox: dict[str, queue.Queue[Message]] = {}
        self._opened: queue.Queue[Message] = queue.Queue()
        self._server = _serving(host, port, self)
        self._server.thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    # ------------------------------------------------------------------ receiving

    def opened(self) -> Message:
        """The next first message of a process that the connector opens."""
        return _valid(self._opened.get(timeout=_TIMEOUT))

    def next(self, pid: str) -> Message:
        """The next message about our process `pid`."""
        return _valid(self._inbox[pid].get(timeout=_TIMEOUT))

    def silent(self, pid: str) -> bool:
        """Whether nothing else has come about our process."""
        return self._inbox[pid].empty()

    def open(self, pid: str, state: Json) -> None:
        """Know a process of ours, and show this to whoever asks for it."""
        self._inbox.setdefault(pid, queue.Queue())
        self._states[pid] = state

    def took(self, path: str, wire: Json) -> bytes | None:
        """Take a message in; the body of the answer, None for a path that we do not know, or for
        a message that is not valid: whoever waits for it learns why.
        """
        parts = [part for part in path.split("/") if part]
        first = len(parts) == 2 and (parts[0], parts[1]) in _FIRST
        try:
            self._check(wire)
            assert not first or _OWN[parts[1]] in wire, "a first message names its sender's pid"
        except AssertionError as fault:
            waits = self._inbox.get(parts[1], self._opened) if len(parts) > 1 else self._opened
            waits.put(Message(path, wire, repr(fault)))
            return None
        if first:
            pid = f"counterpart-{uuid.uuid4()}"
            wire = {**wire, "_pid": pid}
            transfer = parts[0] == "transfers"
            state = "OFFERED" if parts[-1] == "offers" else "REQUESTED"
            by_provider = parts[-1] == "offers"
            shown = {
                "@context": [CONTEXT],
                "@type": "TransferProcess" if transfer else "ContractNegotiation",
                "providerPid": wire["providerPid"] if by_provider else pid,
                "consumerPid": pid if by_provider else wire["consumerPid"],
                "state": state,
            }
            self.open(pid, shown)
            self._opened.put(Message(path, wire))
            return json.dumps(shown).encode()
        if len(parts) < 3 or parts[1] not in self._inbox:
            return None
        self._inbox[parts[1]].put(Message(path, wire))
        return b""

    def shown(self, path: str) -> bytes | None:
        """The process that a GET asks for."""
        found = self._states.get(path.strip("/").split("/")[-1])
        return None if found is None else json.dumps(found).encode()

    # ------------------------------------------------------------------ sending

    def post(self, path: str, wire: Json) -> Answer:
        """A message of ours to the connector, with a member that it does not know."""
        said = {"@context": [CONTEXT], "@id": str(uuid.uuid4()), "extra": {"a": [1]}, **wire}
        return self.ask("POST", f"{self.base}{path}", json.dumps(said).encode())

    def get(self, path: str) -> Answer:
        """Something of the connector's."""
        return self.ask("GET", f"{self.base}{path}")

    def ask(self, method: str, url: str, body: bytes | None = None) -> Answer:
        """One request; a JSON body of the answer is checked."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(str(parts.hostname), parts.port, timeout=_TIMEOUT)
        headers = {"Authorization": self._authorization} if self._authorization else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            found = json.loads(content) if content else None
            if isinstance(found, dict) and "@type" in found:
                self._check(found)
            return Answer(answer.status, found, {k.lower(): v for k, v in answer.getheaders()})
        finally:
            connection.close()


def _valid(message: Message) -> Message:
    assert not message.fault, (message.wire, message.fault)
    return message


def segment(pid: str) -> str:
    """An identifier as one segment of a path."""
    return quote(pid, safe=":")


def offer(name: str, dataset: str, **more: Any) -> Json:
    """The plainest offer there is: use, without any condition."""
    return {"@type": "Offer", "@id": name, "target": dataset, **_POLICY, **more}


def agreement(name: str, dataset: str, assignee: str) -> Json:
    """An agreement of ours with the connector."""
    return {
        **offer(name, dataset, assigner=PARTICIPANT, assignee=assignee),
        "@type": "Agreement",
        "timestamp": "2026-11-01T08:00:00.242519823Z",
    }


class _Server(ThreadingHTTPServer):
    """The listening half."""

    daemon_threads = True
    thread: threading.Thread


def _serving(host: str, port: int, owner: Counterpart) -> _Server:
    below = urlsplit(owner.url).path

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            wire = json.loads(self.rfile.read(length))
            self._answer(owner.took(self.path.removeprefix(below), wire))

        def do_GET(self) -> None:
            self._answer(owner.shown(self.path))

        def _answer(self, body: bytes | None) -> None:
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            # A connection kept alive would go on answering after `close`.
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = _Server((host, port), Handler)
    server.thread = threading.Thread(target=server.serve_forever, daemon=True)
    return server
