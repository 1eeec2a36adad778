"""The evidence log's table: strictly consecutive, numbered per agreement and type."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.store import leaves
from connector.store.rows import CheckpointRow, LeafRow
from connector.store.store import Store
from connector.store.tx import Tx
from policies.problem import Problem

NOW = datetime(2026, 9, 1, 8, 0, 0, 250000, tzinfo=UTC)


def leaf(idx: int, **changes: object) -> LeafRow:
    members: dict[str, object] = {
        "idx": idx,
        "type": "part",
        "agreement": "urn:uuid:a",
        "n": idx + 1,
        "data": f"leaf {idx}".encode(),
        "at": NOW + timedelta(seconds=idx),
        "shared_body": {"part": idx, "ok": True},
        "shared_salt": b"s" * 16,
    }
    return LeafRow(**{**members, **changes})  # type: ignore[arg-type]


def put(store: Store, *rows: LeafRow) -> None:
    def unit(tx: Tx) -> None:
        for row in rows:
            leaves.insert_leaf(tx, row)

    store.write_now(unit)


def test_a_leaf_comes_back_as_it_went_in(any_store: Store):
    full = leaf(0, private_body={"rows": [1, 2], "withheld": 3})
    bare = leaf(1, agreement=None, n=None, shared_body=None, shared_salt=None)
    put(any_store, full, bare)
    assert any_store.read_now(lambda tx: leaves.get(tx, index=0)) == full
    assert any_store.read_now(lambda tx: leaves.get(tx, index=1)) == bare
    assert any_store.read_now(lambda tx: leaves.get(tx, index=2)) is None


@pytest.mark.parametrize("idx", [-1, 1, 7])
def test_the_first_leaf_has_index_0(any_store: Store, idx: int):
    with pytest.raises(Problem) as caught:
        put(any_store, leaf(idx))
    assert caught.value.code == "store-leaf-order"
    assert any_store.read_now(leaves.next_index) == 0


@pytest.mark.parametrize("idx", [0, 2, 4])
def test_indexes_have_no_gap_and_no_second_leaf(any_store: Store, idx: int):
    put(any_store, leaf(0), leaf(1), leaf(2))
    with pytest.raises(Problem) as caught:
        put(any_store, leaf(idx, n=99))
    assert caught.value.code == "store-leaf-order"
    assert any_store.read_now(leaves.next_index) == 3


def test_numbers_count_per_agreement_and_type(store: Store):
    put(
        store,
        leaf(0, n=1),
        leaf(1, n=2),
        leaf(2, type="transfer", n=1),
        leaf(3, agreement="urn:uuid:b", n=1),
        leaf(4, agreement=None, type="catalog", n=1),
        leaf(5, n=None),
    )

    def number(agreement: str | None, type: str) -> int:
        return store.read_now(lambda tx: leaves.next_number_of(tx, agreement=agreement, type=type))

    assert number("urn:uuid:a", "part") == 3
    assert number("urn:uuid:a", "transfer") == 2
    assert number("urn:uuid:b", "part") == 2
    assert number("urn:uuid:b", "transfer") == 1
    assert number(None, "catalog") == 2
    assert number(None, "part") == 1


def test_a_number_is_given_once(store: Store):
    with pytest.raises(Problem) as caught:
        put(store, leaf(0, n=1), leaf(1, n=1))
    assert caught.value.code == "store-integrity"


def test_ranges_agreements_and_bytes(any_store: Store):
    rows = [leaf(n, agreement="urn:uuid:b" if n % 2 else "urn:uuid:a") for n in range(6)]
    put(any_store, *rows)
    assert any_store.read_now(lambda tx: leaves.between(tx, start=2, stop=4)) == rows[2:4]
    assert (
        any_store.read_now(lambda tx: leaves.of_agreement(tx, agreement="urn:uuid:b"))
        == (rows[1::2])
    )
    assert any_store.read_now(lambda tx: leaves.data(tx, start=4, stop=9)) == [b"leaf 4", b"leaf 5"]
    assert any_store.read_now(lambda tx: leaves.between(tx, start=4, stop=4)) == []


def test_the_newest_leaf_has_index_and_time(any_store: Store):
    assert any_store.read_now(leaves.newest) is None
    put(any_store, leaf(0), leaf(1))
    assert any_store.read_now(leaves.newest) == (1, NOW + timedelta(seconds=1))


def test_an_agreement_keeps_its_first_salt(any_store: Store):
    def keep(salt: bytes) -> bytes:
        return any_store.write_now(
            lambda tx: leaves.keep_salt(tx, agreement="urn:uuid:a", fresh=lambda: salt)
        )

    assert any_store.read_now(lambda tx: leaves.salt(tx, agreement="urn:uuid:a")) is None
    assert keep(b"first") == keep(b"second") == b"first"
    assert any_store.read_now(lambda tx: leaves.salt(tx, agreement="urn:uuid:a")) == b"first"


def test_checkpoints_by_size(any_store: Store):
    assert any_store.read_now(leaves.last_checkpoint) is None
    rows = [CheckpointRow(size, b"r" * 32, f"origin\n{size}\n", NOW) for size in (9, 10, 2)]

    def put_all(tx: Tx) -> None:
        for row in rows:
            leaves.put_checkpoint(tx, row)

    any_store.write_now(put_all)
    assert any_store.read_now(leaves.last_checkpoint) == rows[1]
    assert any_store.read_now(lambda tx: leaves.checkpoint(tx, size=2)) == rows[2]
    cosigned = replace(rows[1], note="origin\n10\ncosigned\n")
    any_store.write_now(lambda tx: leaves.put_checkpoint(tx, cosigned))
    assert any_store.read_now(leaves.last_checkpoint) == cosigned


def test_appending_wakes_who_waits_for_leaves(any_store: Store):
    woken: list[str] = []
    any_store.on_commit(lambda: woken.append("x"), topic="leaf")
    put(any_store, leaf(0))
    any_store.close()
    assert woken == ["x"]
