"""What a peer refuses, and what becomes of the process for whom: said once, and never undone."""

import json
from typing import Any

import pytest

from connector.identity.ports import Response
from connector.services.fetch import fetching
from connector.services.negotiate import people
from connector.services.release import transferring
from connector.services.show import auditing, views
from connector.store import outbox
from policies.problem import Problem
from tests.support.pair import AUDITOR, DPO, RESEARCHER, Pair, Wire, statements

Json = dict[str, Any]


def refusing(patch: pytest.MonkeyPatch, kind: str, status: int, body: bytes) -> list[Json]:
    """Whoever is sent a message of this type refuses it unread; what was sent."""
    plain, seen = Wire.post, list[Json]()

    async def post(self: Wire, url: str, content: bytes, **options: Any) -> Response:
        said = json.loads(content)
        if said["@type"] != kind:
            return await plain(self, url, content, **options)
        seen.append(said)
        return Response(status, {}, body)

    patch.setattr(Wire, "post", post)
    return seen


SILENT = (b"", b"<html>Forbidden</html>", b"{}", b'{"@type": "ContractNegotiationError"}', b"[1]")


async def test_a_refusal_without_a_reason_is_told_in_our_words(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    dataset = await nodes.publish(statements(3))
    for body in SILENT:
        with monkeypatch.context() as once:
            refusing(once, "ContractRequestMessage", 403, body)
            found = await nodes.seen(nodes.consumer, await nodes.request(dataset))
        assert (found["state"], found["code"]) == ("TERMINATED", "delivery-refused"), body
        assert len(found["reasons"]) == 2
        assert all("403" in reason for reason in found["reasons"])


@pytest.mark.parametrize("kind", ["negotiation", "transfer"])
async def test_an_end_stays_whatever_the_peer_thinks_of_it(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, kind: str
):
    dataset = await nodes.publish(statements(12), decisions='"dpo"' if kind != "transfer" else "")
    await nodes.consent([f"learner-{number}" for number in range(12)])
    pid = await nodes.request(dataset)
    if kind == "transfer":
        agreement = str((await views.agreements(nodes.consumer))[0]["id"])
        pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
        await nodes.settle()
    name = {"negotiation": "ContractNegotiation", "transfer": "Transfer"}[kind]
    body = json.dumps({"code": "no", "reason": ["You may not."]}).encode()
    seen = refusing(monkeypatch, f"{name}TerminationMessage", 400, body)
    end = people.terminate if kind == "negotiation" else transferring.terminate
    await end(nodes.consumer, RESEARCHER, pid, "Enough.")
    await nodes.settle()
    show = views.negotiation if kind == "negotiation" else views.transfer
    found = await show(nodes.consumer, pid)
    assert (found["state"], found["code"]) == ("TERMINATED", "terminated-by-person")
    assert found["reasons"] == ["Enough."]
    row = (await nodes.consumer.store.read(lambda tx: outbox.of(tx, process=pid)))[-1]
    assert (row.state, row.answer_status, len(seen)) == ("failed", 400, 1)


async def test_what_a_peer_did_not_take_has_not_arrived_because_it_offers(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    """Asked after its refusal, the provider says OFFERED: that is what our request answered."""
    pid = await nodes.request(await nodes.publish(statements(3), decisions='"dpo"'))
    theirs = str((await nodes.at_provider())["pid"])
    offer = {"v": 1, "fields": ["actor", "verb.id"]}
    returned = {"role": "dpo", "outcome": "return", "reason": "Fewer.", "offer": offer}
    await people.decide(nodes.provider, DPO, theirs, returned)
    await nodes.settle()
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "OFFERED"
    body = json.dumps({"code": "no", "reason": ["Not these terms."]}).encode()
    refusing(monkeypatch, "ContractRequestMessage", 409, body)
    draft = (await nodes.seen(nodes.consumer, pid))["application"]
    await people.resubmit(nodes.consumer, RESEARCHER, pid, again(draft))
    for _ in range(8):
        nodes.clock.advance(3600)
        await nodes.settle()
    found = await nodes.seen(nodes.consumer, pid)
    assert (found["state"], found["code"], found["reasons"]) == (
        "TERMINATED",
        "no",
        ["Not these terms."],
    )


def again(document: Json) -> Json:
    """The draft of an application with fewer fields."""
    names = ("purpose", "project", "period", "relation", "processors")
    return {**{name: document[name] for name in names}, "fields": ["actor", "verb.id"]}


async def test_there_is_no_bundle_of_what_one_side_has_only_proposed(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as once:
        refusing(once, "ContractAgreementMessage", 503, b"")
        await nodes.request(await nodes.publish(statements(3)))
    (agreement,) = await views.agreements(nodes.provider)
    with pytest.raises(Problem, match="agreement-inactive"):
        await auditing.bundle(nodes.provider, AUDITOR, agreement["id"])
    nodes.clock.advance(3600)
    await nodes.settle()
    assert await auditing.bundle(nodes.provider, AUDITOR, agreement["id"])


async def test_a_provider_fetches_nothing_and_has_no_files(nodes: Pair):
    dataset = await nodes.publish(statements(12))
    await nodes.consent([f"learner-{number}" for number in range(12)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    with pytest.raises(Problem, match="agreement-not-ours"):
        await transferring.start(nodes.provider, RESEARCHER, agreement, "ndjson")
    mine = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    theirs = (await views.transfers(nodes.provider))[0]["pid"]
    with pytest.raises(Problem, match="transfer-not-consumer"):
        await fetching.start(nodes.provider, RESEARCHER, theirs, None)
    for node, pid in ((nodes.provider, theirs), (nodes.consumer, mine)):
        with pytest.raises(Problem, match="transfer-no-file"):
            await fetching.file(node, RESEARCHER, pid, "data.ndjson")
    with pytest.raises(Problem, match="protocol-not-now"):  # it runs already, for everybody
        await transferring.begin(nodes.provider, DPO, theirs)
