"""An EDC 0.18 signals in plain JSON: the same flow, consents and rules, and what differs."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest_asyncio

from connector.evidence.verify import verify
from connector.services.release import monitoring, transferring
from connector.services.show import auditing, views
from tests.peers import control_plane
from tests.support import behind as making
from tests.support.behind import CONTROL, FLOW, Behind, address, address_18
from tests.support.pair import AUDITOR, OPERATOR, Pair, statements

Json = dict[str, Any]
PROFILE = "https://w3id.org/dspace-sig/profile/http-pull"


@pytest_asyncio.fixture
async def behind(nodes: Pair) -> Behind:
    return await making.behind(nodes)


async def suspended(behind: Behind) -> Json:
    """A flow that its control plane has suspended; the address it was started with."""
    given = (await behind.start_18()).json()["dataAddress"]
    answer = await behind.signal(f"/{FLOW}/suspend", control_plane.plain_18("suspend"))
    assert answer.status_code == 200
    return dict(given)


async def state(behind: Behind) -> str:
    """What a control plane is told that asks how the flow stands."""
    answer = await behind.ask("GET", f"/signaling/{behind.token}/dataflows/{FLOW}/status")
    found = answer.json()
    assert found["dataFlowId"] == FLOW
    assert set(found) == {"dataFlowId", "state"}
    return str(found["state"])


class TestAFlow:
    """Start, read, suspend, resume, complete, terminate."""

    async def test_only_the_rows_of_those_who_consent_leave(self, behind: Behind):
        answer = await behind.start_18()
        found = address_18(answer)
        assert (found["endpoint"], found["authType"]) == (
            f"http://localhost:9101/data/{FLOW}",
            "bearer",
        )
        assert {"messageId", "dataFlowId"} <= set(answer.json())
        read = await behind.read(found)
        assert (read.status_code, len(read.content.splitlines())) == (200, 40)
        assert b"learner-" not in read.content
        await behind.say("learner-3", "withdrawn")
        assert len((await behind.read(found)).content.splitlines()) == 38

    async def test_nothing_of_the_secret_or_the_claims_is_kept(self, behind: Behind):
        found = address_18(
            await behind.start_18(claims={"client_id": "lab", "mail": "x@y.example"})
        )
        seen = json.dumps(await behind.seen())
        assert found["authorization"] not in seen
        assert "x@y.example" not in seen
        assert (await behind.seen())["control_plane"] == CONTROL

    async def test_a_whole_life_and_its_evidence(self, behind: Behind, tmp_path: Path):
        given = await suspended(behind)
        found = {one["name"]: one["value"] for one in given["endpointProperties"]}
        found["endpoint"] = given["endpoint"]
        assert (await behind.read(found)).status_code == 409
        assert await state(behind) == "SUSPENDED"
        again = await behind.signal(f"/{FLOW}/resume", control_plane.resume_18(given))
        assert again.json()["dataAddress"] == given
        assert (await behind.read(found)).status_code == 200
        assert await state(behind) == "STARTED"
        bodies: tuple[Any, ...] = ({}, b"")
        for body in bodies:
            answer = await behind.signal(f"/{FLOW}/completed", body)
            assert answer.status_code == 200
        assert await state(behind) == "COMPLETED"
        assert (await behind.read(found)).status_code == 410
        assert [one["type"] for one in (await behind.seen())["messages"]] == [
            "DataFlowStartMessage",
            "DataFlowStarted",
            "DataFlowSuspendMessage",
            "DataFlowResumeMessage",
            "DataFlowStarted",
            "DataFlowCompleted",
        ]
        [made] = await views.agreements(behind.node)
        path = tmp_path / "bundle.zip"
        path.write_bytes(await auditing.bundle(behind.node, AUDITOR, made["id"]))
        report = verify(path)
        assert report.ok, report.failures

    async def test_terminated_it_is_over_whatever_is_said(self, behind: Behind):
        found = address_18(await behind.start_18())
        for _ in range(2):
            answer = await behind.signal(f"/{FLOW}/terminate", control_plane.plain_18())
            assert answer.status_code == 200
        assert (await behind.read(found)).status_code == 410
        resumed = await behind.signal(f"/{FLOW}/resume", control_plane.plain_18())
        assert (resumed.status_code, resumed.json()["title"]) == (422, "signaling-over")
        assert (await behind.signal(f"/{FLOW}/completed", {})).status_code == 400
        assert await state(behind) == "TERMINATED"

    async def test_as_the_specification_spells_it(self, behind: Behind):
        """`profile` for the transfer type, no callback, the asset's id for the dataset."""
        answer = await behind.start_18(
            transferType=None, profile=PROFILE, callbackAddress=None, source={}
        )
        assert address_18(answer)["type"] == PROFILE
        await transferring.terminate(behind.node, OPERATOR, FLOW, "enough")
        await behind.nodes.settle()
        assert [path for path, _ in behind.told.said] == [f"/{FLOW}/dataflow/errored"]


