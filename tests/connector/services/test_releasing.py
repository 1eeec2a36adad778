"""From an agreement to rows: who leaves, who does not, and what both logs say about it."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from connector.evidence.verify import verify
from connector.protocol.messages import read_address
from connector.services.consent import consents
from connector.services.fetch import fetching
from connector.services.fetch.received import folder_of
from connector.services.processes import transfer
from connector.services.publish import publishing
from connector.services.release import releasing, transferring
from connector.services.show import auditing, views
from connector.store import parts as part_rows
from policies.problem import Problem
from tests.support.pair import (
    AUDITOR,
    DPO,
    OPERATOR,
    RESEARCHER,
    Pair,
    statements,
)

LEARNERS = 30
EACH = 12


def names(*numbers: int) -> list[str]:
    return [f"learner-{number}" for number in numbers]


async def agreed(nodes: Pair, consenting: range = range(20), **about: str) -> str:
    """An agreement on a dataset of 30 learners, of whom some consent; its id."""
    dataset = await nodes.publish(statements(LEARNERS, EACH), **about)
    await nodes.consent(names(*consenting))
    await nodes.request(dataset)
    return str((await views.agreements(nodes.consumer))[0]["id"])


async def fetch(nodes: Pair, agreement: str, parts: int | None = None) -> dict[str, Any]:
    """Let the consumer fetch; the transfer as it is then."""
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    await fetching.start(nodes.consumer, RESEARCHER, pid, parts)
    await nodes.consumer.background.idle()
    await nodes.settle()
    return await views.transfer(nodes.consumer, pid)


def received(nodes: Pair, found: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows in the consumer's data file."""
    path = folder_of(nodes.consumer, found["pid"]) / "data.ndjson"
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def small_parts(nodes: Pair) -> Pair:
    """The provider hands out parts of 20 rows."""
    settings = nodes.provider.settings
    release = settings.release.model_copy(update={"max_part_rows": 20, "first_part_rows": 10})
    object.__setattr__(nodes.provider, "settings", settings.model_copy(update={"release": release}))
    return nodes


async def test_exactly_the_rows_of_who_consents(nodes: Pair):
    found = await fetch(nodes, await agreed(nodes))
    rows = received(nodes, found)
    assert (found["state"], len(rows)) == ("COMPLETED", 20 * EACH)
    assert len({row["actor"]["account"]["name"] for row in rows}) == 20
    assert all(row["timestamp"].endswith(":00:00Z") for row in rows)
    assert {name for row in rows for name in row} == {"actor", "verb", "object", "timestamp"}
    assert "learner" not in json.dumps(rows)
    assert "mooc.example/" not in json.dumps(rows[0]["actor"])


async def test_the_files_of_a_finished_transfer(nodes: Pair):
    found = await fetch(nodes, await agreed(nodes))
    folder = folder_of(nodes.consumer, found["pid"])
    assert sorted(path.name for path in folder.iterdir()) == [
        "agreement.en.txt",
        "agreement.fr.txt",
        "codebook.json",
        "data.ndjson",
        "manifest.json",
        "receipt.json",
    ]
    assert "2027-12-31" in (folder / "agreement.fr.txt").read_text()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["state"], manifest["persons"]) == ("complete", "20")


async def test_a_withdrawal_counts_from_the_next_part(small_parts: Pair):
    nodes = small_parts
    agreement = await agreed(nodes)
    first = await fetch(nodes, agreement, parts=2)
    assert (first["state"], first["parts"]) == ("STARTED", 2)
    gone = names(*range(8))
    await nodes.consent(gone, "withdrawn")
    found = await fetch(nodes, agreement)
    rows = received(nodes, found)
    later = {row["actor"]["account"]["name"] for row in rows[30:]}
    assert found["pid"] == first["pid"]
    assert len(later) == 12
    before = {row["actor"]["account"]["name"] for row in rows[:30]}
    assert before - later


