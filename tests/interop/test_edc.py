"""A real EDC 0.14.1 and a Préau node, both ways, as their operators would have it (`make interop`).

Needs a Java, Maven and, the first time, a Maven registry; so it is neither in `make test` nor in
`make check`. The habits it checks are also those of the fake peers in `tests/peers`, which run
everywhere.
"""

import json
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.interop.conftest import CSV, World
from tests.support import traces
from tests.support.nodes import preau

pytestmark = pytest.mark.interop
Json = dict[str, Any]
WAIT = 30


def asked(world: World, dataset: str, **changes: Any) -> Json:
    """Préau asks for an asset of the EDC; the negotiation once it has settled."""
    path = world.node.folder.parent / "application.json"
    path.write_text(json.dumps(traces.application(**changes)), "utf-8")
    made = world.node.must(
        *("request", dataset, "--peer", world.edc.id, "--application", path), role="researcher"
    )
    return world.node.negotiation(made["pid"], until="SETTLED")


def agreed_by_edc(world: World) -> str:
    """The EDC asks for Préau's dataset; the agreement as it names it."""
    edc, node = world.edc, world.node
    dataset = edc.dataset(node.did, world.dsp, world.dataset)
    offer = dataset["hasPolicy"][0]
    ident = edc.negotiate(node.did, world.dsp, world.dataset, offer)
    found = edc.negotiation(ident, "FINALIZED", "TERMINATED")
    assert found["state"] == "FINALIZED", (found, node.negotiation()["reasons"])
    return str(found["contractAgreementId"])


def read(address: Json) -> bytes:
    """What lies at a data address, read as EDC's own applications do."""
    request = urllib.request.Request(
        address["endpoint"], headers={"Authorization": address["authorization"]}
    )
    with urllib.request.urlopen(request, timeout=WAIT) as answer:
        return bytes(answer.read())


def verified(world: World, agreement: str, *options: str | Path) -> str:
    """What `audit verify` says of the bundle, which must be valid."""
    path = world.node.folder.parent / "bundle.zip"
    path.unlink(missing_ok=True)
    world.node.must("audit", "bundle", agreement, "--out", path, role="auditor")
    done = preau("audit", "verify", path, *options)
    assert done.code == 0, done
    return done.out


