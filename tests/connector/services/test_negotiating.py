"""From a request to an agreement, or to a reasoned refusal: what each side ends up with."""

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from connector.services.committing import commit
from connector.services.negotiate import people
from connector.services.show import views
from connector.store.sqlite import SqliteConnection
from connector.store.store import Store
from policies.problem import Problem
from tests.support.pair import (
    DPO,
    ETHICS,
    OPERATOR,
    RESEARCHER,
    Pair,
    application,
    statements,
)

COMMERCIAL = "https://w3id.org/dpv#CommercialResearch"


async def test_without_people_the_agreement_comes_by_itself(nodes: Pair):
    dataset = await nodes.publish(statements(12))
    pid = await nodes.request(dataset)
    mine, theirs = await nodes.seen(nodes.consumer, pid), await nodes.at_provider()
    assert (mine["state"], theirs["state"]) == ("FINALIZED", "FINALIZED")
    assert mine["agreement"] == theirs["agreement"]


async def test_both_sides_hold_the_same_bytes_and_both_signatures(nodes: Pair):
    await nodes.request(await nodes.publish(statements(12)))
    one = (await views.agreements(nodes.provider))[0]
    other = (await views.agreements(nodes.consumer))[0]
    assert (one["id"], one["digest"], one["state"]) == (other["id"], other["digest"], "active")
    seen = [await views.agreement(node, one["id"]) for node in (nodes.provider, nodes.consumer)]
    assert seen[0]["document"] == seen[1]["document"]
    assert seen[0]["provider_proof"] == seen[1]["provider_proof"] is not None
    assert seen[0]["consumer_proof"] == seen[1]["consumer_proof"] is not None
    assert seen[0]["plan_digest"] == seen[1]["plan_digest"]


async def test_another_purpose_is_refused_with_reasons_in_both_languages(nodes: Pair):
    pid = await nodes.request(await nodes.publish(statements(12)), purpose=COMMERCIAL)
    mine, theirs = await nodes.seen(nodes.consumer, pid), await nodes.at_provider()
    assert (mine["state"], theirs["state"]) == ("TERMINATED", "TERMINATED")
    text = " ".join(mine["reasons"])
    assert "purpose" in text
    assert "finalité" in text
    assert theirs["decisions"][-1]["outcome"] == "deny"
    assert not await views.agreements(nodes.provider)


async def test_the_shared_trace_tells_nothing_internal(nodes: Pair):
    await nodes.request(await nodes.publish(statements(12)), purpose=COMMERCIAL)
    shared = str((await nodes.at_provider())["decisions"][-1]["shared"])
    assert "labs" not in shared
    assert "actor-" not in shared
    assert "learner" not in shared


async def test_fields_that_do_not_exist_are_refused_before_anything_is_sent(nodes: Pair):
    dataset = await nodes.publish(statements(12), decisions='"dpo"')
    with pytest.raises(Problem, match="negotiation-field-unknown") as caught:
        await nodes.request(dataset, fields=["actor", "salary"])
    assert caught.value.params["field"] == "salary"
    assert "verb.id" in str(caught.value.params["known"])
    assert await views.negotiations(nodes.provider) == []


