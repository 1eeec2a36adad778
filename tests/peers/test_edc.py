"""A node and a connector with an EDC's habits, of either generation, in either direction."""

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from catalog.search import Query
from connector.evidence.verify import verify
from connector.identity import edc as profile
from connector.identity.ports import Response
from connector.services.discover import discovering, peering
from connector.services.fetch import fetching, received
from connector.services.messages import settling
from connector.services.messages.settling import Outcome
from connector.services.node import Node
from connector.services.operate import leaving
from connector.services.release import transferring
from connector.services.show import views
from connector.store import agreements, outbox
from policies.problem import Problem
from tests.peers.conftest import GENERATIONS, LATER, ONE, World, meeting, publish
from tests.peers.edc import ROWS, FakeEdc, Process, refusal
from tests.support import traces
from tests.support.pair import OPERATOR, RESEARCHER
from tests.support.served import served

FROM_2020 = {
    "leftOperand": "inForceDate",
    "operator": "gteq",
    "rightOperand": "2020-01-01T00:00:00Z",
}


class TestConsuming:
    async def test_the_catalog_is_found_and_called_unsigned(self, world: World):
        world.edc.assets = {"grades": [FROM_2020]}
        found = await discovering.search(world.node, Query("grades"), refresh="always")
        [one] = found["results"]
        assert (one["dataset"], one["publisher"], one["signed"]) == (
            *("grades", "edc-university"),
            False,
        )
        shown = await peering.catalog_of(world.node, "edc-university")
        assert (shown["signed"], [each["id"] for each in shown["datasets"]]) == (False, ["grades"])

    @ONE
    async def test_what_is_no_longer_listed_goes(self, world: World):
        world.edc.assets = {"grades": [], "other": []}
        await discovering.search(world.node, Query(), refresh="always")
        del world.edc.assets["other"]
        found = await discovering.search(world.node, Query(), refresh="always")
        assert [one["dataset"] for one in found["results"]] == ["grades"]

    async def test_an_offer_is_echoed_literally_and_agreed(self, world: World):
        world.edc.assets = {"grades": [FROM_2020]}
        found = await world.ask("grades")
        assert found["state"] == "FINALIZED", found["reasons"]
        sent = found["messages"][0]["body"]
        assert sent["offer"]["permission"] == [{"action": "use", "constraint": [FROM_2020]}]
        assert sent["offer"]["assigner"] == "edc-university"
        assert not any(name.startswith("https://w3id.org/preau") for name in sent)

    @ONE
    async def test_the_agreement_is_recorded_as_attested_by_transport(self, world: World):
        world.edc.assets = {"grades": []}
        ident = (await world.ask("grades"))["agreement"]
        found = await views.agreement(world.node, ident)
        assert found["signatures"] == {
            "provider": "attested by transport",
            "consumer": "eddsa-jcs-2022",
        }
        assert (found["state"], found["provider_proof"]) == ("active", None)
        assert ident.startswith("urn:uuid:")
        assert ident != world.edc.of("negotiation")[0].body["agreement"]

    async def test_the_data_are_fetched_and_the_receipt_says_what_is_known(self, world: World):
        world.edc.assets = {"grades": []}
        pid = await world.begin((await world.ask("grades"))["agreement"])
        await fetching.start(world.node, RESEARCHER, pid, None)
        found = await world.until(pid, "COMPLETED")
        folder = received.folder_of(world.node, pid)
        assert (folder / "data.csv").read_bytes() == ROWS
        assert not list(folder.glob("*.partial"))
        receipt = found["receipt"]
        assert (receipt["manifest"], receipt["received"]["bytes"]) == (None, len(ROWS))
        assert found["manifest"] is None
        theirs = world.edc.of("transfer")[0]
        assert await asyncio.to_thread(theirs.reached, "COMPLETED") == "COMPLETED"

    @ONE
    async def test_the_bundle_says_who_did_not_sign(self, world: World, tmp_path: Path):
        world.edc.assets = {"grades": [FROM_2020]}
        ident = (await world.ask("grades"))["agreement"]
        pid = await world.begin(ident)
        await fetching.start(world.node, RESEARCHER, pid, None)
        await world.until(pid, "COMPLETED")
        path = await world.bundle(ident, tmp_path / "bundle.zip")
        report = verify(path, files=received.folder_of(world.node, pid))
        assert report.ok, report.failures
        unseen = " ".join(line.en for line in report.checks if line.ok is None)
        for words in (
            "edc-university did not sign the agreement",
            "edc-university does not sign its catalog",
            "gave no signed manifest",
            "no manifest confirms it",
        ):
            assert words in unseen

    @ONE
    async def test_a_bundle_with_other_data_or_another_receipt_is_not_valid(
        self, world: World, tmp_path: Path
    ):
        world.edc.assets = {"grades": []}
        ident = (await world.ask("grades"))["agreement"]
        pid = await world.begin(ident)
        await fetching.start(world.node, RESEARCHER, pid, None)
        await world.until(pid, "COMPLETED")
        path = await world.bundle(ident, tmp_path / "bundle.zip")
        folder = received.folder_of(world.node, pid)
        (folder / "data.csv").write_bytes(ROWS + b"3,20\n")
        assert not verify(path, files=folder).ok
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        receipt = orjson.loads(files["receipt.json"])
        receipt["received"]["bytes"] = 1
        with zipfile.ZipFile(tmp_path / "forged.zip", "w") as archive:
            for name, data in (files | {"receipt.json": orjson.dumps(receipt)}).items():
                archive.writestr(name, data)
        assert not verify(tmp_path / "forged.zip").ok

    async def test_pushed_to_us_twice_and_kept_once(self, world: World, tmp_path: Path):
        world.edc.assets = {"grades": [FROM_2020]}
        ident = (await world.ask("grades"))["agreement"]
        pid = await transferring.start(world.node, RESEARCHER, ident, "ndjson", push=True)
        found = await world.until(pid, "COMPLETED")
        folder = received.folder_of(world.node, pid)
        assert sorted(path.name for path in folder.iterdir()) == [
            *("agreement.en.txt", "agreement.fr.txt", "data.csv", "receipt.json")
        ]
        assert (folder / "data.csv").read_bytes() == ROWS
        assert (found["receipt"]["received"]["bytes"], world.edc.statuses) == (
            len(ROWS),
            [200, 200],
        )
        report = verify(await world.bundle(ident, tmp_path / "bundle.zip"), files=folder)
        assert report.ok, report.failures

    @ONE
    async def test_nobody_else_can_push(self, world: World):
        world.edc.assets = {"grades": []}
        pid = await world.begin((await world.ask("grades"))["agreement"])
        async with httpx.AsyncClient() as client:
            for token in ("", "Bearer preau_0", "{}"):
                headers = {"Authorization": token, "Content-Type": "text/csv"}
                url = f"{world.node.url}/data/{pid}/sink"
                answer = await client.post(url, content=b"forged", headers=headers)
                assert answer.status_code in {401, 404}
        assert not await asyncio.to_thread(received.folder_of(world.node, pid).exists)

    async def test_suspended_and_resumed_by_either_side(self, world: World):
        world.edc.assets = {"grades": []}
        pid = await world.begin((await world.ask("grades"))["agreement"])
        [theirs] = world.edc.of("transfer")
        await transferring.suspend(world.node, OPERATOR, pid, "a pause")
        assert await asyncio.to_thread(theirs.reached, "SUSPENDED") == "SUSPENDED"
        await transferring.resume(world.node, OPERATOR, pid)
        assert await asyncio.to_thread(theirs.reached, "STARTED") == "STARTED"
        await fetching.start(world.node, RESEARCHER, pid, None)
        await world.until(pid, "COMPLETED")

    @LATER
    async def test_suspended_and_resumed_by_the_provider(self, world: World):
        world.edc.assets = {"grades": []}
        pid = await world.begin((await world.ask("grades"))["agreement"])
        [theirs] = world.edc.of("transfer")
        world.edc.act(theirs, "suspension")
        assert (await world.until(pid, "SUSPENDED"))["reasons"] == ["test"]
        world.edc.act(theirs, "start")
        await world.until(pid, "STARTED")
        await fetching.start(world.node, RESEARCHER, pid, None)  # by the new token: the old is dead
        await world.until(pid, "COMPLETED")

    @LATER
    async def test_ended_by_the_provider(self, world: World):
        world.edc.assets = {"grades": []}
        pid = await world.begin((await world.ask("grades"))["agreement"])
        world.edc.act(world.edc.of("transfer")[0], "termination")
        assert (await world.until(pid, "TERMINATED"))["reasons"] == ["test"]

    @LATER
    async def test_a_transfer_type_that_it_does_not_support(self, world: World):
        world.edc.assets = {"grades": []}
        agreement = (await world.ask("grades"))["agreement"]
        why = "TransferType HttpData-PULL is not supported"
        no = refusal(400, why, "Transfer")
        world.edc._transfer_requested = lambda *_: no  # type: ignore[method-assign]
        pid = await transferring.start(world.node, RESEARCHER, agreement, "ndjson")
        assert (await world.until(pid, "TERMINATED"))["reasons"] == [why]

    @LATER
    async def test_pages_are_followed_to_an_empty_last_one(self, world: World):
        world.edc.assets, world.edc.page = {f"asset-{number}": [] for number in range(4)}, 2
        found = await discovering.search(world.node, Query(), refresh="always")
        assert {one["dataset"] for one in found["results"]} == set(world.edc.assets)
        pages = [path for _, path, _ in world.edc.server.seen if "catalog/request" in path]
        assert len(pages) == 3

    @ONE
    async def test_an_asset_that_is_gone(self, world: World):
        with pytest.raises(Problem, match="dataset-unknown"):
            await world.ask("nothing")

    @ONE
    async def test_a_refusal_without_pids_ends_it_with_the_reason(self, world: World):
        world.edc.assets = {"grades": []}
        world.edc._requested = lambda *_: refusal(400, "Bad request.")  # type: ignore[method-assign]
        found = await world.ask("grades")
        assert (found["state"], found["reasons"]) == ("TERMINATED", ["Bad request."])


