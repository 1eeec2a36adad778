"""A restored node releases nothing that depends on learners until it knows what they said."""

import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import orjson
import pytest

from connector import operating
from connector.base.clock import format_time
from connector.http import management, public
from connector.protocol.transfer import State
from connector.services import identity
from connector.services.operate import quarantine, restored
from connector.services.operate.restoring import Restoring
from connector.services.processes import save_transfer, transfer
from connector.services.release import granting
from connector.store import agreements, consents, leaves, transfers
from connector.subjects.journal import Journal, entries
from policies.plan import Plan
from policies.problem import Problem
from tests.connector.operating.conftest import PASSPHRASE, Opened, fetch_all, pair
from tests.support.clock import ManualClock


async def last_leaf(opened: Opened) -> dict[str, object]:
    """The private body of the newest leaf."""
    row = await opened.node.store.read(lambda tx: leaves.get(tx, index=leaves.next_index(tx) - 1))
    assert row is not None
    assert row.private_body is not None
    return dict(row.private_body["body"])


async def test_no_part_leaves_and_the_requester_is_told(paired):
    async with paired() as (_, lab):
        problem = await fetch_all(lab)
        assert problem is not None
        assert problem.code == "transfer-refused"
        assert problem.params["status"] == 503
        assert "just restored" in str(problem.params["reason"])


async def test_catalog_log_and_identity_are_served(paired):
    async with paired() as (platform, _):
        transport = httpx.ASGITransport(public.app(platform.node))
        async with httpx.AsyncClient(transport=transport, base_url=platform.node.url) as client:
            for path in ("/catalog", "/log/checkpoint", "/.well-known/did.json"):
                assert (await client.get(path)).status_code == 200
            ready = (await client.get("/health/ready")).json()
        assert ready["quarantine"] is True


async def test_the_restoring_is_logged_once(opening, copy_of):
    folder = copy_of("platform")
    async with opening(folder) as platform:
        assert (await last_leaf(platform))["change"] == "restored"
        size = await platform.node.store.read(leaves.next_index)
    async with opening(folder) as platform:
        assert await platform.node.store.read(leaves.next_index) == size


async def test_the_officer_confirms_the_gap_and_parts_leave(paired):
    async with paired() as (platform, lab):
        assert (await identity.overview(platform.node))["quarantine"] is not None
        who = platform.who["dpo"]
        made = await restored.confirm(platform.node, who, "No answer came in these days.")
        assert made["quarantine"] is None
        leaf = await last_leaf(platform)
        assert leaf["change"] == "quarantine-ended"
        assert leaf["how"] == "confirmed"
        assert (leaf["by"], leaf["role"]) == ("actor-dpo", "dpo")
        assert leaf["reason"] == "No answer came in these days."
        assert (await identity.overview(platform.node))["quarantine"] is None
        assert await fetch_all(lab) is None


@pytest.mark.parametrize("role", ["operator", "steward", "ethics", "researcher", "auditor"])
async def test_nobody_else_can(role: str, opening, copy_of):
    async with opening(copy_of("platform")) as platform:
        with pytest.raises(Problem) as caught:
            await restored.confirm(platform.node, platform.who[role], "I would like it to end.")
        assert caught.value.code == "access-role"
        assert (await identity.overview(platform.node))["quarantine"] is not None


async def test_only_once_and_in_few_words(opening, copy_of):
    async with opening(copy_of("platform")) as platform:
        who = platform.who["dpo"]
        with pytest.raises(Problem) as caught:
            await restored.confirm(platform.node, who, "x" * 2001)
        assert caught.value.code == "quarantine-reason"
        await restored.confirm(platform.node, who, "Checked.")
        with pytest.raises(Problem) as caught:
            await restored.confirm(platform.node, who, "Checked.")
        assert caught.value.code == "quarantine-none"


async def test_over_the_api_it_takes_a_reason_and_a_token(opening, copy_of):
    folder = copy_of("platform")
    token = (folder / "tokens" / "operator").read_text("ascii").strip()
    async with opening(folder) as platform:
        transport = httpx.ASGITransport(management.app(platform.node))
        async with httpx.AsyncClient(transport=transport, base_url="http://n") as client:
            asked = client.post("/v1/node/quarantine", json={"reason": "x"})
            assert (await asked).status_code == 401
            bearer = {"Authorization": f"Bearer {token}"}
            for body, status in (({}, 400), ({"reason": 5}, 400), ({"reason": "x"}, 403)):
                asked = client.post("/v1/node/quarantine", json=body, headers=bearer)
                assert (await asked).status_code == status


# ------------------------------------------------------------------ the surviving journal


