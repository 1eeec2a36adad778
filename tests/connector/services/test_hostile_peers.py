"""A known, authenticated peer that says in some state what no honest one would."""

import json
from typing import Any

import pytest

from connector.identity.did import DidDocument
from connector.identity.ports import Response
from connector.services import identity
from connector.services.discover import peering
from connector.services.negotiate import people, proposing
from connector.services.node import Node
from connector.services.show import views
from connector.store import agreements as agreement_rows
from policies.problem import Problem
from tests.support.pair import (
    DPO,
    ETHICS,
    OPERATOR,
    RESEARCHER,
    Pair,
    Wire,
    application,
    statements,
)

Json = dict[str, Any]

CONTEXT = ["https://w3id.org/dspace/2025/1/context.jsonld"]
PREAU = "https://w3id.org/preau/ns#"
OTHER = "urn:uuid:00000000-0000-4000-8000-000000000000"
RETURNED = {"v": 1, "fields": ["actor", "verb.id"]}


class Wiretap:
    """What nodes post, with the members of one type changed on their way as their sender could
    have written them.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[Json] = []
        self.changes: dict[str, Any] = {}
        plain, tap = Wire.post, self

        async def post(self: Wire, url: str, body: bytes, **options: Any) -> Response:
            said = json.loads(body)
            if said["@type"] in tap.changes:
                tap.changes[said["@type"]](said)
                body = json.dumps(said).encode()
            tap.said.append(said)
            return await plain(self, url, body, **options)

        monkeypatch.setattr(Wire, "post", post)


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Wiretap:
    return Wiretap(monkeypatch)


async def say(nodes: Pair, path: str, said: Json) -> tuple[int, Json]:
    """What the provider answers to a message of the consumer's."""
    headers = {
        "Authorization": identity.authorization(nodes.consumer, nodes.provider.did),
        "Content-Type": "application/json",
    }
    body = json.dumps({"@context": CONTEXT, **said}).encode()
    answer = await nodes.wire.post(nodes.provider.dsp + path, body, headers=headers)
    return answer.status, json.loads(answer.body or b"{}")


async def waiting(nodes: Pair) -> tuple[str, str]:
    """A request that waits for a person; both pids."""
    pid = await nodes.request(await nodes.publish(statements(3), decisions='"dpo"'))
    return pid, str((await nodes.at_provider())["pid"])


async def give_back(nodes: Pair, pid: str) -> None:
    body = {"role": "dpo", "outcome": "return", "reason": "Fewer.", "offer": RETURNED}
    await people.decide(nodes.provider, DPO, pid, body)
    await nodes.settle()


async def states(node: Node) -> list[str]:
    rows = await node.store.read(agreement_rows.listing)
    return [row.state for row in rows]


async def test_an_agreement_under_the_name_of_another_ends_neither(nodes: Pair, tap: Wiretap):
    await nodes.request(await nodes.publish(statements(3)))
    (known,) = await views.agreements(nodes.consumer)
    tap.changes["ContractAgreementMessage"] = lambda m: m["agreement"].update({"@id": known["id"]})
    pid = await nodes.request(await nodes.publish(statements(3), id="more"))
    seen = await nodes.seen(nodes.consumer, pid)
    assert (seen["state"], seen["code"], seen["agreement"]) == (
        *("TERMINATED", "agreement-differs"),
        None,
    )
    assert await states(nodes.consumer) == ["active"]


async def test_reasons_of_an_offer_are_read_as_those_of_a_termination(nodes: Pair, tap: Wiretap):
    pid, theirs = await waiting(nodes)
    written = ["\x1b[2Jred" + "x" * 5000, {"a": 1}, 5, *["more"] * 1000]
    tap.changes["ContractOfferMessage"] = lambda m: m.update(
        {PREAU + "reason": json.dumps(written)}
    )
    await give_back(nodes, theirs)
    found = (await nodes.seen(nodes.consumer, pid))["reasons"]
    assert (found[0][:6], set(found[1:])) == ("[2Jred", {"more"})
    assert len(found) <= 16
    assert max(map(len, found)) <= 2048


async def test_nobody_else_s_dataset_stands_behind_a_peer_s_word(nodes: Pair):
    """The document that is read, and that the agreement would name, must be the peer's own."""
    dataset = await nodes.publish(statements(3))
    ours = json.dumps(identity.document(nodes.provider)).replace("9101", "9301")
    other = nodes.provider.did.replace("9101", "9301")
    nodes.consumer.resolver.learn(DidDocument.of(json.loads(ours), other))
    await peering.add(nodes.consumer, OPERATOR, other, "Other", [])
    terms = {"@id": f"{dataset}/offers/1", "permission": [{"action": "use"}]}
    with pytest.raises(Problem, match="negotiation-other-publisher") as caught:
        await proposing.request(nodes.consumer, RESEARCHER, other, dataset, terms)
    assert caught.value.params["publisher"] == nodes.provider.did
    assert await views.negotiations(nodes.consumer) == []


async def test_the_same_words_are_a_fresh_act_when_they_can_be_one(nodes: Pair, tap: Wiretap):
    """Without a name of its own, a second counter-offer in the words of the first is no repeat."""
    tap.changes["ContractRequestMessage"] = lambda m: m.pop("@id", None)
    pid, theirs = await waiting(nodes)
    for _ in range(2):
        await give_back(nodes, theirs)
        await proposing.counter(nodes.consumer, RESEARCHER, pid, {"v": 1})
        await nodes.settle()
        found = await nodes.seen(nodes.provider, theirs)
        assert (found["state"], found["awaiting"]) == ("REQUESTED", ["dpo"])
    first, second = [one for one in tap.said if "providerPid" in one and "offer" in one][1::2]
    assert first == second
    # It cannot be one now: it is the last one again, answered as before.
    path = f"/negotiations/{theirs}/request"
    status, answer = await say(nodes, path, second)
    assert (status, answer["state"]) == (200, "REQUESTED")
    assert len((await nodes.seen(nodes.provider, theirs))["decisions"]) == len(found["decisions"])


