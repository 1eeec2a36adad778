"""What a publisher signs and is not so: its key is right, and its head says what no document says.

A node that crawls and somebody who verifies from outside, by the URL alone, judge alike.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from catalog import merkle
from connector.services.discover import checking, crawling, peering
from connector.services.negotiate import agreements
from connector.services.node import Node
from connector.services.publish import publishing
from connector.services.publish.publishing import Upload
from connector.store import catalogs
from policies.problem import Problem
from tests.connector.services.test_discovering import Between
from tests.support import doors, traces
from tests.support.pair import OPERATOR, Pair, statements
from tests.support.served import served

Json = dict[str, Any]
LIES = ("another dataset", "a dataset of others", "another document", "a document of a group")


async def head_of(node: Node, group: str = "public") -> Json:
    row = await node.store.read(lambda tx: catalogs.head(tx, group=group))
    assert row is not None
    found: Json = json.loads(row.body)
    return found


async def lying(node: Node, lie: str) -> dict[str, Any]:
    """What a publisher of `traces` and, in the group labs, of `secret` answers, by path."""
    head = await head_of(node)
    (entry,) = head["entry"]
    source = (await head_of(node, "labs"))["entry"][0] if lie.endswith("group") else entry
    kept = await node.store.read(lambda tx: catalogs.document(tx, iri=source["id"]))
    assert kept is not None
    entry |= {
        "another dataset": {"dataset": f"{node.url}/datasets/tricks"},
        "a dataset of others": {"dataset": "http://localhost:1/datasets/traces"},
        "another document": {"id": f"{node.url}/datasets/tricks/v1"},
        "a document of a group": source,
    }[lie]
    head["root"] = merkle.root([entry["digest"]])
    bare = {name: value for name, value in head.items() if name != "proof"}
    signed = {**bare, "proof": agreements.sign(node, bare)}
    return {
        urlsplit(entry["id"]).path: kept.body,
        "/catalog": json.dumps(signed).encode(),
    }


@pytest.mark.parametrize("lie", LIES)
async def test_a_node_keeps_nothing_of_it(nodes: Pair, lie: str):
    provider, consumer = nodes.provider, nodes.consumer
    iri = await nodes.publish(statements(12))
    await nodes.publish(statements(12), id="secret", group="labs")
    await peering.set_groups(provider, OPERATOR, consumer.did, [])
    host = urlsplit(provider.url).netloc
    nodes.wire.apps[host] = Between(nodes.wire.apps[host], await lying(provider, lie))
    with pytest.raises(Problem, match=r"catalog-document-other|dataset-unknown"):
        await peering.find(consumer, iri)
    (visit,) = [one.document() for one in await crawling.crawl(consumer)]
    assert [one["code"] for one in visit["problems"]] == ["catalog-document-other"]
    assert visit["stored"] == 0


# ------------------------------------------------------------------------------- from outside


@dataclass
class Publisher:
    """A node that really listens, and what it answers in its own way."""

    node: Node
    between: Between


@pytest.fixture
async def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Publisher]:
    plain, made = doors.public, list[Between]()

    def app(node: Node) -> Any:
        made.append(Between(plain(node)))
        return made[0]

    monkeypatch.setattr(doors, "public", app)
    async with served(tmp_path / "publisher", {}) as node:
        for name, group in (("traces", "public"), ("secret", "labs")):
            chunks = [traces.lines(traces.statements(12, 1)), b""]

            async def read(_: int, chunks: list[bytes] = chunks) -> bytes:
                return chunks.pop(0)

            text = traces.about(id=name, group=group).encode()
            await publishing.add(node, OPERATOR, Upload(text, "t.jsonl", read, 0.0))
        yield Publisher(node, made[0])


async def test_a_catalog_is_verified_by_its_url_alone(publisher: Publisher):
    url = publisher.node.url
    head = await head_of(publisher.node)
    for place in (url, url + "/", url + "/catalog"):
        found = await checking.catalog_at(place)
        assert (found["publisher"], found["version"]) == (publisher.node.did, head["version"])
        assert [one["id"] for one in found["documents"]] == [f"{url}/datasets/traces/v1"]


async def test_whoever_verifies_finds_the_lie(publisher: Publisher):
    for lie in LIES:
        publisher.between.answers = await lying(publisher.node, lie)
        with pytest.raises(Problem) as caught:
            await checking.catalog_at(publisher.node.url)
        assert caught.value.code == "catalog-document-other", lie


async def test_a_catalog_is_its_publisher_s_at_its_place_and_whole(publisher: Publisher):
    node, between = publisher.node, publisher.between
    body = json.dumps(await head_of(node)).encode()
    labs = json.dumps(await head_of(node, "labs")).encode()
    wrong: dict[str, tuple[str, dict[str, Any]]] = {
        "catalog-publisher-other": ("/mirror", {"/mirror/catalog": body}),
        "catalog-head-other": ("", {"/catalog": labs}),
        "catalog-proof-invalid": ("", {"/catalog": body.replace(b"public", b"Public")}),
        "peer-refused": ("", {"/datasets/traces/v1": (503, b"")}),
        "catalog-file-unknown": ("", {"/catalog": b"<html>"}),
    }
    for code, (place, answers) in wrong.items():
        between.answers = answers
        with pytest.raises(Problem) as caught:
            await checking.catalog_at(node.url + place)
        assert caught.value.code == code
