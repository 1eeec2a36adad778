"""Peers that are unknown, lie, repeat themselves, or are not there."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from connector.base.ids import SystemIds
from connector.identity import tokens
from connector.identity.keys import KeyRing
from policies.problem import Problem
from tests.support import traces
from tests.support.nodes import Done, NodeProcess, Two
from tests.support.telling import assert_tells, assert_tells_peer

Json = dict[str, Any]


pytestmark = pytest.mark.slow


def token(node: NodeProcess, audience: str, *, age: float = 0) -> str:
    """A Self-Issued token as the node would make it, so many seconds ago."""
    ring = KeyRing.load(node.folder / "keys")
    now = datetime.now(UTC) - timedelta(seconds=age)
    kid = f"{node.did}#{ring.fragment('token')}"
    return tokens.mint(ring.token_key, node.did, kid, audience, now, SystemIds().uuid())


def post(node: NodeProcess, path: str, body: Json, secret: str) -> tuple[int, Json]:
    """What the node's public port answers to a peer."""
    with closing(http.client.HTTPConnection("127.0.0.1", node.public, timeout=30)) as ask:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        ask.request("POST", f"/dsp/2025-1{path}", json.dumps(body), headers)
        answer = ask.getresponse()
        return answer.status, json.loads(answer.read())


CATALOG_REQUEST = {
    "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
    "@type": "CatalogRequestMessage",
}


def ask_catalog(nodes: Two, secret: str) -> tuple[int, str]:
    status, answer = post(nodes.platform, "/catalog/request", CATALOG_REQUEST, secret)
    if answer["@type"] == "CatalogError":
        assert_tells_peer(answer["reason"])
    return status, answer.get("code", "")


# --------------------------------------------------------------------------------- tokens


def test_a_token_serves_once(nodes: Two):
    secret = token(nodes.lab, nodes.platform.did)
    assert ask_catalog(nodes, secret) == (200, "")
    assert ask_catalog(nodes, secret) == (401, "identity-token-replayed")


def test_a_token_for_somebody_else_does_not_serve_here(nodes: Two):
    secret = token(nodes.lab, "did:web:localhost%3A1")
    assert ask_catalog(nodes, secret) == (401, "identity-token-audience")


def test_an_old_token_does_not_serve(nodes: Two):
    secret = token(nodes.lab, nodes.platform.did, age=400)
    assert ask_catalog(nodes, secret) == (401, "identity-token-expired")


def test_a_stranger_is_told_whom_to_ask(nodes: Two, tmp_path: Path):
    stranger = NodeProcess.init(tmp_path / "stranger")
    secret = token(stranger, nodes.platform.did)
    assert ask_catalog(nodes, secret) == (401, "access-unknown-peer")


def test_a_token_signed_by_another_key_does_not_serve(nodes: Two, tmp_path: Path):
    stranger = NodeProcess.init(tmp_path / "stranger")
    stranger.did = nodes.lab.did
    secret = token(stranger, nodes.platform.did)
    assert ask_catalog(nodes, secret) == (401, "identity-token-signature")


# -------------------------------------------------------------------------- unknown peers


def refused(done: Done, *codes: str) -> None:
    assert done.code == 1, done
    assert done.document["code"] in codes
    assert_tells(done.document)


def test_asking_for_a_dataset_of_nobody_known(nodes: Two, tmp_path: Path):
    path = tmp_path / "application.json"
    path.write_text(json.dumps(traces.application()), "utf-8")
    elsewhere = "http://localhost:1/datasets/traces"
    refused(nodes.lab.run("request", elsewhere, "--application", path), "peer-no-publisher")
    assert nodes.lab.client().get("/v1/negotiations") == []


def test_a_peer_that_does_not_answer_is_not_added(nodes: Two):
    refused(
        nodes.lab.run("peer", "add", "did:web:localhost%3A20001"),
        "delivery-unreachable",
        "identity-did-unreachable",
    )
    assert len(nodes.lab.client().get("/v1/peers")) == 1


# ------------------------------------------------------------------------- a false catalog


class Published(dict[str, bytes]):
    """path -> bytes, as a node published them."""

    def of(self, path: str) -> Json:
        """One of the documents."""
        found: Json = json.loads(self[path])
        return found


