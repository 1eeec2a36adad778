"""Removing a peer: nothing is cut off in silence, nothing comes back, nobody slips by."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from catalog.search import Query
from connector.base.clock import parse_time
from connector.evidence.verify import verify
from connector.identity import edc
from connector.identity.static import Partner, Partners
from connector.protocol.names import DSP_CONTEXT
from connector.services import access, identity
from connector.services.access import Actor
from connector.services.discover import crawling, discovering, left, peering
from connector.services.fetch import fetching
from connector.services.messages.inbound import Incoming, Reply, receive
from connector.services.negotiate import concluding, people, proposing
from connector.services.node import Node
from connector.services.operate import leaving
from connector.services.release import transferring
from connector.services.show import auditing, views
from connector.store import known, peers
from connector.store import leaves as log_rows
from connector.store.store import Tx
from policies.problem import Problem
from tests.connector.services.test_monitoring import parts, running
from tests.connector.services.test_proposing import by_hand
from tests.support.pair import (
    AUDITOR,
    OPERATOR,
    RESEARCHER,
    Pair,
    Wire,
    application,
    statements,
)

__all__ = ["parts"]

STEWARD = Actor("actor-steward", "steward")
WHY = "The institution has closed."
Json = dict[str, Any]


async def removed(node: Node, did: str, *, terminate: bool = True) -> Json:
    return await leaving.remove(node, OPERATOR, did, WHY, terminate=terminate)


async def changes(node: Node) -> list[Json]:
    """What the log holds of the operator's changes."""
    leaves = await node.store.read(lambda tx: log_rows.between(tx, start=0, stop=10_000))
    bodies = [row.private_body["body"] for row in leaves if row.private_body]
    return [body for body in bodies if "change" in body]


async def knock(nodes: Pair) -> tuple[int, bytes]:
    """What the consumer gets when it asks the provider for its catalog."""
    message = {"@context": [DSP_CONTEXT], "@type": "CatalogRequestMessage"}
    header = {
        "Authorization": identity.authorization(nodes.consumer, nodes.provider.did),
        "Content-Type": "application/json",
    }
    url = f"{nodes.provider.dsp}/catalog/request"
    answer = await nodes.wire.post(url, str(message).replace("'", '"').encode(), headers=header)
    return answer.status, answer.body


def code_of(caught: pytest.ExceptionInfo[Problem]) -> str:
    return caught.value.code


class TestWithNothingUnderWay:
    async def test_it_is_a_stranger_from_then_on(self, nodes: Pair):
        provider, did = nodes.provider, nodes.consumer.did
        assert (await knock(nodes))[0] == 200
        made = await leaving.remove(provider, STEWARD, did, WHY, terminate=False)
        assert made["ended"] == {"negotiations": [], "transfers": [], "agreements": []}
        assert await peering.listing(provider) == []
        gone = await knock(nodes)
        assert gone[0] == 401
        assert b"access-unknown-peer" in gone[1]
        # Whoever was never known gets the same answer, byte for byte.
        await peering.add(provider, OPERATOR, did, "", [])
        await provider.store.write(lambda tx: peers.remove(tx, did=did))
        assert await knock(nodes) == gone

    async def test_the_log_says_who_and_why(self, nodes: Pair):
        made = await removed(nodes.provider, nodes.consumer.did)
        (said,) = [one for one in await changes(nodes.provider) if one["change"] == "peer-removed"]
        assert said == {**made, "change": "peer-removed", "by": OPERATOR.id}
        assert (said["reason"], said["did"]) == (WHY, nodes.consumer.did)

    async def test_said_again_it_changes_nothing(self, nodes: Pair):
        first = await removed(nodes.provider, nodes.consumer.did)
        before = await changes(nodes.provider)
        again = await leaving.remove(
            nodes.provider, STEWARD, nodes.consumer.did, "Another.", terminate=False
        )
        assert again == first
        assert await changes(nodes.provider) == before

    @pytest.mark.parametrize(
        ("who", "did", "terminate", "code"),
        [
            (RESEARCHER, None, False, "access-role"),
            (STEWARD, None, True, "access-role"),
            (OPERATOR, "did:web:nobody.example", False, "peer-unknown"),
            (OPERATOR, "\x00", True, "peer-unknown"),
            (OPERATOR, "did:web:" + "x" * 4000, True, "peer-unknown"),
            (OPERATOR, "", True, "peer-unknown"),
        ],
    )
    async def test_by_whom_and_of_whom(
        self, nodes: Pair, who: Actor, did: str | None, terminate: bool, code: str
    ):
        before = await changes(nodes.provider)
        named = nodes.consumer.did if did is None else did
        with pytest.raises(Problem) as caught:
            await leaving.remove(nodes.provider, who, named, WHY, terminate=terminate)
        assert code_of(caught) == code
        assert await changes(nodes.provider) == before
        assert len(await peering.listing(nodes.provider)) == 1


