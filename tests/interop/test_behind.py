"""A Préau node behind a real EDC 0.14.1, whose consumer is another real EDC (`make interop`).

The provider's EDC is a control plane only; this node is its data plane. The fake of
`tests/peers/control_plane.py` has the habits that are checked here.
"""

import json
import subprocess
import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import World, publish
from tests.interop.edc import Edc
from tests.interop.test_edc import WAIT, read
from tests.support import traces
from tests.support.nodes import NodeProcess
from tests.support.source import ROOT

pytestmark = pytest.mark.interop
Json = dict[str, Any]


@dataclass
class Behind:
    """The institution (`edc` with `node` behind it) and its consumer's EDC."""

    edc: Edc
    node: NodeProcess
    lab: Edc

    def agreed(self, asset: str) -> str:
        """The lab negotiates an asset; the agreement's id. One in a hundred negotiations between
        two EDCs ends by their own race, a message before the state it needs: then once more.
        """
        for _ in range(5):
            offer = self.lab.dataset(self.edc.id, self.edc.dsp, asset)["hasPolicy"][0]
            ident = self.lab.negotiate(self.edc.id, self.edc.dsp, asset, offer)
            found = self.lab.negotiation(ident, "FINALIZED", "TERMINATED")
            if found["state"] == "FINALIZED":
                return str(found["contractAgreementId"])
        raise AssertionError(found)

    def asked(self, asset: str = "traces", sink: str = "") -> str:
        """The lab asks for a pull under a new agreement, or for a push to a sink; its id of the
        transfer.
        """
        kind = "HttpData-PUSH" if sink else "HttpData-PULL"
        return self.lab.transfer(self.edc.id, self.edc.dsp, self.agreed(asset), kind, sink)

    def started(self) -> tuple[str, Json]:
        """A transfer that runs, with what the lab's applications are told of it."""
        transfer = self.asked()
        found = self.lab.transferred(transfer, "STARTED", "TERMINATED")
        assert found["state"] == "STARTED", (found, self.edc.said(), self.node.said()[-2000:])
        return transfer, self.lab.address(transfer)

    def shown(self, transfer: str, state: str) -> Json:
        """The flow as the node's people see it, once it is in a state; its id is the EDC's."""
        flow = self.lab.transferred(transfer)["correlationId"]
        found = self.node.client().get(f"/v1/transfers/{flow}", wait=WAIT, until=state)
        assert found["state"] == state
        return dict(found)


@pytest.fixture(scope="module")
def behind(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("behind")
    edc = Edc.make(folder / "edc", "university", data_plane=False)
    node = NodeProcess.init(folder / "preau")
    node.configure("signaling", control_plane=edc.control)
    node.configure("[signaled_sink]", consumer=world.edc.id, url=world.shelf.url)
    try:
        edc.start()
        node.start()
        node.must("peer", "add", world.edc.id, "--signaled", "--group", "labs")
        publish(node)
        token = node.must("token", "add", "edc", "--role", "control-plane")["token"]
        (folder / "edc.token").write_text(token)
        register(edc, node, folder / "edc.token")
        yield Behind(edc, node, world.edc)
    finally:
        node.stop()
        edc.stop()


def register(edc: Edc, node: NodeProcess, token: Path) -> None:
    """What `examples/06_behind_edc` has an EDC's operator do once, until the EDC has found us."""
    addresses = {
        "CONTROL": edc.control,
        "MANAGEMENT": edc.management,
        "NODE": f"http://127.0.0.1:{node.management}",
    }
    script = ROOT / "examples" / "06_behind_edc" / "edc.sh"
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", **addresses}
    subprocess.run(["sh", str(script), str(token)], env=environment, check=True)
    edc.available("preau")


def rows(content: bytes) -> list[Json]:
    """Rows of a plain stream."""
    return [json.loads(line) for line in content.splitlines()]


def test_pulled_by_consent_over_two_edcs(behind: Behind):
    transfer, address = behind.started()
    assert address["endpoint"].startswith(behind.node.url)
    found = rows(read(address))
    assert len(found) == len(traces.statements())
    assert not any("learner-" in json.dumps(row) for row in found)
    assert behind.shown(transfer, "STARTED")["parts"] > 0


def test_a_withdrawal_takes_effect_in_the_next_read(behind: Behind):
    _, address = behind.started()
    name = str(traces.statements()[0]["actor"]["account"]["name"])
    path = behind.node.folder.parent / "w.csv"
    path.write_text(traces.consent_file([name], "group:labs", "withdrawn"), "utf-8")
    before = len(rows(read(address)))
    behind.node.must("consent", "import", path, role="dpo")
    assert 0 < len(rows(read(address))) < before


def test_suspended_resumed_and_terminated_by_the_consumer(behind: Behind):
    transfer, address = behind.started()
    behind.lab.act(transfer, "suspend")
    behind.shown(transfer, "SUSPENDED")
    with pytest.raises(urllib.error.HTTPError, match="409"):
        read(address)
    behind.lab.transferred(transfer, "SUSPENDED")
    behind.lab.act(transfer, "resume")
    behind.lab.transferred(transfer, "STARTED")
    assert read(behind.lab.address(transfer))
    behind.lab.act(transfer, "terminate")
    behind.shown(transfer, "TERMINATED")
    with pytest.raises(urllib.error.HTTPError, match="410"):
        read(address)


def test_pushed_by_consent(behind: Behind, world: World):
    transfer = behind.asked(sink=f"{world.shelf.url}/rows")
    found = behind.lab.transferred(transfer, "COMPLETED", "TERMINATED")
    assert found["state"] == "COMPLETED", (found, behind.edc.said(), behind.node.said()[-2000:])
    arrived = rows(world.shelf.pushed[-1])
    assert 0 < len(arrived) <= len(traces.statements())
    assert not any("learner-" in json.dumps(row) for row in arrived)
    behind.shown(transfer, "COMPLETED")


def test_what_the_node_ends_ends_at_both_edcs(behind: Behind):
    transfer, _ = behind.started()
    flow = behind.shown(transfer, "STARTED")["pid"]
    behind.node.must("transfer", "terminate", flow, "--reason", "enough of it")
    found = behind.edc.transferred(flow, "TERMINATED", "DEPROVISIONED")
    assert "enough of it" in found["errorDetail"]
    behind.lab.transferred(transfer, "TERMINATED")


def test_what_the_node_refuses_ends_at_both_edcs_with_the_reason(behind: Behind):
    node, folder = behind.node, behind.node.folder.parent
    about = traces.about(id="decided", decisions=["dpo"])
    (folder / "d.toml").write_text(about, "utf-8")
    node.must("dataset", "add", folder / "t.jsonl", "--about", folder / "d.toml")
    behind.edc.offer_from("decided", {"type": "Preau", "dataset": "decided"})
    transfer = behind.asked("decided")
    behind.lab.transferred(transfer, "TERMINATED")
    [found] = [one for one in behind.edc.transfers() if one["assetId"] == "decided"]
    assert "signaling-decisions" in found["errorDetail"]
