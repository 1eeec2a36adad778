"""The log over a real store: crashes at every point, start-ups that repair or refuse."""

import asyncio
import errno
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.evidence import leaf, levels, note, tree
from connector.evidence.leaf import Entry
from connector.store import leaves
from connector.store.rows import CheckpointRow, LeafRow
from connector.store.statement import Statement
from connector.store.tables import LEAF
from policies.problem import Problem
from tests.support.clock import START

AGREEMENT = "urn:uuid:0b9d6f1e-7a3f-8a27-9c39-0d3c1f1f3b11"


def entry(number=0, **given) -> Entry:
    return Entry(**({"type": "part", "agreement": AGREEMENT, "shared": {"n": number}} | given))


def rows(node, count=1000) -> list[LeafRow]:
    found: list[LeafRow] = node.store.read_now(lambda tx: leaves.between(tx, start=0, stop=count))
    return found


def opened(node) -> note.Checkpoint:
    return note.open_checkpoint(node.log.checkpoint(), [node.log.verifier])


def expected_root(node, size) -> bytes:
    edge = tree.Edge()
    for row in rows(node)[:size]:
        edge, _ = tree.append(edge, tree.leaf_hash(row.data))
    return tree.root(edge)


def reopen(node, **given) -> Any:
    node.log.close()
    node.log = node.open_log(**given)
    return node.log


def test_a_leaf_is_what_is_stored_beside_it(node):
    (index,) = node.add(entry(7, private={"withheld": 2}))
    row = rows(node)[index]
    found = leaf.read(row.data)
    salt = node.store.read_now(lambda tx: leaves.salt(tx, agreement=AGREEMENT))
    assert (index, found.type, found.n, found.time) == (0, "part", 1, row.at)
    assert found.agreement == leaf.commit(salt, AGREEMENT.encode())
    assert found.shared == leaf.commit_body(row.shared_salt, row.shared_body)
    key = bytes.fromhex(row.private_body["salt"])
    assert found.private == leaf.commit_keyed(key, b'{"withheld":2}')
    assert row.private_body["body"] == {"withheld": 2}


def test_numbers_count_per_agreement_and_type_or_what_a_leaf_is_about(node):
    node.add(
        entry(),
        entry(type="plan"),
        entry(),
        entry(shared=None, private={"x": 1}),
        entry(agreement="urn:uuid:other"),
        entry(type="catalog", agreement=None, about="https://a/1"),
        entry(type="catalog", agreement=None, about="https://a/2"),
        entry(type="catalog", agreement=None, about="https://a/1"),
    )
    assert [row.n for row in rows(node)] == [1, 1, 2, None, 1, 1, 1, 2]


def test_one_salt_an_agreement_and_a_fresh_one_each_leaf(node):
    node.add(entry(), entry(), entry(agreement="urn:uuid:other"))
    found = [leaf.read(row.data) for row in rows(node)]
    assert found[0].agreement == found[1].agreement != found[2].agreement
    assert found[0].shared != found[1].shared


def test_a_unit_that_fails_leaves_no_leaf(node):
    def unit(tx):
        node.log.append(tx, entry(), node.now)
        raise Problem("evidence-log-empty")

    with pytest.raises(Problem):
        node.store.write_now(unit)
    assert rows(node) == []


def test_time_never_goes_back(node):
    node.add(entry())
    last = node.now

    def at(instant) -> Any:
        return node.store.write_now(lambda tx: node.log.append(tx, entry(), instant))

    at(last - timedelta(seconds=5))  # a unit that waited in the queue
    assert rows(node)[1].at == last
    with pytest.raises(Problem, match="clock-back") as caught:
        at(last - timedelta(minutes=2))
    assert caught.value.kind == "unavailable"
    assert len(rows(node)) == 2
    at(last)


def test_a_checkpoint_covers_what_was_committed(node):
    with pytest.raises(Problem, match="log-empty"):
        node.log.checkpoint()
    assert asyncio.run(node.log.advance()) is None
    for size in (1, 2, 5):
        node.add(*(entry() for _ in range(size)))
        published = node.advance()
        assert published == node.log.checkpoint() == node.advance()
        point = opened(node)
        assert (point.origin, point.size) == ("platform.example/log", len(rows(node)))
        assert point.root == expected_root(node, point.size)
    assert node.log.check() == 8