class TestWithBusinessUnderWay:
    async def test_it_is_refused_and_what_runs_is_named(self, parts: Pair):
        await running(parts)
        for node, other in ((parts.provider, parts.consumer), (parts.consumer, parts.provider)):
            (agreement,), (transfer,) = await views.agreements(node), await views.transfers(node)
            with pytest.raises(Problem) as caught:
                await removed(node, other.did, terminate=False)
            assert code_of(caught) == "peer-in-use"
            for lang in ("fr", "en"):
                assert transfer["pid"] in caught.value.text(lang)
                assert agreement["id"] in caught.value.text(lang)
            assert [one["did"] for one in await peering.listing(node)] == [other.did]
            assert (await views.transfers(node))[0]["state"] == "STARTED"

    @pytest.mark.parametrize("side", ["provider", "consumer"])
    async def test_terminating_ends_it_on_both_sides(self, parts: Pair, side: str, tmp_path: Path):
        await running(parts)
        asked = await parts.request(
            await parts.publish(statements(12), id="second", decisions='"dpo"')
        )
        node, other = parts.provider, parts.consumer
        if side == "consumer":
            node, other = other, node
        made = await removed(node, other.did)
        counts = {kind: len(ids) for kind, ids in made["ended"].items()}
        assert counts == {"negotiations": 1, "transfers": 1, "agreements": 1}
        await parts.settle()
        for each in (node, other):
            (transfer,) = await views.transfers(each)
            assert (transfer["state"], transfer["code"]) == ("TERMINATED", "peer-removed")
            assert WHY in transfer["reasons"][0]
            open_ = [n for n in await views.negotiations(each) if n["state"] != "FINALIZED"]
            assert [n["state"] for n in open_] == ["TERMINATED"]
        assert (await parts.seen(parts.consumer, asked))["code"] == "peer-removed"
        await self._evidence_holds(node, tmp_path)

    async def _evidence_holds(self, node: Node, folder: Path) -> None:
        """The agreement is over, its leaf says why, and its bundle verifies."""
        (agreement,) = await views.agreements(node)
        assert agreement["state"] == "ended"
        led = await views.negotiation(node, agreement["negotiation"])
        assert led["state"] == "FINALIZED"
        last = led["decisions"][-1]
        assert (last["outcome"], last["role"], last["actor"]) == ("ended", "operator", OPERATOR.id)
        assert WHY in last["reasons"]["fr"][0]
        path = folder / "bundle.zip"
        path.write_bytes(await auditing.bundle(node, AUDITOR, agreement["id"]))
        report = verify(path)
        assert report.ok, report.document()

    async def test_added_again_it_has_to_agree_anew(self, nodes: Pair):
        await nodes.request(await nodes.publish(statements(12)))
        (agreement,) = await views.agreements(nodes.consumer)
        await removed(nodes.provider, nodes.consumer.did)
        for code in ("access-unknown-peer", "agreement-inactive"):
            pid = await transferring.start(nodes.consumer, RESEARCHER, agreement["id"], "ndjson")
            for _ in range(4):  # a 401 is believed once it is repeated
                await nodes.settle()
                nodes.clock.advance(60)
            found = await views.transfer(nodes.consumer, pid)
            assert (found["state"], found["code"]) == ("TERMINATED", code)
            await peering.add(nodes.provider, OPERATOR, nodes.consumer.did, "Lab", ["labs"])

    async def test_data_are_cut_at_once(self, parts: Pair):
        pid = await running(parts)
        await removed(parts.provider, parts.consumer.did)
        await fetching.start(parts.consumer, RESEARCHER, pid, None)
        await parts.consumer.background.idle()
        problem = (await views.transfer(parts.consumer, pid))["fetch"]["problem"]
        # It may have heard of the end by now, or it is refused.
        told = {"transfer-refused": "410", "transfer-ended": "TERMINATED"}
        assert told[problem["code"]] in problem["en"]

    async def test_a_fetch_under_way_ends_with_the_transfer(
        self, parts: Pair, monkeypatch: pytest.MonkeyPatch
    ):
        pid = await running(parts)
        get = Wire.get

        async def leave_first(self: Wire, url: str, **options: Any) -> Any:
            answer = await get(self, url, **options)
            if url.endswith("/parts/3"):
                await removed(parts.consumer, parts.provider.did)
            return answer

        monkeypatch.setattr(Wire, "get", leave_first)
        await fetching.start(parts.consumer, RESEARCHER, pid, None)
        await parts.consumer.background.idle()
        found = await views.transfer(parts.consumer, pid)
        assert (found["state"], found["parts"]) == ("TERMINATED", 2)
        assert found["fetch"]["problem"]["code"] == "transfer-ended"

    async def test_an_agreement_that_has_expired_hinders_nobody(self, nodes: Pair):
        await nodes.request(await nodes.publish(statements(12)))
        (agreement,) = await views.agreements(nodes.provider)
        expires = (await views.agreement(nodes.provider, agreement["id"]))["expires"]
        with pytest.raises(Problem, match="peer-in-use"):
            await removed(nodes.provider, nodes.consumer.did, terminate=False)
        nodes.clock.set(parse_time(expires))
        (shown,) = await views.agreements(nodes.provider)
        assert (agreement["state"], shown["state"]) == ("active", "expired")
        made = await removed(nodes.provider, nodes.consumer.did, terminate=False)
        assert made["ended"]["agreements"] == [agreement["id"]]


