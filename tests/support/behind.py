"""A node behind a control plane elsewhere, and that control plane as a fake, in one process."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from connector.services import access
from connector.services.consent import consents
from connector.services.discover import peering
from connector.services.node import Node
from connector.services.show import views
from tests.peers import control_plane
from tests.peers.control_plane import Told
from tests.support import doors, traces
from tests.support.pair import CATEGORY, DPO, OPERATOR, PURPOSE, REASON, Pair, statements

Json = dict[str, Any]

CONTROL = "http://localhost:9401/control"
LEARNERS = 30
FLOW, AGREED = "5f95aa23-4d9b-4795-83b3-b93c3802b8e0", "0c869fe7-fd0d-4a48-9af0-ba0c0a13f284"


@dataclass
class Behind:
    """A node behind a control plane: what it publishes, and the secret it registered."""

    nodes: Pair
    told: Told
    token: str

    @property
    def node(self) -> Node:
        return self.nodes.provider

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request to the management port."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        transport = httpx.ASGITransport(doors.managed(self.node), raise_app_exceptions=False)
        given = {"Content-Type": "application/json; charset=utf-8", **headers}
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return await client.request(method, f"/v1{path}", content=content, headers=given)

    async def signal(self, act: str = "", body: Any = None) -> httpx.Response:
        """One signal, with the secret in the address as a stock EDC must."""
        return await self.ask("POST", f"/signaling/{self.token}/dataflows{act}", body)

    async def start(self, process: str = FLOW, **changes: Any) -> httpx.Response:
        return await self.signal(body=self.message(process, **changes))

    def message(self, process: str = FLOW, agreement: str = AGREED, **changes: Any) -> Json:
        source = changes.pop("source", {"dataset": "traces"})
        made = control_plane.start(process, agreement, consumer="lab", callback=CONTROL, **source)
        return {**made, **changes}

    async def start_18(self, process: str = FLOW, **changes: Any) -> httpx.Response:
        return await self.signal("/start", self.message_18(process, **changes))

    def message_18(self, process: str = FLOW, agreement: str = AGREED, **changes: Any) -> Json:
        """As `message`, in plain JSON; a change to None leaves the member out."""
        source = changes.pop("source", {"dataset": "traces"})
        made = control_plane.start_18(
            process, agreement, consumer="lab", callback=CONTROL, **source
        )
        return {name: value for name, value in {**made, **changes}.items() if value is not None}

    async def read(self, address: Json) -> httpx.Response:
        """What the consumer's application reads, with the bare token."""
        transport = httpx.ASGITransport(
            self.nodes.wire.apps["localhost:9101"], raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport) as client:
            headers = {"Authorization": address["authorization"]}
            return await client.get(address["endpoint"], headers=headers)

    async def seen(self, process: str = FLOW) -> Json:
        return await views.transfer(self.node, process)

    async def given(self, names: list[str]) -> None:
        """These learners consent to the consumer's group."""
        rows = [traces.COLUMNS]
        for name in names:
            who = (f"event-{name}", "account", name, "https://mooc.example")
            use = ("group:labs", PURPOSE, CATEGORY, "given", "2025-09-01T08:00:00Z", "", "")
            rows.append((*who, *use))
        content = "".join(",".join(row) + "\n" for row in rows)
        await consents.load(self.node, DPO, content.encode())

    async def say(self, name: str, status: str, recipient: str = "group:labs") -> None:
        """What a learner says about the consumer's group."""
        scope = {**self.nodes.scope(name), "recipient": recipient}
        await consents.record(self.node, DPO, {"status": status, "reason": REASON, **scope})


async def behind(nodes: Pair) -> Behind:
    """The provider of a pair behind a control plane: of its thirty learners the first twenty
    consent to the consumer's group.
    """
    configure(nodes.provider, "signaling", control_plane=CONTROL)
    token = (await access.add_token(nodes.provider, OPERATOR, "edc", "control-plane"))["token"]
    nodes.wire.apps["localhost:9401"] = told = Told()
    await nodes.publish(statements(LEARNERS, 2))
    await peering.add_consumer(nodes.provider, OPERATOR, "lab", "", ["labs"])
    made = Behind(nodes, told, token)
    await made.given([f"learner-{number}" for number in range(20)])
    return made


def configure(node: Node, table: str, **members: object) -> None:
    """Change a table of a running node's settings, which are frozen otherwise."""
    settings = node.settings
    changed = getattr(settings, table).model_copy(update=members)
    object.__setattr__(node, "settings", settings.model_copy(update={table: changed}))


def address_18(answer: httpx.Response) -> Json:
    """As `address`, in plain JSON."""
    assert answer.status_code == 200, answer.text
    return control_plane.address_18(answer.json())


def address(answer: httpx.Response) -> Json:
    """The data address of an answer, which must be one."""
    assert answer.status_code == 200, answer.text
    return control_plane.address(answer.json())
