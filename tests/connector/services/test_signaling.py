"""A control plane elsewhere signals, and this node's data plane releases by consent."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from connector.http import management
from connector.services import access
from connector.services.consent import consents
from connector.services.discover import crawling, peering
from connector.services.node import Node
from connector.services.publish import publishing
from connector.services.release import monitoring, transferring
from connector.services.show import auditing, views
from connector.store import leaves
from policies.problem import Problem
from tests.peers import control_plane
from tests.peers.control_plane import Told
from tests.support.pair import AUDITOR, DPO, OPERATOR, REASON, Pair, statements

Json = dict[str, Any]

CONTROL = "http://localhost:9401/control"
LEARNERS = 30
FLOW, AGREED = "5f95aa23-4d9b-4795-83b3-b93c3802b8e0", "0c869fe7-fd0d-4a48-9af0-ba0c0a13f284"


@dataclass
class Behind:
    """A node behind a control plane: what it publishes, and the secret it registered."""

    nodes: Pair
    told: Told
    token: str

    @property
    def node(self) -> Node:
        return self.nodes.provider

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One request to the management port."""
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        transport = httpx.ASGITransport(management.app(self.node), raise_app_exceptions=False)
        given = {"Content-Type": "application/json; charset=utf-8", **headers}
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return await client.request(method, f"/v1{path}", content=content, headers=given)

    async def signal(self, act: str = "", body: Any = None) -> httpx.Response:
        """One signal, with the secret in the address as a stock EDC must."""
        return await self.ask("POST", f"/signaling/{self.token}/dataflows{act}", body)

    async def start(self, process: str = FLOW, **changes: Any) -> httpx.Response:
        return await self.signal(body=self.message(process, **changes))

    def message(self, process: str = FLOW, agreement: str = AGREED, **changes: Any) -> Json:
        source = changes.pop("source", {"dataset": "traces"})
        made = control_plane.start(process, agreement, consumer="lab", callback=CONTROL, **source)
        return {**made, **changes}

    async def read(self, address: Json) -> httpx.Response:
        """What the consumer's application reads, with the bare token."""
        transport = httpx.ASGITransport(
            self.nodes.wire.apps["localhost:9101"], raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport) as client:
            headers = {"Authorization": address["authorization"]}
            return await client.get(address["endpoint"], headers=headers)

    async def seen(self, process: str = FLOW) -> Json:
        return await views.transfer(self.node, process)

    async def say(self, name: str, status: str, recipient: str = "group:labs") -> None:
        """What a learner says about the consumer's group."""
        scope = {**self.nodes.scope(name), "recipient": recipient}
        await consents.record(self.node, DPO, {"status": status, "reason": REASON, **scope})


@pytest_asyncio.fixture
async def behind(nodes: Pair) -> AsyncIterator[Behind]:
    """Thirty learners of whom the first twenty consent to the consumer's group."""
    settings = nodes.provider.settings
    signaling = settings.signaling.model_copy(update={"control_plane": CONTROL})
    object.__setattr__(
        nodes.provider, "settings", settings.model_copy(update={"signaling": signaling})
    )
    token = (await access.add_token(nodes.provider, OPERATOR, "edc", "control-plane"))["token"]
    told = Told()
    nodes.wire.apps["localhost:9401"] = told
    made = Behind(nodes, told, token)
    await nodes.publish(statements(LEARNERS, 2))
    await peering.add_consumer(nodes.provider, OPERATOR, "lab", "", ["labs"])
    for number in range(20):
        await made.say(f"learner-{number}", "given")
    yield made


def address(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    return control_plane.address(answer.json())


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
            assert (await behind.signal(f"/{FLOW}/suspend", suspend)).status_code == 204
        assert (await behind.read(found)).status_code == 409
        assert address(await behind.start()) == found
        assert (await behind.read(found)).status_code == 200

    async def test_terminated_it_is_over_whatever_is_said(self, behind: Behind):
        found = address(await behind.start())
        terminate = control_plane.plain("DataFlowTerminateMessage")
        for _ in range(2):
            assert (await behind.signal(f"/{FLOW}/terminate", terminate)).status_code == 204
        assert (await behind.read(found)).status_code == 410
        assert (await behind.start()).status_code == 422
        assert behind.told.said == []

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
        with pytest.raises(Problem, match="signaling-evidence"):
            await auditing.bundle(behind.node, AUDITOR, found["agreement"])


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
        assert (await behind.signal(f"/{FLOW}/suspend", suspend)).status_code == 204
        await monitoring.look(behind.node)
        assert (await behind.seen())["state"] == "SUSPENDED"


class TestRefusals:
    """Fail closed, and say why, in what the operator of the control plane reads."""

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"participantId": "stranger"}, "signaling-consumer"),
            ({"source": {"dataset": "nothing"}}, "dataset-unknown"),
            ({"source": {"dataset": "traces", "offer": "ni:///x"}}, "signaling-offer"),
            ({"callbackAddress": "http://169.254.169.254/control"}, "signaling-callback"),
            ({"flowType": "PUSH"}, "transfer-format"),
            ({"processId": "../data"}, "signaling-id"),
            ({"agreementId": "a b"}, "signaling-id"),
            ({"processId": "x" * 201}, "signaling-id"),
            ({"@type": "DataFlowProvisionMessage"}, "protocol-type-unexpected"),
            ({"sourceDataAddress": None}, "protocol-member-missing"),
            (
                {"sourceDataAddress": {"dspace:endpointType": "HttpData"}},
                "signaling-source",
            ),
        ],
    )
    async def test_what_cannot_be_served(self, behind: Behind, changes: Json, code: str):
        answer = await behind.start(**changes)
        assert (answer.json()["title"], 400 <= answer.status_code < 500) == (code, True)
        assert await views.transfers(behind.node) == []

    async def test_too_few_persons(self, behind: Behind):
        for number in range(15):
            await behind.say(f"learner-{number}", "withdrawn")
        answer = await behind.start()
        assert (answer.status_code, answer.json()["title"]) == (422, "signaling-over")
        assert (await behind.seen())["code"] == "release-too-few"
        assert behind.told.said == []

    async def test_an_offer_that_waits_for_people(self, behind: Behind):
        await behind.nodes.publish(statements(12), id="decided", decisions='"dpo"')
        answer = await behind.start(source={"dataset": "decided"})
        assert answer.json()["title"] == "signaling-decisions"

    async def test_a_dataset_of_a_group_that_the_consumer_is_not_in(self, behind: Behind):
        await behind.nodes.publish(statements(12), id="closed", group="others")
        answer = await behind.start(source={"dataset": "closed"})
        assert answer.json()["title"] == "dataset-unknown"

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
        negotiated = (await views.negotiations(behind.node))[0]["pid"]
        for changes in ({"processId": theirs["pid"]}, {"agreementId": negotiated}):
            assert (await behind.start(**changes)).json()["title"] == "signaling-conflict"
        assert (await views.transfer(behind.node, theirs["pid"]))["state"] == "STARTED"

    async def test_a_person_starts_transfers_here(self, behind: Behind):
        settings = behind.node.settings
        steps = settings.steps.model_copy(update={"by_hand": ("start",)})
        object.__setattr__(behind.node, "settings", settings.model_copy(update={"steps": steps}))
        assert (await behind.start()).json()["title"] == "signaling-by-hand"


