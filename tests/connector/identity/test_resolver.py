"""Resolution: where a DID leads, what is believed, and for how long."""

import asyncio
from datetime import timedelta

import pytest

from connector.identity.did import MAX_BYTES, DidDocument
from connector.identity.ports import Response
from connector.identity.resolver import DidResolver
from policies.problem import Problem
from tests.connector.identity.conftest import MakeParty, Net, Party
from tests.support.clock import ManualClock

ALICE = "https://alice.example/.well-known/did.json"


@pytest.fixture
def resolver(net: Net, clock: ManualClock, alice: Party) -> DidResolver:
    net.serve(ALICE, alice.source)
    return DidResolver(net, clock, max_age=timedelta(minutes=5))


async def test_a_document_is_fetched_once_and_remembered_for_a_while(
    resolver: DidResolver, net: Net, clock: ManualClock, alice: Party
):
    first = await resolver.document(alice.did)
    clock.advance(300)
    assert await resolver.document(alice.did) is first
    assert net.asked == [ALICE]
    clock.advance(1)
    assert await resolver.document(alice.did) is not first
    assert net.asked == [ALICE, ALICE]


async def test_time_that_goes_back_makes_it_ask_anew(
    resolver: DidResolver, net: Net, clock: ManualClock, alice: Party
):
    await resolver.document(alice.did)
    clock.advance(-10)
    await resolver.document(alice.did)
    assert len(net.asked) == 2


async def test_forget_and_learn(resolver: DidResolver, net: Net, alice: Party, bob: Party):
    await resolver.document(alice.did)
    resolver.forget(alice.did)
    resolver.forget("did:web:nobody.example")
    await resolver.document(alice.did)
    assert len(net.asked) == 2
    resolver.learn(bob.document)
    assert (await resolver.document(bob.did)).did == bob.did
    assert len(net.asked) == 2


async def test_refresh_asks_anew_but_seldom(
    resolver: DidResolver, net: Net, clock: ManualClock, alice: Party
):
    await resolver.document(alice.did)
    await resolver.refresh(alice.did)
    assert len(net.asked) == 1
    clock.advance(31)
    await resolver.refresh(alice.did)
    await resolver.refresh(alice.did)
    assert len(net.asked) == 2


async def test_many_ask_at_once_and_one_request_leaves(
    resolver: DidResolver, net: Net, alice: Party
):
    found = await asyncio.gather(*(resolver.document(alice.did) for _ in range(20)))
    assert len(net.asked) == 1
    assert len({id(document) for document in found}) == 1


async def test_one_caller_leaving_does_not_disturb_the_others(clock: ManualClock, alice: Party):
    gate = asyncio.Event()

    class Slow(Net):
        async def get(self, url: str, **_: object) -> Response:
            await gate.wait()
            return await super().get(url)

    net = Slow()
    net.serve(ALICE, alice.source)
    resolver = DidResolver(net, clock)
    leaving, staying = (asyncio.ensure_future(resolver.document(alice.did)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    gate.set()
    assert (await staying).did == alice.did
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert len(net.asked) == 1


async def test_failures_are_told_and_not_remembered(
    net: Net, clock: ManualClock, alice: Party, bob: Party
):
    resolver = DidResolver(net, clock)
    with pytest.raises(Problem, match="identity-did-unresolved"):
        await resolver.document(alice.did)
    net.answers[ALICE] = Problem("delivery-timeout", host="alice.example", port=443)
    with pytest.raises(Problem, match="delivery-timeout"):
        await resolver.document(alice.did)
    net.serve(ALICE, bob.source)
    with pytest.raises(Problem, match="identity-document-other"):
        await resolver.document(alice.did)
    net.answers[ALICE] = Response(200, {}, b"<html>")
    with pytest.raises(Problem, match="identity-document-malformed"):
        await resolver.document(alice.did)
    net.serve(ALICE, alice.source)
    assert isinstance(await resolver.document(alice.did), DidDocument)
    assert net.asked == [ALICE] * 5


@pytest.mark.parametrize(
    "did",
    ["did:key:z6Mk", "did:web:127.0.0.1", "did:web:a.example:..", "did:web:localhost%3A8080", "x"],
)
async def test_a_name_that_leads_nowhere_sends_nothing(net: Net, clock: ManualClock, did: str):
    with pytest.raises(Problem, match="identity-did-"):
        await DidResolver(net, clock).document(did)
    assert net.asked == []


async def test_loopback_is_asked_over_http_in_development(
    net: Net, clock: ManualClock, make_party: MakeParty
):
    party = make_party("did:web:localhost%3A8080:node")
    net.serve("http://localhost:8080/node/did.json", party.source)
    assert (await DidResolver(net, clock, dev=True).document(party.did)).did == party.did
    assert MAX_BYTES == 65_536
