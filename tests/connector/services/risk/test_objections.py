"""Objections (S5): who lodges one is withheld until the DPO has decided, with a reason, logged."""

import json
from typing import Any

import pytest

from connector.services.access import Actor
from connector.services.consent import consents
from connector.services.node import Node
from connector.store import catalogs, leaves
from connector.store import consents as rows
from policies.consent import Mode, Scope
from policies.plan import ConsentScope
from policies.problem import Problem
from policies.vocabulary import PREAU
from tests.support.clock import ManualClock

DPO = Actor("actor-dpo", "dpo")
STEWARD = Actor("actor-steward", "steward")
LAB = "did:web:localhost%3A9201"
PURPOSE = PREAU + "EducationResearch"
CATEGORY = PREAU + "LearningTraces"
REASON = "The study ended in June; the pupil was told on 3 September."


def said(status: str, pupil: int = 1, **more: object) -> dict[str, Any]:
    return {
        "status": status,
        "subject": {"type": "account", "value": f"pupil-{pupil}", "home": "http://school.example"},
        "recipient": LAB,
        "purpose": PURPOSE,
        "category": CATEGORY,
        **more,
    }


def withheld(node: Node, mode: Mode = "objection") -> int:
    """How many persons' rows would stay behind now."""

    def unit(tx: Any) -> int:
        dataset = catalogs.dataset(tx, id="traces")
        assert dataset is not None
        row = catalogs.revision(tx, id=str(dataset.revision))
        assert row is not None
        roster = node.bitmaps.roster(row, node.bitmaps.revision(node.folder, row))
        scope = ConsentScope(Scope(LAB, PURPOSE, CATEGORY), mode)
        bits = node.bitmaps.bitmap(tx, row, roster, scope, node.clock.now()).bits
        return len(bits) - sum(bits)

    return node.store.read_now(unit)


def decisions(node: Node) -> list[dict[str, Any]]:
    found = node.store.read_now(lambda tx: leaves.between(tx, start=0, stop=1_000))
    return [leaf.private_body["body"] for leaf in found if leaf.type == "decision"]  # type: ignore[index]


async def refused(node: Node, who: Actor, body: dict[str, Any]) -> str:
    with pytest.raises(Problem) as caught:
        await consents.record(node, who, body)
    return caught.value.code


async def test_an_objection_withholds_at_once_and_state_shows_it(node: Node, publish: Any):
    await publish()
    assert withheld(node) == 0
    for pupil, who in ((1, DPO), (2, STEWARD), (3, DPO)):
        made = await consents.record(node, who, said("objected", pupil))
        assert made["state"] == "objected"
    assert withheld(node) == 3
    found = await consents.state(node, STEWARD, said("given"))
    assert found["state"] == "objected"
    assert found["leaves"] == {"consent": False, "objection": False}


async def test_the_dpo_lifts_with_a_reason_that_is_logged(
    node: Node, publish: Any, clock: ManualClock
):
    await publish()
    await consents.record(node, STEWARD, said("objected"))
    clock.advance(60)
    made = await consents.record(node, DPO, said("lifted", reason=f"  {REASON}\n"))
    assert (made["recorded"], made["state"]) == (1, "none")
    assert withheld(node) == 0
    (decision,) = decisions(node)
    assert decision["reason"] == REASON
    assert (decision["by"], decision["role"], decision["epoch"]) == ("actor-dpo", "dpo", 2)
    assert "pupil-1" not in json.dumps(decision)


async def test_the_reason_stands_in_the_leaf_as_a_keyed_commitment_only(
    node: Node, publish: Any, clock: ManualClock
):
    await publish()
    await consents.record(node, DPO, said("objected"))
    clock.advance(60)
    await consents.record(node, DPO, said("lifted", reason=REASON))
    (leaf,) = [
        leaf
        for leaf in node.store.read_now(lambda tx: leaves.between(tx, start=0, stop=1_000))
        if leaf.type == "decision"
    ]
    assert leaf.shared_body is None
    assert leaf.n is None
    assert REASON.encode() not in leaf.data
    assert b'"private":"hmac-sha-256:' in leaf.data


@pytest.mark.parametrize("reason", [None, "", "   ", "no", 7, "x" * 2_001])
async def test_without_a_written_reason_nothing_is_lifted(
    node: Node, publish: Any, clock: ManualClock, reason: object
):
    await publish()
    await consents.record(node, DPO, said("objected"))
    clock.advance(60)
    assert await refused(node, DPO, said("lifted", reason=reason)) == "consent-reason"
    assert withheld(node) == 1
    assert decisions(node) == []


