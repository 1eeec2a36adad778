"""The Merkle tree hash of a list of digests (RFC 6962, section 2.1).

A head names the root, so that one dataset can later be proved to stand in it without the rest.
The evidence log has its own, incremental tree; this one is small and computed whole.
"""

import hashlib
from collections.abc import Sequence


def root(digests: Sequence[str]) -> str:
    """The root over `sha-256:<hex>` digests, their 32 bytes being the leaves, in this order."""
    leaves = [_leaf(bytes.fromhex(digest.removeprefix("sha-256:"))) for digest in digests]
    return "sha-256:" + _tree(leaves).hex()


def _leaf(data: bytes) -> bytes:
    return hashlib.sha256(b"\0" + data).digest()


def _tree(level: list[bytes]) -> bytes:
    """Pairwise from the left; a lone last node moves up unchanged (the RFC's split at 2^k)."""
    if not level:
        return hashlib.sha256(b"").digest()
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        above = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs]
        level = above + level[len(above) * 2 :]
    return level[0]
