"""The crawl reads what changed, believes nothing unverified, and is stopped by nobody."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from catalog import dcat, proofs, verify
from catalog.search import Query
from connector.identity.did import DidDocument
from connector.services import identity
from connector.services.discover import crawling, discovering, peering
from connector.services.node import Node
from connector.services.publish import publishing
from connector.store import known, peers
from policies.problem import Problem
from tests.support import doors
from tests.support.pair import OPERATOR, Pair, _node, statements

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
HOUR = timedelta(hours=1)


class Between:
    """A peer that answers some paths in its own way: bytes, a status, or never."""

    def __init__(self, app: Any, answers: dict[str, Any] | None = None) -> None:
        self.app = app
        self.answers = answers or {}

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["path"] not in self.answers:
            await self.app(scope, receive, send)
            return
        answer = self.answers[scope["path"]]
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, type) and issubclass(answer, Exception):
            raise answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def between(nodes: Pair) -> Between:
    """Stands before the provider and answers in its place."""
    host = urlsplit(nodes.provider.url).netloc
    made = Between(nodes.wire.apps[host])
    nodes.wire.apps[host] = made
    return made


@pytest.fixture
async def more(nodes: Pair, tmp_path: Path) -> AsyncIterator[Callable[[], Any]]:
    """Makes further nodes that the consumer knows."""
    async with AsyncExitStack() as stack:
        count = 0

        async def make() -> Node:
            nonlocal count
            count += 1
            node = await stack.enter_async_context(another(nodes, tmp_path / f"n{count}", count))
            await peering.add(nodes.consumer, OPERATOR, node.did, f"Peer {count}", [])
            return node

        yield make


@asynccontextmanager
async def another(nodes: Pair, folder: Path, count: int) -> AsyncIterator[Node]:
    node = _node(folder, 9300 + count, nodes.wire, nodes.clock, seed=10 + count)
    nodes.wire.apps[urlsplit(node.url).netloc] = doors.public(node)
    yield node
    node.journal.close()
    node.log.close()
    node.store.close()


async def crawl(nodes: Pair, **options: Any) -> dict[str, Any]:
    """One crawl of the consumer; each visit by DID."""
    nodes.wire.seen.clear()
    visits = await crawling.crawl(nodes.consumer, **options)
    return {visit.peer: visit.document() for visit in visits}


async def of_provider(nodes: Pair, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await crawl(nodes, **options))[nodes.provider.did]
    return found


async def search(nodes: Pair, text: str = "", **options: Any) -> list[str]:
    """Identifiers of the datasets found, nobody asked."""
    query = Query(text, **options)
    found = await discovering.search(nodes.consumer, query, refresh="never")
    return [one["identifier"] for one in found["results"]]


def asked(nodes: Pair) -> list[tuple[str, int]]:
    return [(path, status) for _, path, status in nodes.wire.seen if "did.json" not in path]


async def answer(nodes: Pair, path: str) -> bytes:
    """What the provider says to the consumer at a path."""
    header = {"Authorization": identity.authorization(nodes.consumer, nodes.provider.did)}
    return (await nodes.wire.get(nodes.provider.url + path, headers=header)).body


# ------------------------------------------------------------------------------ what changed


async def test_the_first_crawl_reads_public_and_group_catalogs(nodes: Pair):
    await nodes.publish(statements(12))
    await nodes.publish(statements(12), id="secret", group="labs")
    visit = await of_provider(nodes)
    assert (visit["state"], visit["stored"], visit["problems"]) == ("read", 2, [])
    assert sorted(await search(nodes)) == ["secret", "traces"]
    assert await search(nodes, access="group") == ["secret"]
    assert await search(nodes, access="automatic", publisher=nodes.provider.did) != []


async def test_an_unchanged_peer_costs_a_304_for_each_head(nodes: Pair):
    await nodes.publish(statements(12))
    await nodes.publish(statements(12), id="secret", group="labs")
    await crawl(nodes)
    visit = await of_provider(nodes)
    assert (visit["state"], visit["stored"]) == ("unchanged", 0)
    assert asked(nodes) == [("/catalog", 304), ("/catalogs", 200), ("/catalog/labs", 304)]


async def test_only_what_changed_is_fetched(nodes: Pair):
    for name in ("one", "two"):
        await nodes.publish(statements(12), id=name)
    await crawl(nodes)
    await nodes.publish(statements(13), id="two")
    await nodes.publish(statements(12), id="three")
    visit = await of_provider(nodes)
    assert [path for path, _ in asked(nodes) if path.startswith("/datasets")] == [
        "/datasets/three/v1",
        "/datasets/two/v2",
    ]
    assert (visit["state"], visit["stored"], visit["gone"]) == ("read", 2, 0)
    assert sorted(await search(nodes)) == ["one", "three", "two"]


async def test_what_was_withdrawn_is_found_no_more(nodes: Pair):
    await nodes.publish(statements(12))
    await crawl(nodes)
    await publishing.withdraw(nodes.provider, OPERATOR, "traces", "over")
    assert (await of_provider(nodes))["gone"] == 1
    assert await search(nodes) == []


async def test_a_group_that_is_closed_to_us_goes(nodes: Pair):
    await nodes.publish(statements(12), id="secret", group="labs")
    await crawl(nodes)
    await move(nodes.provider, nodes.consumer.did, "schools")
    assert (await of_provider(nodes))["state"] == "read"
    assert await search(nodes) == []
    assert [one["group"] for one in await discovering.copies(nodes.consumer)] == [
        "public",
        "public",
    ]


async def test_not_being_told_is_not_being_told_of_none(nodes: Pair):
    await nodes.publish(statements(12), id="secret", group="labs")
    await crawl(nodes)
    await nodes.provider.store.write(lambda tx: peers.remove(tx, did=nodes.consumer.did))
    assert (await of_provider(nodes))["state"] == "unchanged"
    assert await search(nodes) == ["secret"]


async def move(node: Node, did: str, *groups: str) -> None:
    """Put a peer into other groups."""

    def unit(tx: Any) -> None:
        row = peers.get(tx, did=did)
        assert row is not None
        peers.put(tx, replace(row, groups=groups))

    await node.store.write(unit)


async def test_a_peer_that_is_known_no_more_is_found_no_more(nodes: Pair):
    await nodes.publish(statements(12))
    await crawl(nodes)
    await nodes.consumer.store.write(lambda tx: peers.remove(tx, did=nodes.provider.did))
    assert await search(nodes) == []
    assert await crawl(nodes) == {}
    assert await nodes.consumer.store.read(known.datasets) == []
    assert await nodes.consumer.store.read(known.heads) == []


async def test_under_other_keys_everything_is_verified_anew(nodes: Pair):
    await nodes.publish(statements(12))
    await crawl(nodes)

    def unit(tx: Any) -> None:
        (row, *_) = known.heads(tx)
        known.put_head(tx, replace(row, did_document={"id": row.peer}))

    await nodes.consumer.store.write(unit)
    visit = await of_provider(nodes)
    assert asked(nodes)[0] == ("/catalog", 200)
    assert visit["stored"] == 1


# ------------------------------------------------------------------------- what is not believed


async def test_a_rollback_of_one_group_says_nothing_against_the_others(
    nodes: Pair, between: Between
):
    await nodes.publish(statements(12), id="secret", group="labs")
    await nodes.publish(statements(12))
    old = {path: await answer(nodes, path) for path in ("/catalog", "/catalog/labs")}
    await nodes.publish(statements(12), id="secret2", group="labs")
    await nodes.publish(statements(12), id="traces2")
    await crawl(nodes)
    for path, found in (("/catalog/labs", "public"), ("/catalog", "labs")):
        between.answers = {path: old[path]}
        await nodes.publish(statements(12), id=f"new-{found}", group=found)
        visit = await of_provider(nodes)
        assert [one["code"] for one in visit["problems"]] == ["catalog-head-rollback"]
        assert f"new-{found}" in await search(nodes)
    assert len(await search(nodes)) == 6


async def test_two_histories_are_noticed(nodes: Pair, between: Between):
    await nodes.publish(statements(12))
    await crawl(nodes)
    head = json.loads(await answer(nodes, "/catalog"))
    head.pop("proof")
    head["issued"] = "2027-01-01T00:00:00Z"
    forged = proofs.sign(
        head,
        sign=nodes.provider.keys.sign_assertion,
        method=nodes.provider.assertion_method,
        created=nodes.clock.now(),
        proof_id="urn:uuid:0b9d6f1e-7a3f-4a27-9c39-0d3c1f1f3b11",
    )
    between.answers = {"/catalog": json.dumps(forged).encode()}
    visit = await of_provider(nodes)
    assert [one["code"] for one in visit["problems"]] == ["catalog-head-fork"]
    assert visit["state"] == "skipped"
    assert await search(nodes) == ["traces"]


async def test_another_node_s_catalog_is_refused(nodes: Pair, more: Any, between: Between):
    other = await more()
    between.answers = {"/catalog": (await nodes.wire.get(other.url + "/catalog")).body}
    visits = await crawl(nodes)
    (problem,) = visits[nodes.provider.did]["problems"]
    assert problem["code"] == "catalog-publisher-other"
    assert visits[other.did]["state"] == "read"


async def test_one_group_s_head_in_place_of_another_s_is_refused(nodes: Pair, between: Between):
    await nodes.publish(statements(12))
    await nodes.publish(statements(12), id="secret", group="labs")
    between.answers = {
        "/catalog": await answer(nodes, "/catalog/labs"),
        "/catalog/labs": await answer(nodes, "/catalog"),
    }
    visit = await of_provider(nodes)
    assert [one["code"] for one in visit["problems"]] == ["catalog-head-other"] * 2
    assert await search(nodes) == []


async def test_an_altered_document_is_left_and_asked_for_again(nodes: Pair, between: Between):
    await nodes.publish(statements(12), id="one")
    await nodes.publish(statements(12), id="two")
    body = await answer(nodes, "/datasets/one/v1")
    between.answers = {"/datasets/one/v1": body.replace(b"Traces", b"Tricks")}
    visit = await of_provider(nodes)
    assert visit["stored"] == 1
    assert [one["code"].partition("-")[0] for one in visit["problems"]] == ["catalog"]
    assert await search(nodes) == ["two"]
    between.answers = {}
    assert (await of_provider(nodes))["problems"] == []
    assert [path for path, _ in asked(nodes) if "datasets" in path] == ["/datasets/one/v1"]
    assert sorted(await search(nodes)) == ["one", "two"]


async def test_a_document_never_changes_under_its_name(nodes: Pair, between: Between):
    iri = await nodes.publish(statements(12))
    await crawl(nodes)
    document = json.loads(await answer(nodes, "/datasets/traces/v1"))
    head = json.loads(await answer(nodes, "/catalog"))

    def signed(changed: dict[str, Any]) -> dict[str, Any]:
        changed.pop("proof")
        made: dict[str, Any] = proofs.sign(
            changed,
            sign=nodes.provider.keys.sign_assertion,
            method=nodes.provider.assertion_method,
            created=nodes.clock.now(),
            proof_id="urn:uuid:0b9d6f1e-7a3f-4a27-9c39-0d3c1f1f3b11",
        )
        return made

    document["subject"]["title"]["fr"] = "Autre"
    other = signed(document)
    from catalog import merkle

    digest = dcat.digest(other)
    old = json.loads(await answer(nodes, "/catalog"))
    head |= {"version": old["version"] + 1, "previous": dcat.digest(old)}
    head["id"] = head["id"].rpartition("/v")[0] + f"/v{head['version']}"
    head["entry"][0]["digest"], head["root"] = digest, merkle.root([digest])
    between.answers = {
        "/catalog": json.dumps(signed(head)).encode(),
        "/datasets/traces/v1": json.dumps(other).encode(),
    }
    visit = await of_provider(nodes)
    assert [one["code"] for one in visit["problems"]] == ["catalog-head-rewritten"]
    assert await search(nodes) == []
    assert iri


GARBAGE: dict[str, Any] = {
    "no JSON": b"<html>welcome</html>",
    "empty": b"",
    "not an object": b"[]",
    "not a head": b'{"v": 1}',
    "deep": b"[" * 100_000,
    "bytes": bytes(range(256)) * 100,
    "duplicate members": b'{"a": 1, "a": 1}',
    "missing": (404, b"nothing"),
    "broken": (500, b"oops"),
    "no content": (204, b""),
}


async def test_garbage_is_passed_over_with_a_reason(nodes: Pair, between: Between, more: Any):
    good = await more()
    for name, body in GARBAGE.items():
        for path in ("/catalog", "/catalogs"):
            between.answers = {path: body}
            visits = await crawl(nodes)
            assert visits[good.did]["problems"] == [], name
            visit = visits[nodes.provider.did]
            if path == "/catalogs" and body == (404, b"nothing"):
                continue
            assert visit["problems"], (name, path)
            assert (visit["state"] == "skipped") == (path == "/catalog"), (name, path)
            for problem in visit["problems"]:
                assert "{" not in problem["fr"] + problem["en"], problem


async def test_nothing_new_is_no_answer_to_who_has_nothing(nodes: Pair, between: Between):
    between.answers = {"/catalog": (304, b"")}
    visit = await of_provider(nodes)
    assert [one["code"] for one in visit["problems"]] == ["peer-refused"]


async def test_only_names_of_groups_are_followed(nodes: Pair, between: Between):
    many = [f"g{n}" for n in range(65)]
    for groups in (["public"], ["A"], ["a/b"], [1], "labs", None, {"labs": 1}, many):
        between.answers = {"/catalogs": json.dumps({"v": 1, "groups": groups}).encode()}
        visit = await of_provider(nodes)
        assert [one["code"] for one in visit["problems"]] == ["peer-groups"]
        assert {path for path, _ in asked(nodes)} == {"/catalog", "/catalogs"}


async def test_a_catalog_too_large_is_not_begun(nodes: Pair, monkeypatch: pytest.MonkeyPatch):
    await nodes.publish(statements(12))
    monkeypatch.setattr(crawling, "MAX_ENTRIES", 0)
    visit = await of_provider(nodes)
    assert [one["code"] for one in visit["problems"]] == ["discovery-large"]


# --------------------------------------------------------------------- who does not answer


async def test_a_peer_that_never_ends_stops_nobody_and_keeps_what_it_said(
    nodes: Pair, between: Between, more: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crawling, "_CHUNK", 1)
    good = await more()
    for name in ("a", "b"):
        await nodes.publish(statements(12), id=name)
    between.answers = {"/datasets/b/v1": None}
    visits = await crawl(nodes, patience=1.0)
    assert visits[good.did]["problems"] == []
    assert [one["code"] for one in visits[nodes.provider.did]["problems"]] == ["discovery-slow"]
    assert await search(nodes) == ["a"]
    between.answers = {}
    assert (await of_provider(nodes))["problems"] == []
    paths = [path for path, _ in asked(nodes)]
    assert "/datasets/a/v1" not in paths
    assert "/datasets/b/v1" in paths


async def test_a_peer_that_is_down_is_told_and_its_datasets_stay(nodes: Pair, more: Any):
    good = await more()
    await nodes.publish(statements(12))
    await crawl(nodes)
    nodes.clock.advance(3600)
    nodes.wire.down.add(urlsplit(nodes.provider.url).netloc)
    visits = await crawl(nodes)
    assert visits[nodes.provider.did]["problems"][0]["code"] == "delivery-unreachable"
    assert visits[good.did]["problems"] == []
    found = await discovering.search(nodes.consumer, Query(), refresh="never")
    assert [one["identifier"] for one in found["results"]] == ["traces"]
    told = {one["did"]: one for one in found["peers"]}
    assert told[nodes.provider.did]["problem"]["code"] == "delivery-unreachable"
    assert told[nodes.provider.did]["verified"] < told[nodes.provider.did]["tried"]
    assert told[good.did]["problem"] is None


async def test_an_oddity_nobody_thought_of_stops_nobody(
    nodes: Pair, more: Any, monkeypatch: pytest.MonkeyPatch
):
    good = await more()
    plain = nodes.wire.get

    async def odd(url: str, **options: Any) -> Any:
        if url.startswith(nodes.provider.url):
            raise ZeroDivisionError
        return await plain(url, **options)

    monkeypatch.setattr(type(nodes.wire), "get", lambda _, url, **options: odd(url, **options))
    visits = await crawl(nodes)
    (problem,) = visits[nodes.provider.did]["problems"]
    assert (problem["code"], problem["params"]["fault"]) == ("discovery-fault", "ZeroDivisionError")
    assert visits[good.did]["problems"] == []


async def test_a_dead_peer_does_not_hide_another_one_s_dataset(nodes: Pair, more: Any):
    dead = await more()
    iri = await nodes.publish(statements(12))
    nodes.wire.down.add(urlsplit(dead.url).netloc)
    nodes.consumer.resolver.forget(dead.did)
    assert (await peering.find(nodes.consumer, iri)).dataset.iri == iri
    with pytest.raises(Problem) as caught:
        await peering.find(nodes.consumer, f"{dead.url}/datasets/x")
    assert caught.value.code == "delivery-unreachable"


# ----------------------------------------------------------------------------------- searches


async def test_a_search_asks_who_was_not_asked_lately(nodes: Pair):
    await nodes.publish(statements(12))

    async def asks(refresh: str) -> bool:
        nodes.wire.seen.clear()
        await discovering.search(nodes.consumer, Query(), refresh=refresh)
        return asked(nodes) != []

    assert not await asks("never")
    assert await asks("due")
    assert not await asks("due")
    assert await asks("always")
    nodes.clock.advance(2 * nodes.consumer.settings.discovery.every + 1)
    assert await asks("due")
    # A clock that was set back must not silence a node until it has caught up.
    nodes.clock.advance(-3600)
    assert await asks("due")


async def test_searches_at_the_same_time_ask_once(nodes: Pair):
    await nodes.publish(statements(12))
    nodes.wire.seen.clear()
    await asyncio.gather(*(discovering.search(nodes.consumer, Query()) for _ in range(5)))
    assert [path for path, _ in asked(nodes)].count("/catalog") == 1


async def test_own_datasets_are_found_beside_others(nodes: Pair):
    await nodes.publish(statements(12))
    found = await discovering.search(nodes.provider, Query("traces"))
    (one,) = found["results"]
    assert (one["own"], one["freshness"], one["access"]) == (True, "unscheduled", ("automatic",))
    assert found["facets"]["publisher"] == {nodes.provider.did: 1}


async def test_pages_and_ways_to_refresh_are_checked(nodes: Pair):
    for options, code in (
        ({"limit": 0}, "discovery-page"),
        ({"limit": 501}, "discovery-page"),
        ({"offset": -1}, "discovery-page"),
        ({"refresh": "maybe"}, "discovery-refresh"),
    ):
        with pytest.raises(Problem) as caught:
            await discovering.search(nodes.consumer, Query(), **options)
        assert caught.value.code == code


async def test_pages_follow_each_other(nodes: Pair):
    for name in ("a", "b", "c"):
        await nodes.publish(statements(12), id=name)
    pages = [
        await discovering.search(nodes.consumer, Query(), limit=2, offset=offset)
        for offset in (0, 2)
    ]
    assert [page["total"] for page in pages] == [3, 3]
    names = [one["identifier"] for page in pages for one in page["results"]]
    assert sorted(names) == ["a", "b", "c"]


# ------------------------------------------------------------------------------------- copies


async def test_copies_are_verifiable_by_anybody(nodes: Pair):
    await nodes.publish(statements(12))
    await nodes.publish(statements(12), id="secret", group="labs")
    await crawl(nodes)
    listed = await discovering.copies(nodes.consumer)
    assert [(one["publisher"], one["group"], one["datasets"]) for one in listed] == [
        (nodes.consumer.did, "public", 0),
        (nodes.provider.did, "labs", 1),
        (nodes.provider.did, "public", 1),
    ]
    for one in listed:
        assert one["whole"]
        copy = await discovering.copy(nodes.consumer, one["publisher"], one["group"])
        report = verify.verify_document(copy["catalog"], copy["did_document"])
        assert report["publisher"] == one["publisher"]
        assert len(report["datasets"]) == one["datasets"]
        assert DidDocument.of(copy["did_document"], one["publisher"]).did == one["publisher"]


async def test_what_is_not_whole_is_not_handed_out(nodes: Pair, between: Between):
    await nodes.publish(statements(12))
    between.answers = {"/datasets/traces/v1": b"{}"}
    await crawl(nodes)
    (_, theirs) = await discovering.copies(nodes.consumer)
    assert theirs["whole"] is False
    for publisher, group in ((nodes.provider.did, "public"), ("did:web:x.example", "public")):
        with pytest.raises(Problem) as caught:
            await discovering.copy(nodes.consumer, publisher, group)
        assert caught.value.code == "discovery-no-copy"
