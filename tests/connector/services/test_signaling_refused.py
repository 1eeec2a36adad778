"""Signals that are refused: what cannot be served, and who may not signal. Nothing changes here."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio

from connector.services import access
from connector.services.discover import crawling, peering
from connector.services.show import views
from policies.problem import Problem
from tests.peers import control_plane
from tests.support import behind as making
from tests.support.behind import AGREED, CONTROL, FLOW, Behind, Json
from tests.support.clock import ManualClock
from tests.support.pair import OPERATOR, pair, statements

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Behind]:
    """One node for the whole file."""
    # A node's first leaves are written by its init, on the machine's clock.
    clock = ManualClock(datetime.now(UTC) + timedelta(seconds=5))
    async with pair(tmp_path_factory.mktemp("refused"), clock) as nodes:
        made = await making.behind(nodes)
        await nodes.publish(statements(12), id="decided", decisions='"dpo"')
        await nodes.publish(statements(12), id="closed", group="others")
        yield made


@pytest.fixture
def behind(whole: Behind) -> Iterator[Behind]:
    """That node, with its settings put back."""
    before = whole.node.settings
    yield whole
    object.__setattr__(whole.node, "settings", before)


class TestRefusals:
    """Fail closed, and say why, in what the operator of the control plane reads."""

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"participantId": "stranger"}, "signaling-consumer"),
            ({"source": {"dataset": "nothing"}}, "dataset-unknown"),
            ({"source": {"dataset": "traces", "offer": "ni:///x"}}, "signaling-offer"),
            ({"callbackAddress": "http://169.254.169.254/control"}, "signaling-callback"),
            ({"flowType": "PUSH"}, "transfer-sink"),
            ({"flowType": "STREAM"}, "transfer-format"),
            ({"processId": "../data"}, "signaling-id"),
            ({"agreementId": "a b"}, "signaling-id"),
            ({"processId": "x" * 201}, "signaling-id"),
            ({"@type": "DataFlowProvisionMessage"}, "protocol-type-unexpected"),
            ({"sourceDataAddress": None}, "protocol-member-missing"),
            ({"callbackAddress": None}, "protocol-member-missing"),
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

    async def test_an_offer_that_waits_for_people(self, behind: Behind):
        answer = await behind.start(source={"dataset": "decided"})
        assert answer.json()["title"] == "signaling-decisions"

    async def test_a_dataset_of_a_group_that_the_consumer_is_not_in(self, behind: Behind):
        answer = await behind.start(source={"dataset": "closed"})
        assert answer.json()["title"] == "dataset-unknown"

    async def test_a_person_starts_transfers_here(self, behind: Behind):
        making.configure(behind.node, "steps", by_hand=("start",))
        assert (await behind.start()).json()["title"] == "signaling-by-hand"


class TestPlainJson:
    """The same for the plain JSON of an EDC 0.18."""

    async def test_what_cannot_be_served(self, behind: Behind):
        wrong = {
            "@type": "DataAddress",
            "endpointType": "HttpData",
            "endpoint": "https://x.example",
        }
        cases: list[tuple[Json, str]] = [
            ({"counterPartyId": "stranger"}, "signaling-consumer"),
            # EDC 0.16 and 0.17 swap the participants: this names the institution itself.
            ({"participantId": "lab", "counterPartyId": "university"}, "signaling-consumer"),
            ({"source": {"dataset": "nothing"}}, "dataset-unknown"),
            ({"source": {"offer": "ni:///x"}}, "signaling-offer"),
            ({"metadata": {"offer": {"x": 1}}}, "protocol-not-text"),
            ({"metadata": "traces"}, "protocol-not-object"),
            ({"callbackAddress": "http://169.254.169.254/control"}, "signaling-callback"),
            ({"callbackAddress": CONTROL + "/elsewhere"}, "signaling-callback"),
            ({"transferType": "HttpData-PUSH"}, "transfer-sink"),
            ({"transferType": "HttpData-PUSH", "dataAddress": wrong}, "signaling-sink"),
            ({"transferType": "AmazonS3-PUSH", "dataAddress": wrong}, "transfer-format"),
            ({"dataAddress": wrong}, "signaling-address"),
            ({"processId": "../data"}, "signaling-id"),
            ({"agreementId": "a b"}, "signaling-id"),
            ({"metadata": None, "datasetId": "nothing"}, "dataset-unknown"),
            ({"messageId": None}, "protocol-member-missing"),
            ({"transferType": None}, "protocol-member-missing"),
            ({"@type": "DataFlowStartMessage"}, "protocol-member-missing"),
        ]
        for changes, code in cases:
            answer = await behind.start_18(**changes)
            assert answer.json()["title"] == code, changes
            assert 400 <= answer.status_code < 500
        assert await views.transfers(behind.node) == []
        assert await views.agreements(behind.node) == []

    async def test_it_receives_nothing_for_a_control_plane(self, behind: Behind):
        prepare = control_plane.prepare_18(FLOW, AGREED, callback=CONTROL)
        for place in ("/prepare", f"/{FLOW}/started"):
            answer = await behind.signal(place, prepare)
            assert (answer.status_code, answer.json()["title"]) == (422, "signaling-consumes")

    @pytest.mark.parametrize("act", ["suspend", "resume", "terminate", "completed"])
    async def test_a_flow_that_is_none(self, behind: Behind, act: str):
        answer = await behind.signal(f"/unknown/{act}", control_plane.plain_18())
        assert (answer.status_code, answer.json()["title"]) == (404, "transfer-unknown")

    async def test_nobody_else_may_signal(self, behind: Behind):
        body = behind.message_18()
        acts = [
            "start",
            "prepare",
            *(f"{FLOW}/{act}" for act in ("resume", "completed", "started")),
        ]
        for act in acts:
            for token in ("preau_wrong/", ""):
                answer = await behind.ask("POST", f"/signaling/{token}dataflows/{act}", body)
                assert answer.status_code == 401, act
        answer = await behind.ask("GET", f"/signaling/dataflows/{FLOW}/status")
        assert answer.status_code == 401


class TestWhoMaySignal:
    """A token of the one role, and that role may do nothing else."""

    async def test_by_header_too(self, behind: Behind):
        for header in ("Authorization", "X-Api-Key"):
            given = behind.token if header == "X-Api-Key" else f"Bearer {behind.token}"
            answer = await behind.ask("GET", "/signaling/dataflows/check", **{header: given})
            assert answer.status_code == 200

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
        making.configure(behind.node, "signaling", control_plane=None)
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
        making.configure(behind.node, "edc", mock_identity=True)
        await peering.recall(behind.node)
        header = json.dumps({"region": "eu", "audience": "x", "clientId": "lab"})
        with pytest.raises(Problem, match="access-unknown-peer"):
            await access.authenticate(behind.node, header)

    async def test_a_did_is_no_such_name(self, behind: Behind):
        with pytest.raises(Problem, match="identity-edc-name"):
            await peering.add_consumer(behind.node, OPERATOR, "did:web:x.example", "", [])