class TestPreauFromEdc:
    """Préau finds, negotiates and fetches what an EDC offers."""

    def test_the_catalog_is_found_and_called_unsigned(self, world: World):
        world.edc.offer("found", world.shelf.url, title="Nobody else has this title")
        found = world.node.must("catalog", "search", "found", "--refresh")["results"]
        assert [(one["dataset"], one["signed"]) for one in found] == [("found", False)]
        assert (
            "unsigned"
            in preau(
                *("catalog", "search", "found", "--offline", "--lang", "en"),
                *("--node", world.node.folder),
                *("--token-file", world.node.folder / "tokens" / "operator"),
            ).out
        )

    def test_all_pages_of_a_catalog_are_read(self, world: World):
        names = {world.edc.offer(f"many-{n}", world.shelf.url) for n in range(60)}
        listed = world.node.must("catalog", "search", "many", "--refresh", "--limit", "500")
        assert names == {one["dataset"] for one in listed["results"]}

    def test_agreed_and_fetched_and_audited(self, world: World, tmp_path: Path):
        term = {"leftOperand": "inForceDate", "operator": "gteq", "rightOperand": "2020-01-01"}
        world.edc.offer(
            "asset", world.shelf.url, [{**term, "rightOperand": "2020-01-01T00:00:00Z"}]
        )
        found = asked(world, "asset")
        assert found["state"] == "FINALIZED", found["reasons"]
        out = tmp_path / "out"
        world.node.must("transfer", "fetch", found["agreement"], "--out", out)
        assert (out / "data.csv").read_bytes() == CSV
        report = verified(world, found["agreement"], "--files", out)
        assert f"{world.edc.id} did not sign the agreement" in report
        [edcs] = [t for t in world.edc.transfers() if t["assetId"] == "asset"]
        world.edc.transferred(edcs["@id"], "COMPLETED", "TERMINATED", "DEPROVISIONED")

    def test_pushed_by_the_edc(self, world: World, tmp_path: Path):
        world.edc.offer("sent", world.shelf.url)
        agreement = asked(world, "sent")["agreement"]
        out = tmp_path / "out"
        world.node.must("transfer", "fetch", agreement, "--push", "--out", out)
        assert (out / "data.csv").read_bytes() == CSV
        verified(world, agreement, "--files", out)

    def test_a_policy_that_the_edc_refuses(self, world: World):
        past = {"leftOperand": "inForceDate", "operator": "lteq"}
        world.edc.offer("past", world.shelf.url, [{**past, "rightOperand": "2021-01-01T00:00:00Z"}])
        found = asked(world, "past")
        assert found["state"] in {"TERMINATED", "FINALIZED"}
        if found["state"] == "FINALIZED":  # an EDC may agree to it and refuse the transfer
            made = world.node.client().post("/v1/transfers", {"agreement": found["agreement"]})
            path = f"/v1/transfers/{made['pid']}"
            assert world.node.client().get(path, wait=WAIT, until="TERMINATED")["state"] == (
                "TERMINATED"
            )

    def test_suspended_and_resumed_by_either_side(self, world: World, tmp_path: Path):
        world.edc.offer("paused", world.shelf.url)
        agreement = asked(world, "paused")["agreement"]
        client = world.node.client()
        pid = client.post("/v1/transfers", {"agreement": agreement})["pid"]
        path = f"/v1/transfers/{pid}"
        assert client.get(path, wait=WAIT, until="STARTED")["state"] == "STARTED"
        theirs = next(t["@id"] for t in world.edc.transfers() if t["correlationId"] == pid)
        for act, state in (("suspension", "SUSPENDED"), ("resumption", "STARTED")):
            client.post(f"{path}/{act}", {"reason": "a pause"})
            world.edc.transferred(theirs, state)
        for act, state in (("suspend", "SUSPENDED"), ("resume", "STARTED")):
            world.edc.act(theirs, act)
            assert client.get(path, wait=WAIT, until=state)["state"] == state
        world.node.must("transfer", "fetch", agreement, "--out", tmp_path / "out")
        assert (tmp_path / "out" / "data.csv").read_bytes() == CSV

    def test_terminated_by_the_edc(self, world: World):
        world.edc.offer("ended", world.shelf.url)
        client = world.node.client()
        pid = client.post("/v1/transfers", {"agreement": asked(world, "ended")["agreement"]})["pid"]
        path = f"/v1/transfers/{pid}"
        assert client.get(path, wait=WAIT, until="STARTED")["state"] == "STARTED"
        theirs = next(t["@id"] for t in world.edc.transfers() if t["correlationId"] == pid)
        world.edc.transferred(theirs, "STARTED")  # before that it loses what its operator asks
        world.edc.act(theirs, "terminate")
        assert client.get(path, wait=WAIT, until="TERMINATED")["state"] == "TERMINATED"


