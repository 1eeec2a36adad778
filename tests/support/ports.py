"""The two ports of a node in this process, and what it takes to knock at them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from connector.http import management, public
from connector.identity import tokens
from connector.identity.did import DidDocument, document
from connector.identity.keys import KeyRing, create
from connector.protocol.messages import read_address
from connector.services import access
from connector.services.discover import peering
from connector.services.node import Node
from connector.services.processes import transfer
from connector.services.show import views
from tests.support.pair import OPERATOR, Pair

DSP: Final = "/dsp/2025-1"
CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"


@dataclass(frozen=True, slots=True)
class Knocker:
    """A participant who can make tokens; nothing else of a node."""

    did: str
    keys: KeyRing

    @classmethod
    async def known_to(cls, node: Node, folder: Path, port: int) -> "Knocker":
        """A participant of the node's peer list who has no dealings with it."""
        create(folder, node.ids.token)
        made = cls(f"did:web:localhost%3A{port}", KeyRing.load(folder))
        root = f"http://localhost:{port}"
        source = document(made.did, made.keys, root=root, dsp_base=root + DSP)
        node.resolver.learn(DidDocument.of(source, made.did))
        await peering.add(node, OPERATOR, made.did, "Another", [])
        return made


@dataclass(slots=True)
class Ports:
    """The provider's two ports and what a test needs to knock at them."""

    nodes: Pair
    dataset: str
    stranger: Knocker
    pid: str = ""
    transfer: str = ""
    _secrets: dict[str, str] = field(default_factory=dict)
    _built: list[Any] = field(default_factory=list)

    @property
    def node(self) -> Node:
        """The node that is asked."""
        return self.nodes.provider

    def peer(self, knocker: Knocker | None = None) -> dict[str, str]:
        """The Authorization of the consumer (or of another peer): a fresh token at every call."""
        asking = knocker or Knocker(self.nodes.consumer.did, self.nodes.consumer.keys)
        kid = f"{asking.did}#{asking.keys.fragment('token')}"
        now, jti = self.node.clock.now(), self.node.ids.uuid()
        key = asking.keys.token_key
        secret = tokens.mint(key, asking.did, kid, self.node.did, now, jti)
        return {"Authorization": f"Bearer {secret}"}

    async def role(self, role: str) -> dict[str, str]:
        """The Authorization of a person of this institution."""
        if role not in self._secrets:
            made = await access.add_token(self.node, OPERATOR, role, role)
            self._secrets[role] = made["token"]
        return {"Authorization": f"Bearer {self._secrets[role]}"}

    async def data_token(self) -> str:
        """What opens the data of `transfer`."""
        consumer = self.nodes.consumer
        (theirs,) = await views.transfers(consumer)
        t = await consumer.store.read(lambda tx: transfer(tx, theirs["pid"]))
        assert t.data_address is not None
        return str(read_address(t.data_address).authorization)

    async def public(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request to the public port."""
        return await _ask(self._apps()[0], method, path, options)

    async def management(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request to the management port."""
        return await _ask(self._apps()[1], method, path, options)

    def _apps(self) -> list[Any]:
        """The two ports' applications, built once as `serve` builds them."""
        if not self._built:
            first = public.app(self.node)
            self._built += [first, management.app(self.node, first)]
        return self._built

    async def state(self) -> dict[str, int]:
        """Everything that a refused request must leave as it was."""
        unit = self.node.store.read
        counts = {}
        for table in ("negotiation", "transfer", "inbox", "outbox", "leaf", "consent_event"):
            counts[table] = await unit(lambda tx, t=table: _count(tx, t))  # type: ignore[misc]
        return counts


def _count(tx: Any, table: str) -> int:
    connection = tx._connection
    (number,) = connection.execute(f"SELECT count(*) FROM {table}", {}).fetchone()
    return int(number)


async def _ask(app: Any, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9101") as client:
        return await client.request(method, path, **options)
