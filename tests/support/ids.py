"""Identifiers and randomness that are the same in every run."""

import hashlib
import uuid


class SeededIds:
    """Implements `connector.base.ids.Ids`: a hash chain over a seed.

    Two sources with the same seed give the same sequence; with different seeds they never meet.
    """

    def __init__(self, seed: str | int = 0) -> None:
        self._seed = f"preau-tests:{seed}"
        self._count = 0

    def uuid(self) -> str:
        """The next `urn:uuid:` name (version 4 in form)."""
        return uuid.UUID(bytes=self.token(16), version=4).urn

    def token(self, size: int) -> bytes:
        """The next `size` bytes."""
        self._count += 1
        return hashlib.shake_256(f"{self._seed}:{self._count}".encode()).digest(size)