def withdrawn_later(folder: Path, journal: Path, at: str) -> int:
    """The journal as it went on after the backup: everybody who consented withdraws."""
    shutil.copy(folder / "consent.journal", journal)
    given = [entry for _, entry in entries(journal) if entry["status"] == "given"]
    opened = Journal.open(journal)
    later = [
        {
            **entry,
            "event": f"{number:064x}",
            "status": "withdrawn",
            "at": at,
            "recorded": at,
            "salt": f"{number:064x}",
        }
        for number, entry in enumerate(given)
    ]
    opened.append(later)
    opened.close()
    return len(later)


async def test_the_surviving_journal_ends_it_and_withdrawals_count(
    archives, folders, tmp_path: Path, clock: ManualClock, opening, copy_of
):
    journal = tmp_path / "survived.journal"
    at = format_time(clock.now() - timedelta(days=1))
    more = withdrawn_later(folders["platform"], journal, at)
    folder = tmp_path / "platform"
    given = Restoring(PASSPHRASE, journal=journal)
    done = operating.restore(archives["platform"], folder, given, clock=clock)
    assert done["survived"] == more
    operating.upgrade(folder)
    async with pair(opening, folder, copy_of("lab")) as (platform, lab):
        assert (await identity.overview(platform.node))["quarantine"] is None
        leaf = await last_leaf(platform)
        assert (leaf["how"], leaf["entries"]) == ("journal", more)
        assert await platform.node.store.read(consents.epoch) == 2
        assert await fetch_all(lab) is None
        row = (await platform.node.store.read(transfers.listing))[0]
        assert row.state != State.REQUESTED.value
        assert (await lab.progress()).rows == 0


async def test_a_journal_put_in_place_after_the_restore_ends_it_too(
    archives, folders, tmp_path: Path, clock: ManualClock, opening, copy_of
):
    folder = copy_of("platform")
    async with opening(folder) as platform:
        assert (await identity.overview(platform.node))["quarantine"] is not None
    at = format_time(clock.now() - timedelta(days=1))
    withdrawn_later(folders["platform"], folder / "consent.journal.new", at)
    (folder / "consent.journal.new").replace(folder / "consent.journal")
    async with opening(folder) as platform:
        assert (await identity.overview(platform.node))["quarantine"] is None


async def test_answers_recorded_since_the_restore_prove_nothing(
    archives, folders, clock: ManualClock, opening, copy_of
):
    folder = copy_of("platform")
    at = format_time(clock.now() + timedelta(seconds=1))
    withdrawn_later(folders["platform"], folder / "new", at)
    (folder / "new").replace(folder / "consent.journal")
    clock.advance(60)
    async with opening(folder) as platform:
        assert (await identity.overview(platform.node))["quarantine"] is not None
        assert await platform.node.store.read(consents.epoch) == 2  # they count all the same


def test_another_nodes_journal_is_refused(archives, folders, tmp_path: Path, clock: ManualClock):
    journal = tmp_path / "other.journal"
    lines = (folders["platform"] / "consent.journal").read_bytes().splitlines(keepends=True)
    first = orjson.loads(lines[0])
    first["salt"] = "00" * 32
    journal.write_bytes(orjson.dumps(first) + b"\n" + b"".join(lines[1:]))
    short = tmp_path / "short.journal"
    short.write_bytes(b"".join(lines[:-1]))
    for path in (journal, short):
        given = Restoring(PASSPHRASE, journal=path)
        with pytest.raises(Problem) as caught:
            operating.restore(archives["platform"], tmp_path / "new", given, clock=clock)
        assert caught.value.code == "backup-journal-other"
        assert sorted(one.name for one in tmp_path.iterdir() if "new" in one.name) == []


async def test_a_transfer_that_waited_stays_and_starts_when_it_ends(paired):
    async with paired() as (platform, _):
        node = platform.node
        row = (await node.store.read(transfers.listing))[0]

        def unit(tx):
            save_transfer(tx, replace(transfer(tx, row.pid), state=State.REQUESTED))

        await node.store.write(unit)
        granting.prepare_soon(node)
        await node.background.idle()
        assert (await node.store.read(transfers.listing))[0].state == State.REQUESTED.value
        await restored.confirm(node, platform.who["dpo"], "Checked.")
        await node.background.idle()
        assert (await node.store.read(transfers.listing))[0].state == State.STARTED.value


async def test_it_holds_back_what_depends_on_learners_and_nothing_else(opening, copy_of):
    async with opening(copy_of("platform")) as platform:
        read = platform.node.store.read
        plan = Plan.read((await read(agreements.listing))[0].plan)
        with pytest.raises(Problem) as caught:
            await read(lambda tx: quarantine.check(tx, plan))
        assert caught.value.code == "release-quarantine"
        assert caught.value.kind == "unavailable"
        open_data = replace(plan, rows=replace(plan.rows, consent=None))
        await read(lambda tx: quarantine.check(tx, open_data))
