"""Looking back: what a peer says it sees of us, and that nobody makes a node look elsewhere."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from connector.http import public
from connector.identity import tokens
from connector.identity.ports import Response
from connector.services.doctor import outside
from connector.services.negotiate import reach
from connector.services.node import Node
from connector.services.operate import looking
from connector.store import peers
from connector.store.queries import given, removing
from connector.store.tables import PEER
from policies.problem import Problem
from tests.support.clock import START
from tests.support.pair import AUDITOR, OPERATOR, Pair, Wire


def host(node: Node) -> str:
    return urlsplit(node.url).netloc


def authorization(asking: Node, asked: Node) -> dict[str, str]:
    key = asking.keys.token_key
    kid = f"{asking.did}#{asking.keys.fragment('token')}"
    now, jti = asking.clock.now(), asking.ids.uuid()
    token = tokens.mint(key, asking.did, kid, asked.did, now, jti)
    return {"Authorization": f"Bearer {token}"}


async def knock(asked: Node, headers: Mapping[str, str]) -> httpx.Response:
    transport = httpx.ASGITransport(public.app(asked), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=asked.url) as client:
        return await client.post(looking.PATH, headers=dict(headers), content=b"{}")


async def test_a_peer_that_reaches_us_says_so(nodes: Pair):
    found = await looking.ask(nodes.consumer, OPERATOR, nodes.provider.did)
    assert found["ok"]
    assert [one["check"] for one in found["checks"]] == ["seen-did", "seen-dsp"]
    assert {one["level"] for one in found["checks"]} == {"ok"}
    nodes.clock.advance(reach.LOOK_PAUSE.total_seconds())
    assert (await looking.ask(nodes.consumer, OPERATOR, nodes.provider.url))["ok"]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Problem("delivery-tls", host="x", port=443, fault="certificate has expired"), "expired"),
        (Problem("delivery-unreachable", host="x", port=443, reason="refused"), "refused"),
        (Problem("delivery-address-refused", host="x"), "delivery-address-refused"),
        (Response(502), "HTTP 502"),
    ],
)
async def test_a_fault_is_told_even_when_our_document_cannot_be_fetched(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, seen: Problem | Response, said: str
):
    plain = Wire.get

    async def get(self: Wire, url: str, **options: Any) -> Response:
        if urlsplit(url).netloc != host(nodes.consumer):
            return await plain(self, url, **options)
        if isinstance(seen, Problem):
            raise seen
        return seen

    monkeypatch.setattr(Wire, "get", get)
    nodes.provider.resolver.forget(nodes.consumer.did)
    found = await looking.ask(nodes.consumer, OPERATOR, nodes.provider.did)
    assert not found["ok"]
    for one in found["checks"]:
        assert one["code"] == "lookback-unreached"
        assert said in one["fr"]
        assert said in one["en"]


@pytest.mark.parametrize("body", [b'{"id":"did:web:elsewhere.example"}', b"<html>"])
async def test_a_document_that_is_not_ours_is_told_though_it_is_there(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, body: bytes
):
    plain = Wire.get

    async def get(self: Wire, url: str, **options: Any) -> Response:
        ours = url == f"{nodes.consumer.url}/.well-known/did.json"
        return Response(200, {}, body) if ours else await plain(self, url, **options)

    monkeypatch.setattr(Wire, "get", get)
    found = await looking.ask(nodes.consumer, OPERATOR, nodes.provider.did)
    document, version = found["checks"]
    assert (document["code"], version["level"]) == ("lookback-other", "ok")


async def test_a_stranger_is_not_looked_at_and_nothing_is_fetched(nodes: Pair):
    await nodes.provider.store.write(lambda tx: tx.change(peers_removal(), did=nodes.consumer.did))
    assert await nodes.provider.store.read(lambda tx: peers.get(tx, did=nodes.consumer.did)) is None
    before = list(nodes.wire.seen)
    answer = await knock(nodes.provider, authorization(nodes.consumer, nodes.provider))
    assert answer.status_code in {401, 403}
    assert nodes.wire.seen == before
    assert (await knock(nodes.provider, {})).status_code == 401


def peers_removal() -> Any:
    """What makes a node forget a peer; no use case of ours does."""
    return removing(PEER, given(PEER.c.did))


async def test_only_the_callers_own_addresses_are_asked_whatever_the_body_says(nodes: Pair):
    nodes.wire.seen.clear()
    headers = authorization(nodes.consumer, nodes.provider)
    transport = httpx.ASGITransport(public.app(nodes.provider), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=nodes.provider.url) as client:
        answer = await client.post(
            looking.PATH, headers=headers, json={"url": "http://169.254.169.254/", "did": "x"}
        )
    urls = [one["url"] for one in answer.json()["seen"].values()]
    assert {urlsplit(url).netloc for url in urls} == {host(nodes.consumer)}
    assert {path for _, path, _ in nodes.wire.seen} == {
        "/.well-known/did.json",
        "/.well-known/dspace-version",
    }


async def test_a_token_serves_once_and_a_peer_is_looked_at_seldom(nodes: Pair):
    headers = authorization(nodes.consumer, nodes.provider)
    assert (await knock(nodes.provider, headers)).status_code == 200
    again = await knock(nodes.provider, headers)
    assert (again.status_code, again.json()["code"]) == (401, "identity-token-replayed")
    fresh = await knock(nodes.provider, authorization(nodes.consumer, nodes.provider))
    assert (fresh.status_code, fresh.json()["code"]) == (429, "lookback-too-often")
    with pytest.raises(Problem) as caught:
        await looking.ask(nodes.consumer, OPERATOR, nodes.provider.did)
    assert (caught.value.code, caught.value.params["status"]) == ("lookback-unable", 429)
    nodes.clock.advance(reach.LOOK_PAUSE.total_seconds())
    last = await knock(nodes.provider, authorization(nodes.consumer, nodes.provider))
    assert last.status_code == 200


async def test_who_may_ask_and_what_a_peer_may_answer(nodes: Pair, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(Problem) as caught:
        await looking.ask(nodes.consumer, AUDITOR, nodes.provider.did)
    assert caught.value.code == "access-role"
    with pytest.raises(Problem) as caught:
        await looking.ask(nodes.consumer, OPERATOR, "did:web:nobody.example")
    assert caught.value.code == "peer-unknown"
    for body, code in ((b"<html>", "lookback-garbled"), (b'{"seen":[]}', "lookback-garbled")):

        async def post(*_: object, body: bytes = body, **__: object) -> Response:
            return Response(200, {}, body)

        monkeypatch.setattr(Wire, "post", lambda *a, post=post, **k: post())
        with pytest.raises(Problem) as caught:
            await looking.ask(nodes.consumer, OPERATOR, nodes.provider.did)
        assert caught.value.code == code


async def test_looks_at_once_are_bounded(nodes: Pair):
    looks = nodes.provider.looks
    looks.running = reach.LOOKS_AT_ONCE
    answer = await knock(nodes.provider, authorization(nodes.consumer, nodes.provider))
    assert answer.status_code == 429
    looks.running = 0


async def test_a_certificate_nobody_shows_has_no_end():
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await asyncio.to_thread(outside.certificate_end, "localhost", port, START) is None
    server.close()
    await server.wait_closed()
