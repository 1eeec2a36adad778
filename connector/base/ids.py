"""Identifiers and randomness enter the node here and nowhere else."""

import secrets
import uuid
from typing import Protocol


class Ids(Protocol):
    """A source of fresh identifiers; injected so that a run can be repeated from a seed."""

    def uuid(self) -> str:
        """A fresh lower-case `urn:uuid:` name."""
        ...

    def token(self, size: int) -> bytes:
        """`size` unpredictable bytes (salts, secrets)."""
        ...


class SystemIds:
    """Identifiers from the operating system's random source."""

    def uuid(self) -> str:
        """A fresh random `urn:uuid:` name (UUIDv4)."""
        return uuid.uuid4().urn

    def token(self, size: int) -> bytes:
        """`size` bytes from the operating system."""
        return secrets.token_bytes(size)
