"""The composition root: knows every room, holds no rule.

`initialise` makes a node's folder, `serve` runs one process on it: two ports, one worker, one log,
one database. Everything is opened here, in an order in which the next thing can rely on the last,
and closed in the reverse order.
"""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from connector.base import settings as configuration
from connector.base import telemetry
from connector.base.clock import Clock, SystemClock
from connector.base.ids import Ids, SystemIds
from connector.base.settings import Settings, host_port
from connector.delivery.client import PeerClient
from connector.delivery.egress import networks
from connector.evidence.log import Log
from connector.http import management as management_app
from connector.http import public as public_app
from connector.http.server import Server
from connector.identity import did_web, keys
from connector.identity.keys import KeyRing
from connector.identity.ports import Fetch
from connector.services.discover import checking, rounds
from connector.services.node import Node
from connector.services.operate import forgetting, setup, starting
from connector.services.release import monitoring
from connector.store.databases import await_writer
from connector.store.engine import is_postgresql, located
from connector.store.lock import NodeLock
from connector.store.store import Store
from policies.problem import Language, Problem


def initialise(  # noqa: PLR0913  (as many as `preau init` has options)
    folder: Path,
    *,
    name: str,
    public_url: str,
    did: str | None = None,
    dev: bool = False,
    listen: str | None = None,
    management: str | None = None,
    store: str | None = None,
    language: Language = "en",
) -> dict[str, Any]:
    """Make a node in a new or empty folder; what was made, as plain JSON.

    Raises:
        Problem: `runtime-folder-not-empty`, `settings-invalid`, `identity-…`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Problem("runtime-folder-not-empty", folder=str(folder))
    url = public_url.rstrip("/")
    public = listen or _listen_of(url, dev=dev)
    port = host_port(public)[1]
    table: dict[str, Any] = {
        "node": {
            "did": did or did_web.from_url(url, dev=dev),
            "name": name,
            "public_url": url,
            "language": language,
        },
        "listen": {
            "public": public,
            "management": management or f"127.0.0.1:{port + 1}",
        },
    }
    if store is not None:
        table["store"] = {"url": store}
    if dev:
        table["dev"] = {"on": True}
    checked = configuration.check(table)
    did_web.read(checked.node.did, dev=dev)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NodeLock(folder):
        ids = SystemIds()
        keys.create(folder / checked.keys.dir, ids.token)
        token = setup.token_file(folder, ids)
        with opened(folder, checked, client_of(checked), create=True) as node:
            setup.first_entries(node, token.secret)
        if not dev:
            setup.examples(folder, checked, str(Path(sys.executable).with_name("preau")))
        # Last: a folder with its configuration is a finished node.
        (folder / configuration.FILE).write_text(setup.toml(table), encoding="utf-8")
    return {
        "v": 1,
        "did": checked.node.did,
        "public_url": url,
        "listen": table["listen"],
        "token": str(token.path),
    }


def serve(folder: Path) -> None:
    """Run the node in `folder` until SIGTERM or SIGINT.

    With PostgreSQL a second process is a warm standby: everything is loaded, and it waits until
    the first one is gone (P3). With SQLite it is refused.

    Raises:
        Problem: `settings-…`, `store-…` (another process serves it, or the database is not right),
            `runtime-port-in-use`, `evidence-…` (the log does not agree with itself).
    """
    telemetry.configure()
    checked = configuration.read(folder)
    # Short turns: while a transfer computes, the database thread must not wait 5 ms a statement.
    sys.setswitchinterval(0.0005)
    with _owned(folder, checked), contextlib.ExitStack() as stack:
        public = stack.enter_context(_bound(checked.listen.public))
        management = stack.enter_context(_bound(checked.listen.management))
        client = client_of(checked)
        # What an upload or a library spools stays in the node's own folder, never in /tmp.
        tempfile.tempdir = str(setup.uploads(folder))
        with opened(folder, checked, client) as node:
            steady()
            uvloop.run(run(node, client, public, management))


def steady() -> None:
    """Tell the collector that what was made at the start stays, and to look less often: most of
    what a message makes is freed without it, and every look goes through all that is young.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def run(
    node: Node, client: PeerClient, public: socket.socket, management: socket.socket
) -> None:
    """Serve both ports and work on what is due, until a signal says stop.

    Raises:
        Problem: `store-…`: the database took no more promises, and this process has ended for it.
    """
    outside = public_app.app(node)
    servers = [
        Server(outside, public),
        Server(management_app.app(node, outside), management),
    ]
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, servers)

    def stopped(problem: Problem) -> None:
        # A lost session took the writer's lock along: the successor waits for this one to end. And
        # whatever else stops the writing, with PostgreSQL somebody may stand by to go on.
        if problem.code == "store-lost" or is_postgresql(node.settings.store.url):
            loop.call_soon_threadsafe(_stop, servers)

    node.store.on_stop(stopped)
    async with _working(node, client):
        telemetry.event("serving", public=_name(public), management=_name(management))
        if not await node.store.read(lambda tx: node.log.timely(tx, node.clock.now())):
            telemetry.failure("clock-behind", code="evidence-clock-back")
        await asyncio.gather(*(server.run() for server in servers))
        telemetry.event("stopping")
    if node.store.stopped is not None:
        raise node.store.stopped


