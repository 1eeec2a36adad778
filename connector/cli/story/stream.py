"""A stream of numbers that is the same on every machine and in every version of Python.

SHA-256 in counter mode over a seed: the generator of traces must repeat itself exactly, and the
node's own randomness (`connector.base.ids`) is none of its business.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")


class Stream:
    """Draws that depend on the seed and on the draws before, nothing else."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._count = 0

    def bytes(self) -> bytes:
        """The next 32 bytes."""
        self._count += 1
        return hashlib.sha256(self._seed + b":%d" % self._count).digest()

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int.from_bytes(self.bytes()[:8]) % limit

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True in so many cases of a hundred."""
        return self.below(100) < percent

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def uuid(self) -> str:
        """A UUID of version 4."""
        return str(UUID(bytes=self.bytes()[:16], version=4))
