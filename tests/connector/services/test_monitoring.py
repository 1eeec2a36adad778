"""The monitor: a running transfer ends, pauses or goes on again as its agreement's facts change."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from connector.services.consent import consents
from connector.services.discover import peering
from connector.services.fetch import fetching
from connector.services.publish import publishing
from connector.services.publish.publishing import Upload
from connector.services.release import monitoring, pushing, transferring
from connector.services.show import views
from connector.store.queries import given
from connector.store.statement import Statement
from connector.store.tables import AGREEMENT
from tests.support.pair import (
    ABOUT,
    CATEGORY,
    DPO,
    OPERATOR,
    PURPOSE,
    RESEARCHER,
    Pair,
    statements,
)

LEARNERS, EACH = 30, 4
END = datetime(2027, 12, 31, tzinfo=UTC)


@pytest.fixture
def parts(nodes: Pair) -> Pair:
    """The provider hands out small parts, so that transfers are still running."""
    settings = nodes.provider.settings
    release = settings.release.model_copy(update={"max_part_rows": 20, "first_part_rows": 10})
    object.__setattr__(nodes.provider, "settings", settings.model_copy(update={"release": release}))
    return nodes


async def publish(nodes: Pair, more: str = "", **about: str) -> str:
    """Publish the traces, with more template parameters (TOML lines); the dataset's IRI."""
    chosen = {
        "id": "traces",
        "category": CATEGORY,
        "decisions": "",
        "group": "public",
        "basis": "consent",
        "template": "research-under-consent",
        "purpose": PURPOSE,
    } | about
    content = b"".join(orjson.dumps(row) + b"\n" for row in statements(LEARNERS, EACH))
    chunks = [content, b""]

    async def read(_: int) -> bytes:
        return chunks.pop(0)

    text = (ABOUT.format(**chosen) + more).encode()
    made = await publishing.add(nodes.provider, OPERATOR, Upload(text, "t.jsonl", read, 0.001))
    return str(made["dataset"])


