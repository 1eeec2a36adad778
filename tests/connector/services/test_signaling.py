"""A control plane elsewhere signals, and this node's data plane releases by consent."""

import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import ValidationError

from connector.base.settings import Settings
from connector.evidence.verify import verify
from connector.identity import static
from connector.services import identity
from connector.services.discover import peering
from connector.services.operate import leaving
from connector.services.publish import publishing
from connector.services.release import monitoring, transferring
from connector.services.show import auditing, views
from connector.store import leaves
from connector.store.rows import OutboxRow
from policies.problem import Problem
from tests.peers import control_plane
from tests.support import behind as making
from tests.support.behind import AGREED, CONTROL, FLOW, Behind, Json, address
from tests.support.pair import AUDITOR, OPERATOR, Pair, statements


@pytest_asyncio.fixture
async def behind(nodes: Pair) -> Behind:
    return await making.behind(nodes)


class TestAFlow:
    """Start, read, suspend, resume, terminate."""

    async def test_only_the_rows_of_those_who_consent_leave(self, behind: Behind):
        found = address(await behind.start())
        assert (found["authType"], found["endpoint"]) == (
            "bearer",
            f"http://localhost:9101/data/{FLOW}",
        )
        read = await behind.read(found)
        assert (read.status_code, len(read.content.splitlines())) == (200, 40)
        assert b"learner-" not in read.content

    async def test_each_part_is_a_leaf_and_nothing_of_the_secret_is_kept(self, behind: Behind):
        found = address(await behind.start())
        await behind.read(found)
        rows = await behind.node.store.read(lambda tx: leaves.between(tx, start=0, stop=10_000))
        kinds = [row.type for row in rows]
        assert {"agreement", "plan", "transfer", "part", "decision"} <= set(kinds)
        seen = await behind.seen()
        assert [one["type"] for one in seen["messages"]] == [
            "DataFlowStartMessage",
            "DataFlowStarted",
        ]
        assert found["authorization"] not in json.dumps(seen)
        assert (seen["control_plane"], seen["parts"] > 0) == (CONTROL, True)

    async def test_a_withdrawal_takes_effect_in_the_next_read(self, behind: Behind):
        found = address(await behind.start())
        await behind.say("learner-3", "withdrawn")
        assert len((await behind.read(found)).content.splitlines()) == 38

    async def test_the_same_start_again_is_answered_alike_and_happens_once(self, behind: Behind):
        first = await behind.start()
        assert (await behind.start()).json() == first.json()
        assert len((await behind.seen())["messages"]) == 2

    async def test_suspended_it_hands_out_nothing_and_resumed_it_does(self, behind: Behind):
        found = address(await behind.start())
        suspend = control_plane.plain("DataFlowSuspendMessage")
        for _ in range(2):
            assert (await behind.signal(f"/{FLOW}/suspend", suspend)).status_code == 200
        assert (await behind.read(found)).status_code == 409
        assert address(await behind.start()) == found
        assert (await behind.read(found)).status_code == 200

    async def test_terminated_it_is_over_whatever_is_said(self, behind: Behind):
        found = address(await behind.start())
        terminate = control_plane.plain("DataFlowTerminateMessage")
        for _ in range(2):
            assert (await behind.signal(f"/{FLOW}/terminate", terminate)).status_code == 200
        assert (await behind.read(found)).status_code == 410
        assert (await behind.start()).status_code == 422
        assert behind.told.said == []

    @pytest.mark.parametrize("spelled", [dict, control_plane.later], ids=["0.15", "0.17"])
    async def test_later_ones_start_and_resume_at_another_place_and_in_later_terms(
        self, behind: Behind, spelled: Callable[[Json], Json]
    ):
        start = spelled(behind.message())
        found = address(await behind.signal("/start", start))
        suspend = control_plane.plain("DataFlowSuspendMessage")
        assert (await behind.signal(f"/{FLOW}/suspend", suspend)).status_code == 200
        assert address(await behind.signal("/start", start)) == found
        assert (await behind.read(found)).status_code == 200
        await transferring.terminate(behind.node, OPERATOR, FLOW, "enough")
        await behind.nodes.settle()
        assert [path for path, _ in behind.told.said] == [f"/{FLOW}/fail"]

    async def test_a_second_flow_runs_under_the_same_agreement(self, behind: Behind):
        one, two = address(await behind.start()), address(await behind.start("second"))
        assert one["authorization"] != two["authorization"]
        assert len(await views.agreements(behind.node)) == 1

    async def test_what_people_see_says_who_negotiated(self, behind: Behind):
        await behind.start()
        [made] = await views.negotiations(behind.node)
        found = await views.negotiation(behind.node, made["pid"])
        assert (found["pid"], found["state"], found["code"]) == (
            AGREED,
            "FINALIZED",
            "negotiated-elsewhere",
        )
        assert found["waiting"]["kind"] == "nothing"
        agreement = await views.agreement(behind.node, found["agreement"])
        assert agreement["signatures"] == {
            "provider": "eddsa-jcs-2022",
            "consumer": "with the control plane",
        }