class TestWhoMaySignal:
    """A token of the one role, and that role may do nothing else."""

    async def test_by_header_too(self, behind: Behind):
        for header in ("Authorization", "X-Api-Key"):
            given = behind.token if header == "X-Api-Key" else f"Bearer {behind.token}"
            answer = await behind.ask("GET", "/signaling/dataflows/check", **{header: given})
            assert answer.status_code == 204

    @pytest.mark.parametrize("path", ["/check", "", f"/{FLOW}/suspend", f"/{FLOW}/terminate"])
    async def test_nobody_else(self, behind: Behind, path: str):
        made = await access.add_token(behind.node, OPERATOR, "somebody", "operator")
        method = "GET" if path == "/check" else "POST"
        for token, status in (("preau_wrong", 401), (made["token"], 403)):
            place = f"/signaling/{token}/dataflows{path}"
            assert (await behind.ask(method, place, behind.message())).status_code == status
        bare = await behind.ask(method, f"/signaling/dataflows{path}", behind.message())
        assert bare.status_code == 401
        assert await views.transfers(behind.node) == []

    @pytest.mark.parametrize("path", ["/node", "/transfers", "/agreements", "/datasets", "/peers"])
    async def test_its_token_opens_nothing_else(self, behind: Behind, path: str):
        answer = await behind.ask("GET", path, Authorization=f"Bearer {behind.token}")
        assert answer.json()["title"] == "access-role"

    async def test_no_signal_reaches_the_public_port(self, behind: Behind):
        transport = httpx.ASGITransport(behind.nodes.wire.apps["localhost:9101"])
        async with httpx.AsyncClient(transport=transport) as client:
            for path in (f"/v1/signaling/{behind.token}/dataflows", "/signaling/dataflows"):
                answer = await client.post(f"http://node{path}", json=behind.message())
                assert answer.status_code == 404

    async def test_off_it_serves_nobody(self, behind: Behind):
        settings = behind.node.settings
        signaling = settings.signaling.model_copy(update={"control_plane": None})
        object.__setattr__(
            behind.node, "settings", settings.model_copy(update={"signaling": signaling})
        )
        assert (await behind.start()).json()["title"] == "signaling-off"
        with pytest.raises(Problem, match="signaling-off"):
            await peering.add_consumer(behind.node, OPERATOR, "other", "", [])

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (b"{", 400),
            (b'{"a": 1, "a": 2}', 400),
            (b"[" * 100 + b"]" * 100, 400),
            (b'{"x": "' + b"x" * 1_100_000 + b'"}', 413),
            (b"\xff", 400),
        ],
    )
    async def test_bad_bodies_change_nothing(self, behind: Behind, body: bytes, status: int):
        answer = await behind.signal(body=body)
        assert 400 <= answer.status_code < 500, (answer.status_code, status)
        assert await views.transfers(behind.node) == []


class TestItsConsumers:
    """Known by name only: for consents and policies, and for nothing else."""

    async def test_it_is_shown_and_never_asked(self, behind: Behind):
        row = next(one for one in await peering.listing(behind.node) if one["did"] == "lab")
        assert (row["profile"], row["groups"], row["url"]) == ("control-plane", ["labs"], "")
        assert "lab" not in {visit.peer for visit in await crawling.crawl(behind.node)}

    async def test_nobody_is_let_in_by_its_name(self, behind: Behind):
        settings = behind.node.settings
        edc = settings.edc.model_copy(update={"mock_identity": True})
        object.__setattr__(behind.node, "settings", settings.model_copy(update={"edc": edc}))
        await peering.recall(behind.node)
        header = json.dumps({"region": "eu", "audience": "x", "clientId": "lab"})
        with pytest.raises(Problem, match="access-unknown-peer"):
            await access.authenticate(behind.node, header)

    async def test_a_did_is_no_such_name(self, behind: Behind):
        with pytest.raises(Problem, match="identity-edc-name"):
            await peering.add_consumer(behind.node, OPERATOR, "did:web:x.example", "", [])
