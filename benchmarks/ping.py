"""The signed durable ping: what two nodes would cost if they had nothing to say.

An exchange has the shape of a negotiation and none of its content: the asker commits one row, then
four messages go to and fro; each carries a fresh Self-Issued token, which the receiver verifies,
and each receiver commits one row (the token's use) before its 2xx. Same client (`PeerClient`),
server (uvicorn, FastAPI, uvloop), tokens and store as a node.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import uvloop
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.world import serving
from connector import runtime
from connector.base.clock import SystemClock
from connector.delivery.client import PeerClient
from connector.http.application import application
from connector.http.requests import bearer_of, body_of
from connector.identity import tokens
from connector.identity.did import DidDocument
from connector.identity.keys import KeyRing
from connector.store import replay
from connector.store.store import Store

MESSAGES: Final = 4
_PADDING: Final = "x" * 1_500
_LIMIT: Final = 1_000_000


class Pinger:
    """One side: answers pings, sends them on, and knows when its own exchanges are over."""

    def __init__(self, folder: Path, did: str, peer: DidDocument, url: str, db: Path) -> None:
        ring = KeyRing.load(folder / "keys")
        self._key, self._kid = ring.token_key, f"{did}#{ring.fragment('token')}"
        self._did, self._peer, self._url = did, peer, url
        self._clock = SystemClock()
        self.store = Store.open(db, create=True)
        self.client = PeerClient(private=(), dev=True)
        self._over: dict[str, asyncio.Future[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def app(self) -> FastAPI:
        """One route, as the nodes route theirs."""

        async def ping(request: Request) -> Response:
            claims = await tokens.verify(
                bearer_of(request),
                audience=self._did,
                document_of=self._document,
                now=self._clock.now(),
            )
            body = json.loads(await body_of(request, _LIMIT))
            await self.store.write(
                lambda tx: replay.remember(
                    tx, issuer=claims.issuer, jti=claims.jti, expires=claims.expires
                )
            )
            self._go_on(body)
            return Response(b"{}", media_type="application/json")

        made = application("Ping")
        made.router.routes.append(Route("/ping", ping, methods=["POST"]))
        return made

    async def exchange(self) -> None:
        """One exchange, begun here."""
        name = str(uuid4())
        over = self._over[name] = asyncio.get_running_loop().create_future()
        now = self._clock.now()
        await self.store.write(
            lambda tx: replay.remember(tx, issuer=self._did, jti=name, expires=now)
        )
        await self._send(name, MESSAGES - 1)
        await over

    def _go_on(self, body: dict[str, Any]) -> None:
        if body["left"]:
            task = asyncio.create_task(self._send(body["id"], body["left"] - 1))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._over.pop(body["id"]).set_result(None)

    async def _send(self, name: str, left: int) -> None:
        token = tokens.mint(
            self._key, self._did, self._kid, self._peer.did, self._clock.now(), str(uuid4())
        )
        body = json.dumps({"id": name, "left": left, "padding": _PADDING}).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = await self.client.post(f"{self._url}/ping", body, headers=headers)
        if answer.status != 200:
            raise RuntimeError(f"ping was answered {answer.status}")

    async def _document(self, _did: str) -> DidDocument:
        return self._peer


async def _serve(told: dict[str, Any]) -> None:
    peer = DidDocument.of(told["peer"], told["peer"]["id"])
    with tempfile.TemporaryDirectory(dir="/var/tmp") as d:
        side = Pinger(Path(told["folder"]), told["did"], peer, told["url"], Path(d) / "ping.db")
        await side.client.start()
        with runtime._bound(told["listen"]) as bound:
            async with serving(side.app(), bound):
                print("ready", flush=True)
                # The other side closes our input when it has seen enough.
                await asyncio.to_thread(sys.stdin.read)
        await side.client.close()
        side.store.close()


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)
    runtime.steady()
    uvloop.run(_serve(json.loads(sys.argv[1])))
