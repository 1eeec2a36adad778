"""What an agreement that a control plane names may be bound to, and what it never opens."""

from typing import Any

import pytest

from connector.services.discover import peering
from connector.services.publish import publishing
from connector.services.show import views
from connector.store import agreements as rows
from tests.connector.services import test_monitoring
from tests.support import behind as making
from tests.support.behind import Behind, Json, address, address_18
from tests.support.pair import OPERATOR, Pair, statements


@pytest.fixture
async def behind(nodes: Pair) -> Behind:
    return await making.behind(nodes)


async def refused(behind: Behind, code: str, **changes: Any) -> Json:
    """A start that is answered with a 4xx, in both forms of signals; what the first one says."""
    answer = await behind.start(**changes)
    assert (400 <= answer.status_code < 500, answer.json()["title"]) == (True, code), answer.text
    changes = {"counterPartyId": changes.pop("participantId", None), **changes}
    changes = {name: value for name, value in changes.items() if value is not None}
    plain = await behind.start_18(**changes)
    assert (plain.status_code, plain.json()["title"]) == (answer.status_code, code)
    said: Json = answer.json()
    return said


async def test_an_agreement_that_this_node_negotiated_is_no_control_plane_s(behind: Behind):
    """It has people's decisions, signatures and conditions that a flow would go around."""
    nodes = behind.nodes
    await nodes.consent([f"learner-{number}" for number in range(12)])
    await nodes.request(f"{nodes.provider.url}/datasets/traces")
    ours = (await nodes.at_provider())["pid"]
    for consumer in (nodes.consumer.did, "lab"):
        await refused(behind, "signaling-conflict", agreementId=ours, participantId=consumer)
    assert await views.transfers(behind.node) == []
    assert len(await views.agreements(behind.node)) == 1


async def test_nor_is_a_negotiation_in_which_people_are_still_deciding(behind: Behind):
    nodes = behind.nodes
    dataset = await nodes.publish(statements(12), id="decided", decisions='"dpo"')
    await nodes.request(dataset)
    ours = (await nodes.at_provider())["pid"]
    await refused(behind, "signaling-conflict", agreementId=ours)
    assert ((await nodes.at_provider())["state"], await views.agreements(behind.node)) == (
        "REQUESTED",
        [],
    )


async def test_nothing_starts_under_an_agreement_that_has_ended(behind: Behind):
    address(await behind.start())
    (agreement,) = await views.agreements(behind.node)
    await behind.node.store.write(lambda tx: rows.set_state(tx, id=agreement["id"], state="ended"))
    await refused(behind, "agreement-inactive", processId="second")
    assert [one["pid"] for one in await views.transfers(behind.node)] == [making.FLOW]


async def test_a_consumer_that_the_policy_denies_gets_no_agreement_and_reads_why(behind: Behind):
    await test_monitoring.publish(behind.nodes, 'group = "labs"\n', id="members")
    await peering.set_groups(behind.node, OPERATOR, "lab", ["guests"])
    said = await refused(behind, "signaling-refused", source={"dataset": "members"})
    assert "labs" in said["en"]
    assert "labs" in said["fr"]
    assert await views.agreements(behind.node) == []
    await peering.set_groups(behind.node, OPERATOR, "lab", ["labs"])
    address(await behind.start(source={"dataset": "members"}))


async def test_a_further_flow_under_what_was_withdrawn_ends_with_the_reason(behind: Behind):
    first = address_18(await behind.start_18())
    await publishing.withdraw(behind.node, OPERATOR, "traces", "over")
    message = behind.message_18("second")
    answer = await behind.signal("/start", message)
    assert 400 <= answer.status_code < 500
    assert answer.json()["en"] != answer.json()["fr"]
    again = await behind.signal("/start", message)  # its answer was lost
    assert (again.status_code, again.json()) == (answer.status_code, answer.json())
    assert (await behind.read(first)).status_code == 410
    assert {one["state"] for one in await views.transfers(behind.node)} == {"TERMINATED"}


async def test_a_flow_that_the_policy_has_come_to_deny_does_not_go_on(behind: Behind):
    await test_monitoring.publish(behind.nodes, 'group = "labs"\n', id="members")
    opened = address_18(await behind.start_18(source={"dataset": "members"}))
    suspended = await behind.signal(
        f"/{making.FLOW}/suspend", {"messageId": "m-1", "reason": "A question."}
    )
    assert suspended.status_code == 200
    await peering.set_groups(behind.node, OPERATOR, "lab", ["guests"])
    answer = await behind.signal(f"/{making.FLOW}/resume", {"messageId": "m-2"})
    assert (answer.status_code, answer.json()["title"]) == (422, "signaling-refused"), answer.text
    assert "labs" in answer.json()["en"]
    shown = await behind.seen()
    assert [one["outcome"] for one in shown["decisions"]] == ["permit", "deny"]
    assert (shown["state"], (await behind.read(opened)).status_code) == (
        "TERMINATED",
        410,
    )