class TestItsEvidence:
    """A bundle of what this node did; what the consumer accepted is with the control plane."""

    async def test_a_whole_life_verifies(self, behind: Behind, tmp_path: Path):
        suspend = control_plane.plain("DataFlowSuspendMessage")
        await behind.read(address(await behind.start()))
        await behind.signal(f"/{FLOW}/suspend", suspend)
        await behind.read(address(await behind.start()))
        await transferring.suspend(behind.node, OPERATOR, FLOW, "a pause")
        await behind.signal(f"/{FLOW}/suspend", suspend)
        await behind.start()
        await transferring.terminate(behind.node, OPERATOR, FLOW, "enough")
        await behind.start("second")
        await behind.signal("/second/terminate", control_plane.plain("DataFlowTerminateMessage"))
        report = verify(await bundled(behind, tmp_path))
        assert report.ok, report.failures
        unseen = " ".join(line.en for line in report.checks if line.ok is None)
        assert "what lab accepted there is not in this bundle" in unseen

    async def test_a_bundle_about_another_agreement_or_consumer_does_not(
        self, behind: Behind, tmp_path: Path
    ):
        await behind.start()
        path = await bundled(behind, tmp_path)
        for member in ("agreement", "consumer"):
            with zipfile.ZipFile(path) as archive:
                files = {name: archive.read(name) for name in archive.namelist()}
            [name] = [name for name in files if "DataFlowStartMessage" in name]
            files[name] = json.dumps({**json.loads(files[name]), member: "another"}).encode()
            forged = tmp_path / "forged.zip"
            with zipfile.ZipFile(forged, "w") as archive:
                for each, data in files.items():
                    archive.writestr(each, data)
            assert not verify(forged).ok


async def bundled(behind: Behind, folder: Path) -> Path:
    """The bundle of the one agreement."""
    [made] = await views.agreements(behind.node)
    path = folder / "bundle.zip"
    path.write_bytes(await auditing.bundle(behind.node, AUDITOR, made["id"]))
    return path


