"""A node in the conformance profile, and the properties that tell a kit about it.

An ordinary dev node; what is special is configuration: one partner with a fixed secret, every step
left to people. Datasets are published by the command line, agreements are negotiated with our own
counterpart, and `script.Scripted` decides in people's place. So a kit drives what peers and people
drive, and nothing in the product knows about kits.
"""

import contextlib
import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.conformance import scenarios
from tests.conformance.counterpart import Counterpart, Message, agreement, offer, segment
from tests.conformance.properties import KIT, Properties
from tests.conformance.scenarios import FORMAT, PARTICIPANT, Script, short
from tests.conformance.script import Scripted
from tests.support.nodes import WAIT, NodeProcess, free_port

Json = dict[str, Any]

_ABOUT: Final = """
id = "{id}"
kind = "csv"
personal = "no"
category = "https://w3id.org/preau/ns#LearningTraces"
until = 2027-12-31T00:00:00Z
decisions = [{decisions}]
[title]
fr = "Jeu {id}"
en = "Dataset {id}"
[policy]
template = "open-licence"
"""
_DATA: Final = "place,count\nnorth,1\nsouth,2\n"
_AGREED: Final = "ATP"


@dataclass(slots=True)
class Profile:
    """A running node, its properties, and what plays on it."""

    node: NodeProcess
    properties: Properties
    scripted: Scripted

    @property
    def faults(self) -> list[str]:
        """What the script could not do."""
        return self.scripted.faults


@contextlib.contextmanager
def profile(folder: Path, port: int | None = None) -> Iterator[Profile]:
    """A node ready for all scenarios; the counterpart's port is free when this is entered."""
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    node = NodeProcess.init(folder / "conformance")
    secret = configured(node, port)
    node.start()
    try:
        for role in ("ethics", "dpo"):
            node.token(role)
        scripts = _publish(node, folder)
        agreed = _negotiate(node, port, secret)
        scripts |= {ours: script for ours, _, script in agreed.values()}
        scripted = Scripted(node.client, scripts.get)
        with _triggers(node, {wire: ours for ours, wire, _ in agreed.values()}) as triggers:
            scripted.skip()
            scripted.start()
            yield Profile(node, _properties(node, port, secret, triggers, agreed), scripted)
            scripted.stop()
    finally:
        node.kill()


def configured(node: NodeProcess, port: int) -> str:
    """Let a node know the counterpart at a port, and leave its steps to people; their secret."""
    secret = secrets.token_hex(16)
    path = node.folder / "tokens" / "partner"
    path.touch(mode=0o600)
    path.write_text(secret, "ascii")
    node.configure(
        "[static_token]", name=PARTICIPANT, dsp=f"http://localhost:{port}", file="tokens/partner"
    )
    node.configure("steps", by_hand=["verify", "finalize", "start"])
    return secret


def _publish(node: NodeProcess, folder: Path) -> dict[str, Script]:
    """One dataset for each scenario of a provider; scripts by what the node calls them."""
    data = folder / "data.csv"
    data.write_text(_DATA, "utf-8")
    names = {short(each, "A"): script for each, script in _negotiations().items()}
    for name, decisions in [
        *((name, '"ethics", "dpo"') for name in names),
        *((name, "") for name in ("CAT0101", "CAT0102", _AGREED)),
    ]:
        about = folder / f"{name}.toml"
        about.write_text(_ABOUT.format(id=name, decisions=decisions), "utf-8")
        node.must("dataset", "add", data, "--about", about)
    scripts = {_iri(node, name): script for name, script in names.items()}
    consumers = scenarios.CONSUMER_NEGOTIATIONS.items()
    return scripts | {short(each, "A"): script for each, script in consumers}


def _negotiations() -> Mapping[str, Script]:
    return scenarios.PROVIDER_NEGOTIATIONS


def _iri(node: NodeProcess, name: str) -> str:
    return f"{node.url}/datasets/{name}"


# ------------------------------------------------------------------ agreements to transfer under

Agreed = dict[str, tuple[str, str, Script]]
"""By scenario: what the node calls the agreement, what stands on the wire, the script."""


def _negotiate(node: NodeProcess, port: int, secret: str) -> Agreed:
    """One agreement for each scenario of a transfer, negotiated with our own counterpart."""
    counterpart = Counterpart(port, f"{node.url}/dsp/2025-1", f"Bearer {secret}", lambda _: None)
    try:
        return {
            **{
                each: (*_as_provider(node, counterpart), script)
                for each, script in scenarios.PROVIDER_TRANSFERS.items()
            },
            **{
                each: (*_as_consumer(node, counterpart, short(each, "A")), script)
                for each, script in scenarios.CONSUMER_TRANSFERS.items()
            },
        }
    finally:
        counterpart.close()