def test_proofs_from_the_level_files(node):
    node.add(*(entry(number) for number in range(70)))
    node.advance()
    size = node.log.size
    for row in rows(node):
        proof = node.log.inclusion(row.idx)
        hashed = tree.leaf_hash(row.data)
        tree.verify_inclusion(hashed, row.idx, size, proof, opened(node).root)
    for old in range(1, size):
        proof = node.log.consistency(old)
        tree.verify_consistency(old, size, proof, expected_root(node, old), opened(node).root)
    for call in (node.log.inclusion, node.log.consistency):
        with pytest.raises(Problem, match="proof-range"):
            call(3, size + 1)


def test_what_is_not_published_cannot_be_proved_or_read(node):
    node.add(entry())
    node.advance()
    node.add(entry())
    with pytest.raises(Problem, match="proof-range"):
        node.log.inclusion(1)
    with pytest.raises(Problem, match="tile-unknown"):
        node.log.tile(0, 0, 2)


def test_tiles_are_the_hashes_of_complete_subtrees(node):
    node.add(*(entry(number) for number in range(600)))
    node.advance()
    hashes = [tree.leaf_hash(row.data) for row in rows(node)]
    assert node.log.tile(0, 1) == b"".join(hashes[256:512])
    assert node.log.tile(0, 2, 88) == b"".join(hashes[512:])
    assert node.log.tile(0, 2, 3) == b"".join(hashes[512:515])
    edge = tree.Edge()
    for hashed in hashes[:256]:
        edge, _ = tree.append(edge, hashed)
    assert node.log.tile(1, 0, 2)[:32] == tree.root(edge)
    for place in ((0, 2, 89), (0, 2, 256), (1, 0, 3), (2, 0, 1), (0, -1, 1), (0, 0, 0), (8, 0, 1)):
        with pytest.raises(Problem, match="tile-unknown"):
            node.log.tile(*place)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("0/000", (0, 0, 256)),
        ("0/x001/x234/067", (0, 1_234_067, 256)),
        ("2/005.p/17", (2, 5, 17)),
        ("1/x012/345.p/255", (1, 12_345, 255)),
    ],
)
def test_tile_paths(path, place):
    assert levels.read_tile_path(path) == place
    assert levels.tile_path(*place) == path


NO_TILES = [
    "0",
    "0/",
    "0/0",
    "0/00",
    "0/x000/001",
    "0/001.p/",
    "0/001.p/0",
    "0/001.p/256",
    "0/001.p/01",
    "00/001",
    "-1/001",
    "0/٠٠١",
    "0/../001",
    "0/1001",
    "0/001/002",
    "a/001",
    "0/x001/x001/x001/x001/x001/001",
    "0/001.p/1/2",
    "0/001.p/300",
    "999/001",
]


@pytest.mark.parametrize("path", ["", *NO_TILES])
def test_other_paths_are_no_tiles(path):
    with pytest.raises(Problem, match="tile-path"):
        levels.read_tile_path(path)


# ------------------------------------------------------------------- crashes: what was persisted


def test_leaves_committed_but_never_hashed(node):
    node.add(entry(), entry())
    reopen(node)
    assert opened(node).size == 2
    assert opened(node).root == expected_root(node, 2)


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "kept"])
def test_hashes_written_but_no_checkpoint(node, persisted, monkeypatch):
    """The write fails; whether the checkpoint reached the disk all the same is not known."""
    node.add(entry())
    before = node.advance()
    node.add(entry(), entry())
    write = node.store.write

    async def failing(unit):
        if persisted:
            await write(unit)
        raise Problem("store-disk-full")

    monkeypatch.setattr(node.store, "write", failing)
    with pytest.raises(Problem, match="disk-full"):
        node.advance()
    assert node.log.checkpoint() == before
    monkeypatch.undo()
    node.add(entry())
    node.advance()
    assert opened(node).size == 4
    reopen(node)
    assert opened(node).root == expected_root(node, 4)