class TestProviding:
    async def test_found_agreed_and_pulled_as_one_plain_stream(self, world: World):
        await publish(world.node)
        transfer = await world.pulls(await world.agreed())
        rows = await read(transfer)
        assert len(rows) == len(traces.statements(12, 3))
        assert not any("learner-" in json.dumps(row) for row in rows)

    @ONE
    async def test_the_agreement_has_no_word_of_ours_and_one_signature(
        self, world: World, tmp_path: Path
    ):
        await publish(world.node)
        made = await world.agreed()
        found = await views.agreement(world.node, made.body["agreement"])
        assert found["signatures"]["consumer"] == "attested by transport"
        [n] = await views.negotiations(world.node)
        seen = await views.negotiation(world.node, n["pid"])
        [sent] = [m["body"] for m in seen["messages"] if m["type"] == "ContractAgreementMessage"]
        assert not any(name.startswith("https://") for name in sent["agreement"])
        report = verify(await world.bundle(made.body["agreement"], tmp_path / "b.zip"))
        assert report.ok, report.failures

    @ONE
    async def test_the_choice_of_the_offer_declares_the_purpose(self, world: World):
        purposes = [traces.PURPOSE, "https://w3id.org/dpv#AcademicResearch"]
        params = {"purposes": purposes, "until": "2027-12-31T00:00:00Z", "retention": "P1Y"}
        await publish(world.node, params=params, each_purpose=True)
        found = set()
        for which in (0, 1):
            made = await world.agreed(which)
            plan = (await views.plan(world.node, made.body["agreement"]))["plan"]
            found.add(plan["rows"]["consent"]["purpose"])
        assert found == set(purposes)

    @ONE
    async def test_an_offer_for_several_purposes_declares_none(self, world: World):
        purposes = [traces.PURPOSE, "https://w3id.org/dpv#AcademicResearch"]
        params = {"purposes": purposes, "until": "2027-12-31T00:00:00Z", "retention": "P1Y"}
        await publish(world.node, params=params)
        asked = (world.node.did, world.node.dsp, f"{world.node.url}/datasets/traces")
        made = await asyncio.to_thread(world.edc.negotiate, *asked)
        assert await asyncio.to_thread(made.reached, "TERMINATED", "FINALIZED") == "TERMINATED"

    @ONE
    async def test_a_wider_offer_gives_nothing_more(self, world: World):
        await publish(world.node)
        more = [{"action": "use"}, {"action": "odrl:distribute"}]
        stolen = {"@type": "Offer", "permission": more}
        edc = world.edc
        send = edc._send

        def widened(url: str, body: Any, audience: str) -> tuple[int, dict[str, Any]]:
            status, answer = send(url, body, audience)
            if "/catalog/datasets/" in url:
                answer["hasPolicy"] = [{**stolen, "@id": answer["hasPolicy"][0]["@id"]}]
            return status, answer

        edc._send = widened  # type: ignore[method-assign]
        dataset = f"{world.node.url}/datasets/traces"
        made = await asyncio.to_thread(edc.negotiate, world.node.did, world.node.dsp, dataset)
        while not (asked := await views.negotiations(world.node)):
            await asyncio.to_thread(made.reached, "REQUESTED")
        ended = await views.negotiation(world.node, asked[0]["pid"], wait=30, until="TERMINATED")
        # What it named is what was published; it finds that this is not what it wrote, and says no.
        assert (ended["state"], ended["agreement_state"]) == ("TERMINATED", "ended")
        assert made.body.get("agreement") is None
        assert await asyncio.to_thread(made.reached, "TERMINATED") == "TERMINATED"

    async def test_suspended_resumed_and_ended(self, world: World):
        await publish(world.node)
        transfer = await world.pulls(await world.agreed())
        before = dict(transfer.body["address"])
        world.edc.act(transfer, "suspension")
        assert await asyncio.to_thread(transfer.reached, "SUSPENDED") == "SUSPENDED"
        assert (await ask(before)).status_code in {404, 409}
        world.edc.act(transfer, "start")
        assert await asyncio.to_thread(transfer.reached, "STARTED", "TERMINATED") == "STARTED"
        assert transfer.body["address"] != before
        assert await read(transfer)
        assert (await ask(before)).status_code == 200  # what a data plane of 0.18 goes on with
        [ours] = await views.transfers(world.node)
        await transferring.suspend(world.node, OPERATOR, ours["pid"], "a pause")
        assert await asyncio.to_thread(transfer.reached, "SUSPENDED") == "SUSPENDED"
        assert {(await ask(one)).status_code for one in (before, transfer.body["address"])} == {409}
        await transferring.resume(world.node, OPERATOR, ours["pid"])
        assert await asyncio.to_thread(transfer.reached, "STARTED") == "STARTED"
        assert await read(transfer)
        assert (await ask(before)).status_code == 200
        world.edc.act(transfer, "termination")
        await world.until(ours["pid"], "TERMINATED")
        assert (await ask(before)).status_code == 410

    @ONE
    async def test_an_address_on_resume_in_both_spellings(self, world: World):
        await publish(world.node)
        address = (await world.pulls(await world.agreed())).body["address"]
        for name in ("authorization", "authType"):
            assert address[name] == address[f"https://w3id.org/edc/v0.0.1/ns/{name}"]
        assert address["https://w3id.org/edc/v0.0.1/ns/endpoint"].startswith(world.node.url)