class TestWhatThePeerHasNotAnswered:
    async def test_is_dropped_with_it(self, nodes: Pair, monkeypatch: pytest.MonkeyPatch):
        dataset = await nodes.publish(statements(12))
        await nodes.request(dataset)
        (agreement,) = await views.agreements(nodes.consumer)

        async def gone(self: Wire, url: str, body: bytes, **options: Any) -> Any:
            raise Problem("delivery-unreachable", host="localhost", port=9101)

        monkeypatch.setattr(Wire, "post", gone)
        asked = await people.request(nodes.consumer, RESEARCHER, dataset, application())
        pid = await transferring.start(nodes.consumer, RESEARCHER, agreement["id"], "ndjson")
        await nodes.settle()
        await removed(nodes.consumer, nodes.provider.did)
        await nodes.settle()
        for found in (
            await nodes.seen(nodes.consumer, asked["pid"]),
            await views.transfer(nodes.consumer, pid),
        ):
            assert (found["state"], found["waiting"]["kind"]) == ("TERMINATED", "nothing")
            assert [one["delivery"] for one in found["messages"]] == ["dropped"]

    async def test_can_be_ended_by_a_person_too(self, nodes: Pair, monkeypatch: pytest.MonkeyPatch):
        """A request to somebody who does not answer is not waited for until its deadline; should it
        have taken the request after all, or take it now, it is told of the end.
        """
        dataset = await nodes.publish(statements(12))
        await nodes.request(dataset)
        (agreement,) = await views.agreements(nodes.consumer)
        post, there = Wire.post, False

        async def away(self: Wire, url: str, body: bytes, **options: Any) -> Any:
            if there:
                return await post(self, url, body, **options)
            raise Problem("delivery-unreachable", host="localhost", port=9101)

        monkeypatch.setattr(Wire, "post", away)
        asked = await people.request(nodes.consumer, RESEARCHER, dataset, application())
        pid = await transferring.start(nodes.consumer, RESEARCHER, agreement["id"], "ndjson")
        await nodes.settle()
        await people.terminate(nodes.consumer, RESEARCHER, asked["pid"], "asked by mistake")
        await transferring.terminate(nodes.consumer, RESEARCHER, pid, "asked by mistake")
        there = True
        nodes.clock.advance(3600)
        await nodes.settle()
        for found in (
            await nodes.seen(nodes.consumer, asked["pid"]),
            await views.transfer(nodes.consumer, pid),
        ):
            assert (found["state"], found["waiting"]["kind"]) == ("TERMINATED", "nothing")
            assert [one["delivery"] for one in found["messages"]] == ["sent", "sent"]
            assert found["reasons"] == ["asked by mistake"]
        with pytest.raises(Problem, match="protocol-"):
            await people.terminate(nodes.consumer, RESEARCHER, asked["pid"], "again")

    @pytest.mark.parametrize("what", ["negotiation", "transfer"])
    async def test_is_ended_there_once_the_answer_comes(
        self, nodes: Pair, what: str, monkeypatch: pytest.MonkeyPatch
    ):
        # Over there it waits for people, so that nothing else would end it.
        by_hand(nodes.provider, "start")
        decisions = '"dpo"' if what == "negotiation" else ""
        dataset = await nodes.publish(statements(12), decisions=decisions)
        if what == "transfer":
            await nodes.request(dataset)
        post = Wire.post

        async def leave_meanwhile(self: Wire, url: str, body: bytes, **options: Any) -> Any:
            answer = await post(self, url, body, **options)
            if url.endswith(f"/{what}s/request"):
                await removed(nodes.consumer, nodes.provider.did)
            return answer

        monkeypatch.setattr(Wire, "post", leave_meanwhile)
        if what == "negotiation":
            await people.request(nodes.consumer, RESEARCHER, dataset, application())
        else:
            (agreement,) = await views.agreements(nodes.consumer)
            await transferring.start(nodes.consumer, RESEARCHER, agreement["id"], "ndjson")
        for _ in range(5):
            await nodes.settle()
            nodes.clock.advance(60)
        listing = views.negotiations if what == "negotiation" else views.transfers
        for node in (nodes.consumer, nodes.provider):
            (found, *_) = await listing(node)
            assert (found["state"], node.did) == ("TERMINATED", node.did)

    async def test_a_signature_without_the_last_word_is_given_up(self, nodes: Pair):
        by_hand(nodes.provider, "finalize")
        pid = await nodes.request(await nodes.publish(statements(12)))
        with pytest.raises(Problem, match="peer-in-use"):
            await removed(nodes.consumer, nodes.provider.did, terminate=False)
        made = await removed(nodes.consumer, nodes.provider.did)
        assert made["ended"]["negotiations"] == [pid]
        found = await nodes.seen(nodes.consumer, pid)
        assert (found["state"], found["agreement_state"]) == ("VERIFIED", "ended")
        assert (found["waiting"]["kind"], found["settled"]) == ("nothing", True)
        # Known again, its last word is heard, and puts nothing in force.
        await peering.add(nodes.consumer, OPERATOR, nodes.provider.did, "", [])
        await removed(nodes.consumer, nodes.provider.did, terminate=False)
        await peering.add(nodes.consumer, OPERATOR, nodes.provider.did, "", [])
        theirs = (await views.negotiations(nodes.provider))[0]["pid"]
        await concluding.finalize_by_hand(nodes.provider, OPERATOR, theirs)
        await nodes.settle()
        found = await nodes.seen(nodes.consumer, pid)
        assert (found["state"], found["agreement_state"]) == ("FINALIZED", "ended")