async def test_a_repeat_is_one_at_its_own_address_only(nodes: Pair, tap: Wiretap):
    pid, theirs = await waiting(nodes)
    await people.terminate(nodes.consumer, RESEARCHER, pid, "No use for it.")
    await nodes.settle()
    said = tap.said[-1]
    assert said["@type"] == "ContractNegotiationTerminationMessage"
    nodes.clock.advance(1)
    second = (await waiting(nodes))[1]
    assert second != theirs
    answers = {
        place: (await say(nodes, f"/negotiations/{place}/termination", said))[0]
        for place in (theirs, second, pid, OTHER)
    }
    assert answers == {theirs: 200, second: 400, pid: 404, OTHER: 404}
    assert (await nodes.seen(nodes.provider, second))["state"] == "REQUESTED"
    opening = next(one for one in tap.said if one["@type"] == "ContractRequestMessage")
    assert (await say(nodes, "/negotiations/request", opening))[0] == 201
    assert (await say(nodes, f"/negotiations/{theirs}/request", opening))[0] == 400


@pytest.mark.parametrize(("kind", "place"), [("Request", "request"), ("Offer", "offers")])
async def test_a_later_message_at_the_address_of_first_ones(nodes: Pair, kind: str, place: str):
    dataset = await nodes.publish(statements(3))
    offer = {"@type": "Offer", "@id": OTHER, "target": dataset, "permission": [{"action": "use"}]}
    pids = {"providerPid": OTHER, "consumerPid": "urn:c"}
    said = {"@type": f"Contract{kind}Message", **pids, "offer": offer}
    status, answer = await say(nodes, f"/negotiations/{place}", said)
    assert (status, answer["code"]) == (400, "protocol-member-missing")
    assert "/callbackAddress" in answer["reason"][0]
    assert (answer["providerPid"], answer["consumerPid"]) == (OTHER, "urn:c")


async def test_a_pid_that_is_an_address_is_asked_about_as_one_segment(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    """Where a peer that refuses is asked what it holds, its pid is quoted as in any address."""
    plain, asked = Wire.get, list[str]()
    pid = "https://provider.example/negotiations/1?a#b"

    async def post(self: Wire, url: str, body: bytes, **options: Any) -> Response:
        return Response(400, {}, b"{}")

    async def get(self: Wire, url: str, **options: Any) -> Response:
        asked.append(url)
        return await plain(self, url, **options)

    made = await people.request(
        nodes.consumer, RESEARCHER, await nodes.publish(statements(3)), application()
    )
    said = {"@type": "ContractNegotiation", "providerPid": pid, "consumerPid": made["pid"]}
    answer = json.dumps({"@context": CONTEXT, **said, "state": "REQUESTED"}).encode()

    async def opened(self: Wire, url: str, body: bytes, **options: Any) -> Response:
        return Response(201, {}, answer)

    monkeypatch.setattr(Wire, "post", opened)
    await nodes.settle()
    monkeypatch.setattr(Wire, "post", post)
    monkeypatch.setattr(Wire, "get", get)
    await people.terminate(nodes.consumer, RESEARCHER, made["pid"], "No use for it.")
    await nodes.settle()
    quoted = "https:%2F%2Fprovider.example%2Fnegotiations%2F1%3Fa%23b"
    assert asked == [f"{nodes.provider.dsp}/negotiations/{quoted}"]


async def test_an_offer_that_is_made_no_longer_is_not_agreed_past_who_must_decide(nodes: Pair):
    """Between a return and its acceptance the terms were published anew: the roles that had still
    to decide on the old ones are not to be skipped.
    """
    dataset = await nodes.publish(statements(3), decisions='"ethics", "dpo"')
    pid = await nodes.request(dataset)
    theirs = str((await nodes.at_provider())["pid"])
    body = {"role": "ethics", "outcome": "return", "reason": "Fewer.", "offer": RETURNED}
    await people.decide(nodes.provider, ETHICS, theirs, body)
    await nodes.settle()
    await nodes.publish(statements(3), template="public-task-research", basis="public-task")
    await people.accept(nodes.consumer, RESEARCHER, pid)
    await nodes.settle()
    seen = await nodes.seen(nodes.provider, theirs)
    assert (seen["state"], seen["code"]) == ("TERMINATED", "negotiation-offer-unknown")
    assert await states(nodes.provider) == []


async def test_a_pid_that_could_never_be_answered_is_refused_at_once(nodes: Pair):
    """Behind the callback address it makes more than an address may be long."""
    dataset = await nodes.publish(statements(3))
    offer = {"@type": "Offer", "@id": OTHER, "target": dataset, "permission": [{"action": "use"}]}
    callback = f"{nodes.consumer.dsp}/" + 1000 * "a"
    said = {"@type": "ContractRequestMessage", "callbackAddress": callback, "offer": offer}
    path = "/negotiations/request"
    status, answer = await say(nodes, path, {**said, "consumerPid": 1000 * "x"})
    assert (status, answer["code"]) == (400, "delivery-url-invalid")
    assert (await say(nodes, path, {**said, "consumerPid": 900 * "x"}))[0] == 201
