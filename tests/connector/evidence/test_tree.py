"""The tree against its definition, exhaustively for small sizes, and against official vectors."""

import base64
import hashlib
import json
from itertools import pairwise

import pytest

from connector.evidence import tree
from policies.problem import Problem

SIZES = range(1, 65)
LEAVES = [tree.leaf_hash(str(number).encode()) for number in range(64)]


def defined_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    left, right = defined_root(leaves[:half]), defined_root(leaves[half:])
    return hashlib.sha256(b"\x01" + left + right).digest()


ROOTS = [defined_root(LEAVES[:size]) for size in range(65)]


def read(level, index) -> bytes:
    """A reader that holds nothing but what complete subtrees of 64 leaves give."""
    start = index << level
    assert start + (1 << level) <= 64
    return defined_root(LEAVES[start : start + (1 << level)])


def test_appending_gives_the_defined_roots_and_subtrees():
    edge, levels = tree.Edge(), dict[int, list[bytes]]()
    for size, leaf in enumerate(LEAVES, start=1):
        edge, completed = tree.append(edge, leaf)
        for level, record in enumerate(completed):
            levels.setdefault(level, []).append(record)
        assert tree.root(edge) == ROOTS[size]
        assert len(edge.peaks) == size.bit_count()
        assert tree.edge_at(read, size) == edge
    for level, records in levels.items():
        assert records == [read(level, index) for index in range(len(records))]


def test_an_empty_tree_has_the_hash_of_nothing():
    assert tree.root(tree.Edge()) == tree.EMPTY_ROOT == ROOTS[0]
    assert tree.edge_at(read, 0) == tree.Edge()


@pytest.mark.parametrize("size", SIZES)
def test_every_inclusion_proof_verifies_at_its_place_only(size):
    for index in range(size):
        proof = tree.inclusion(read, index, size)
        tree.verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
        for other in {index - 1, index + 1, index ^ 1} - {index}:
            with pytest.raises(Problem, match="inclusion-wrong"):
                tree.verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])


@pytest.mark.parametrize("new", SIZES)
def test_every_consistency_proof_verifies_between_its_sizes_only(new):
    for old in range(1, new + 1):
        proof = tree.consistency(read, old, new)
        tree.verify_consistency(old, new, proof, ROOTS[old], ROOTS[new])
        with pytest.raises(Problem, match="consistency-wrong"):
            tree.verify_consistency(old, new, proof, ROOTS[old - 1], ROOTS[new])
        with pytest.raises(Problem, match="consistency-wrong"):
            tree.verify_consistency(old, new, (*proof, LEAVES[0]), ROOTS[old], ROOTS[new])
        if proof:
            with pytest.raises(Problem, match="consistency-wrong"):
                tree.verify_consistency(old, new, proof[:-1], ROOTS[old], ROOTS[new])


def test_a_proof_with_any_bit_changed_is_refused():
    proof = tree.inclusion(read, 21, 50)
    for place, sibling in enumerate(proof):
        bad = bytes([sibling[0] ^ 1]) + sibling[1:]
        changed = (*proof[:place], bad, *proof[place + 1 :])
        with pytest.raises(Problem, match="inclusion-wrong"):
            tree.verify_inclusion(LEAVES[21], 21, 50, changed, ROOTS[50])


def test_every_log_extends_the_empty_one_so_that_proof_is_refused():
    with pytest.raises(Problem, match="consistency-wrong"):
        tree.verify_consistency(0, 5, (), tree.EMPTY_ROOT, ROOTS[5])
    with pytest.raises(Problem, match="proof-range"):
        tree.consistency(read, 0, 5)


def test_a_leaf_hash_that_is_none_is_refused():
    with pytest.raises(Problem, match="inclusion-wrong"):
        tree.verify_inclusion(b"", 0, 1, (), b"")


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0), (5, 4)])
def test_there_is_no_proof_outside_the_tree(index, size):
    with pytest.raises(Problem, match="proof-range"):
        tree.inclusion(read, index, size)


def test_roots_of_growing_trees_differ():
    assert all(one != two for one, two in pairwise(ROOTS))


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_official_vectors(official, kind):
    """transparency-dev/merkle; its `subtree…` folders are newer drafts, and not selected."""
    paths = sorted(official(f"vectors/merkle/{kind}").rglob("*.json"))
    assert len(paths) == 98
    for path in paths:
        vector = json.loads(path.read_text())
        assert _accepts(kind, vector) != vector["wantErr"], path.name


def _accepts(kind, vector) -> bool:
    proof = [base64.b64decode(item) for item in vector["proof"] or []]
    hashes = {
        name: base64.b64decode(vector.get(name) or "")
        for name in ("leafHash", "root", "root1", "root2")
    }
    try:
        if kind == "inclusion":
            place = vector["leafIdx"], vector["treeSize"]
            tree.verify_inclusion(hashes["leafHash"], *place, proof, hashes["root"])
        else:
            sizes = vector["size1"], vector["size2"]
            tree.verify_consistency(*sizes, proof, hashes["root1"], hashes["root2"])
    except Problem:
        return False
    return True
