"""The HTTP half of a fake peer: a real server on loopback, and a client that sends at once."""

import gzip
import http.server
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
TIMEOUT = 10


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Json:
        return dict(json.loads(self.body))


@dataclass(frozen=True)
class Told:
    """One answer: a status, a JSON value or bytes, further headers."""

    status: int
    body: Json | bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Server:
    """Answers with what `answer` says, a thread a request; `seen` is all that was asked."""

    def __init__(self, answer: Callable[[Asked], Told]) -> None:
        self.seen: list[tuple[str, str, int]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._go()

            def do_POST(self) -> None:
                self._go()

            def _go(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, self._body())
                told = answer(asked)
                outer.seen.append((asked.method, asked.path, told.status))
                self._tell(told)

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                found = b""
                while size := int(self.rfile.readline(), 16):
                    found += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return found

            def _tell(self, told: Told) -> None:
                raw = told.body if isinstance(told.body, bytes) else b""
                body = raw if not isinstance(told.body, dict) else json.dumps(told.body).encode()
                self.send_response(told.status)
                for name, value in told.headers or (("Content-Type", "application/json"),):
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def send(url: str, body: Json | None, authorization: str) -> tuple[int, Json]:
    """One request, with an EDC's headers; status and JSON of the answer (an empty object for
    none).
    """
    data = None if body is None else json.dumps(body).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Accept-Encoding": "gzip",
        "Authorization": authorization,
    }
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            status, content, coding = answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            status, content, coding = error.code, error.read(), error.headers
    if coding.get("Content-Encoding") == "gzip":
        content = gzip.decompress(content)
    return status, dict(json.loads(content)) if content else {}