async def running(nodes: Pair, more: str = "", **about: str) -> str:
    """A transfer of which one part was fetched; the consumer's pid."""
    dataset = await publish(nodes, more, **about)
    await nodes.consent([f"learner-{n}" for n in range(20)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    await fetching.start(nodes.consumer, RESEARCHER, pid, 1)
    await nodes.consumer.background.idle()
    await nodes.settle()
    assert (await views.transfer(nodes.consumer, pid))["state"] == "STARTED"
    return pid


async def looked(nodes: Pair, pid: str) -> dict[str, Any]:
    """What the consumer sees once the monitor has looked."""
    await monitoring.look(nodes.provider)
    await nodes.settle()
    return await views.transfer(nodes.consumer, pid)


async def test_a_date_that_passes_ends_the_transfer_and_says_why(parts: Pair):
    pid = await running(parts)
    assert (await looked(parts, pid))["state"] == "STARTED"
    until = await monitoring.look(parts.provider)
    assert until == (END - parts.clock.now()).total_seconds()
    parts.clock.set(END)
    found = await looked(parts, pid)
    assert (found["state"], found["code"]) == ("TERMINATED", monitoring.OVER)
    assert "31 December 2027" in " ".join(found["reasons"])
    assert "31 décembre 2027" in " ".join(found["reasons"])
    theirs = (await views.transfers(parts.provider))[0]
    assert theirs["state"] == "TERMINATED"
    assert await monitoring.look(parts.provider) is None


async def test_a_membership_that_ends_holds_the_transfer_until_it_is_back(parts: Pair):
    pid = await running(parts, 'group = "labs"\n')
    lab = parts.consumer.did
    await peering.add(parts.provider, OPERATOR, lab, "Lab", ["guests"])
    found = await looked(parts, pid)
    assert (found["state"], found["code"]) == ("SUSPENDED", monitoring.HELD)
    assert "labs" in " ".join(found["reasons"])
    assert "guests" not in " ".join(found["reasons"])
    assert (await looked(parts, pid))["state"] == "SUSPENDED"
    await peering.add(parts.provider, OPERATOR, lab, "Lab", ["labs"])
    assert (await looked(parts, pid))["state"] == "STARTED"
    await fetching.start(parts.consumer, RESEARCHER, pid, None)
    await parts.consumer.background.idle()
    await parts.settle()
    assert (await views.transfer(parts.consumer, pid))["state"] == "COMPLETED"


async def test_a_push_that_was_held_is_sent_once_it_goes_on(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    dataset = await publish(nodes, 'group = "labs"\n')
    await nodes.consent([f"learner-{n}" for n in range(20)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    with monkeypatch.context() as before:  # the membership ends before a byte has left
        before.setattr(pushing, "soon", _never)
        pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson", push=True)
        await nodes.settle()
        await peering.add(nodes.provider, OPERATOR, nodes.consumer.did, "Lab", ["guests"])
        assert (await looked(nodes, pid))["code"] == monitoring.HELD
    await peering.add(nodes.provider, OPERATOR, nodes.consumer.did, "Lab", ["labs"])
    await looked(nodes, pid)
    await nodes.provider.background.idle()
    await nodes.settle()
    found = await views.transfer(nodes.consumer, pid)
    assert (found["state"], found["receipt"] is None) == ("COMPLETED", False)


async def _never(_: object) -> None:
    """Nothing is pushed yet."""


async def test_what_a_person_suspended_stays_suspended(parts: Pair):
    pid = await running(parts)
    theirs = str((await views.transfers(parts.provider))[0]["pid"])
    await transferring.suspend(parts.provider, OPERATOR, theirs, "A pause.")
    await parts.settle()
    assert (await looked(parts, pid))["state"] == "SUSPENDED"


async def test_another_legal_basis_holds_what_was_agreed_on_the_old_one(parts: Pair):
    task = {"basis": "public-task", "template": "public-task-research"}
    pid = await running(parts, **task)
    await publish(parts, **task)
    assert (await looked(parts, pid))["state"] == "STARTED"
    await publish(parts)
    found = await looked(parts, pid)
    assert (found["state"], found["code"]) == ("SUSPENDED", monitoring.HELD)
    assert "legal basis" in " ".join(found["reasons"])
    assert (await looked(parts, pid))["state"] == "SUSPENDED"


async def test_a_withdrawn_dataset_and_an_objection_need_no_look(parts: Pair):
    pid = await running(parts)
    body = {"status": "withdrawn", **parts.scope("learner-3")}
    await consents.record(parts.provider, DPO, body)
    assert (await looked(parts, pid))["state"] == "STARTED"
    await publishing.withdraw(parts.provider, OPERATOR, "traces", "Over.")
    found = await looked(parts, pid)
    assert (found["state"], found["code"]) == ("TERMINATED", "dataset-withdrawn")


async def test_agreements_that_nobody_is_served_under_are_not_read(parts: Pair):
    """However many a node has made: all else that reads waits behind the monitor."""
    await running(parts, 'group = "labs"\n')
    store, serves = parts.provider.store, (await views.agreements(parts.provider))[0]["id"]
    dataset = (await views.agreements(parts.provider))[0]["dataset"]
    await parts.request(dataset)
    idle = next(a["id"] for a in await views.agreements(parts.provider) if a["id"] != serves)

    spoil = Statement(update(AGREEMENT).where(given(AGREEMENT.c.id)).values(body="no JSON"))
    await store.write(lambda tx: tx.change(spoil, id=idle))
    await peering.add(parts.provider, OPERATOR, parts.consumer.did, "Lab", ["guests"])
    await monitoring.look(parts.provider)
    assert [t["state"] for t in await views.transfers(parts.provider)] == ["SUSPENDED"]


async def test_a_part_wakes_nobody_who_waits_for_transfers(parts: Pair):
    pid = await running(parts)
    woken: list[str] = []
    for node in (parts.provider, parts.consumer):
        node.store.on_commit(lambda: woken.append("x"), topic="transfer")
    await fetching.start(parts.consumer, RESEARCHER, pid, 1)
    await parts.consumer.background.idle()
    assert (await views.transfer(parts.provider, await theirs(parts)))["parts"] == 2
    assert woken == []


async def theirs(nodes: Pair) -> str:
    """The provider's pid of the one transfer."""
    return str((await views.transfers(nodes.provider))[0]["pid"])


async def test_the_watch_wakes_by_itself(parts: Pair):
    pid = await running(parts, 'group = "labs"\n')
    theirs = str((await views.transfers(parts.provider))[0]["pid"])
    watch = asyncio.create_task(monitoring.watch(parts.provider))
    try:
        await peering.add(parts.provider, OPERATOR, parts.consumer.did, "Lab", ["guests"])
        held = await views.transfer(parts.provider, theirs, wait=30, until="SUSPENDED")
        assert held["state"] == "SUSPENDED"
        await parts.settle()  # a message that is on its way for a year has expired
        parts.clock.set(END)
        parts.provider.alarm.ring()  # the injected clock was moved: time itself rings nobody here
        over = await views.transfer(parts.provider, theirs, wait=30, until="TERMINATED")
        assert over["code"] == monitoring.OVER
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    await parts.settle()
    assert (await views.transfer(parts.consumer, pid))["state"] == "TERMINATED"
