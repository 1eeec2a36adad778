"""Offers that nobody asked for, counter-offers of either side, and steps that wait for people."""

import pytest

from connector.base.settings import Steps
from connector.services.negotiate import concluding, people, proposing
from connector.services.node import Node
from connector.services.release import transferring
from connector.services.show import views
from policies.problem import Problem
from tests.support.pair import DPO, OPERATOR, RESEARCHER, Pair, application, statements

UNTIL = {"v": 1, "until": "2027-03-31T00:00:00Z"}


def by_hand(node: Node, *steps: str) -> None:
    settings = node.settings.model_copy(update={"steps": Steps(by_hand=steps)})  # type: ignore[arg-type]
    object.__setattr__(node, "settings", settings)


async def newest(node: Node) -> dict[str, object]:
    return (await views.negotiations(node))[0]


class TestUnasked:
    async def test_an_offer_is_seen_and_waits_for_people(self, nodes: Pair):
        dataset = await nodes.publish(statements(12))
        made = await proposing.offer(nodes.provider, OPERATOR, nodes.consumer.did, dataset, None)
        await nodes.settle()
        theirs = await nodes.seen(nodes.consumer, str((await newest(nodes.consumer))["pid"]))
        ours = await nodes.seen(nodes.provider, made["pid"])
        assert (theirs["state"], theirs["settled"], theirs["offered_by"]) == (
            *("OFFERED", True),
            "provider",
        )
        assert ours["peer_pid"] == theirs["pid"]

    async def test_the_answer_with_an_application_leads_to_an_agreement(self, nodes: Pair):
        dataset = await nodes.publish(statements(12))
        made = await proposing.offer(nodes.provider, OPERATOR, nodes.consumer.did, dataset, None)
        await nodes.settle()
        pid = str((await newest(nodes.consumer))["pid"])
        await people.resubmit(nodes.consumer, RESEARCHER, pid, application())
        await nodes.settle()
        ours, theirs = (
            await nodes.seen(nodes.provider, made["pid"]),
            await nodes.seen(nodes.consumer, pid),
        )
        assert ours["state"] == theirs["state"] == "FINALIZED", (ours["reasons"], theirs["reasons"])
        assert ours["agreement"] == theirs["agreement"]
        assert ours["agreement_state"] == theirs["agreement_state"] == "active"

    async def test_it_can_be_declined(self, nodes: Pair):
        dataset = await nodes.publish(statements(12))
        made = await proposing.offer(nodes.provider, OPERATOR, nodes.consumer.did, dataset, None)
        await nodes.settle()
        pid = str((await newest(nodes.consumer))["pid"])
        await people.terminate(nodes.consumer, RESEARCHER, pid, "No use for it.")
        await nodes.settle()
        assert (await nodes.seen(nodes.provider, made["pid"]))["reasons"] == ["No use for it."]

    async def test_only_what_a_participant_may_see_is_offered_to_it(self, nodes: Pair):
        dataset = await nodes.publish(statements(12), group="partners")
        with pytest.raises(Problem, match="dataset-unknown"):
            await proposing.offer(nodes.provider, OPERATOR, nodes.consumer.did, dataset, None)

    async def test_to_participants_we_know(self, nodes: Pair):
        dataset = await nodes.publish(statements(12))
        with pytest.raises(Problem, match="peer-unknown"):
            await proposing.offer(nodes.provider, OPERATOR, "did:web:nobody", dataset, None)

    async def test_by_those_who_publish(self, nodes: Pair):
        with pytest.raises(Problem, match="access-role"):
            await proposing.offer(nodes.provider, RESEARCHER, nodes.consumer.did, "x", None)


async def returned(nodes: Pair) -> tuple[str, str]:
    """A negotiation in OFFERED: the consumer's pid, the provider's."""
    dataset = await nodes.publish(statements(12), decisions='"dpo"')
    pid = await nodes.request(dataset)
    theirs = (await nodes.at_provider())["pid"]
    body = {"role": "dpo", "outcome": "return", "reason": "Shorter.", "offer": UNTIL}
    await people.decide(nodes.provider, DPO, theirs, body)
    await nodes.settle()
    return pid, theirs


class TestCounterOffers:
    async def test_a_narrower_one_is_decided_anew(self, nodes: Pair):
        pid, theirs = await returned(nodes)
        earlier = {"v": 1, "until": "2027-01-31T00:00:00Z"}
        await proposing.counter(nodes.consumer, RESEARCHER, pid, earlier)
        await nodes.settle()
        seen = await nodes.seen(nodes.provider, theirs)
        assert (seen["state"], seen["awaiting"]) == ("REQUESTED", ["dpo"])
        await people.decide(nodes.provider, DPO, theirs, {"role": "dpo", "outcome": "approve"})
        await nodes.settle()
        assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"

    async def test_only_an_offer_is_countered(self, nodes: Pair):
        pid, _ = await returned(nodes)
        await proposing.counter(nodes.consumer, RESEARCHER, pid, {})
        with pytest.raises(Problem, match="protocol-not-now"):
            await proposing.counter(nodes.consumer, RESEARCHER, pid, {})


