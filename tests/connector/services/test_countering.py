"""What a provider answers to a request beyond its offer: the nearest terms, one act from return."""

from dataclasses import replace
from typing import Any

import pytest

from connector.services.negotiate import people
from connector.services.show import views
from policies import compare
from policies.application import Application
from policies.model import Policy
from policies.problem import Problem
from policies.vocabulary import DPV, ODRL
from tests.support.pair import DPO, PURPOSE, RESEARCHER, Pair, statements

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


async def test_where_people_decide_a_denied_purpose_is_refused_all_the_same(nodes: Pair):
    pid, theirs = await denied(nodes, '"dpo"')
    assert (theirs["state"], theirs["awaiting"]) == ("TERMINATED", [])
    assert theirs["decisions"][-1]["outcome"] == "deny"
    assert "Nearest acceptable" in " ".join((await nodes.seen(nodes.consumer, pid))["reasons"])


async def beyond(nodes: Pair, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, Any]]:
    """A request whose terms leave out the offer's last instant of use, where a DPO decides."""
    dataset = await nodes.publish(statements(12), decisions='"dpo"')
    narrow = compare.narrow

    def fewer(offer: Policy, asked: Application) -> Policy:
        found = narrow(offer, asked)
        (rule,) = found.permissions
        kept = tuple(c for c in rule.constraints if getattr(c, "left", "") != ODRL + "dateTime")
        return replace(found, permissions=(replace(rule, constraints=kept),))

    monkeypatch.setattr(compare, "narrow", fewer)
    pid = await nodes.request(dataset)
    return pid, await nodes.at_provider()


async def test_terms_beyond_the_offer_wait_with_the_counter_offer(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    pid, theirs = await beyond(nodes, monkeypatch)
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
    await people.accept(nodes.consumer, RESEARCHER, pid)
    await nodes.settle()
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"


async def test_a_rejection_needs_no_counter_offer(nodes: Pair, monkeypatch: pytest.MonkeyPatch):
    pid, theirs = await beyond(nodes, monkeypatch)
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