@contextlib.asynccontextmanager
async def _working(node: Node, client: PeerClient) -> AsyncIterator[None]:
    """The node's own work: what a crash left, log, outbox, monitor, rounds to peers, tidying."""
    await client.start()
    await starting.resume(node)
    node.keeping.start("log", starting.keep_log(node))
    node.keeping.start("monitor", monitoring.watch(node))
    node.background.start("rounds", rounds.keep(node))
    node.background.start("forgetting", forgetting.keep(node))
    try:
        yield
    finally:
        await node.background.stop()
        await node.worker.stop()
        await node.keeping.stop()
        await client.close()


@contextlib.contextmanager
def opened(
    folder: Path,
    checked: Settings,
    fetch: Fetch,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    create: bool = False,
) -> Iterator[Node]:
    """The node's pieces, opened in order and closed in reverse; the caller holds the lock.

    Raises:
        Problem: `identity-…`, `store-…`, `evidence-…`, `subjects-journal-…`.
    """
    clock, ids = clock or SystemClock(), ids or SystemIds()
    ring = KeyRing.load(folder / checked.keys.dir)
    store = Store.open(database(folder, checked), create=create)
    try:
        log = Log.open(
            folder / "log",
            store,
            sign=ring.sign_log,
            key=ring.log_public,
            origin=origin(checked),
            clock=clock,
            ids=ids,
        )
        node = starting.assemble(
            folder=folder,
            settings=checked,
            clock=clock,
            ids=ids,
            keys=ring,
            store=store,
            log=log,
            fetch=fetch,
        )
        try:
            yield node
        finally:
            node.bitmaps.close()
            node.journal.close()
            log.close()
    finally:
        store.close()


def origin(checked: Settings) -> str:
    """The log's name: the public URL without its scheme."""
    parts = urlsplit(checked.node.public_url)
    return f"{parts.netloc}{parts.path}/log"


def client_of(checked: Settings) -> PeerClient:
    """The one HTTP client, with the doors the operator configured."""
    return PeerClient(private=networks(checked.egress.private), dev=checked.dev.on)


def database(folder: Path, checked: Settings) -> Path | str:
    """Where the node's database is: a path, or the URL of a PostgreSQL database."""
    return located(folder, checked.store.url)


def verify_catalog(url: str) -> dict[str, Any]:
    """Verify a node's whole public catalog by its URL, from any machine, knowing nobody.

    The publisher's DID document is fetched from where its did:web name says; a dev node on
    loopback is allowed, because the caller typed the address.

    Raises:
        Problem: `catalog-…`, `identity-…`, `delivery-…`.
    """
    return asyncio.run(checking.catalog_at(url))


def _listen_of(url: str, *, dev: bool) -> str:
    """Where to listen by default: in dev on the port of the URL, else behind a proxy."""
    port = urlsplit(url).port
    return f"127.0.0.1:{port}" if dev and port else "127.0.0.1:8080"


@contextlib.contextmanager
def _owned(folder: Path, checked: Settings) -> Iterator[None]:
    """The node's folder, for this process alone; a standby waits here for both of its locks."""
    lock = NodeLock(folder)
    if not is_postgresql(checked.store.url):
        with lock:
            yield
        return
    try:
        lock.acquire()
    except Problem as problem:
        if problem.code != "store-node-running":
            raise
        telemetry.event("standby", folder=str(folder))
        lock.acquire(wait=True)
    try:
        # Another machine may share the folder: the database's own lock has the last word.
        await_writer(checked.store.url, lambda: telemetry.event("standby", folder=str(folder)))
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _bound(address: str) -> Iterator[socket.socket]:
    """A listening socket, taken before anything else starts.

    Raises:
        Problem: `runtime-port-in-use`.
    """
    host, port = host_port(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind((host, port))
            made.listen(1024)
        except OSError as error:
            raise Problem(
                "runtime-port-in-use", address=address, reason=error.strerror or "-"
            ) from None
        yield made


def _stop(servers: list[Server]) -> None:
    for server in servers:
        server.stop()


def _name(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"{host}:{port}"