@pytest.mark.parametrize("role", ["steward", "operator", "ethics", "researcher"])
async def test_nobody_but_the_dpo_lifts(node: Node, publish: Any, clock: ManualClock, role: str):
    await publish()
    await consents.record(node, DPO, said("objected"))
    clock.advance(60)
    code = await refused(node, Actor("actor-x", role), said("lifted", reason=REASON))
    assert code == "access-role"
    assert withheld(node) == 1


async def test_a_file_lifts_with_the_dpos_token_only(node: Node, publish: Any, clock: ManualClock):
    await publish()
    await consents.record(node, DPO, said("objected"))
    clock.advance(60)
    row = {
        "event_id": "file-1",
        "id_type": "account",
        "id_value": "pupil-1",
        "id_home": "http://school.example",
        "recipient": LAB,
        "purpose": PURPOSE,
        "category": CATEGORY,
        "status": "lifted",
        "at": "2026-09-01T08:00:30Z",
    }
    with pytest.raises(Problem) as caught:
        await consents.load(node, STEWARD, json.dumps([row]).encode())
    assert caught.value.code == "consent-lift-by-file"
    assert withheld(node) == 1
    await consents.load(node, DPO, json.dumps([row]).encode())
    assert withheld(node) == 0


async def test_only_an_open_objection_is_lifted(node: Node, publish: Any):
    await publish()
    assert await refused(node, DPO, said("lifted", reason=REASON)) == "consent-no-objection"


async def test_a_lift_says_what_still_stands(node: Node, publish: Any, clock: ManualClock):
    """An objection to a broader purpose is not lifted by a narrower decision."""
    await publish()
    broader = "https://w3id.org/dpv#ScientificResearch"
    await consents.record(node, DPO, said("objected", purpose=broader))
    clock.advance(60)
    made = await consents.record(node, DPO, said("lifted", reason=REASON))
    assert made["state"] == "objected"
    assert withheld(node) == 1
    made = await consents.record(node, DPO, said("lifted", purpose=broader, reason=REASON))
    assert made["state"] == "none"


async def test_a_lift_is_dated_now(node: Node, publish: Any, clock: ManualClock):
    await publish()
    await consents.record(node, DPO, said("objected"))
    clock.advance(60)
    early = said("lifted", reason=REASON, at="2026-01-01T00:00:00Z")
    assert (await consents.record(node, DPO, early))["state"] == "none"


async def test_lifted_and_lodged_again(node: Node, publish: Any, clock: ManualClock):
    await publish()
    for _ in range(2):
        clock.advance(60)
        await consents.record(node, STEWARD, said("objected"))
        assert withheld(node) == 1
        clock.advance(60)
        await consents.record(node, DPO, said("lifted", reason=REASON))
        assert withheld(node) == 0
    assert len(decisions(node)) == 2


async def test_lifting_is_no_consent(node: Node, publish: Any, clock: ManualClock):
    await publish()
    await consents.record(node, DPO, said("objected"))
    clock.advance(60)
    await consents.record(node, DPO, said("lifted", reason=REASON))
    assert withheld(node, "consent") == 60


async def test_the_journal_brings_back_the_decision_and_its_reason(
    node: Node, publish: Any, clock: ManualClock
):
    """A crash after the journal and before the commit: the replay logs the reason as well."""
    await publish()
    await consents.record(node, DPO, said("objected"))
    clock.advance(60)
    await consents.record(node, DPO, said("lifted", reason=REASON))
    (first,) = decisions(node)
    entries = [entry for _, entry in node.journal.replay(0)]
    assert [entry.get("reason") for entry in entries] == [None, REASON]
    # The same entry once more, as if the store had never seen it: a new event with its reason.
    again = entries[1] | {"event": "00" * 32, "salt": "11" * 32}
    node.journal.append([again])
    assert await consents.replay(node) == 1
    assert [body["reason"] for body in decisions(node)] == [first["reason"], REASON]
    assert node.store.read_now(rows.epoch) == 3


@pytest.mark.parametrize("audience", ["minors", "mixed", ""])
async def test_minors_and_unknown_ages_are_published_on_a_public_task_only(
    publish: Any, audience: str
):
    with pytest.raises(Problem) as caught:
        await publish(basis="consent", audience=audience)
    assert caught.value.code.startswith("policy-lint-")
    assert (await publish(basis="public-task", audience=audience))["id"] == "traces"