class TestAtTheSameMoment:
    """What was let in, or prepared, before a removal is decided after it: as a stranger's."""

    @pytest.mark.parametrize(
        ("change", "code"), [("removed", "access-unknown-peer"), ("moved", "access-moved")]
    )
    @pytest.mark.parametrize("together", [True, False], ids=["one group", "two"])
    async def test_a_message(self, nodes: Pair, change: str, code: str, together: bool):
        provider, did = nodes.provider, nodes.consumer.did
        token = identity.authorization(nodes.consumer, provider.did).removeprefix("Bearer ")
        caller = await access.authenticate(provider, token)
        wire = {"@type": "TransferCompletionMessage", "providerPid": "urn:uuid:1"}
        acted: list[str] = []

        def act(_: Tx) -> Reply:
            acted.append(did)
            return Reply(200)

        async def leave() -> None:
            if change == "removed":
                await removed(provider, did)
            else:
                await peering.set_groups(provider, OPERATOR, did, [])

        async def say() -> Reply:
            return await receive(provider, Incoming(caller, None, wire, "urn:uuid:1"), act)

        held = threading.Event()  # while it is not set, the writer is busy and units queue up
        first = asyncio.create_task(provider.store.write(lambda _: held.wait()))
        left_ = asyncio.create_task(leave())
        if not together:
            held.set()
            await left_
        await asyncio.sleep(0)
        said = asyncio.create_task(say())
        await asyncio.sleep(0)
        held.set()
        await asyncio.gather(first, left_)
        with pytest.raises(Problem) as caught:
            await said
        assert (code_of(caught), acted) == (code, [])

    async def test_a_message_that_moved_is_judged_by_its_new_groups(
        self, nodes: Pair, monkeypatch: pytest.MonkeyPatch
    ):
        dataset = await nodes.publish(statements(12), id="secret", group="labs")
        made = await people.request(nodes.consumer, RESEARCHER, dataset, application())
        authenticate = access.authenticate

        async def and_move(node: Node, token: str) -> access.Caller:
            caller = await authenticate(node, token)
            await peering.set_groups(node, OPERATOR, caller.did, [])
            return caller

        monkeypatch.setattr(access, "authenticate", and_move)
        for _ in range(8):  # a 404 is believed once it is repeated
            await nodes.settle()
            nodes.clock.advance(60)
        found = await nodes.seen(nodes.consumer, made["pid"])
        assert found["state"] == "TERMINATED"
        assert [one["status"] for one in found["messages"][0]["attempts"]][:2] == [503, 404]
        assert await views.negotiations(nodes.provider) == []

    async def test_a_request_or_an_offer_of_ours(
        self, nodes: Pair, monkeypatch: pytest.MonkeyPatch
    ):
        dataset = await nodes.publish(statements(12))

        async def request(node: Node, _: str) -> Json:
            return await people.request(node, RESEARCHER, dataset, application())

        async def offer(node: Node, did: str) -> Json:
            return await proposing.offer(node, OPERATOR, did, dataset, None)

        for module, node, other, act in (
            (people, nodes.consumer, nodes.provider, request),
            (proposing, nodes.provider, nodes.consumer, offer),
        ):
            commit = module.commit

            async def leave_first(
                at: Node, unit: Any, whom: str = other.did, commit: Any = commit
            ) -> Any:
                await removed(at, whom)
                return await commit(at, unit)

            monkeypatch.setattr(module, "commit", leave_first)
            with pytest.raises(Problem) as caught:
                await act(node, other.did)
            assert code_of(caught) == "peer-unknown"
            assert await views.negotiations(node) == []

    async def test_a_crawl_brings_nothing_back(self, nodes: Pair, monkeypatch: pytest.MonkeyPatch):
        await nodes.publish(statements(12))
        reading = crawling._read

        async def leave_after(node: Node, visit: crawling.Visit) -> None:
            await reading(node, visit)
            await removed(node, visit.peer)

        monkeypatch.setattr(crawling, "_read", leave_after)
        await crawling.crawl(nodes.consumer)
        await self._nothing_kept(nodes)

    async def test_a_head_that_comes_late_is_refused(
        self, nodes: Pair, monkeypatch: pytest.MonkeyPatch
    ):
        await nodes.publish(statements(12))
        get = Wire.get

        async def leave_first(self: Wire, url: str, **options: Any) -> Any:
            answer = await get(self, url, **options)
            if url.endswith("/catalog"):
                await removed(nodes.consumer, nodes.provider.did)
            return answer

        monkeypatch.setattr(Wire, "get", leave_first)
        (visit,) = await crawling.crawl(nodes.consumer)
        assert [one.code for one in visit.problems] == ["peer-unknown"]
        await self._nothing_kept(nodes)

    async def _nothing_kept(self, nodes: Pair) -> None:
        unit = nodes.consumer.store.read
        assert await unit(known.heads) == []
        assert await unit(known.datasets) == []
        assert await unit(known.crawls) == []


