"""A budget of records: parts are cut to it, whatever transfer they belong to."""

import json
from typing import Any

import orjson
import pytest

from connector.services.fetch import fetching, received
from connector.services.publish import publishing
from connector.services.publish.publishing import Upload
from connector.services.release import transferring
from connector.services.show import views
from policies.problem import Problem
from tests.support.pair import ABOUT, CATEGORY, OPERATOR, PURPOSE, RESEARCHER, Pair, statements

LEARNERS, EACH = 30, 3


async def publish(nodes: Pair, template: str, params: str) -> str:
    """Publish traces under a template with these parameters (TOML); the dataset's IRI."""
    chosen = {
        "id": "traces",
        "category": CATEGORY,
        "decisions": "",
        "group": "public",
        "basis": "consent",
        "template": template,
        "purpose": PURPOSE,
    }
    content = b"".join(orjson.dumps(row) + b"\n" for row in statements(LEARNERS, EACH))
    chunks = [content, b""]

    async def read(_: int) -> bytes:
        return chunks.pop(0)

    head, _, _ = ABOUT.format(**chosen).partition("[policy.params]")
    text = (head + "[policy.params]\n" + params).encode()
    made = await publishing.add(nodes.provider, OPERATOR, Upload(text, "t.jsonl", read, 0.001))
    return str(made["dataset"])


async def fetch(nodes: Pair, agreement: str) -> dict[str, Any]:
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    await fetching.start(nodes.consumer, RESEARCHER, pid, None)
    await nodes.consumer.background.idle()
    await nodes.settle()
    return await views.transfer(nodes.consumer, pid)


async def test_parts_are_cut_to_what_the_budget_leaves(nodes: Pair):
    settings = nodes.provider.settings
    release = settings.release.model_copy(update={"max_part_rows": 20, "first_part_rows": 10})
    object.__setattr__(nodes.provider, "settings", settings.model_copy(update={"release": release}))
    dataset = await publish(nodes, "capped-exports", "count = 3\nrows = 45\n")
    await nodes.consent([f"learner-{n}" for n in range(20)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    plan = (await views.plan(nodes.provider, agreement))["plan"]
    assert plan["budgets"] == {"releases": 3, "records": 45}
    found = await fetch(nodes, agreement)
    assert (found["state"], found["code"]) == ("TERMINATED", "release-budget")
    assert "used up" in " ".join(found["reasons"])
    theirs = (await views.transfers(nodes.provider))[0]
    assert (theirs["parts"], theirs["rows"]) == (3, 45)
    # The budget is the agreement's: another release of it gets nothing more.
    again = await fetch(nodes, agreement)
    assert again["state"] == "TERMINATED"
    assert sum(one["rows"] for one in await views.transfers(nodes.provider)) == 45


async def test_a_budget_that_suffices_changes_nothing(nodes: Pair):
    dataset = await publish(nodes, "capped-exports", "count = 3\nrows = 60\n")
    await nodes.consent([f"learner-{n}" for n in range(20)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    found = await fetch(nodes, agreement)
    assert (found["state"], found["rows"]) == ("COMPLETED", 60)
    path = received.folder_of(nodes.consumer, found["pid"]) / "data.ndjson"
    assert len([json.loads(line) for line in path.read_bytes().splitlines()]) == 60


async def test_a_transfer_that_the_policy_denies_never_starts(nodes: Pair):
    """Two were agreed: the third is ended by the answer to its request, with the reason."""
    dataset = await publish(nodes, "capped-exports", "count = 2\nrows = 3000\n")
    await nodes.consent([f"learner-{n}" for n in range(20)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    found = []
    for _ in range(3):
        found.append(await fetch(nodes, agreement))
        nodes.clock.advance(1)
    assert [one["state"] for one in found] == ["COMPLETED", "COMPLETED", "TERMINATED"]
    assert (found[2]["code"], found[2]["rows"]) == ("transfer-denied", 0)
    assert any("at most 2" in reason for reason in found[2]["reasons"])
    assert nodes.wire.kinds["TransferStartMessage"] == 2


async def test_what_the_node_cannot_run_is_not_published(nodes: Pair):
    with pytest.raises(Problem) as caught:
        await publish(nodes, "aggregate-k", "")
    assert caught.value.code in {"policy-lint-no-source", "dataplane-lane"}