def test_a_disk_that_is_full_under_the_level_files_only_delays_a_checkpoint(node, monkeypatch):
    """It takes a part of what is written before it says so."""
    node.add(entry())
    before = node.advance()
    node.add(entry(), entry(), entry())
    pwrite, room = os.pwrite, 50

    def full(descriptor, data, offset):
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        fits = min(room, len(data))
        room -= fits
        return pwrite(descriptor, data[:fits], offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(Problem, match="evidence-disk"):
        node.advance()
    assert node.log.checkpoint() == before
    room = 1_000
    node.advance()
    assert opened(node).root == expected_root(node, 4)
    assert node.log._levels.sound(4, 4)
    assert node.log.check() == 4


@pytest.mark.parametrize("persisted", [False, True], ids=["lost", "kept"])
def test_the_process_dies_there(node, persisted, monkeypatch):
    node.add(entry())
    node.advance()
    node.add(entry(), entry())
    write = node.store.write

    async def dying(unit):
        if persisted:
            await write(unit)
        raise KeyboardInterrupt

    monkeypatch.setattr(node.store, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        node.advance()
    monkeypatch.undo()
    reopen(node)
    assert opened(node).size == 3
    assert opened(node).root == expected_root(node, 3)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "gone": shutil.rmtree,
    "level-gone": lambda folder: (folder / "level-01").unlink(),
    "cut": lambda folder: (folder / "level-00").write_bytes(b"x" * 33),
    "empty": lambda folder: (folder / "level-02").write_bytes(b""),
    "changed": lambda folder: (folder / "level-02").write_bytes(b"\0" * 64),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_level_files_are_rebuilt(node, damage):
    node.add(*(entry(number) for number in range(11)))
    published = node.advance()
    node.log.close()
    DAMAGES[damage](node.folder / "log")
    node.log = node.open_log()
    assert node.log.checkpoint() == published
    for row in rows(node):
        hashed = tree.leaf_hash(row.data)
        proof = node.log.inclusion(row.idx)
        tree.verify_inclusion(hashed, row.idx, 11, proof, opened(node).root)


def test_hashes_of_leaves_that_were_never_committed_are_forgotten(node):
    node.add(entry())
    node.advance()
    node.log.close()
    stray = levels.Levels(node.folder / "log")
    stray.extend(stray.edge(1), [bytes(32)] * 5)
    stray.close()
    node.log = node.open_log()
    node.add(entry(), entry())
    node.advance()
    assert opened(node).root == expected_root(node, 3)


# ----------------------------------------------------------------------- start-ups that refuse


def change(node, sql) -> None:
    """What a hand in the database would do: past every repository."""
    import sqlite3

    node.close()
    with sqlite3.connect(node.folder / "node.db") as connection:
        connection.execute(sql)
    connection.close()
    from connector.store.store import Store

    node.store = Store.open(node.folder / "node.db")


def refused(node, code, **given) -> None:
    with pytest.raises(Problem, match=code) as caught:
        node.log = node.open_log(**given)
    assert caught.value.text("fr")
    assert caught.value.remedy("en")


@pytest.fixture
def filled(node):
    node.add(*(entry(number) for number in range(9)))
    node.advance()
    return node


def test_a_log_that_shrank_is_refused(filled):
    change(filled, "DELETE FROM leaf WHERE idx >= 7")
    refused(filled, "log-shorter")


def test_a_leaf_that_was_changed_is_refused(filled):
    change(filled, "UPDATE leaf SET bytes = x'00' WHERE idx = 3")
    refused(filled, "log-disagrees")


def test_a_leaf_that_was_changed_is_refused_when_the_levels_are_gone_too(filled):
    change(filled, "UPDATE leaf SET bytes = x'00' WHERE idx = 3")
    shutil.rmtree(filled.folder / "log")
    refused(filled, "log-disagrees")


def test_a_hole_is_refused(filled):
    change(filled, "DELETE FROM leaf WHERE idx = 3")
    refused(filled, "log-hole")


def test_a_checkpoint_of_another_key_or_name_is_refused(filled, parties):
    filled.log.close()
    other = parties["lab"]
    refused(filled, "log-checkpoint", key=other.public("log"), sign=other.key("log").sign)
    refused(filled, "log-checkpoint", origin="platform.example/other")


def test_a_checkpoint_whose_row_says_otherwise_is_refused(filled):
    change(filled, "UPDATE checkpoint SET size = 8")
    refused(filled, "log-checkpoint")


def test_a_checkpoint_is_never_replaced_by_a_smaller_or_another_one(filled):
    filled.add(entry())
    ahead = CheckpointRow(99, bytes(32), "x", START)
    filled.store.write_now(lambda tx: leaves.put_checkpoint(tx, ahead))
    with pytest.raises(Problem, match="log-disagrees"):
        filled.advance()
    assert opened(filled).size == 9


def test_a_full_check_finds_a_changed_leaf_that_a_start_does_not_look_at(node):
    node.add(*(entry(number) for number in range(1100)))
    node.advance()
    from sqlalchemy import literal, update

    change_leaf = Statement(
        update(LEAF).where(LEAF.c.idx == literal(3)).values(bytes=literal(b"x"))
    )
    node.store.write_now(lambda tx: tx.change(change_leaf))
    reopen(node)
    with pytest.raises(Problem, match="log-disagrees"):
        node.log.check()