class TestByHand:
    async def test_an_agreement_waits_to_be_signed(self, nodes: Pair):
        by_hand(nodes.consumer, "verify")
        pid = await nodes.request(await nodes.publish(statements(12)))
        seen = await nodes.seen(nodes.consumer, pid)
        assert (seen["state"], seen["settled"], seen["agreement_state"]) == (
            *("AGREED", True),
            "pending",
        )
        shown = await views.agreement(nodes.consumer, seen["agreement"])
        assert shown["provider_proof"]
        assert shown["consumer_proof"] is None
        await concluding.verify_by_hand(nodes.consumer, DPO, pid)
        await nodes.settle()
        assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"
        both = [
            await views.agreement(node, seen["agreement"])
            for node in (nodes.consumer, nodes.provider)
        ]
        assert both[0]["consumer_proof"] == both[1]["consumer_proof"]
        assert both[0]["state"] == both[1]["state"] == "active"

    async def test_and_may_be_declined(self, nodes: Pair):
        by_hand(nodes.consumer, "verify")
        pid = await nodes.request(await nodes.publish(statements(12)))
        await people.terminate(nodes.consumer, RESEARCHER, pid, "Not signed.")
        await nodes.settle()
        seen = await nodes.at_provider()
        assert (seen["state"], seen["agreement_state"]) == ("TERMINATED", "ended")

    async def test_a_signed_one_waits_to_be_made_final(self, nodes: Pair):
        by_hand(nodes.provider, "finalize")
        pid = await nodes.request(await nodes.publish(statements(12)))
        seen = await nodes.at_provider()
        assert (seen["state"], seen["settled"]) == ("VERIFIED", True)
        assert seen["agreement_state"] == "pending"
        with pytest.raises(Problem, match="access-role"):
            await concluding.finalize_by_hand(nodes.provider, RESEARCHER, seen["pid"])
        await concluding.finalize_by_hand(nodes.provider, OPERATOR, seen["pid"])
        await nodes.settle()
        assert (await nodes.seen(nodes.consumer, pid))["agreement_state"] == "active"

    async def test_nothing_is_signed_twice_or_too_early(self, nodes: Pair):
        pid = await nodes.request(await nodes.publish(statements(12), decisions='"dpo"'))
        for step in (concluding.verify_by_hand, concluding.finalize_by_hand):
            with pytest.raises(Problem, match="protocol-not-now"):
                await step(nodes.consumer, OPERATOR, pid)

    async def test_a_transfer_waits_to_be_started(self, nodes: Pair):
        by_hand(nodes.provider, "start")
        rows = statements(12)
        dataset = await nodes.publish(rows)
        await nodes.consent([f"learner-{n}" for n in range(12)])
        agreement = (await nodes.seen(nodes.consumer, await nodes.request(dataset)))["agreement"]
        pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
        await nodes.settle()
        (theirs,) = await views.transfers(nodes.provider)
        assert theirs["state"] == "REQUESTED"
        with pytest.raises(Problem, match="protocol-not-now"):  # nobody goes round the floor of X4
            await transferring.resume(nodes.provider, OPERATOR, theirs["pid"])
        await transferring.begin(nodes.provider, OPERATOR, theirs["pid"])
        await nodes.provider.background.idle()
        await nodes.settle()
        assert (await views.transfer(nodes.consumer, pid))["state"] == "STARTED"
        await transferring.complete(nodes.provider, OPERATOR, theirs["pid"])
        await nodes.settle()
        assert (await views.transfer(nodes.consumer, pid))["state"] == "COMPLETED"

    async def test_too_few_persons_are_not_started_by_hand_either(self, nodes: Pair):
        by_hand(nodes.provider, "start")
        dataset = await nodes.publish(statements(12))
        await nodes.consent(["learner-1"])
        agreement = (await nodes.seen(nodes.consumer, await nodes.request(dataset)))["agreement"]
        pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
        await nodes.settle()
        (theirs,) = await views.transfers(nodes.provider)
        await transferring.begin(nodes.provider, OPERATOR, theirs["pid"])
        await nodes.provider.background.idle()
        await nodes.settle()
        assert (await views.transfer(nodes.consumer, pid))["state"] == "TERMINATED"


async def test_what_passed_is_told_in_order(nodes: Pair):
    pid = await nodes.request(await nodes.publish(statements(12)))
    told = await views.changes(nodes.consumer, after=0)
    assert {one["process"] for one in told["changes"]} == {pid}
    assert [(one["direction"], one["type"]) for one in told["changes"]] == [
        ("out", "ContractRequestMessage"),
        ("in", "ContractAgreementMessage"),
        ("out", "ContractAgreementVerificationMessage"),
        ("in", "ContractNegotiationEventMessage"),
    ]
    assert (await views.changes(nodes.consumer, after=told["last"]))["changes"] == []