def _as_provider(node: NodeProcess, counterpart: Counterpart) -> tuple[str, str]:
    pid = f"seed-{secrets.token_hex(8)}"
    counterpart.open(pid, {})
    catalog = node.must("dataset", "show", _AGREED)["document"]["subject"]
    name = catalog["hasPolicy"][0]["id"]
    wire = {
        "@type": "ContractRequestMessage",
        "consumerPid": pid,
        "offer": offer(name, _iri(node, _AGREED)),
        "callbackAddress": counterpart.url,
    }
    answer = counterpart.post("/negotiations/request", wire)
    assert answer.status == 201, answer
    ours = answer.body["providerPid"]
    said = counterpart.next(pid).wire
    assert said["@type"] == "ContractAgreementMessage", said
    pids = {"providerPid": ours, "consumerPid": pid}
    path = f"/negotiations/{segment(ours)}/agreement/verification"
    wire = {"@type": "ContractAgreementVerificationMessage", **pids}
    assert counterpart.post(path, wire).status == 200
    node.client().post(f"/v1/negotiations/{segment(ours)}/finalization")
    assert counterpart.next(pid).wire["eventType"] == "FINALIZED"
    ident = str(said["agreement"]["@id"])
    return ident, ident


def _as_consumer(node: NodeProcess, counterpart: Counterpart, name: str) -> tuple[str, str]:
    body = {"peer": PARTICIPANT, "dataset": _AGREED, "terms": offer(f"offer{_AGREED}", _AGREED)}
    ours = node.client().post("/v1/requests", body)["pid"]
    opened = counterpart.opened().wire
    pids = {"providerPid": opened["_pid"], "consumerPid": opened["consumerPid"]}
    path = f"/negotiations/{segment(ours)}"
    wire = {
        "@type": "ContractAgreementMessage",
        **pids,
        "agreement": agreement(name, _AGREED, node.did),
    }
    assert counterpart.post(f"{path}/agreement", wire).status == 200
    node.client().post(f"/v1{path}/verification")
    said = counterpart.next(opened["_pid"])
    assert said.wire["@type"] == "ContractAgreementVerificationMessage", said
    wire = {"@type": "ContractNegotiationEventMessage", **pids, "eventType": "FINALIZED"}
    assert counterpart.post(f"{path}/events", wire).status == 200
    found = node.client().get(f"/v1{path}", wait=WAIT, until="FINALIZED")
    return str(found["agreement"]), name


# ------------------------------------------------------------------ what a kit is told


def _properties(
    node: NodeProcess, port: int, secret: str, triggers: str, agreed: Agreed
) -> Properties:
    kit = KIT
    found = Properties(
        {
            f"{kit}.debug": "false",
            f"{kit}.ansi": "false",
            f"{kit}.host": "127.0.0.1",
            f"{kit}.port": str(port),
            f"{kit}.callback.address": f"http://localhost:{port}",
            f"{kit}.dsp.local.connector": "false",
            f"{kit}.dsp.default.wait": "7",
            f"{kit}.dsp.connector.agent.id": node.did,
            f"{kit}.dsp.connector.http.url": f"{node.url}/dsp/2025-1",
            f"{kit}.dsp.connector.http.base.url": node.url,
            f"{kit}.dsp.connector.http.headers.authorization": f"Bearer {secret}",
            f"{kit}.dsp.connector.negotiation.initiate.url": f"{triggers}/negotiations",
            f"{kit}.dsp.connector.transfer.initiate.url": f"{triggers}/transfers",
        }
    )
    for name in ("CAT0101", "CAT0102", "CAT0103"):
        found[f"CAT_01_{name[-2:]}_DATASETID"] = _iri(node, name)
    for each in scenarios.PROVIDER_NEGOTIATIONS:
        name = short(each, "A")
        shown = node.must("dataset", "show", name)["document"]["subject"]
        found[f"{_key(each)}_DATASETID"] = shown["id"]
        found[f"{_key(each)}_OFFERID"] = shown["hasPolicy"][0]["id"]
    for each in scenarios.CONSUMER_NEGOTIATIONS:
        found[f"{_key(each)}_DATASETID"] = short(each, "A")
    for each, (_, wire, _) in agreed.items():
        found[f"{_key(each)}_AGREEMENTID"] = wire
        found[f"{_key(each)}_FORMAT"] = FORMAT
    return found


def _key(scenario: str) -> str:
    """`CN_C:01-02` as the kit's properties spell it: `CN_C_01_02`."""
    return scenario.replace(":", "_").replace("-", "_")


@contextlib.contextmanager
def _triggers(node: NodeProcess, agreements: Mapping[str, str]) -> Iterator[str]:
    """Two addresses where a kit tells our side to begin; they do what a researcher would do."""
    client = node.client()

    def negotiate(asked: Json) -> None:
        peer, dataset = asked["providerId"], asked["datasetId"]
        terms = offer(asked["offerId"], dataset)
        client.post("/v1/requests", {"peer": peer, "dataset": dataset, "terms": terms})

    def transfer(asked: Json) -> None:
        ident = agreements[asked["agreementId"]]
        client.post("/v1/transfers", {"agreement": ident, "format": asked["format"]})

    acts = {"/negotiations": negotiate, "/transfers": transfer}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            acts[self.path](asked)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


__all__ = ["Message", "Profile", "profile"]
