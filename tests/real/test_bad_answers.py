"""A peer that answers slowly, with garbage, without end, or with another node's catalog.

Real sockets on both sides: the peer is a server that writes bytes as told, the asker a node.
"""

import gzip
import http.client
import json
import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from policies.problem import Problem
from tests.real.test_bad_peers import token
from tests.support import traces
from tests.support.nodes import NodeProcess, Two
from tests.support.telling import assert_tells

pytestmark = pytest.mark.slow

DRIP = 0.2
"""Seconds between two bytes of a peer that is slow on purpose."""
MOST = 64 * 2**20
"""What one bad answer may cost the node in memory."""

Say = Callable[[Callable[[bytes], Any], threading.Event], None]
"""Writes an answer with the function given, until it is done or the event says stop."""


def said(body: bytes, kind: str = "application/json", extra: str = "") -> bytes:
    """A whole answer."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def once(data: bytes) -> Say:
    return lambda write, _: write(data)


def drip(before: bytes, data: bytes) -> Say:
    """One byte at a time, for ever."""

    def say(write: Callable[[bytes], Any], stop: threading.Event) -> None:
        write(before)
        while not stop.wait(DRIP):
            write(data)

    return say


def endless(before: bytes, block: bytes) -> Say:
    def say(write: Callable[[bytes], Any], stop: threading.Event) -> None:
        write(before)
        while not stop.is_set():
            write(block)

    return say


SLOW_HEAD = drip(b"HTTP/1.1 200 OK\r\nX-A: ", b"a")
SLOW_BODY = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b" ")
CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"


def bomb(extra: str = "") -> Say:
    """A gzip bomb, packed when it is sent: a run that leaves these tests out need not wait."""
    return lambda write, _: write(said(gzip.compress(b" " * 2**28), extra=extra))


ANSWERS: dict[str, tuple[Say, str]] = {
    "another protocol": (once(b"SSH-2.0-OpenSSH_9.6\r\n"), "delivery-"),
    "half a head": (once(b"HTTP/1.1 200 OK\r\nContent-"), "delivery-"),
    "half a body": (once(said(b"{}" * 50)[:-20]), "delivery-"),
    "a web page": (once(said(b"<html>It works!</html>", "text/html")), "catalog-json"),
    "broken JSON": (once(said(b'{"@context": [')), "catalog-json"),
    "JSON twice": (once(said(b'{"a": 1, "a": 2}')), "catalog-json"),
    "no object": (once(said(b"[1, 2]")), "catalog-json"),
    "an empty object": (once(said(b"{}")), "catalog-"),
    "deep JSON": (once(said(b'{"a":' * 5000 + b"1" + b"}" * 5000)), "catalog-json"),
    "a huge body, declared": (
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"),
        "delivery-too-large",
    ),
    "an endless body": (
        endless(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNK),
        "delivery-too-large",
    ),
    "an endless head": (endless(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"), "del"),
    "a gzip bomb": (bomb("Content-Encoding: gzip\r\n"), "delivery-encoding"),
    "a gzip bomb that does not say so": (bomb(), "catalog-json"),
    "an error": (once(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), "peer-refused"),
}


class Server(socketserver.ThreadingTCPServer):
    """Says what it was told for `/catalog`, and what the peer really says for the rest."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, pages: dict[str, bytes], answers: list[Say]) -> None:
        self.stopped = threading.Event()
        self._turn = threading.Lock()
        self._pages, self._answers = pages, answers
        super().__init__(("127.0.0.1", port), Handler)

    def say(self, path: str, write: Callable[[bytes], Any]) -> None:
        """Answer one request; several answers are given in turn."""
        if path != "/catalog":
            known = self._pages.get(path)
            write(b"HTTP/1.1 404 No\r\n\r\n" if known is None else said(known))
            return
        with self._turn:
            answer = self._answers[0]
            self._answers = [*self._answers[1:], answer]
        answer(write, self.stopped)


class Handler(socketserver.StreamRequestHandler):
    """One request a connection."""

    server: Server

    def handle(self) -> None:
        path = self.rfile.readline().split(b" ")[1].decode()
        while self.rfile.readline().strip():
            pass
        # The other side hangs up as soon as it has heard enough.
        try:
            self.server.say(path, self.request.sendall)
            self.request.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