@contextmanager
def serving(port: int, published: Published) -> Iterator[None]:
    """A web server that says exactly this."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = published.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        allow_reuse_address = True

    with Server(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def shop(nodes: Two, tmp_path_factory: pytest.TempPathFactory) -> tuple[NodeProcess, Published]:
    """A publisher the lab has come to know, and all it published: two versions of its catalog."""
    folder = tmp_path_factory.mktemp("shop")
    shop = NodeProcess.init(folder / "shop").start()
    said = Published()

    def keep(path: str, name: str | None = None) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", shop.public, timeout=30)) as ask:
            ask.request("GET", path)
            said[name or path] = ask.getresponse().read()

    try:
        nodes.lab.must("peer", "add", shop.did)
        for version, ident in enumerate(("one", "two"), start=1):
            (folder / "t.jsonl").write_bytes(traces.lines(traces.statements(12, 2)))
            (folder / "about.toml").write_text(traces.about(id=ident), "utf-8")
            shop.must("dataset", "add", folder / "t.jsonl", "--about", folder / "about.toml")
            keep("/catalog", f"/catalog.{version}")
            keep(f"/datasets/{ident}/v1")
        keep("/.well-known/did.json")
        keep("/catalog")
    finally:
        shop.stop()
    return shop, said


def seen_by_the_lab(nodes: Two, shop: NodeProcess, said: Published) -> Json:
    with serving(shop.public, said):
        found: Json = nodes.lab.client().get("/v1/catalogs", peer=shop.did)
        return found


def lie(said: Published, path: str, **changes: Any) -> Published:
    """The same, with members of one document changed; None takes one away."""
    document = {**said.of(path), **changes}
    document = {name: value for name, value in document.items() if value is not None}
    return Published({**said, path: json.dumps(document).encode()})


def test_an_honest_catalog_is_read_and_verified_by_anybody(nodes: Two, shop):
    node, said = shop
    found = seen_by_the_lab(nodes, node, said)
    assert sorted(one["id"] for one in found["datasets"]) == [
        f"{node.url}/datasets/one",
        f"{node.url}/datasets/two",
    ]
    with serving(node.public, said):
        done = nodes.lab.run("catalog", "verify", node.url)
    assert (done.code, len(done.document["documents"])) == (0, 2)


def test_a_changed_title_is_noticed(nodes: Two, shop):
    node, said = shop
    path = "/datasets/one/v1"
    document = said.of(path)
    subject = {**document["subject"], "title": {"fr": "Autre", "en": "Other"}}
    false = lie(said, path, subject=subject)
    with pytest.raises(Problem, match="catalog-"):
        seen_by_the_lab(nodes, node, false)
    with serving(node.public, false):
        done = nodes.lab.run("catalog", "verify", node.url)
    assert (done.code, done.document["code"].partition("-")[0]) == (1, "catalog")


@pytest.mark.parametrize("path", ["/catalog", "/datasets/two/v1"])
def test_an_unsigned_document_is_not_believed(nodes: Two, shop, path: str):
    node, said = shop
    with pytest.raises(Problem, match="catalog-proof-missing"):
        seen_by_the_lab(nodes, node, lie(said, path, proof=None))


def test_an_entry_taken_out_of_the_head_is_noticed(nodes: Two, shop):
    node, said = shop
    head = said.of("/catalog")
    # pages are under whatever name the head's context gives them: the list that names documents.
    (name,) = (key for key, value in head.items() if "/datasets/one/v1" in json.dumps(value))
    with pytest.raises(Problem, match="catalog-"):
        seen_by_the_lab(nodes, node, lie(said, "/catalog", **{name: head[name][:1]}))


def test_a_catalog_that_went_back_is_refused(nodes: Two, shop):
    node, said = shop
    seen_by_the_lab(nodes, node, said)
    older = Published({**said, "/catalog": said["/catalog.1"]})
    with pytest.raises(Problem, match="catalog-head-"):
        seen_by_the_lab(nodes, node, older)
    # Whoever never saw the newer one cannot know; it is well signed.
    with serving(node.public, older):
        assert nodes.lab.run("catalog", "verify", node.url).code == 0


# ------------------------------------------------------------------- requests and callbacks


def test_an_offer_with_an_unknown_operand_is_refused_with_the_place(nodes: Two):
    made = nodes.publish(id="operand")
    status, answer = post(
        *(nodes.platform, "/catalog/request", CATALOG_REQUEST),
        token(nodes.lab, nodes.platform.did),
    )
    (dataset,) = [one for one in answer["dataset"] if one["@id"] == made["dataset"]]
    # The published offer, and one condition more: narrower, but by what nobody can evaluate.
    offer = dataset["hasPolicy"][0] | {"target": made["dataset"], "assigner": nodes.platform.did}
    moon = {"leftOperand": "odrl:moonPhase", "operator": "odrl:eq", "rightOperand": "full"}
    offer["permission"][0]["constraint"].append(moon)
    message = {
        **CATALOG_REQUEST,
        "@type": "ContractRequestMessage",
        "consumerPid": SystemIds().uuid(),
        "offer": offer,
        "callbackAddress": f"{nodes.lab.url}/dsp/2025-1",
    }
    secret = token(nodes.lab, nodes.platform.did)
    status, answer = post(nodes.platform, "/negotiations/request", message, secret)
    # The message is a good one, and is answered; what it asks for ends the negotiation.
    assert (status, answer["state"]) == (201, "REQUESTED")
    ended = nodes.platform.negotiation(answer["providerPid"], until="TERMINATED")
    assert ended["code"] == "negotiation-denied"
    assert sum("moonPhase" in reason for reason in ended["reasons"]) == 2, ended["reasons"]
    assert nodes.platform.query("SELECT count(*) FROM agreement") == [(0,)]


def test_a_decision_reaches_a_consumer_that_was_away(nodes: Two):
    nodes.publish(decisions=["dpo"])
    pid = nodes.ask()["pid"]
    waiting = nodes.platform.awaiting("dpo")
    nodes.lab.stop()
    decided = nodes.platform.must(
        *("negotiation", "decide", waiting, "--as", "dpo", "--approve"), role="dpo"
    )
    (sent,) = [one for one in decided["messages"] if one["type"] == "ContractAgreementMessage"]
    assert (decided["state"], sent["delivery"]) == ("AGREED", "pending")
    nodes.lab.start()
    assert nodes.lab.negotiation(pid, until="FINALIZED")["agreement"]
    assert nodes.platform.negotiation(waiting, until="FINALIZED")["state"] == "FINALIZED"