class TestHabits:
    @pytest.fixture(params=GENERATIONS)
    async def slow(self, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
        """A connector that stores late, and writes its callback with a slash at the end."""
        edc = FakeEdc("edc-slow", request.param, slow=True, slash=True)
        async with meeting(tmp_path, edc) as made:
            yield made

    async def test_what_came_too_early_for_it_comes_again(self, slow: World):
        slow.edc.assets = {"grades": []}
        found = await slow.ask("grades")
        assert found["state"] == "FINALIZED", found["reasons"]
        assert 409 in {status for _, _, status in slow.edc.server.seen}

    async def test_the_same_when_it_consumes(self, slow: World):
        await publish(slow.node)
        transfer = await slow.pulls(await slow.agreed())
        assert await read(transfer)
        assert 409 in {status for _, _, status in slow.edc.server.seen}

    async def test_an_agreement_said_again_is_the_same_under_its_newest_name(self, slow: World):
        edc, kind = slow.edc, "ContractAgreementMessage"
        edc.slow, edc.assets = False, {"grades": []}
        found = await slow.ask("grades")
        [theirs] = edc.of("negotiation")
        again = {**theirs.body["wire"], "@id": "another-name", "timestamp": "2026-11-23T00:00:00Z"}
        theirs.become("AGREED")  # its step from there was lost
        assert await say(edc, theirs, "agreement", kind, agreement=again) == 200
        assert await asyncio.to_thread(theirs.reached, "FINALIZED") == "FINALIZED"
        theirs.body["agreement"] = "another-name"
        await slow.begin(found["agreement"])
        other = {**again, "permission": [{"action": "odrl:distribute"}]}
        assert await say(edc, theirs, "agreement", kind, agreement=other) == 400
        seen = await views.negotiation(slow.node, found["pid"])
        assert seen["state"] == "FINALIZED"

    async def test_what_else_it_says_again_changes_nothing(self, slow: World, tmp_path: Path):
        slow.edc.slow = False
        await publish(slow.node)
        made = await slow.agreed()
        kind = "ContractAgreementVerificationMessage"
        made.become("VERIFIED")
        assert await say(slow.edc, made, "agreement/verification", kind) == 200
        assert await asyncio.to_thread(made.reached, "FINALIZED") == "FINALIZED"
        transfer = await slow.pulls(made)
        slow.edc.act(transfer, "suspension")
        await asyncio.to_thread(transfer.reached, "SUSPENDED")
        kind = "TransferSuspensionMessage"
        assert await say(slow.edc, transfer, "suspension", kind, reason=["test"]) == 200
        report = verify(await slow.bundle(made.body["agreement"], tmp_path / "b.zip"))
        assert report.ok, report.failures

    async def test_what_the_other_party_would_say_is_no_repeat(self, slow: World):
        """A consumer that says our own agreement again, under a name of its choice."""
        slow.edc.slow = False
        await publish(slow.node)
        made = await slow.agreed()
        [before] = await slow.node.store.read(agreements.listing)
        wire = {**(before.wire or {}), "@id": "another-name"}
        kind = "ContractAgreementMessage"
        assert await say(slow.edc, made, "agreement", kind, agreement=wire) == 400
        kind = "ContractNegotiationEventMessage"
        assert await say(slow.edc, made, "events", kind, eventType="FINALIZED") == 400
        assert await slow.node.store.read(agreements.listing) == [before]

    async def test_not_now_from_who_has_taken_it_already_ends_nothing(self, slow: World):
        """Its answer was lost, and to the repeat it says 409: it is asked where it stands."""
        slow.edc.slow = False
        await publish(slow.node)
        await slow.pulls(await slow.agreed())
        [ours] = await views.transfers(slow.node)
        [row] = await slow.node.store.read(lambda tx: outbox.of(tx, process=ours["pid"]))
        refused = Outcome(Response(409), Problem("delivery-refused", peer="edc-slow", status=409))
        await settling.settle(slow.node, row, refused)
        await slow.until(ours["pid"], "STARTED")
        slow.edc.of("transfer")[0].become("TERMINATED")
        await settling.settle(slow.node, row, refused)
        await slow.until(ours["pid"], "TERMINATED")

    async def test_a_repeated_request_does_not_confuse_us(self, slow: World):
        """It makes a second negotiation of it; the first that agrees counts, the other is told."""
        edc = slow.edc
        edc.slow, edc.assets = False, {"grades": []}
        requested = edc._requested

        def twice(message: dict[str, Any], caller: str) -> Any:
            requested(message, caller)
            return requested(message, caller)

        edc._requested = twice  # type: ignore[method-assign]
        found = await slow.ask("grades")
        assert found["state"] == "FINALIZED", found["reasons"]
        one, other = edc.of("negotiation")
        states = {
            await asyncio.to_thread(each.reached, "FINALIZED", "TERMINATED")
            for each in (one, other)
        }
        assert states == {"FINALIZED", "TERMINATED"}


async def say(edc: FakeEdc, p: Process, act: str, kind: str, **body: Any) -> int:
    """The answer to something said again."""
    return await asyncio.to_thread(lambda: edc.say_again(p, act, kind, **body))


async def ask(address: dict[str, str]) -> httpx.Response:
    """What a data address answers to its bare token, as EDC's applications ask."""
    async with httpx.AsyncClient() as client:
        return await client.get(
            address["https://w3id.org/edc/v0.0.1/ns/endpoint"],
            headers={"Authorization": address["authorization"]},
        )


async def read(transfer: Process) -> list[Any]:
    """The rows at the address of a transfer."""
    answer = await ask(transfer.body["address"])
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.content.splitlines()]