@contextmanager
def answering(shop: "Shop", *answers: Say) -> Iterator[None]:
    """The shop's port says this for its catalog."""
    with Server(shop.node.public, shop.pages, list(answers)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()


class Shop:
    """A node that was met and then ended; others speak on its port."""

    def __init__(self, node: NodeProcess, pages: dict[str, bytes], catalog: bytes) -> None:
        self.node, self.pages, self.catalog = node, pages, catalog


def page(node: NodeProcess, path: str) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", node.public, timeout=30)) as ask:
        ask.request("GET", path)
        return ask.getresponse().read()


@pytest.fixture(scope="module")
def shop(nodes: Two, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder: Path = tmp_path_factory.mktemp("shop")
    node = NodeProcess.init(folder / "shop").start()
    try:
        nodes.lab.must("peer", "add", node.did)
        (folder / "t.jsonl").write_bytes(traces.lines(traces.statements(12, 2)))
        (folder / "about.toml").write_text(traces.about(id="one"), "utf-8")
        node.must("dataset", "add", folder / "t.jsonl", "--about", folder / "about.toml")
        pages = {path: page(node, path) for path in ("/.well-known/did.json", "/datasets/one/v1")}
        return Shop(node, pages, page(node, "/catalog"))
    finally:
        node.stop()


def memory(node: NodeProcess, name: str) -> int:
    """Bytes of the node's process, from /proc."""
    assert node.process is not None
    text = Path(f"/proc/{node.process.pid}/status").read_text("ascii")
    found = re.search(rf"{name}:\s+(\d+) kB", text)
    assert found is not None
    return int(found[1]) * 1024


def kept(node: NodeProcess) -> list[Any]:
    """What the node holds of others' catalogs."""
    return node.query("SELECT peer, version, digest FROM known_head ORDER BY peer")


def refused(nodes: Two, shop: Shop) -> Problem:
    with pytest.raises(Problem) as caught:
        nodes.lab.client().get("/v1/catalogs", peer=shop.node.did)
    assert_tells(caught.value.document())
    return caught.value


@pytest.mark.parametrize("name", ANSWERS)
def test_nothing_of_a_bad_answer_is_taken(nodes: Two, shop: Shop, name: str):
    answer, code = ANSWERS[name]
    before, held = kept(nodes.lab), memory(nodes.lab, "VmHWM")
    with answering(shop, answer):
        problem = refused(nodes, shop)
    assert problem.code.startswith(code), problem.code
    assert kept(nodes.lab) == before
    assert memory(nodes.lab, "VmHWM") - held < MOST
    assert nodes.lab.healthy()


def test_a_peer_that_drips_costs_its_deadline_and_nobody_else_s(nodes: Two, shop: Shop):
    """Head and body at once; meanwhile the node answers everybody else."""
    before = kept(nodes.lab)
    with answering(shop, SLOW_HEAD, SLOW_BODY), ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(refused, nodes, shop) for _ in range(2)]
        assert nodes.lab.healthy()
        assert nodes.lab.client().get("/v1/peers")
        assert {one.result().code for one in asked} == {"delivery-timeout"}
    assert kept(nodes.lab) == before


def test_a_caller_that_drips_is_told_so_at_its_deadline(nodes: Two):
    """The other way round: a message that never ends holds no place for ever."""
    secret = token(nodes.platform, nodes.lab.did)
    head = (
        "POST /dsp/2025-1/catalog/request HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
        "Content-Length: 900\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", nodes.lab.public), timeout=120) as ask:
        ask.sendall(head.encode() + b"{")
        answer = http.client.HTTPResponse(ask)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["code"]) == (400, "http-slow")
    assert nodes.lab.healthy()


def test_another_node_s_catalog_is_not_this_one_s(nodes: Two, shop: Shop):
    """Well signed, by somebody else: whoever serves it cannot make it the shop's."""
    nodes.publish(id="elsewhere")
    theirs = page(nodes.platform, "/catalog")
    with answering(shop, once(said(theirs))):
        assert refused(nodes, shop).code.startswith("catalog-")
        found = nodes.lab.client().get("/v1/search", refresh="always")
    (told,) = [one for one in found["peers"] if one["did"] == shop.node.did]
    assert told["problem"]
    assert not [row for row in kept(nodes.lab) if row[0] == shop.node.did]


def test_afterwards_an_honest_answer_is_taken(nodes: Two, shop: Shop):
    with answering(shop, once(said(shop.catalog))):
        found = nodes.lab.client().get("/v1/catalogs", peer=shop.node.did)
    assert [one["id"] for one in found["datasets"]] == [f"{shop.node.url}/datasets/one"]
