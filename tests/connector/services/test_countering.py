"""What a provider answers to a request beyond its offer: the nearest terms, one act from return."""

from typing import Any

import pytest

from connector.services import people, views
from policies.problem import Problem
from policies.vocabulary import DPV, PREAU
from tests.support.pair import DPO, PURPOSE, RESEARCHER, Pair, application, statements

COMMERCIAL = DPV + "CommercialResearch"


async def denied(nodes: Pair, decisions: str = "") -> tuple[str, dict[str, Any]]:
    """A request for a purpose that is not offered: the consumer's pid, the provider's view."""
    dataset = await nodes.publish(statements(12), decisions=decisions)
    pid = await nodes.request(dataset, purpose=COMMERCIAL)
    return pid, await nodes.at_provider()


async def test_a_refusal_names_the_nearest_acceptable_terms(nodes: Pair):
    pid, theirs = await denied(nodes)
    mine = await nodes.seen(nodes.consumer, pid)
    assert mine["state"] == "TERMINATED"
    said = " ".join(mine["reasons"])
    assert "Nearest acceptable: the purpose is: " in said
    assert "Au plus proche : la finalité est" in said
    told = theirs["decisions"][-1]["shared"]["counter"]
    assert told["changed"] == {"v": 1, "purpose": PURPOSE}
    assert told["nearest"][0]["operand"].endswith("purpose")


async def test_where_people_decide_the_request_waits_with_its_counter_offer(nodes: Pair):
    pid, theirs = await denied(nodes, '"dpo"')
    assert (theirs["state"], theirs["awaiting"]) == ("REQUESTED", ["dpo"])
    assert theirs["decisions"][-1]["outcome"] == "deny"
    with pytest.raises(Problem, match="decision-beyond"):
        await people.decide(
            nodes.provider, DPO, theirs["pid"], {"role": "dpo", "outcome": "approve"}
        )
    body = {"role": "dpo", "outcome": "return", "offer": "counter"}
    await people.decide(nodes.provider, DPO, theirs["pid"], body)
    await nodes.settle()
    mine = await nodes.seen(nodes.consumer, pid)
    assert mine["state"] == "OFFERED"
    assert "Nearest acceptable" in mine["reasons"][0]
    with pytest.raises(Problem, match="negotiation-resubmit"):  # it was applied for another purpose
        await people.accept(nodes.consumer, RESEARCHER, pid)
    await people.resubmit(nodes.consumer, RESEARCHER, pid, application(purpose=PURPOSE))
    await nodes.settle()
    approve = {"role": "dpo", "outcome": "approve"}
    await people.decide(nodes.provider, DPO, theirs["pid"], approve)
    await nodes.settle()
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"


async def test_a_return_of_ones_own_stays_within_the_offer(nodes: Pair):
    _, theirs = await denied(nodes, '"dpo"')
    body: dict[str, Any] = {"role": "dpo", "outcome": "return", "reason": "So."}
    wider = {**body, "offer": {"v": 1, "purpose": DPV + "Marketing"}}
    with pytest.raises(Problem, match="decision-beyond"):
        await people.decide(nodes.provider, DPO, theirs["pid"], wider)
    narrower = {"v": 1, "purpose": PREAU + "LearningAnalyticsResearch", "fields": ["actor"]}
    await people.decide(nodes.provider, DPO, theirs["pid"], {**body, "offer": narrower})
    await nodes.settle()
    assert (await nodes.at_provider())["state"] == "OFFERED"


async def test_a_rejection_needs_no_counter_offer(nodes: Pair):
    pid, theirs = await denied(nodes, '"dpo"')
    body = {"role": "dpo", "outcome": "reject", "reason": "Not for this."}
    await people.decide(nodes.provider, DPO, theirs["pid"], body)
    await nodes.settle()
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "TERMINATED"


async def test_what_is_permitted_has_no_counter_offer(nodes: Pair):
    dataset = await nodes.publish(statements(12), decisions='"dpo"')
    await nodes.request(dataset)
    theirs = str((await nodes.at_provider())["pid"])
    body = {"role": "dpo", "outcome": "return", "offer": "counter"}
    with pytest.raises(Problem, match="decision-no-counter"):
        await people.decide(nodes.provider, DPO, theirs, body)
    assert not await views.agreements(nodes.provider)


async def test_who_may_not_choose_is_told_no_other_terms(nodes: Pair):
    dataset = await nodes.publish(statements(12))
    pid = await nodes.request(
        dataset, purpose="https://example.org/purposes/anything", fields=["actor"]
    )
    mine = await nodes.seen(nodes.consumer, pid)
    assert mine["state"] == "TERMINATED"