async def test_a_peer_that_names_no_field_of_ours_waits_for_nobody(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    dataset = await nodes.publish(statements(12), decisions='"dpo"')
    unchecked = SimpleNamespace(check_fields=lambda *_: None)
    monkeypatch.setattr("connector.services.negotiate.people.planning", unchecked)
    pid = await nodes.request(dataset, fields=["actor", "salary\nApproved"])
    assert all(said.isprintable() for said in (await nodes.at_provider())["reasons"])
    seen = await nodes.seen(nodes.consumer, pid)
    assert (seen["state"], seen["code"]) == ("TERMINATED", "negotiation-field-unknown")
    assert "salary" in seen["reasons"][0]
    assert "verb.id" in seen["reasons"][1]


class TestPeople:
    async def asked(self, nodes: Pair, decisions: str = '"dpo"') -> tuple[str, str]:
        pid = await nodes.request(await nodes.publish(statements(12), decisions=decisions))
        return pid, str((await nodes.at_provider())["pid"])

    async def test_a_request_waits_for_the_dpo(self, nodes: Pair):
        pid, theirs = await self.asked(nodes)
        assert (await nodes.seen(nodes.consumer, pid))["state"] == "REQUESTED"
        assert (await nodes.seen(nodes.provider, theirs))["awaiting"] == ["dpo"]

    async def test_approved(self, nodes: Pair):
        pid, theirs = await self.asked(nodes)
        await people.decide(nodes.provider, DPO, theirs, {"role": "dpo", "outcome": "approve"})
        await nodes.settle()
        assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"

    async def test_rejected_with_the_reason(self, nodes: Pair):
        pid, theirs = await self.asked(nodes)
        body = {"role": "dpo", "outcome": "reject", "reason": "Not this year."}
        await people.decide(nodes.provider, DPO, theirs, body)
        await nodes.settle()
        seen = await nodes.seen(nodes.consumer, pid)
        assert (seen["state"], seen["reasons"]) == ("TERMINATED", ["Not this year."])

    async def returned(self, nodes: Pair, fields: list[str]) -> tuple[str, str]:
        pid, theirs = await self.asked(nodes)
        offer = {"v": 1, "fields": fields}
        body = {"role": "dpo", "outcome": "return", "reason": "Fewer.", "offer": offer}
        await people.decide(nodes.provider, DPO, theirs, body)
        await nodes.settle()
        return pid, theirs

    async def test_returned_accepted_as_it_stands(self, nodes: Pair):
        pid, theirs = await self.returned(nodes, ["actor", "verb.id", "timestamp"])
        seen = await nodes.seen(nodes.consumer, pid)
        assert (seen["state"], seen["reasons"]) == ("OFFERED", ["Fewer."])
        await people.accept(nodes.consumer, RESEARCHER, pid)
        await nodes.settle()
        assert (await nodes.seen(nodes.provider, theirs))["state"] == "FINALIZED"
        ident = (await views.agreements(nodes.consumer))[0]["id"]
        found = await views.plan(nodes.consumer, ident)
        names = {field["name"] for field in found["plan"]["fields"]}
        assert names == {"actor", "verb.id", "timestamp"}

    async def test_returned_resubmitted_decided_again(self, nodes: Pair):
        pid, theirs = await self.returned(nodes, ["actor", "verb.id"])
        await people.resubmit(
            nodes.consumer, RESEARCHER, pid, application(fields=["actor", "verb.id"])
        )
        await nodes.settle()
        assert (await nodes.seen(nodes.provider, theirs))["awaiting"] == ["dpo"]
        await people.decide(nodes.provider, DPO, theirs, {"role": "dpo", "outcome": "approve"})
        await nodes.settle()
        assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"

    async def test_another_purpose_than_returned_is_refused_at_once(self, nodes: Pair):
        pid, theirs = await self.returned(nodes, ["actor", "verb.id"])
        draft = application(purpose=COMMERCIAL)
        await people.resubmit(nodes.consumer, RESEARCHER, pid, draft)
        await nodes.settle()
        assert (await nodes.seen(nodes.provider, theirs))["state"] == "TERMINATED"
        assert (await nodes.seen(nodes.consumer, pid))["code"] == "negotiation-denied"

    async def test_two_roles_decide_in_order(self, nodes: Pair):
        pid, theirs = await self.asked(nodes, '"ethics", "dpo"')
        approve = {"outcome": "approve"}
        with pytest.raises(Problem, match="decision-not-awaited"):
            await people.decide(nodes.provider, DPO, theirs, {"role": "dpo", **approve})
        await people.decide(nodes.provider, ETHICS, theirs, {"role": "ethics", **approve})
        assert (await nodes.seen(nodes.provider, theirs))["awaiting"] == ["dpo"]
        await people.decide(nodes.provider, DPO, theirs, {"role": "dpo", **approve})
        await nodes.settle()
        assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"

    async def test_only_the_role_itself_decides(self, nodes: Pair):
        _, theirs = await self.asked(nodes)
        for who in (OPERATOR, RESEARCHER, ETHICS):
            with pytest.raises(Problem, match="access-role"):
                await people.decide(
                    nodes.provider, who, theirs, {"role": "dpo", "outcome": "approve"}
                )

    async def test_either_side_ends_it(self, nodes: Pair):
        pid, theirs = await self.asked(nodes)
        await people.terminate(nodes.consumer, RESEARCHER, pid, "No longer needed.")
        await nodes.settle()
        seen = await nodes.seen(nodes.provider, theirs)
        assert (seen["state"], seen["reasons"]) == ("TERMINATED", ["No longer needed."])


async def test_a_peer_that_is_down_gets_the_message_later(nodes: Pair):
    dataset = await nodes.publish(statements(12), decisions='"dpo"')
    pid = await nodes.request(dataset)
    theirs = str((await nodes.at_provider())["pid"])
    nodes.wire.down.add("localhost:9201")
    await people.decide(nodes.provider, DPO, theirs, {"role": "dpo", "outcome": "approve"})
    await nodes.settle()
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "REQUESTED"
    nodes.wire.down.clear()
    nodes.clock.advance(600)
    await nodes.settle()
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"


async def test_an_unknown_purpose_never_permits(nodes: Pair):
    pid = await nodes.request(
        await nodes.publish(statements(12)), purpose="https://example.org/purposes/anything"
    )
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "TERMINATED"


async def test_a_dataset_nobody_publishes(nodes: Pair):
    with pytest.raises(Problem, match="dataset-unknown"):
        await nodes.request("http://localhost:9101/datasets/nothing")
    with pytest.raises(Problem, match="peer-no-publisher"):
        await nodes.request("http://localhost:9999/datasets/nothing")


async def test_an_automatic_negotiation_takes_five_commits_on_the_way(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    dataset = await nodes.publish(statements(12))
    await nodes.request(dataset)  # once, so that documents and keys are known
    write, made = Store.write, []

    async def counted(store: Store, unit: Any) -> Any:
        made.append(unit.__module__)
        return await write(store, unit)

    monkeypatch.setattr(Store, "write", counted)
    pid = await nodes.request(dataset, project={"title": "Again", "end": "2027-01-01"})
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"
    # Asking; judging with the agreement; signing; finalizing; taking note. Beside them the worker
    # keeps the pid learnt from the 201 with the mark of its message; other marks ride along.
    assert made.count(commit.__module__) == 5


async def test_what_a_negotiation_asks_of_its_databases_is_counted(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    dataset = await nodes.publish(statements(12))
    await nodes.request(dataset)
    await nodes.request(dataset, project={"title": "Warm", "end": "2027-01-01"})
    execute, run = SqliteConnection.execute, []

    def counted(connection: SqliteConnection, sql: str, *params: Any) -> Any:
        if threading.current_thread().name == "preau-store-writer" and not sql.startswith("BEGIN"):
            run.append(sql)
        return execute(connection, sql, *params)

    monkeypatch.setattr(SqliteConnection, "execute", counted)
    await nodes.request(dataset, project={"title": "Again", "end": "2027-01-01"})
    # Of both nodes. Each costs some 50 µs: more of them is a decision.
    assert len(run) <= 80