class TestEdcFromPreau:
    """An EDC finds, negotiates and pulls a dataset of Préau, learners' consent included."""

    def test_the_catalog_is_read(self, world: World):
        listed = world.edc.catalog(world.node.did, world.dsp)["dataset"]
        every = listed if isinstance(listed, list) else [listed]
        assert world.dataset in {one["@id"] for one in every}

    def test_agreed_and_pulled_and_audited(self, world: World):
        agreement = agreed_by_edc(world)
        edc, node = world.edc, world.node
        transfer = edc.transfer(node.did, world.dsp, agreement, "HttpData-PULL")
        assert edc.transferred(transfer, "STARTED", "TERMINATED")["state"] == "STARTED"
        rows = [json.loads(line) for line in read(edc.address(transfer)).splitlines()]
        assert len(rows) == len(traces.statements())
        assert not any("learner-" in json.dumps(row) for row in rows)
        assert f"{edc.id} did not sign the agreement" in verified(world, agreement)

    def test_pushed_to_the_sink_that_the_edc_names(self, world: World):
        edc, node, before = world.edc, world.node, len(world.shelf.pushed)
        sink = f"{world.shelf.url}/sink"
        transfer = edc.transfer(node.did, world.dsp, agreed_by_edc(world), "HttpData-PUSH", sink)
        found = edc.transferred(transfer, "COMPLETED", "TERMINATED", "DEPROVISIONED")
        assert found["state"] != "TERMINATED", node.said()[-1000:]
        assert len(world.shelf.pushed[before].splitlines()) == len(traces.statements())

    def test_suspended_resumed_and_terminated_by_the_edc(self, world: World):
        edc, node = world.edc, world.node
        transfer = edc.transfer(node.did, world.dsp, agreed_by_edc(world), "HttpData-PULL")
        edc.transferred(transfer, "STARTED")
        before = edc.address(transfer)
        edc.act(transfer, "suspend")
        edc.transferred(transfer, "SUSPENDED")
        with pytest.raises(urllib.error.HTTPError, match=r"404|409"):
            read(before)
        edc.act(transfer, "resume")
        edc.transferred(transfer, "STARTED")
        edc.until(lambda: edc.address(transfer) != before, WAIT)
        assert read(edc.address(transfer))
        edc.act(transfer, "terminate")
        edc.transferred(transfer, "TERMINATED")
        pid = node.client().get("/v1/transfers")[0]["pid"]
        found = node.client().get(f"/v1/transfers/{pid}", wait=WAIT, until="TERMINATED")
        assert found["state"] == "TERMINATED"

    def test_suspended_resumed_and_terminated_by_preau(self, world: World):
        edc, node = world.edc, world.node
        transfer = edc.transfer(node.did, world.dsp, agreed_by_edc(world), "HttpData-PULL")
        edc.transferred(transfer, "STARTED")
        pid = node.client().get("/v1/transfers")[0]["pid"]
        node.must("transfer", "suspend", pid, "--reason", "a pause")
        edc.transferred(transfer, "SUSPENDED")
        node.must("transfer", "resume", pid)
        edc.transferred(transfer, "STARTED")
        assert read(edc.address(transfer))
        node.must("transfer", "terminate", pid, "--reason", "enough")
        edc.transferred(transfer, "TERMINATED")

    def test_a_purpose_that_nobody_consented_to_gets_nothing(self, world: World):
        about = traces.about(
            id="others",
            params={
                "purposes": ["https://w3id.org/dpv#Marketing"],
                "until": "2027-12-31T00:00:00Z",
                "retention": "P1Y",
            },
        )
        folder, edc, node = world.node.folder.parent, world.edc, world.node
        (folder / "o.toml").write_text(about, "utf-8")
        node.must("dataset", "add", folder / "t.jsonl", "--about", folder / "o.toml")
        others = f"{node.url}/datasets/others"
        offer = edc.dataset(node.did, world.dsp, others)["hasPolicy"][0]
        ident = edc.negotiate(node.did, world.dsp, others, offer)
        found = edc.negotiation(ident, "FINALIZED", "TERMINATED")
        agreement = str(found["contractAgreementId"])
        transfer = edc.transfer(node.did, world.dsp, agreement, "HttpData-PULL")
        edc.transferred(transfer, "TERMINATED")

    def test_a_changed_offer_is_refused_with_the_reasons(self, world: World):
        edc, node = world.edc, world.node
        offer = edc.dataset(node.did, world.dsp, world.dataset)["hasPolicy"][0]
        wider = {"@id": offer["@id"], "@type": "Offer", "permission": [{"action": "use"}]}
        ident = edc.negotiate(node.did, world.dsp, world.dataset, wider)
        edc.negotiation(ident, "TERMINATED")
        assert node.negotiation()["state"] == "TERMINATED"

    def test_a_callback_that_is_down_for_a_while(self, world: World):
        """The EDC's port is closed while our agreement is due; it comes once the port is open."""
        edc, node = world.edc, world.node
        folder = node.folder.parent
        (folder / "d.toml").write_text(traces.about(id="decided", decisions=["dpo"]), "utf-8")
        node.must("dataset", "add", folder / "t.jsonl", "--about", folder / "d.toml")
        decided = f"{node.url}/datasets/decided"
        offer = edc.dataset(node.did, world.dsp, decided)["hasPolicy"][0]
        ident = edc.negotiate(node.did, world.dsp, decided, offer)
        waiting = node.awaiting("dpo")
        edc.pause()
        approve = ("negotiation", "decide", waiting, "--as", "dpo", "--approve")
        done = threading.Thread(target=node.must, args=approve, kwargs={"role": "dpo"})
        done.start()
        done.join()
        edc.until(lambda: attempts(world, waiting) > 1, 90)
        edc.go_on()
        assert edc.negotiation(ident, "FINALIZED", "TERMINATED")["state"] == "FINALIZED"


def attempts(world: World, process: str) -> int:
    """How often the newest message of a process was tried."""
    rows = world.node.query(
        f"select attempts from outbox where process = '{process}' order by seq desc limit 1"
    )
    return int(rows[0][0]) if rows else 0
