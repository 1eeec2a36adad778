"""The catalog in pages: all of it, one state of it, and only what the caller may see."""

import re
from typing import Any

import httpx
import orjson
import pytest

from catalog.query_spec import Slice
from connector.services import identity
from connector.services.publish import paging, publishing
from connector.services.publish.paging import Cursor
from connector.store.store import Tx
from policies.problem import Problem
from tests.support.pair import OPERATOR, Pair, statements

ASK = orjson.dumps(
    {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": "CatalogRequestMessage",
    }
)
LINK = re.compile(r'<([^>]+)>; rel="(\w+)"')


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(paging, "PAGE", 2)


async def ask(nodes: Pair, query: str = "", body: bytes = ASK, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(nodes.wire.apps["localhost:9101"])
    sent = {
        "Authorization": identity.authorization(nodes.consumer, nodes.provider.did),
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        **headers,
    }
    url = query or f"{nodes.provider.dsp}/catalog/request"
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.post(url, content=body, headers=sent)


def links(answer: httpx.Response) -> dict[str, str]:
    return {rel: url for url, rel in LINK.findall(answer.headers.get("link", ""))}


def names(answer: httpx.Response) -> list[str]:
    return [one["@id"].rpartition("/")[2] for one in answer.json().get("dataset", [])]


async def publish(nodes: Pair, *idents: str, **about: str) -> None:
    for ident in idents:
        await nodes.publish(statements(2), id=ident, **about)


async def test_every_dataset_stands_on_one_page(nodes: Pair):
    await publish(nodes, "a", "b", "c", "d", "e")
    first = await ask(nodes)
    assert (names(first), set(links(first))) == (["a", "b"], {"next"})
    second = await ask(nodes, links(first)["next"])
    assert (names(second), set(links(second))) == (["c", "d"], {"next", "prev", "previous"})
    assert links(second)["prev"] == links(second)["previous"]
    third = await ask(nodes, links(second)["next"])
    assert (names(third), set(links(third))) == (["e"], {"prev", "previous"})
    assert names(await ask(nodes, links(third)["prev"])) == ["c", "d"]
    assert names(await ask(nodes, links(second)["previous"])) == ["a", "b"]


async def test_a_cursor_belongs_to_one_version_of_the_catalog(nodes: Pair):
    await publish(nodes, "a", "b", "c", "d")
    first = await ask(nodes)
    await publish(nodes, "a0", "b0")
    await publishing.withdraw(nodes.provider, OPERATOR, "d", "")
    second = await ask(nodes, links(first)["next"])
    assert names(second) == ["c"]  # what was withdrawn is offered no longer, what is new comes anew
    assert names(await ask(nodes)) == ["a", "a0"]


async def test_a_group_s_datasets_are_among_the_others(nodes: Pair):
    await publish(nodes, "b")
    await publish(nodes, "a", "c", group="labs")
    first = await ask(nodes)
    assert names(first) == ["a", "b"]
    assert names(await ask(nodes, links(first)["next"])) == ["c"]


async def test_a_cursor_opens_no_group(nodes: Pair):
    await publish(nodes, "a", group="others")
    url = f"{nodes.provider.dsp}/catalog/request?cursor={Cursor((('others', 1),), 0).text()}"
    answer = await ask(nodes, url)
    assert (answer.status_code, answer.json()["code"]) == (400, "dataset-cursor")


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "é", "AAAA", "bnVsbA", "WzBd=", "W10", "WzEsMl0", "WyJhIl0", "WzAsWyJwdWJsaWMiXV0",
        "WzAsWyJwdWJsaWMiLDk5OTldXQ", "Wy0xXQ", "W3RydWVd", "W" * 5000, "W1tbW1tbW1tbW1tbW1tb",
    ],
)  # fmt: skip
async def test_what_is_no_cursor_is_refused(nodes: Pair, text: str):
    def unit(tx: Tx) -> None:
        paging.page(tx, nodes.provider.listings, frozenset(), text, Slice(), list)

    with pytest.raises(Problem, match="dataset-cursor"):
        await nodes.provider.store.read(unit)


@pytest.mark.parametrize("groups", [["public", "public"], ["public"] * 200, ["public", "labs"]])
async def test_a_cursor_names_each_group_once(groups: list[str]):
    """A forged one had a whole catalog listed and sorted for each time it named it."""
    with pytest.raises(Problem, match="dataset-cursor"):
        Cursor.read(Cursor(tuple((group, 1) for group in groups), 0).text())


async def test_cursors_are_read_as_written():
    cursor = Cursor((("labs", 3), ("public", 12)), 50)
    assert Cursor.read(cursor.text()) == cursor


async def test_an_empty_catalog_has_no_page_beside_it(nodes: Pair):
    answer = await ask(nodes)
    assert (answer.status_code, names(answer), links(answer)) == (200, [], {})


async def test_a_query_spec_says_how_many(nodes: Pair):
    await publish(nodes, "a", "b", "c", "d")
    spec: dict[str, Any] = {"@type": "QuerySpec", "offset": 1, "limit": 3}
    body = orjson.dumps({**orjson.loads(ASK), "filter": [spec]})
    assert names(await ask(nodes, body=body)) == ["b", "c", "d"]
    spec["filterExpression"] = [{"operandLeft": "x", "operator": "=", "operandRight": "y"}]
    body = orjson.dumps({**orjson.loads(ASK), "filter": [spec]})
    answer = await ask(nodes, body=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "dataset-filter")


@pytest.mark.parametrize(
    ("asked", "packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.0", False),
     ("br", False), ("", False), ("xgzip", False)],
)  # fmt: skip
async def test_gzip_for_whoever_takes_it(nodes: Pair, asked: str, packed: bool):
    await publish(nodes, "a", "b")
    plain = await ask(nodes)
    answer = await ask(nodes, "", ASK, **{"Accept-Encoding": asked})
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.json() == plain.json()