class TestSaidTwice:
    """A message that comes again, or late, undoes nothing that was said since."""

    async def test_the_same_start_is_answered_alike_and_happens_once(self, behind: Behind):
        message = behind.message_18()
        first = await behind.signal("/start", message)
        second = await behind.signal("/start", message)
        assert second.json()["dataAddress"] == first.json()["dataAddress"]
        assert len((await behind.seen())["messages"]) == 2

    async def test_another_start_of_a_flow_that_exists_is_refused(self, behind: Behind):
        await behind.start_18()
        answer = await behind.start_18()  # all alike but the id of the message
        assert (answer.status_code, answer.json()["title"]) == (409, "signaling-conflict")

    async def test_a_late_start_does_not_resume(self, behind: Behind):
        message = behind.message_18()
        await behind.signal("/start", message)
        await behind.signal(f"/{FLOW}/suspend", control_plane.plain_18("suspend"))
        assert (await behind.signal("/start", message)).json()["title"] == "signaling-conflict"
        assert await state(behind) == "SUSPENDED"

    async def test_a_late_resumption_does_not_resume_again(self, behind: Behind):
        given = await suspended(behind)
        resume = control_plane.resume_18(given)
        for _ in range(2):
            answer = await behind.signal(f"/{FLOW}/resume", resume)
            assert answer.json()["dataAddress"] == given
        await behind.signal(f"/{FLOW}/suspend", control_plane.plain_18("suspend"))
        assert (await behind.signal(f"/{FLOW}/resume", resume)).status_code == 409
        assert await state(behind) == "SUSPENDED"

    async def test_a_late_suspension_does_not_suspend_again(self, behind: Behind):
        given = (await behind.start_18()).json()["dataAddress"]
        suspend = control_plane.plain_18("suspend")
        for _ in range(2):
            assert (await behind.signal(f"/{FLOW}/suspend", suspend)).status_code == 200
        await behind.signal(f"/{FLOW}/resume", control_plane.resume_18(given))
        assert (await behind.signal(f"/{FLOW}/suspend", suspend)).status_code == 200
        assert await state(behind) == "STARTED"

    async def test_the_two_forms_do_not_share_a_flow(self, behind: Behind):
        await behind.start_18()
        assert (await behind.start()).json()["title"] == "signaling-conflict"
        address(await behind.start("second"))
        assert (await behind.start_18("second")).json()["title"] == "signaling-conflict"


class TestWhatWeEnd:
    """What is ended here is told in the words of this form; an EDC 0.18 only warns of an error."""

    async def test_ended_and_completed_by_a_person(self, behind: Behind):
        await behind.start_18()
        await behind.start_18("second")
        await transferring.terminate(behind.node, OPERATOR, FLOW, "enough")
        await transferring.complete(behind.node, OPERATOR, "second")
        await behind.nodes.settle()
        told = dict(behind.told.said)
        errored = told[f"/{FLOW}/dataflow/errored"]
        assert (errored["state"], errored["dataFlowId"]) == ("TERMINATED", FLOW)
        assert "enough" in errored["error"]
        done = told["/second/dataflow/completed"]
        assert (done["state"], done["dataFlowId"]) == ("COMPLETED", "second")
        assert all(uuid.UUID(body["messageId"]) for body in told.values())
        assert all("authorization" not in headers for headers in behind.told.headers)

    async def test_a_hold_of_ours_is_not_told_and_waits_for_it_if_it_holds_too(
        self, behind: Behind
    ):
        await behind.start_18()
        await transferring.suspend(behind.node, OPERATOR, FLOW, "a pause")
        await behind.signal(f"/{FLOW}/suspend", control_plane.plain_18("suspend"))
        await monitoring.look(behind.node)
        await behind.nodes.settle()
        assert (behind.told.said, await state(behind)) == ([], "SUSPENDED")

    async def test_too_few_persons_at_a_resumption(self, behind: Behind):
        given = await suspended(behind)
        for number in range(15):
            await behind.say(f"learner-{number}", "withdrawn")
        answer = await behind.signal(f"/{FLOW}/resume", control_plane.resume_18(given))
        assert (answer.status_code, answer.json()["title"]) == (422, "signaling-over")
        assert (await behind.seen())["code"] == "release-too-few"


class TestRefusals:
    """What needs a flow to be there; the rest is in `test_signaling_refused`."""

    async def test_what_a_flow_does_not_allow_now(self, behind: Behind):
        await suspended(behind)
        answer = await behind.signal(f"/{FLOW}/completed", {})
        assert (answer.status_code, answer.json()["title"]) == (400, "protocol-illegal-act")
        assert await state(behind) == "SUSPENDED"
        bare = await behind.signal(f"/{FLOW}/resume", {})
        assert bare.json()["title"] == "protocol-member-missing"

    async def test_too_much_of_it(self, behind: Behind):
        answer = await behind.start_18(claims={"x": "y" * 1_100_000})
        assert answer.json()["title"] == "http-too-large"
        many = {f"key-{number}": "x" for number in range(5_000)}
        assert (await behind.start_18(metadata={**many, "dataset": "traces"})).status_code == 200
        kept = json.dumps((await behind.seen())["messages"])
        assert "key-4999" not in kept

    async def test_the_same_agreement_for_another_dataset(self, behind: Behind):
        await behind.start_18()
        await behind.nodes.publish(statements(12), id="other")
        answer = await behind.start_18("second", source={"dataset": "other"})
        assert answer.json()["title"] == "signaling-conflict"