async def test_what_was_issued_and_not_acknowledged_is_issued_anew(small_parts: Pair):
    nodes = small_parts
    found = await fetch(nodes, await agreed(nodes), parts=1)
    address = await _address(nodes, found["pid"])
    pid, token = address
    one = await releasing.part(nodes.provider, pid, token, 2)
    assert (await releasing.part(nodes.provider, pid, token, 2)).info == one.info
    await nodes.consent(names(*range(12)), "withdrawn")
    again = await releasing.part(nodes.provider, pid, token, 2)
    assert (again.info.n, again.info.issue) == (2, 2)
    assert again.info.rows < one.info.rows
    issues = await nodes.provider.store.read(lambda tx: part_rows.listing(tx, transfer=pid))
    assert [(row.n, row.issue) for row in issues] == [(1, 1), (2, 1), (2, 2)]
    assert {(row.start, row.stop) for row in issues if row.n == 2} == {
        (issues[1].start, issues[1].stop)
    }


async def test_fewer_than_ten_persons_look_like_no_data(nodes: Pair):
    found = await fetch(nodes, await agreed(nodes, range(9)))
    assert found["state"] == "TERMINATED"
    assert "9" not in " ".join(found["reasons"])
    assert found["fetch"]["problem"]["code"] == "transfer-ended"


async def test_nobody_consents_reads_the_same_as_nine(nodes: Pair):
    found = await fetch(nodes, await agreed(nodes, range(0)))
    assert found["code"] == "release-too-few"


PUBLIC_TASK = {"basis": "public-task", "template": "public-task-research"}


class TestPublicTask:
    async def test_open_objections_withhold(self, nodes: Pair):
        agreement = await agreed(nodes, range(0), **PUBLIC_TASK)
        await nodes.consent(names(0, 1, 2), "objected")
        rows = received(nodes, await fetch(nodes, agreement))
        assert len(rows) == (LEARNERS - 3) * EACH

    async def test_lifted_ones_do_not(self, nodes: Pair):
        agreement = await agreed(nodes, range(0), **PUBLIC_TASK)
        await nodes.consent(names(0, 1), "objected")
        nodes.clock.advance(1)
        await nodes.consent(names(0), "lifted")
        rows = received(nodes, await fetch(nodes, agreement))
        assert len(rows) == (LEARNERS - 1) * EACH


async def test_suspended_then_resumed_by_the_provider(small_parts: Pair):
    nodes = small_parts
    agreement = await agreed(nodes)
    await fetch(nodes, agreement, parts=1)
    theirs = (await views.transfers(nodes.provider))[0]["pid"]
    await transferring.suspend(nodes.provider, OPERATOR, theirs, "A question.")
    await nodes.settle()
    held = await fetch(nodes, agreement)
    assert held["state"] == "SUSPENDED"
    assert held["fetch"]["problem"]["code"] == "transfer-suspended"
    await transferring.resume(nodes.provider, OPERATOR, theirs)
    await nodes.settle()
    found = await fetch(nodes, agreement)
    assert (found["state"], len(received(nodes, found))) == ("COMPLETED", 20 * EACH)


async def test_a_withdrawn_dataset_ends_running_transfers(small_parts: Pair):
    nodes = small_parts
    agreement = await agreed(nodes)
    await fetch(nodes, agreement, parts=1)
    await publishing.withdraw(nodes.provider, OPERATOR, "traces", "new contract")
    await nodes.settle()
    found = await fetch(nodes, agreement)
    assert found["code"] in {"release-withdrawn", "dataset-withdrawn"}
    bundle = await auditing.bundle(nodes.provider, AUDITOR, agreement)
    assert bundle


async def test_an_expired_agreement_releases_nothing_more(small_parts: Pair):
    nodes = small_parts
    agreement = await agreed(nodes)
    await fetch(nodes, agreement, parts=1)
    nodes.clock.advance(3 * 365 * 86_400)
    found = await fetch(nodes, agreement)
    assert found["fetch"]["problem"]["code"] == "transfer-refused"
    assert found["parts"] == 1


