"""What the node publishes, whom it knows, whom it lets in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from connector.store import catalogs, notes, peers, tokens
from connector.store.rows import (
    DatasetRow,
    DatasetState,
    DocumentRow,
    HeadRow,
    PeerRow,
    RevisionRow,
    TokenRow,
)
from connector.store.store import Store, Tx, Unit
from policies.problem import Problem

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
IRI = "https://mooc.example/datasets/traces"
R = TypeVar("R")


def writing(function: Callable[[Tx, R], None], row: R) -> Unit[None]:
    return lambda tx: function(tx, row)


def refused(store: Store, unit) -> str:
    with pytest.raises(Problem) as caught:
        store.write_now(unit)
    return caught.value.code


def dataset(id: str = "traces", **changes: object) -> DatasetRow:
    members: dict[str, object] = {
        "id": id,
        "iri": f"https://mooc.example/datasets/{id}",
        "version": 1,
        "group": "public",
        "state": "published",
        "digest": "sha-256:00",
        "about": {"title": {"fr": "Traces", "en": "Traces"}},
        "revision": None,
        "published": NOW,
    }
    return DatasetRow(**{**members, **changes})  # type: ignore[arg-type]


def test_datasets_move_on(any_store: Store):
    first = dataset()
    any_store.write_now(lambda tx: catalogs.put_dataset(tx, first))
    second = replace(first, version=2, revision="r1", state="withdrawn")
    any_store.write_now(lambda tx: catalogs.put_dataset(tx, second))
    assert any_store.read_now(lambda tx: catalogs.dataset(tx, id="traces")) == second
    assert any_store.read_now(lambda tx: catalogs.dataset_by_iri(tx, iri=IRI)) == second
    assert any_store.read_now(lambda tx: catalogs.dataset(tx, id="none")) is None


def test_datasets_by_group_and_state(any_store: Store):
    rows = [dataset("a"), dataset("b", group="lab"), dataset("c", state="withdrawn")]
    for row in reversed(rows):
        any_store.write_now(writing(catalogs.put_dataset, row))

    def ids(group: str | None = None, state: DatasetState | None = None) -> list[str]:
        rows = any_store.read_now(lambda tx: catalogs.datasets(tx, group=group, state=state))
        return [row.id for row in rows]

    assert ids() == ["a", "b", "c"]
    assert ids(group="public") == ["a", "c"]
    assert ids(state="published") == ["a", "b"]
    assert ids(group="public", state="published") == ["a"]


def test_an_iri_names_one_dataset(store: Store):
    store.write_now(lambda tx: catalogs.put_dataset(tx, dataset()))
    other = dataset("other", iri=IRI)
    assert refused(store, lambda tx: catalogs.put_dataset(tx, other)) == "store-integrity"


def test_documents_never_change(any_store: Store):
    row = DocumentRow(f"{IRI}/v1", IRI, 1, "sha-256:00", b'{"v":1}')
    for _ in range(2):
        any_store.write_now(lambda tx: catalogs.add_document(tx, row))
    changed = replace(row, body=b'{"v":2}')
    assert refused(any_store, lambda tx: catalogs.add_document(tx, changed)) == "store-conflict"
    found = [
        any_store.read_now(lambda tx: catalogs.document(tx, iri=row.iri)),
        any_store.read_now(lambda tx: catalogs.document_of(tx, dataset=IRI, version=1)),
        any_store.read_now(lambda tx: catalogs.document_by_digest(tx, digest="sha-256:00")),
    ]
    assert found == [row] * 3
    assert any_store.read_now(lambda tx: catalogs.document(tx, iri=IRI)) is None


def test_heads_follow_each_other_per_group(any_store: Store):
    def head(version: int, group: str = "public") -> HeadRow:
        return HeadRow(group, version, f"sha-256:{version}", b"{}")

    assert any_store.read_now(lambda tx: catalogs.head(tx, group="public")) is None
    for row in (head(1), head(2), head(7, "lab")):
        any_store.write_now(writing(catalogs.add_head, row))
    for wrong in (1, 2, 4):
        assert refused(any_store, writing(catalogs.add_head, head(wrong))) == "store-conflict"
    assert any_store.read_now(lambda tx: catalogs.head(tx, group="public")) == head(2)
    assert any_store.read_now(lambda tx: catalogs.head_at(tx, group="public", version=1)) == head(1)
    assert any_store.read_now(lambda tx: catalogs.head_at(tx, group="lab", version=1)) is None


def test_revisions_of_a_dataset(any_store: Store):
    rows = [
        RevisionRow("r2", "traces", "/d/r2", 10, 3, {"codebook": []}, NOW),
        RevisionRow("r1", "traces", "/d/r1", 12, 4, {}, NOW + timedelta(seconds=1)),
        RevisionRow("r3", "other", "/d/r3", 1, 1, {}, NOW),
    ]
    for row in rows:
        any_store.write_now(writing(catalogs.put_revision, row))
    assert any_store.read_now(lambda tx: catalogs.revisions(tx, dataset="traces")) == rows[:2]
    assert any_store.read_now(lambda tx: catalogs.revision(tx, id="r3")) == rows[2]


def test_tokens_by_hash_until_revoked(any_store: Store):
    row = TokenRow("t1", "Zoé", "dpo", "actor-1", "sha-256:00", NOW)
    any_store.write_now(lambda tx: tokens.add(tx, row))
    assert any_store.read_now(lambda tx: tokens.by_hash(tx, hash="sha-256:00")) == row
    assert any_store.read_now(lambda tx: tokens.by_hash(tx, hash="sha-256:01")) is None
    assert refused(any_store, lambda tx: tokens.add(tx, replace(row, id="t2"))) == "store-conflict"
    assert any_store.write_now(lambda tx: tokens.revoke(tx, id="t1", at=NOW)) is True
    assert any_store.write_now(lambda tx: tokens.revoke(tx, id="t1", at=NOW)) is False
    assert any_store.write_now(lambda tx: tokens.revoke(tx, id="t9", at=NOW)) is False
    assert any_store.read_now(tokens.listing) == [replace(row, revoked=NOW)]
    assert any_store.read_now(lambda tx: tokens.get(tx, id="t1")) == replace(row, revoked=NOW)


def test_peers_and_what_was_seen_of_them(any_store: Store):
    row = PeerRow("did:web:lab", "Lab", ("public", "universities"), NOW, {})
    any_store.write_now(lambda tx: peers.put(tx, row))
    any_store.write_now(
        lambda tx: peers.saw_head(tx, did=row.did, group="public", version=3, digest="sha-256:3")
    )
    any_store.write_now(
        lambda tx: peers.set_document(tx, did=row.did, document={"id": row.did}, key="z6Mk")
    )
    expected = replace(
        row,
        head={"public": {"version": 3, "digest": "sha-256:3"}},
        did_document={"id": row.did},
        key="z6Mk",
    )
    assert any_store.read_now(lambda tx: peers.get(tx, did=row.did)) == expected
    assert any_store.read_now(peers.listing) == [expected]
    assert any_store.write_now(lambda tx: peers.remove(tx, did=row.did)) is True
    assert any_store.write_now(lambda tx: peers.remove(tx, did=row.did)) is False


async def test_a_peer_is_recalled_until_anything_about_it_changes(any_store: Store):
    row = PeerRow("did:web:lab.example", None, ("lab",), NOW, head={})

    async def recalled() -> PeerRow | None:
        return await any_store.recall("peer", row.did, lambda tx: peers.get(tx, did=row.did))

    for change in (
        lambda tx: peers.put(tx, row),
        lambda tx: peers.saw_head(tx, did=row.did, group="g", version=1, digest="d"),
        lambda tx: peers.set_document(tx, did=row.did, document={"id": row.did}, key="z"),
        lambda tx: peers.remove(tx, did=row.did),
    ):
        before = await recalled()
        await any_store.write(change)
        after = await recalled()
        assert after != before
        assert after == await any_store.read(lambda tx: peers.get(tx, did=row.did))


def test_nothing_is_remembered_of_unknown_peers(store: Store):
    assert refused(
        store, lambda tx: peers.saw_head(tx, did="x", group="g", version=1, digest="d")
    ) == ("store-unknown")
    assert refused(store, lambda tx: peers.set_document(tx, did="x", document={}, key="k")) == (
        "store-unknown"
    )


def test_notes(any_store: Store):
    any_store.write_now(lambda tx: notes.put(tx, key="a", text="1"))
    any_store.write_now(lambda tx: notes.put(tx, key="a", text="2"))
    assert any_store.read_now(lambda tx: notes.get(tx, key="a")) == "2"
    assert any_store.write_now(lambda tx: notes.remove(tx, key="a")) is True
    assert any_store.write_now(lambda tx: notes.remove(tx, key="a")) is False
    assert any_store.read_now(lambda tx: notes.get(tx, key="a")) is None
