"""JSON text kept packed: small to keep, and ready for whoever takes it so."""

import gzip
from dataclasses import dataclass
from typing import Final

import orjson

_LEVEL: Final = 4


@dataclass(frozen=True, slots=True)
class Packed:
    """One JSON document as a gzip member (RFC 1952), without a time in it."""

    data: bytes

    @classmethod
    def of(cls, value: object) -> "Packed":
        """A JSON value, written and packed."""
        return cls.of_text(orjson.dumps(value))

    @classmethod
    def of_text(cls, text: bytes) -> "Packed":
        """JSON text that is written already."""
        return cls(gzip.compress(text, _LEVEL, mtime=0))

    def text(self) -> bytes:
        """The JSON text."""
        return gzip.decompress(self.data)
