"""The Merkle tree of the log: RFC 6962 section 2.1, proofs and their checks as in RFC 9162.

Pure. A *complete subtree* of level k covers 2^k leaves, and its index counts such subtrees from
the left; the hashes of complete subtrees never change once known, so they are all a log keeps.
Proofs are made from a reader of those hashes and checked from nothing but their own bytes.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from policies.problem import Problem

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
_MAX_SIZE: Final = 2**63 - 1

Reader = Callable[[int, int], bytes]
"""`read(level, index)`: the hash of one complete subtree."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: all that is needed to go on appending.

    `peaks` are the hashes of the largest complete subtrees, from the left, one for each bit set
    in `size`: at most 63.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf's bytes (RFC 6962 section 2.1: prefix 0x00)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962 section 2.1: prefix 0x01)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def append(edge: Edge, leaf: bytes) -> tuple[Edge, tuple[bytes, ...]]:
    """Add a leaf hash on the right.

    Returns the new edge and the hashes of the subtrees this leaf completes, by level from 0: the
    k-th is the next record of level k, its index `edge.size >> k`.
    """
    peaks = list(edge.peaks)
    completed = [leaf]
    size = edge.size
    while size & 1:
        completed.append(node_hash(peaks.pop(), completed[-1]))
        size >>= 1
    return Edge(edge.size + 1, (*peaks, completed[-1])), tuple(completed)


def root(edge: Edge) -> bytes:
    """The root hash of the tree; that of the empty tree is SHA-256 of nothing."""
    if not edge.peaks:
        return EMPTY_ROOT
    result = edge.peaks[-1]
    for peak in reversed(edge.peaks[:-1]):
        result = node_hash(peak, result)
    return result


def edge_at(read: Reader, size: int) -> Edge:
    """The right edge of the tree of the first `size` leaves."""
    peaks, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append(read(level, start >> level))
            start += 1 << level
    return Edge(size, tuple(peaks))


def inclusion(read: Reader, index: int, size: int) -> tuple[bytes, ...]:
    """The inclusion proof of leaf `index` in the tree of the first `size` leaves.

    Raises:
        Problem: `evidence-proof-range`, when there is no such leaf.
    """
    if not 0 <= index < size <= _MAX_SIZE:
        raise Problem("evidence-proof-range", first=index, second=size)
    proof, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range_hash(read, middle, end))
            end = middle
        else:
            proof.append(_range_hash(read, start, middle))
            start = middle
    return tuple(reversed(proof))


def consistency(read: Reader, old: int, new: int) -> tuple[bytes, ...]:
    """The proof that the tree of `new` leaves extends that of `old` (RFC 9162 section 2.1.4).

    Empty when both are the same tree.

    Raises:
        Problem: `evidence-proof-range`, unless 1 <= old <= new.
    """
    if not 1 <= old <= new <= _MAX_SIZE:
        raise Problem("evidence-proof-range", first=old, second=new)
    proof: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_range_hash(read, middle, end))
            end = middle
        else:
            proof.append(_range_hash(read, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(_range_hash(read, start, end))
    return tuple(reversed(proof))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes
) -> None:
    """Check that a leaf hash lies at `index` under a root (RFC 9162 section 2.1.3.2).

    Raises:
        Problem: `evidence-inclusion-wrong`, when it does not or the proof is malformed.
    """
    wrong = Problem("evidence-inclusion-wrong", index=index, size=size)
    if not 0 <= index < size <= _MAX_SIZE or not _hashes(leaf, expected, *proof):
        raise wrong
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise wrong
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    if last or result != expected:
        raise wrong


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that one root's tree extends another's (RFC 9162 section 2.1.4.2).

    A proof from size 0 is refused: every log extends the empty one, so it would say nothing.

    Raises:
        Problem: `evidence-consistency-wrong`, when it does not or the proof is malformed.
    """
    wrong = Problem("evidence-consistency-wrong", old=old, new=new)
    if not 1 <= old <= new <= _MAX_SIZE:
        raise wrong
    if old == new and not proof and old_root == new_root:
        return  # one tree, whatever it is: nothing is hashed
    if old == new or not _hashes(old_root, new_root, *proof):
        raise wrong
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if len(path) < 1 + (old & (old - 1) == 0):
        raise wrong
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise wrong
        if node & 1 or node == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        node, last = node >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise wrong


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def _range_hash(read: Reader, start: int, end: int) -> bytes:
    """The hash over leaves [start, end), a range that the recursion of RFC 6962 makes."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return read(level, start >> level)
    middle = start + _split(size)
    return node_hash(_range_hash(read, start, middle), _range_hash(read, middle, end))


def _hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_SIZE for value in values)