async def test_a_token_opens_its_own_transfer_only(small_parts: Pair):
    nodes = small_parts
    found = await fetch(nodes, await agreed(nodes), parts=1)
    pid, token = await _address(nodes, found["pid"])
    for wrong in ("", "x", token + "0", token[:-1]):
        with pytest.raises(Problem, match="release-unknown"):
            await releasing.part(nodes.provider, pid, wrong, 1)
    with pytest.raises(Problem, match="release-part-order"):
        await releasing.part(nodes.provider, pid, token, 7)


async def test_both_bundles_verify_and_name_one_agreement(nodes: Pair, tmp_path: Path):
    agreement = await agreed(nodes)
    found = await fetch(nodes, agreement)
    files = folder_of(nodes.consumer, found["pid"])
    for node in (nodes.provider, nodes.consumer):
        path = tmp_path / f"{node.settings.node.name}.zip"
        path.write_bytes(await auditing.bundle(node, OPERATOR, agreement))
        report = verify(path, files=files)
        assert report.ok, report.failures


async def test_only_the_auditor_gets_the_private_part(nodes: Pair, tmp_path: Path):
    agreement = await agreed(nodes)
    await fetch(nodes, agreement)
    for who, private in ((OPERATOR, False), (DPO, False), (AUDITOR, True)):
        path = tmp_path / f"{who.role}.zip"
        path.write_bytes(await auditing.bundle(nodes.provider, who, agreement))
        listed = zipfile.ZipFile(path).namelist()
        assert any(name.startswith("private/") for name in listed) is private
        assert verify(path).ok
    with pytest.raises(Problem, match="access-role"):
        await auditing.bundle(nodes.provider, RESEARCHER, agreement)


class TestConsents:
    async def test_only_dpo_and_steward_record(self, nodes: Pair):
        body = {"status": "given", **nodes.scope("learner-0")}
        for who in (OPERATOR, RESEARCHER, AUDITOR):
            with pytest.raises(Problem, match="access-role"):
                await consents.record(nodes.provider, who, body)

    async def test_state_follows_what_was_said(self, nodes: Pair):
        scope = nodes.scope("learner-0")
        states = []
        for status in ("given", "withdrawn", "given", "objected", "lifted"):
            nodes.clock.advance(1)
            await nodes.consent(["learner-0"], status)
            states.append((await consents.state(nodes.provider, DPO, scope))["state"])
        assert states == ["valid", "withdrawn", "valid", "objected", "valid"]

    async def test_journalled_and_not_stored_is_found_at_the_next_start(self, nodes: Pair):
        node = nodes.provider
        await nodes.consent(["learner-0"])
        entries = [entry for _, entry in node.journal.replay(0)]
        later = entries[0] | {"event": "ab" * 32, "status": "withdrawn"}
        later["at"] = later["recorded"] = "2027-01-01T00:00:00Z"
        node.journal.append([later])
        assert await consents.replay(node) == 1
        assert await consents.replay(node) == 0
        nodes.clock.advance(400 * 86_400)
        found = await consents.state(node, DPO, nodes.scope("learner-0"))
        assert found["state"] == "withdrawn"

    async def test_no_identifier_lies_in_the_journal_or_the_database(self, nodes: Pair):
        await nodes.consent(["a-very-recognisable-name"])
        node = nodes.provider
        for path in node.folder.rglob("*"):
            if path.is_file() and path.stat().st_size < 50_000_000:
                assert b"a-very-recognisable-name" not in path.read_bytes(), path


async def _address(nodes: Pair, pid: str) -> tuple[str, str]:
    """Transfer and token of the data address the consumer was given."""
    t = await nodes.consumer.store.read(lambda tx: transfer(tx, pid))
    assert t.data_address is not None
    address = read_address(t.data_address)
    return str(t.provider_pid), str(address.authorization)