class TestWhatWeEnd:
    """Ends of our own reach the control plane; a hold of our own has no word there."""

    async def test_ended_by_a_person(self, behind: Behind):
        await behind.start()
        await transferring.terminate(behind.node, OPERATOR, FLOW, "enough")
        await behind.nodes.settle()
        [(path, body)] = behind.told.said
        assert (path, "enough" in body["errorMessage"]) == (f"/{FLOW}/fail", True)
        assert "authorization" not in behind.told.headers[0]
        assert (await behind.seen())["messages"][-1]["delivery"] == "sent"

    async def test_ended_with_its_consumer(self, behind: Behind):
        found = address(await behind.start())
        made = await leaving.remove(behind.node, OPERATOR, "lab", "closed", terminate=True)
        counts = {kind: len(ids) for kind, ids in made["ended"].items()}
        assert counts == {"negotiations": 0, "transfers": 1, "agreements": 1}
        await behind.nodes.settle()
        [(path, body)] = behind.told.said
        assert (path, "closed" in body["errorMessage"]) == (f"/{FLOW}/fail", True)
        assert (await behind.read(found)).status_code == 410
        refused = await behind.start("second")
        assert (refused.status_code, refused.json()["code"]) == (422, "signaling-consumer")
        await peering.add_consumer(behind.node, OPERATOR, "lab", "", ["labs"])
        refused = await behind.start("second")
        assert (refused.status_code, refused.json()["code"]) == (409, "agreement-inactive")

    async def test_ended_by_the_monitor_when_the_dataset_is_withdrawn(self, behind: Behind):
        found = address(await behind.start())
        await publishing.withdraw(behind.node, OPERATOR, "traces", "a reason")
        await monitoring.look(behind.node)
        await behind.nodes.settle()
        assert [path for path, _ in behind.told.said] == [f"/{FLOW}/fail"]
        assert (await behind.read(found)).status_code == 410

    async def test_an_end_that_it_knows_already_is_no_fault(self, behind: Behind):
        await behind.start()
        behind.told.said.append((f"/{FLOW}/fail", {}))
        await transferring.terminate(behind.node, OPERATOR, FLOW, "enough")
        await behind.nodes.settle()
        assert (await behind.seen())["state"] == "TERMINATED"

    async def test_completed_by_a_person(self, behind: Behind):
        await behind.start()
        await transferring.complete(behind.node, OPERATOR, FLOW)
        await behind.nodes.settle()
        assert behind.told.said == [(f"/{FLOW}/complete", {})]

    async def test_a_hold_of_ours_is_not_told_and_ends_by_us(self, behind: Behind):
        found = address(await behind.start())
        await transferring.suspend(behind.node, OPERATOR, FLOW, "a pause")
        await behind.nodes.settle()
        assert (behind.told.said, (await behind.read(found)).status_code) == ([], 409)
        await transferring.resume(behind.node, OPERATOR, FLOW)
        assert (await behind.read(found)).status_code == 200

    async def test_a_hold_of_ours_that_it_suspends_too_waits_for_it(self, behind: Behind):
        await behind.start()
        await transferring.suspend(behind.node, OPERATOR, FLOW, "a pause")
        suspend = control_plane.plain("DataFlowSuspendMessage")
        assert (await behind.signal(f"/{FLOW}/suspend", suspend)).status_code == 200
        await monitoring.look(behind.node)
        assert (await behind.seen())["state"] == "SUSPENDED"


