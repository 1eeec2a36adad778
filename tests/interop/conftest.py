"""One EDC and one Préau that know each other, for all tests of this folder."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.interop.edc import Edc, available
from tests.support import traces
from tests.support.nodes import NodeProcess, free_port

CSV = b"learner,score\n" + b"".join(b"%d,%d\n" % (n, n % 20) for n in range(5_000))


@dataclass
class Shelf:
    """A plain HTTP server: what an EDC offers lies here, and what it pushes arrives here."""

    url: str
    pushed: list[bytes] = field(default_factory=list)


@dataclass
class World:
    """The two connectors; `dsp` is where the EDC finds Préau."""

    edc: Edc
    node: NodeProcess
    shelf: Shelf

    @property
    def dsp(self) -> str:
        return f"{self.node.url}/dsp/2025-1"

    @property
    def dataset(self) -> str:
        return f"{self.node.url}/datasets/traces"


@pytest.fixture(scope="session")
def shelf() -> Iterator[Shelf]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(CSV, "text/csv")

        def do_POST(self) -> None:
            made.pushed.append(b"".join(self.chunks()))
            self.answer(b"", "text/plain")

        def chunks(self) -> Iterator[bytes]:
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def answer(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
    made = Shelf(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, shelf: Shelf) -> Iterator[World]:
    if not available():
        pytest.fail("an EDC needs java, javac and mvn (Debian: openjdk-17-jdk-headless, maven)")
    folder = tmp_path_factory.mktemp("interop")
    edc = Edc.make(folder / "edc", "edc-university")
    node = NodeProcess.init(folder / "preau")
    node.configure("edc", mock_identity=True)
    try:
        edc.start()
        node.start()
        where = ("--edc", edc.dsp, "--data", edc.data, "--data", shelf.url, "--group", "labs")
        node.must("peer", "add", edc.id, *where)
        publish(node)
        yield World(edc, node, shelf)
    finally:
        node.stop()
        edc.stop()


def publish(node: NodeProcess) -> None:
    """A dataset under consent, for which every learner consents to the group of the EDC."""
    folder, rows = node.folder.parent, traces.statements()
    (folder / "t.jsonl").write_bytes(traces.lines(rows))
    (folder / "t.toml").write_text(traces.about(), "utf-8")
    node.must("dataset", "add", folder / "t.jsonl", "--about", folder / "t.toml")
    names = sorted({str(row["actor"]["account"]["name"]) for row in rows})
    (folder / "c.csv").write_text(traces.consent_file(names, "group:labs"), "utf-8")
    node.must("consent", "import", folder / "c.csv", role="dpo")
