"""Access groups on the public port: a member sees the union, a stranger learns nothing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connector.http import public
from connector.identity import tokens
from connector.identity.ports import Response
from connector.services import identity
from connector.services.discover import peering
from connector.services.node import Node
from connector.services.publish import publishing
from connector.store import leaves as log_rows
from policies.problem import Problem
from tests.support.pair import OPERATOR, RESEARCHER, Pair, _node, statements

HIDDEN = ("/catalog/labs", "/datasets/secret", "/datasets/secret/v1")
ABSENT = ("/catalog/none", "/datasets/none", "/datasets/none/v1")
PAIRS = list(zip(HIDDEN, ABSENT, strict=True))
STRANGERS = (
    "nobody",
    "garbage",
    "unknown node",
    "known node in no group",
    "node in another group",
    "token for another audience",
    "token used before",
    "token of yesterday",
)


@pytest.fixture
async def third(nodes: Pair, tmp_path: Path) -> AsyncIterator[Node]:
    """A node nobody knows yet, reachable."""
    node = _node(tmp_path / "third", 9301, nodes.wire, nodes.clock, seed=3)
    nodes.wire.apps[urlsplit(node.url).netloc] = public.app(node)
    yield node
    node.journal.close()
    node.log.close()
    node.store.close()


@pytest.fixture
async def secret(nodes: Pair) -> str:
    """A dataset for the group `labs`, which holds the consumer, beside a public one."""
    await nodes.publish(statements(12))
    return await nodes.publish(statements(12), id="secret", group="labs")


async def get(nodes: Pair, path: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await nodes.wire.get(nodes.provider.url + path, headers=named)


def member(nodes: Pair) -> str:
    return identity.authorization(nodes.consumer, nodes.provider.did)


async def credentials(who: str, nodes: Pair, third: Node) -> dict[str, str]:
    """The header of one request by that stranger."""
    provider, consumer = nodes.provider, nodes.consumer
    if who == "nobody":
        return {}
    if who == "garbage":
        return {"Authorization": "Bearer a.b.c"}
    if who in {"known node in no group", "node in another group"}:
        groups = ["schools"] if "another" in who else []
        await peering.add(provider, OPERATOR, third.did, "", groups)
    if who == "token for another audience":
        return {"Authorization": identity.authorization(consumer, third.did)}
    if who == "token used before":
        header = {"Authorization": member(nodes)}
        assert (await get(nodes, "/catalogs", **header)).status == 200
        return header
    if who == "token of yesterday":
        kid = f"{consumer.did}#{consumer.keys.fragment('token')}"
        then = nodes.clock.now().replace(year=2020)
        key = consumer.keys.token_key
        token = tokens.mint(key, consumer.did, kid, provider.did, then, consumer.ids.uuid())
        return {"Authorization": f"Bearer {token}"}
    return {"Authorization": identity.authorization(third, provider.did)}


# ------------------------------------------------------------------------------ strangers


@pytest.mark.parametrize("who", STRANGERS)
async def test_what_is_hidden_answers_like_what_is_not_there(
    nodes: Pair, third: Node, secret: str, who: str
):
    for hidden, absent in PAIRS:
        etag = (await get(nodes, hidden, Authorization=member(nodes))).headers["etag"]
        for extra in ({}, {"If_None_Match": etag}):
            answers = [
                await get(nodes, path, **extra, **await credentials(who, nodes, third))
                for path in (hidden, absent)
            ]
            assert answers[0] == answers[1]
            assert answers[0].status == 404
    if not who.startswith(("known", "node")):
        header = await credentials(who, nodes, third)
        assert await get(nodes, "/catalogs", **header) == await get(nodes, "/nowhere")


async def test_the_public_catalog_does_not_move_when_a_group_publishes(nodes: Pair):
    await nodes.publish(statements(12))
    before = await get(nodes, "/catalog")
    await nodes.publish(statements(12), id="secret", group="labs")
    assert await get(nodes, "/catalog") == before
    assert await get(nodes, "/catalog", Authorization=member(nodes)) == before
    assert b"secret" not in before.body
    assert b"labs" not in before.body


async def test_a_peer_in_no_group_is_told_of_none(nodes: Pair, third: Node, secret: str):
    header = await credentials("known node in no group", nodes, third)
    assert json.loads((await get(nodes, "/catalogs", **header)).body) == {"v": 1, "groups": []}


async def test_a_group_in_which_nothing_was_published_is_not_told(nodes: Pair):
    answer = await get(nodes, "/catalogs", Authorization=member(nodes))
    assert json.loads(answer.body)["groups"] == []
    labs = await get(nodes, "/catalog/labs", Authorization=member(nodes))
    assert labs == await get(nodes, "/catalog/none")


async def test_unknown_tokens_cause_no_question_to_anybody(nodes: Pair, third: Node, secret: str):
    header = await credentials("unknown node", nodes, third)
    nodes.wire.seen.clear()
    await get(nodes, "/catalog/labs", **header)
    assert [path for _, path, _ in nodes.wire.seen] == ["/catalog/labs"]


# -------------------------------------------------------------------------------- members


async def test_a_member_sees_the_union(nodes: Pair, secret: str):
    listed = await get(nodes, "/catalogs", Authorization=member(nodes))
    assert json.loads(listed.body) == {"v": 1, "groups": ["labs"]}
    head = await get(nodes, "/catalog/labs", Authorization=member(nodes))
    entries = json.loads(head.body)["entry"]
    assert [entry["dataset"] for entry in entries] == [secret]
    found = await peering.catalog_of(nodes.consumer, nodes.provider.did)
    assert {(one["id"], one["group"]) for one in found["datasets"]} == {
        (secret, "labs"),
        (f"{nodes.provider.url}/datasets/traces", "public"),
    }


async def test_what_a_member_gets_is_named_and_for_it_alone(nodes: Pair, secret: str):
    for path in HIDDEN:
        answer = await get(nodes, path, Authorization=member(nodes))
        assert answer.status == 200
        assert answer.headers["cache-control"].startswith("private")
        assert answer.headers["vary"] == "Authorization"
        etag = answer.headers["etag"]
        again = await get(nodes, path, Authorization=member(nodes), If_None_Match=etag)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)


async def test_public_documents_need_no_token_and_use_none_up(nodes: Pair, secret: str):
    header = {"Authorization": member(nodes)}
    for _ in range(2):
        answer = await get(nodes, "/datasets/traces", **header)
        assert answer.status == 200
        assert answer.headers["cache-control"] == "public, no-cache"
        assert "vary" not in answer.headers
    assert (await get(nodes, "/catalogs", **header)).status == 200


async def test_a_withdrawn_document_stays_readable_for_members_alone(nodes: Pair, secret: str):
    await publishing.withdraw(nodes.provider, OPERATOR, "secret", "over")
    path = "/datasets/secret/v1"
    assert (await get(nodes, path, Authorization=member(nodes))).status == 200
    assert await get(nodes, path) == await get(nodes, "/datasets/none/v1")
    head = json.loads((await get(nodes, "/catalog/labs", Authorization=member(nodes))).body)
    assert (head["entry"], len(head["tombstone"])) == ([], 1)
    assert b"secret" not in (await get(nodes, "/catalog")).body


async def test_a_member_can_ask_for_what_its_group_sees(nodes: Pair, secret: str):
    pid = await nodes.request(secret)
    assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"


async def test_others_cannot_ask_for_it(nodes: Pair, third: Node, secret: str):
    await peering.add(third, OPERATOR, nodes.provider.did, "", [])
    for groups in ([], ["schools"]):
        await peering.add(nodes.provider, OPERATOR, third.did, "", groups)
        refusals: list[Any] = []
        for name in ("secret", "none"):
            with pytest.raises(Problem) as caught:
                await peering.find(third, f"{nodes.provider.url}/datasets/{name}")
            refusals.append((caught.value.code, caught.value.params))
        assert refusals == [("dataset-unknown", {})] * 2


async def test_groups_have_names_that_datasets_can_have(nodes: Pair):
    for name in ("Labs", "a b", "", "é", "-a", "a/b", "x" * 65):
        with pytest.raises(Problem) as caught:
            await peering.add(nodes.provider, OPERATOR, nodes.consumer.did, "", [name])
        assert caught.value.code == "peer-group-name"


class TestOfAPeer:
    async def test_it_can_be_taken_out_of_its_groups(self, nodes: Pair):
        did = nodes.consumer.did
        await peering.set_groups(nodes.provider, OPERATOR, did, ["labs", "partners", "labs"])
        (row,) = await peering.listing(nodes.provider)
        assert row["groups"] == ["labs", "partners"]
        changed = await peering.set_groups(nodes.provider, OPERATOR, did, [])
        assert (changed["groups"], changed["name"]) == ([], row["name"])

    async def test_what_is_logged_is_what_holds(self, nodes: Pair):
        did = nodes.consumer.did
        await peering.add(nodes.provider, OPERATOR, did, "", ["labs"])
        await peering.add(nodes.provider, OPERATOR, did, "Another name", [])
        await peering.set_groups(nodes.provider, OPERATOR, did, [])
        leaves = await nodes.provider.store.read(
            lambda tx: log_rows.between(tx, start=0, stop=1000)
        )
        said = [row.private_body["body"] for row in leaves if row.private_body]
        groups = [each["groups"] for each in said if each.get("change") == "peer"]
        assert groups[-3:] == [["labs"], ["labs"], []]

    async def test_by_those_who_publish_of_those_we_know(self, nodes: Pair):
        for who, did, groups, code in (
            (RESEARCHER, nodes.consumer.did, [], "access-role"),
            (OPERATOR, "did:web:nobody.example", [], "peer-unknown"),
            (OPERATOR, nodes.consumer.did, ["No name!"], "peer-group-name"),
        ):
            with pytest.raises(Problem) as caught:
                await peering.set_groups(nodes.provider, who, did, groups)
            assert caught.value.code == code
