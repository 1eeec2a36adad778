"""Addresses, contexts and sizes that a peer may not choose: refused, and nothing has happened."""

import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from connector.http.dsp import POSTS
from tests.support.ports import CONTEXT, DSP, Ports

pytestmark = pytest.mark.asyncio(loop_scope="module")

Validate = Callable[[str, object], None]
JSON = {"Content-Type": "application/json"}
NOBODY = "urn:uuid:00000000-0000-4000-8000-000000000000"
ELSEWHERE = [
    "http://localhost:9101/dsp/2025-1",  # ours
    "http://localhost:9301/dsp/2025-1",  # another peer's
    "http://127.0.0.1:9201/dsp/2025-1",
    "http://[::1]:9201/dsp/2025-1",
    "http://2130706433:9201/",
    "http://127.1:9201/",
    "http://10.0.0.1/dsp",
    "http://192.168.1.1/dsp",
    "http://169.254.169.254/latest/meta-data",
    "https://metadata.google.internal/",
    "https://lab.example/dsp",
    "http://localhost:9201.evil.example/",
    "http://evil.example/?http://localhost:9201",
    "http://localhost:9201@evil.example/",
    "http://localhost:9201#@evil.example/",
    "http://localhost:9201\\@evil.example/",
    "file:///etc/passwd",
    "gopher://localhost:9201/",
    "//localhost:9201/",
    "localhost:9201",
    # The caller's own origin, and still nothing that this node connects to.
    "http://localhost:9201/\\..\\",
    "http://localhost:9201/{x}",
    "http://localhost:9201/é",
    "http://localhost:9201/a|b",
    "",
]


def request(ports: Ports, callback: str) -> dict[str, Any]:
    rules = {"permission": [{"action": "use"}]}
    offer = {"@type": "Offer", "@id": "urn:offer:1", "target": ports.dataset, **rules}
    return {
        "@context": [CONTEXT],
        "@type": "ContractRequestMessage",
        "consumerPid": NOBODY,
        "offer": offer,
        "callbackAddress": callback,
    }


async def post(ports: Ports, path: str, wire: object, **headers: str) -> Any:
    body = wire if isinstance(wire, bytes) else json.dumps(wire).encode()
    sent = {**JSON, **ports.peer(), **headers}
    return await ports.public("POST", DSP + path, headers=sent, content=body)


@pytest.mark.parametrize("address", ELSEWHERE)
async def test_a_callback_that_is_not_the_caller_s_own(
    ports: Ports, schemas: Validate, address: str
):
    before = await ports.state()
    for path, wire, kind in (
        ("/negotiations/request", request(ports, address), "negotiation/contract-negotiation"),
        (
            "/negotiations/offers",
            {
                **request(ports, address),
                "@type": "ContractOfferMessage",
                "providerPid": NOBODY,
                "consumerPid": None,
            },
            "negotiation/contract-negotiation",
        ),
        ("/transfers/request", await transfer(ports, callbackAddress=address), "transfer/transfer"),
    ):
        answer = await post(ports, path, wire)
        assert answer.status_code == 400, answer.text
        schemas(f"{kind}-error", answer.json())
        found = answer.json()["code"]
        assert found in {
            *("identity-address-foreign", "delivery-url-invalid"),
            *("protocol-not-url", "protocol-not-text"),
        }, found
    assert await ports.state() == before


async def transfer(ports: Ports, **more: Any) -> dict[str, Any]:
    from connector.services.show import views

    agreement = (await views.agreements(ports.node))[0]["id"]
    return {
        "@context": [CONTEXT],
        "@type": "TransferRequestMessage",
        "consumerPid": "urn:uuid:fresh",
        "agreementId": agreement,
        "format": "HttpData-PULL",
        "callbackAddress": "http://localhost:9201/dsp/2025-1",
        **more,
    }


@pytest.mark.parametrize("address", ELSEWHERE[:-1])
async def test_data_are_pushed_nowhere_else(ports: Ports, address: str):
    before = await ports.state()
    sink = {"@type": "DataAddress", "endpointType": "HttpData", "endpoint": address}
    wire = await transfer(ports, format="HttpData-PUSH", dataAddress=sink)
    answer = await post(ports, "/transfers/request", wire)
    assert answer.status_code == 400, answer.text
    assert await ports.state() == before


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (None, "protocol-context-missing"),
        ([], "protocol-context-missing"),
        (["https://evil.example/context.jsonld"], "protocol-context-missing"),
        ("https://evil.example/context.jsonld", "protocol-context-missing"),
        ([CONTEXT, {"@vocab": "https://evil.example/"}], "protocol-context-inline"),
        ([CONTEXT, ["https://evil.example/"]], "protocol-context-inline"),
        ([CONTEXT] * 17, "protocol-context-inline"),
        ({"@import": CONTEXT}, "protocol-context-missing"),
        (7, "protocol-context-missing"),
    ],
)
async def test_contexts(ports: Ports, context: object, code: str):
    before = await ports.state()
    for route in POSTS:
        path = route.path.replace("{pid}", NOBODY)
        answer = await post(ports, path, {"@context": context, "@type": route.message.TYPE})
        assert (answer.status_code, answer.json()["code"]) == (400, code), path
    assert await ports.state() == before


async def test_an_unknown_context_beside_the_known_one_is_never_fetched(ports: Ports):
    wire = {"@context": [CONTEXT, "https://evil.example/"], "@type": "CatalogRequestMessage"}
    seen = list(ports.nodes.wire.seen)
    assert (await post(ports, "/catalog/request", wire)).status_code == 200
    assert ports.nodes.wire.seen == seen


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZIP", "gzip, gzip", "x"])
async def test_compressed_bodies_are_not_opened(ports: Ports, encoding: str):
    bomb = gzip.compress(b"[" * 20_000_000)
    person = await ports.role("operator")
    before = await ports.state()
    for route in POSTS:
        path = route.path.replace("{pid}", NOBODY)
        answer = await post(ports, path, bomb, **{"Content-Encoding": encoding})
        assert (answer.status_code, answer.json()["code"]) == (400, "http-encoding")
    answer = await ports.management(
        "POST",
        "/v1/requests",
        headers={**JSON, **person, "Content-Encoding": encoding},
        content=bomb,
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "http-encoding")
    assert await ports.state() == before


async def test_an_endless_body_is_read_no_further_than_the_limit(ports: Ports):
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    limit = ports.node.settings.limits.message_bytes
    for route in POSTS:
        sent = 0
        path = DSP + route.path.replace("{pid}", NOBODY)
        headers = {**JSON, **ports.peer()}
        answer = await ports.public("POST", path, headers=headers, content=endless())
        assert answer.json()["code"] == "http-too-large"
        assert sent <= limit + 2 * 65_536