class TestTheKeyOfItsApi:
    """`X-Api-Key` for a control API that asks for one: to the configured address and no other."""

    KEY = "the-key-of-a-control-api"

    @pytest.fixture
    async def keyed(self, behind: Behind, caplog: pytest.LogCaptureFixture) -> Behind:
        caplog.set_level(logging.DEBUG)
        object.__setattr__(behind.node, "control_key", self.KEY)
        await behind.start()
        return behind

    async def test_it_is_sent_and_stands_nowhere_else(
        self, keyed: Behind, caplog: pytest.LogCaptureFixture
    ):
        keyed.told.said.append((f"/{FLOW}/fail", {}))  # so that what we say is refused
        await transferring.terminate(keyed.node, OPERATOR, FLOW, "enough")
        await keyed.nodes.settle()
        assert keyed.told.headers[0]["x-api-key"] == self.KEY
        assert self.KEY not in caplog.text + json.dumps(await keyed.seen())
        assert "control_key" not in repr(keyed.node)

    @pytest.mark.parametrize("now", ["http://localhost:9401/con", "http://localhost:9402/control"])
    async def test_an_address_of_former_days_does_not_learn_it(self, keyed: Behind, now: str):
        making.configure(keyed.node, "signaling", control_plane=now)
        await transferring.terminate(keyed.node, OPERATOR, FLOW, "enough")
        await keyed.nodes.settle()
        [headers] = keyed.told.headers
        assert "x-api-key" not in headers

    async def test_no_peer_learns_it(self, keyed: Behind):
        now = keyed.node.clock.now()
        row = OutboxRow("p", "did:web:x.example", CONTROL + "/x", "T", b"", now, now)
        assert set(identity.headers(keyed.node, row)) == {"Authorization"}

    async def test_a_file_that_others_read_or_that_lacks_does_not_do(self, tmp_path: Path):
        path = tmp_path / "key"
        for content, mode in ((None, 0), ("short", 0o600), (self.KEY, 0o640)):
            if content is not None:
                path.write_text(content, "ascii")
                path.chmod(mode)
            with pytest.raises(Problem, match="identity-static-file"):
                static.secret_of(path)
        path.chmod(0o600)
        assert static.secret_of(path) == self.KEY

    async def test_a_key_without_an_address_is_a_mistake(self):
        node = {"did": "did:web:x.example", "name": "x", "public_url": "https://x.example"}
        with pytest.raises(ValidationError, match="api_key_file needs"):
            Settings.model_validate({"node": node, "signaling": {"api_key_file": "key"}})


class TestWhatItMayNotDo:
    """Refusals that leave something behind, or that need something to be there."""

    async def test_too_few_persons(self, behind: Behind):
        for number in range(15):
            await behind.say(f"learner-{number}", "withdrawn")
        answer = await behind.start()
        assert (answer.status_code, answer.json()["title"]) == (422, "signaling-over")
        assert (await behind.seen())["code"] == "release-too-few"
        assert behind.told.said == []

    async def test_the_same_flow_with_another_content(self, behind: Behind):
        first = await behind.start()
        await behind.nodes.publish(statements(12), id="other")
        for changes in ({"agreementId": "another"}, {"source": {"dataset": "other"}}):
            answer = await behind.start(**changes)
            assert (answer.status_code, answer.json()["title"]) == (409, "signaling-conflict")
        assert (await behind.start()).json() == first.json()

    async def test_the_same_agreement_for_another_dataset(self, behind: Behind):
        await behind.start()
        await behind.nodes.publish(statements(12), id="other")
        answer = await behind.start("second", source={"dataset": "other"})
        assert answer.json()["title"] == "signaling-conflict"

    async def test_a_transfer_of_ours_is_no_flow(self, behind: Behind):
        nodes = behind.nodes
        await nodes.consent([f"learner-{number}" for number in range(20)])
        await nodes.request("http://localhost:9101/datasets/traces")
        agreement = (await views.agreements(nodes.consumer))[0]["id"]
        await transferring.start(nodes.consumer, OPERATOR, agreement, "ndjson")
        await nodes.settle()
        [theirs] = await views.transfers(behind.node)
        for act in ("suspend", "terminate"):
            answer = await behind.signal(f"/{theirs['pid']}/{act}", control_plane.plain("X"))
            assert answer.json()["title"] == "transfer-unknown"
        for act in ("suspend", "resume", "terminate", "completed"):
            answer = await behind.signal(f"/{theirs['pid']}/{act}", control_plane.plain_18())
            assert answer.json()["title"] == "transfer-unknown"
        place = f"/signaling/{behind.token}/dataflows/{theirs['pid']}/status"
        assert (await behind.ask("GET", place)).json()["title"] == "transfer-unknown"
        negotiated = (await views.negotiations(behind.node))[0]["pid"]
        for changes in ({"processId": theirs["pid"]}, {"agreementId": negotiated}):
            assert (await behind.start(**changes)).json()["title"] == "signaling-conflict"
            assert (await behind.start_18(**changes)).json()["title"] == "signaling-conflict"
        assert (await views.transfer(behind.node, theirs["pid"]))["state"] == "STARTED"