class TestWhatIsRemembered:
    async def test_its_catalog_is_let_go_and_cannot_go_back_later(self, nodes: Pair):
        consumer, did = nodes.consumer, nodes.provider.did
        await nodes.publish(statements(12))
        old = await nodes.wire.get(f"{nodes.provider.url}/catalog")
        await nodes.publish(statements(12), id="second")
        await crawling.crawl(consumer)
        (before,) = await peering.listing(consumer)
        await removed(consumer, did)
        assert [one["publisher"] for one in await discovering.copies(consumer)] == [consumer.did]
        found = await discovering.search(consumer, Query(), refresh="always")
        assert (found["total"], found["peers"]) == (0, [])
        again = await peering.add(consumer, OPERATOR, did, "Platform", ["a"])
        assert (again["head"], again["groups"]) == (before["head"], ["a"])
        assert await consumer.store.read(left.listing) == {}
        # Its keys were asked for anew.
        assert nodes.wire.seen[-1] == ("GET", "/.well-known/did.json", 200)
        get = Wire.get

        async def older(self: Wire, url: str, **options: Any) -> Any:
            return old if url.endswith("/catalog") else await get(self, url, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Wire, "get", older)
            with pytest.raises(Problem) as caught:
                await peering.catalog_of(consumer, did)
        assert code_of(caught) == "catalog-head-rollback"
        assert len((await peering.catalog_of(consumer, did))["datasets"]) == 2

    async def test_a_start_does_not_bring_a_configured_partner_back(self, nodes: Pair):
        node, name = nodes.provider, "partner"
        partner = Partner(
            edc.participant(name, "http://localhost:9/dsp"), "a-secret-of-16-characters"
        )
        object.__setattr__(node, "partners", Partners([partner]))
        await peering.recall(node)
        assert name in [one["did"] for one in await peering.listing(node)]
        assert (await access.authenticate(node, partner.secret)).did == name
        await removed(node, name)
        await peering.recall(node)
        assert name not in [one["did"] for one in await peering.listing(node)]
        with pytest.raises(Problem, match="access-unknown-peer"):
            await access.authenticate(node, partner.secret)
        with pytest.raises(Problem, match="peer-unknown"):
            await peering.catalog_of(node, name)
        await peering.add(node, OPERATOR, name, "", [])
        assert (await access.authenticate(node, partner.secret)).did == name
