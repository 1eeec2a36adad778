"""The two nodes of a simulation: made once with everything published, then copied for each seed.

A node's memory is the `Node` object and what hangs on it; its disk is a SQLite database in memory
and a folder. A crash throws the first away and starts again from the second, as `preau serve`
does, but for the tasks that wait for real time.
"""

import asyncio
import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import orjson

from connector.base import settings as configuration
from connector.evidence.log import Log
from connector.http.dsp import POSTS, Route
from connector.identity.did import DidDocument
from connector.identity.keys import KeyRing
from connector.identity.ports import Response
from connector.protocol import errors, messages
from connector.protocol.json import strict_json
from connector.services import access, identity
from connector.services.messages import inbound
from connector.services.negotiate import negotiations
from connector.services.node import Node
from connector.services.operate import starting
from connector.services.release import granting, transfers
from connector.store import outbox
from policies.problem import Problem
from tests.simulation.network import Network
from tests.simulation.store import Crash, InlineStore
from tests.support.clock import ManualClock
from tests.support.ids import SeededIds
from tests.support.pair import pair, statements

BASE: Final = "/dsp/2025-1"
LEARNERS: Final = 12
NAMES: Final = ("provider", "consumer")


@dataclass(frozen=True, slots=True)
class Template:
    """What every seed starts from: folders, databases, recorded GET answers, dataset IRIs."""

    folder: Path
    databases: dict[str, bytes]
    answers: dict[str, Response]
    datasets: tuple[str, ...]
    now: datetime


async def template(folder: Path) -> Template:
    """Publish two datasets (a DPO decides on one), let learners consent, make one agreement."""
    now = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
    async with pair(folder, ManualClock(now)) as two:
        rows = statements(LEARNERS)
        datasets = (
            await two.publish(rows, id="automatic"),
            await two.publish(rows, id="decided", decisions='"dpo"'),
        )
        await two.consent([f"learner-{number}" for number in range(LEARNERS)])
        for iri in datasets:
            await two.request(iri)
        answers = dict(two.wire.answers)
        for node in (two.provider, two.consumer):
            document = orjson.dumps(identity.document(node))
            answers[f"{node.url}/.well-known/did.json"] = Response(200, {}, document)
    databases = {name: _image(folder / name / "preau.sqlite") for name in NAMES}
    return Template(folder, databases, answers, datasets, now)


def _image(path: Path) -> bytes:
    """A database file as bytes that open in memory: without a WAL."""
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode=DELETE").fetchall()
        return raw.serialize()


@dataclass(slots=True)
class Clock:
    """Implements `base.clock.Clock`: the world's clock, wrong by `skew` seconds."""

    world: ManualClock
    skew: float = 0.0

    def now(self) -> datetime:
        return self.world.now() + timedelta(seconds=self.skew)