class TestProfile:
    async def test_off_means_that_nobody_is_believed(self, tmp_path: Path):
        edc = FakeEdc("edc-university", "0.14.1")
        where = profile.participant(edc.name, edc.dsp)
        async with served(tmp_path / "node", {}) as node:
            with pytest.raises(Problem, match="peer-edc-off"):
                await peering.add_edc(node, OPERATOR, where, "EDC", [])
            assert await knock(node, edc.name) == 401
        edc.close()

    @ONE
    async def test_only_whom_the_operator_named_is_believed(self, world: World):
        assert await knock(world.node, world.edc.name) == 200
        assert await knock(world.node, "somebody-else") == 401
        assert await knock(world.node, world.node.did) == 401

    @ONE
    async def test_another_s_process_is_not_found(self, world: World):
        world.edc.assets = {"grades": []}
        found = await world.ask("grades")
        other = FakeEdc("edc-other", "0.14.1")
        where = profile.participant(other.name, other.dsp)
        await peering.add_edc(world.node, OPERATOR, where, "EDC", [])
        path = f"/negotiations/{found['pid']}"
        assert await knock(world.node, "edc-other", path) == 404
        assert await knock(world.node, world.edc.name, path) == 200
        other.close()

    @ONE
    async def test_one_that_is_removed_hears_of_it_in_its_own_way(self, world: World):
        world.edc.assets = {"grades": []}
        await publish(world.node, decisions=["dpo"])
        asked = (world.node.did, world.node.dsp, f"{world.node.url}/datasets/traces")
        theirs = await asyncio.to_thread(world.edc.negotiate, *asked)
        assert await asyncio.to_thread(theirs.reached, "REQUESTED", "TERMINATED") == "REQUESTED"
        await discovering.search(world.node, Query(), refresh="always")
        name = world.edc.name
        await leaving.remove(world.node, OPERATOR, name, "closed", terminate=True)
        world.node.resolver._pinned.clear()  # as at a start, its last message on the way
        await peering.recall(world.node)
        assert await asyncio.to_thread(theirs.reached, "TERMINATED") == "TERMINATED"
        assert await knock(world.node, name) == 401
        for ask_for in (peering.catalog_of(world.node, name), world.ask("grades")):
            with pytest.raises(Problem, match="peer-"):
                await ask_for
        found = await discovering.search(world.node, Query("grades"), refresh="never")
        assert found["total"] == 0

    @ONE
    async def test_a_callback_elsewhere_is_refused(self, world: World):
        await publish(world.node)
        world.edc._callback = lambda: "http://localhost:1/elsewhere"  # type: ignore[method-assign]
        asked = (world.node.did, world.node.dsp, f"{world.node.url}/datasets/traces")
        made = await asyncio.to_thread(world.edc.negotiate, *asked)
        assert await asyncio.to_thread(made.reached, "TERMINATED") == "TERMINATED"
        assert not await views.negotiations(world.node)


async def knock(node: Node, name: str, path: str = "/catalog/datasets/none") -> int:
    """The status for somebody who calls itself so; a dataset that is not there counts as let in."""
    async with httpx.AsyncClient() as client:
        headers = {"Authorization": json.dumps({"clientId": name, "audience": None})}
        answer = await client.get(f"{node.dsp}{path}", headers=headers)
    let_in = answer.status_code == 404 and path.startswith("/catalog")
    return 200 if let_in else answer.status_code
