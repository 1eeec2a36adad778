"""Heads: written, read, and never allowed to go back."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import dcat, merkle, versions
from catalog.model import Entry, Head, Tombstone
from policies.problem import Problem
from tests.support.clock import ManualClock

CATALOG = "https://lycee.example/catalog"
DID = "did:web:lycee.example"


def entry(name: str, version: int = 1) -> Entry:
    iri = f"https://lycee.example/datasets/{name}"
    digest = hashlib.sha256(f"{name}{version}".encode()).hexdigest()
    return Entry(iri, f"{iri}/v{version}", "sha-256:" + digest)


@pytest.fixture
def first(clock: ManualClock) -> Head:
    """Version 1: datasets a, a-b and c."""
    return versions.first_head(
        catalog=CATALOG,
        publisher=DID,
        group="public",
        entries=[entry("c"), entry("a"), entry("a-b")],
        issued=clock.now(),
    )


def following(head: Head, *entries: Entry, **options: Any) -> Head:
    return versions.next_head(
        head, entries or head.entries, issued=head.issued + timedelta(hours=1), **options
    )


def test_a_head_is_read_back(first: Head) -> None:
    document: Any = dcat.head(first)
    assert next(iter(document)) == "v"
    assert document["id"] == "https://lycee.example/catalog/public/v1"
    assert [node["dataset"][-3:] for node in document["entry"]] == ["s/a", "a-b", "s/c"]
    assert "previous" not in document
    assert "tombstone" not in document
    assert dcat.read_head(document) == first

    stone = Tombstone(entry("c").dataset, first.issued, "withdrawn")
    second = following(first, entry("a", 2), entry("a-b"), withdrawn=[stone])
    assert dcat.read_head(dcat.head(second)) == second
    assert second.previous == dcat.digest(dcat.head(first))


def test_an_empty_catalog_has_a_head(clock: ManualClock) -> None:
    head = versions.first_head(
        catalog=CATALOG, publisher=DID, group="public", entries=[], issued=clock.now()
    )
    assert dcat.read_head(dcat.head(head)) == head


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("root", "sha-256:" + "0" * 64, "catalog-document-form"),
        ("id", "https://lycee.example/catalog/public/v2", "catalog-document-form"),
        ("version", 2, "catalog-member-invalid"),
        ("version", "1", "catalog-member-invalid"),
        ("previous", "sha-256:" + "0" * 64, "catalog-member-invalid"),
        ("publisher", "https://lycee.example", "catalog-member-invalid"),
        ("extra", "x", "catalog-unfit-term"),
        ("name", "x", "catalog-member-unknown"),
        ("tombstone", [], "catalog-document-form"),
        ("entry", {}, "catalog-unfit-unnamed"),
        ("entry", "x", "catalog-member-invalid"),
        ("@context", [], "catalog-member-invalid"),
    ],
)
def test_a_head_is_read_strictly(first: Head, name: str, value: object, code: str) -> None:
    with pytest.raises(Problem) as caught:
        dcat.read_head(dcat.head(first) | {name: value})
    assert caught.value.code == code


def test_entries_out_of_order_or_twice_are_refused(first: Head) -> None:
    document: Any = dcat.head(first)
    document["entry"].reverse()
    with pytest.raises(Problem, match="catalog-member-invalid"):
        dcat.read_head(document)
    with pytest.raises(Problem, match="catalog-member-twice"):
        replace(first, entries=first.entries[:1] * 2)
    stone = Tombstone(first.entries[0].dataset, first.issued, "withdrawn")
    with pytest.raises(Problem, match="catalog-member-twice"):
        replace(first, tombstones=(stone,))


def test_a_reader_accepts_what_comes_next(first: Head) -> None:
    second = following(first, entry("a", 2), entry("a-b"), entry("c"))
    third = following(second)
    seen = (1, versions.head_digest(first))
    for head in (first, second, third):
        versions.check(None, head)
        versions.check(seen, head)


def test_a_reader_refuses_a_rollback(first: Head) -> None:
    second = following(first)
    with pytest.raises(Problem, match="catalog-head-rollback"):
        versions.check((2, versions.head_digest(second)), first)


def test_a_reader_refuses_a_fork(first: Head) -> None:
    second, other = following(first), following(first, *first.entries, entry("d"))
    with pytest.raises(Problem, match="catalog-head-fork"):
        versions.check((2, versions.head_digest(second)), other)
    with pytest.raises(Problem, match="catalog-head-fork"):
        versions.check((2, versions.head_digest(other)), following(second))


def test_a_dataset_leaves_only_with_a_tombstone_and_for_good(first: Head) -> None:
    with pytest.raises(Problem, match="catalog-head-vanished"):
        following(first, entry("a"), entry("a-b"))
    stone = Tombstone(entry("c").dataset, first.issued, "withdrawn")
    second = following(first, entry("a"), entry("a-b"), withdrawn=[stone])
    third = following(second)
    assert third.tombstones == (stone,)
    with pytest.raises(Problem, match="catalog-head-returned"):
        following(third, *first.entries)
    with pytest.raises(Problem, match="catalog-head-returned"):
        versions.check_successor(third, replace(following(third), tombstones=()))


def test_a_document_never_changes_under_its_iri(first: Head) -> None:
    changed = replace(entry("a"), digest="sha-256:" + "0" * 64)
    with pytest.raises(Problem, match="catalog-head-rewritten"):
        following(first, changed, entry("a-b"), entry("c"))


def test_time_and_catalog_stay(first: Head) -> None:
    with pytest.raises(Problem, match="catalog-head-time"):
        versions.next_head(first, first.entries, issued=first.issued - timedelta(seconds=1))
    with pytest.raises(Problem, match="catalog-head-other"):
        versions.check_successor(replace(first, group="partners"), following(first))


def test_diff(first: Head) -> None:
    stone = Tombstone(entry("c").dataset, first.issued, "withdrawn")
    second = following(first, entry("a", 2), entry("a-b"), entry("d"), withdrawn=[stone])
    change = versions.diff(first, second)
    assert change.added == (entry("d").dataset,)
    assert change.changed == (entry("a").dataset,)
    assert change.removed == (entry("c").dataset,)
    assert versions.diff(None, first).added == tuple(each.dataset for each in first.entries)


def split(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + split(leaves[:half]) + split(leaves[half:])).digest()


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_the_merkle_root_is_that_of_the_rfc(leaves: list[bytes]) -> None:
    digests = ["sha-256:" + leaf.hex() for leaf in leaves]
    assert merkle.root(digests) == "sha-256:" + split(leaves).hex()
