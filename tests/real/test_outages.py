"""Repeats, silence and partings between real processes: every promise once, none lost."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from connector.base import settings as configuration
from connector.base.clock import SystemClock
from connector.base.ids import SystemIds
from connector.identity import tokens
from connector.identity.keys import KeyRing
from tests.support import invariants
from tests.support.nodes import NodeProcess, Two, alive

pytestmark = pytest.mark.slow

Json = dict[str, Any]
FROM_THE_START = (
    "SELECT content.body FROM message JOIN content ON n = message.body "
    "WHERE direction = 'in' AND type = '{}'"
)


@pytest.fixture
def published(tmp_path, consenting: list[str]) -> Iterator[Two]:
    """Two running nodes; what is published needs nobody's decision."""
    with alive(Two.make(tmp_path / "nodes", first_part_rows=50, max_part_rows=150)) as made:
        made.start().meet()
        made.publish()
        made.consent(consenting)
        yield made


def said_again(sender: NodeProcess, receiver: NodeProcess, path: str, body: bytes) -> int:
    """Post a message as its sender would, with a fresh token; the status."""
    checked = configuration.read(sender.folder)
    ring = KeyRing.load(sender.folder / checked.keys.dir)
    kid = f"{sender.did}#{ring.fragment('token')}"
    now, jti = SystemClock().now(), SystemIds().uuid()
    token = tokens.mint(ring.token_key, sender.did, kid, receiver.did, now, jti)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    url = f"{receiver.url}/dsp/2025-1{path}"
    return httpx.post(url, content=body, headers=headers, trust_env=False, timeout=60).status_code


def received(node: NodeProcess, kind: str) -> bytes:
    """The one message of a type that a node has received, as it came."""
    ((body,),) = node.query(FROM_THE_START.format(kind))
    return body if isinstance(body, bytes) else str(body).encode()


PATHS = {
    "ContractRequestMessage": ("lab", "/negotiations/request"),
    "ContractAgreementMessage": ("platform", "/negotiations/{consumerPid}/agreement"),
    "ContractAgreementVerificationMessage": (
        "lab",
        "/negotiations/{providerPid}/agreement/verification",
    ),
    "ContractNegotiationEventMessage": ("platform", "/negotiations/{consumerPid}/events"),
}


@pytest.mark.parametrize(("times", "at_once"), [(2, 1), (100, 1), (20, 20)])
def test_a_message_that_comes_again_changes_nothing(published: Two, times: int, at_once: int):
    published.agree()
    for kind, (side, path) in PATHS.items():
        sender, receiver = (
            (published.lab, published.platform)
            if side == "lab"
            else (published.platform, published.lab)
        )
        body = received(receiver, kind)
        address = path.format(**json.loads(body)) if "{" in path else path
        with ThreadPoolExecutor(at_once) as pool:
            answers = list(
                pool.map(lambda _: said_again(sender, receiver, address, body), range(times))  # noqa: B023
            )
        assert set(answers) <= {200, 201}, (kind, Counter(answers))
    published.stop()
    invariants.check(published)


def test_a_first_message_with_other_content_is_refused(published: Two):
    published.agree()
    body = json.loads(received(published.platform, "ContractRequestMessage"))
    body["offer"]["permission"] = [{"action": "use"}]
    status = said_again(
        published.lab, published.platform, "/negotiations/request", json.dumps(body).encode()
    )
    assert status in {400, 409}
    published.stop()
    invariants.check(published)


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """A listener in a dead node's place: it takes connections and answers nothing."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        held: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in held:
                connection.close()
            thread.join(5)


def test_a_peer_that_is_away_for_a_minute_finds_everything(published: Two):
    published.platform.stop()
    waited = published.lab.client("researcher")
    with pytest.raises(Exception, match="delivery-"):
        # The catalog cannot be read: nothing is asked, and the person is told.
        published.ask()
    published.platform.start()
    pid = published.ask()["pid"]
    published.lab.negotiation(pid, until="FINALIZED")
    agreement = str(published.lab.negotiation(pid)["agreement"])
    published.platform.kill()
    asked = waited.post("/v1/transfers", {"agreement": agreement})
    with black_hole(published.platform.public):
        assert published.lab.ended(60) is None, "a minute of silence ends nobody"
    assert waited.get(f"/v1/transfers/{asked['pid']}")["state"] == "REQUESTED"
    published.platform.start()
    found = waited.get(f"/v1/transfers/{asked['pid']}", wait=60, until="STARTED")
    assert found["state"] == "STARTED"


def test_two_parted_nodes_find_each_other_again(published: Two):
    pids = [published.ask()["pid"]]
    published.lab.negotiation(pids[0], until="FINALIZED")
    # Both are gone in turn while people go on; each comes back to what the other still owes it.
    published.lab.kill()
    published.lab.start()
    pids.append(published.ask()["pid"])
    published.platform.kill()
    published.platform.start()
    for pid in pids:
        assert published.lab.negotiation(pid, until="FINALIZED")["state"] == "FINALIZED"
    published.stop()
    invariants.check(published)
