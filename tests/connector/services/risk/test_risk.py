"""`dataset risk`: measured on the revision, announced in the signed document, compiled by both."""

import json
from dataclasses import replace
from typing import Any

import pytest

from catalog import documents, proofs
from catalog.model import Dataset
from connector.services.access import Actor
from connector.services.negotiate import planning
from connector.services.node import Node
from connector.services.publish import catalogs, published, risk
from connector.store import catalogs as rows
from connector.store import leaves
from policies.problem import Problem

DPO = Actor("actor-dpo", "dpo")


def document_of(node: Node, version: int) -> dict[str, Any]:
    iri = f"{node.url}/datasets/traces/v{version}"
    found = node.store.read_now(lambda tx: rows.document(tx, iri=iri))
    assert found is not None
    return json.loads(found.body)  # type: ignore[no-any-return]


def dataset_of(node: Node, version: int) -> Dataset:
    return documents.read(document_of(node, version))


async def test_nothing_is_announced_before_it_was_measured(node: Node, publish: Any):
    await publish()
    shown = await risk.show(node, DPO, "traces")
    assert shown["linkage"] == "not measured"
    assert shown["measurement"] is None
    assert dataset_of(node, 1).linkage is None
    assert "not measured" in (await catalogs.show(node, "traces"))["linkage"]["en"][0]


async def test_the_figures_stand_in_a_new_signed_version(node: Node, publish: Any):
    made = await publish()
    shown = await risk.run(node, DPO, "traces")
    document = document_of(node, 2)
    proofs.verify(document, lambda _: node.keys.assertion_public)
    dataset = documents.read(document)
    assert shown["document"] == dataset.document_iri == f"{made['dataset']}/v2"
    assert dataset.linkage is not None
    announced = {(one.time, one.extensions): one.linked for one in dataset.linkage.figures}
    assert announced["minute", False] == ">99 %"
    assert int(announced["hour", False].removesuffix(" %").strip("<>")) < 10
    assert len(announced) == 8
    assert planning.announced(dataset) == announced
    before = dataset_of(node, 1)
    assert dataset.offers == before.offers
    assert replace(dataset, linkage=None, version=1, modified=before.modified) == before


async def test_the_head_and_the_log_name_the_new_version(node: Node, publish: Any):
    await publish()
    await risk.run(node, DPO, "traces")

    def unit(tx: Any) -> tuple[Any, ...]:
        head = rows.head(tx, group="public")
        logged = [
            leaf for leaf in leaves.between(tx, start=0, stop=1_000) if leaf.type == "catalog"
        ]
        return head, rows.dataset(tx, id="traces"), logged[-1]

    head, row, leaf = node.store.read_now(unit)
    (entry,) = json.loads(head.body)["entry"]
    assert entry["digest"] == row.digest
    assert row.version == 2
    assert leaf.shared_body["digest"] == row.digest
    assert leaf.private_body["body"]["change"] == "linkage-measured"


async def test_exact_figures_stay_with_the_revision(node: Node, publish: Any):
    await publish()
    shown = await risk.run(node, DPO, "traces")
    exact = shown["measurement"]
    assert exact["persons"] == 60
    assert exact["histories"]["minute"] == 100
    assert "60" not in json.dumps(document_of(node, 2)["subject"]["linkage"]["figure"])
    assert (await catalogs.show(node, "traces"))["revision"]["risk"] == exact


async def test_measured_again_nothing_new_is_published(node: Node, publish: Any):
    await publish()
    one = await risk.run(node, DPO, "traces")
    two = await risk.run(node, DPO, "traces")
    assert one["document"] == two["document"]
    assert one["linkage"] == two["linkage"]


async def test_a_new_revision_is_not_measured_yet(node: Node, publish: Any):
    await publish()
    await risk.run(node, DPO, "traces")
    await publish(70)
    assert (await risk.show(node, DPO, "traces"))["linkage"] == "not measured"
    assert dataset_of(node, 3).linkage is None


async def test_a_negotiation_keeps_the_document_it_began_with(node: Node, publish: Any):
    await publish()

    def first(tx: Any) -> Any:
        return published.find(tx, f"{node.url}/datasets/traces")

    before = node.store.read_now(first)
    await risk.run(node, DPO, "traces")
    now = node.store.read_now(first)
    kept = node.store.read_now(lambda tx: published.pinned(tx, now, before.reference))
    assert now.reference != before.reference
    assert kept.reference == before.reference
    assert kept.dataset.linkage is None
    assert node.store.read_now(lambda tx: published.pinned(tx, now, None)) == now


async def test_too_few_persons_give_no_figure(node: Node, publish: Any):
    await publish(11)
    with pytest.raises(Problem) as caught:
        await risk.run(node, DPO, "traces")
    assert caught.value.code == "risk-too-few"
    assert (await risk.show(node, DPO, "traces"))["linkage"] == "not measured"


@pytest.mark.parametrize("role", ["researcher", "auditor", "ethics"])
async def test_only_those_who_answer_for_the_data_measure(node: Node, publish: Any, role: str):
    await publish()
    for act in (risk.run, risk.show):
        with pytest.raises(Problem) as caught:
            await act(node, Actor("actor-x", role), "traces")
        assert caught.value.code == "access-role"


async def test_an_unknown_dataset_is_said_to_be_unknown(node: Node):
    with pytest.raises(Problem) as caught:
        await risk.run(node, DPO, "nothing")
    assert caught.value.code == "dataset-unknown"