@dataclass(slots=True)
class Side:
    """One participant: what outlives a crash, and the node while it lives."""

    name: str
    folder: Path
    logs: Path
    raw: sqlite3.Connection
    clock: Clock
    ids: SeededIds
    network: Network
    did: str = ""
    documents: tuple[DidDocument, ...] = ()
    node: Node | None = None
    deaths: int = 0

    def begin(self) -> Node:
        """Start the node on what lies on its disk."""
        checked = configuration.read(self.folder)
        keys = KeyRing.load(self.folder / checked.keys.dir)
        store = InlineStore(self.raw)
        log = Log.open(
            self.logs,
            store,
            sign=keys.sign_log,
            key=keys.log_public,
            origin=urlsplit(checked.node.public_url).netloc + "/log",
            clock=self.clock,
            ids=self.ids,
        )
        self.node = node = starting.assemble(
            folder=self.folder,
            settings=checked,
            clock=self.clock,
            ids=self.ids,
            keys=keys,
            store=store,
            log=log,
            fetch=self.network,
        )
        self.did = node.did
        for document in self.documents:
            node.resolver.learn(document)
        store.write_now(outbox.free)
        self.network.doors[urlsplit(node.url).netloc] = self.door
        return node

    @property
    def store(self) -> InlineStore:
        """The store of the living node."""
        assert self.node is not None
        assert isinstance(self.node.store, InlineStore)
        return self.node.store

    @property
    def alive(self) -> bool:
        """Whether the node lives: nothing has killed its store."""
        return self.node is not None and not self.store.dead

    async def bury(self) -> None:
        """Forget the node's memory; what it had in flight ends with it."""
        node = self.node
        assert node is not None
        self.store.kill()
        self.deaths += 1
        self.network.doors.pop(urlsplit(node.url).netloc, None)
        await node.background.stop()
        await node.worker.stop(grace=0)
        node.bitmaps.close()
        node.journal.close()
        node.log.close()
        self.node = None

    async def door(self, path: str, body: bytes | None, token: str) -> Response:
        """The DSP half of the public port, without HTTP."""
        node = self.node
        if node is None or self.store.dead:
            raise Problem("delivery-unreachable", host=self.name)
        if body is None:
            return await self._state(node, path, token)
        route, pid = _route(path)
        try:
            caller = await access.authenticate(node, token.removeprefix("Bearer "))
            wire = strict_json(body, max_bytes=node.settings.limits.message_bytes)
            message = messages.read(wire, route.message)
            reply = await route.handler(node, inbound.Incoming(caller, message, wire, pid))
        except Problem as problem:
            document = errors.error_document(route.error, problem)
            return Response(errors.status_of(problem), {}, orjson.dumps(document))
        except Crash:
            raise Problem("delivery-unreachable", host=self.name) from None
        return Response(reply.status, {}, b"" if reply.body is None else orjson.dumps(reply.body))

    async def _state(self, node: Node, path: str, token: str) -> Response:
        """GET of a process."""
        *_, place, pid = path.split("/")
        asked = {"negotiations": negotiations, "transfers": transfers}[place].state_requested
        kind: errors.ErrorKind = "negotiation" if place == "negotiations" else "transfer"
        try:
            caller = await access.authenticate(node, token.removeprefix("Bearer "))
            reply = await asked(node, caller, pid)
        except Problem as problem:
            document = errors.error_document(kind, problem)
            return Response(errors.status_of(problem), {}, orjson.dumps(document))
        except Crash:
            raise Problem("delivery-unreachable", host=self.name) from None
        return Response(reply.status, {}, orjson.dumps(reply.body))

    async def work(self) -> None:
        """Deliver what is due, and end what that sets going; a crash ends it early."""
        node = self.node
        assert node is not None
        try:
            await node.worker.run_until_idle()
            granting.prepare_soon(node)
            await node.background.ended("prepare")
        except Crash:
            return


@dataclass(slots=True)
class World:
    """Both sides, their network and the time."""

    chance: random.Random
    clock: ManualClock
    network: Network
    provider: Side
    consumer: Side
    template: Template
    told: list[str] = field(default_factory=list)

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both, the provider first."""
        return self.provider, self.consumer

    async def raise_the_dead(self) -> None:
        """Bury and start again whoever has crashed."""
        for side in self.sides:
            if not side.alive:
                await side.bury()
                side.begin()
                self.told.append(f"{side.name} crashed and starts again")


def made(found: Template, seed: int, scratch: Path) -> World:
    """The two nodes for one seed, both started."""
    chance = random.Random(seed)
    clock = ManualClock(found.now)
    network = Network(chance, answers=found.answers)
    sides = []
    for number, name in enumerate(NAMES):
        raw = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        raw.deserialize(found.databases[name])
        raw.execute("PRAGMA foreign_keys=ON")
        skew = chance.uniform(0.0, 20.0)
        logs = scratch / f"{name}-log"
        shutil.rmtree(logs, ignore_errors=True)
        ids = SeededIds(f"{seed}:{number}")
        folder = found.folder / name
        sides.append(Side(name, folder, logs, raw, Clock(clock, skew), ids, network))
    world = World(chance, clock, network, sides[0], sides[1], found)
    documents = [DidDocument.of(identity.document(side.begin()), side.did) for side in sides]
    for side in sides:
        side.documents = tuple(documents)
        assert side.node is not None
        for document in documents:
            side.node.resolver.learn(document)
    return world


async def ended(world: World) -> None:
    """Close everything that a world has open."""
    for side in world.sides:
        if side.node is not None:
            await side.bury()
        side.raw.close()
    await asyncio.sleep(0)


def _route(path: str) -> tuple[Route, str | None]:
    """The route of a message's path, and the pid in it."""
    words = path.removeprefix(BASE).strip("/").split("/")
    for route in POSTS:
        pattern = route.path.strip("/").split("/")
        if len(pattern) == len(words) and all(
            want in ("{pid}", got) for want, got in zip(pattern, words, strict=True)
        ):
            pid = next((g for w, g in zip(pattern, words, strict=True) if w == "{pid}"), None)
            return route, None if pid is None else unquote(pid)
    raise AssertionError(path)
