"""The requests of DSP 2025-1 "Catalog Protocol"; the answers are made by the package `catalog`."""

from dataclasses import dataclass
from typing import ClassVar, Self

from connector.protocol.messages.envelope import Message, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRequest(Message):
    """A consumer asks for the catalog ("Catalog Request Message").

    `filter` as received: DSP leaves its language open. An EDC always sends one `QuerySpec`.
    """

    TYPE: ClassVar[str] = "CatalogRequestMessage"

    filter: tuple[object, ...] = ()

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return {"filter": list(self.filter)} if self.filter else {}

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(filter=data.items("filter"), **data.header())


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRequest(Message):
    """A consumer asks for one dataset ("Dataset Request Message"; over HTTPS a GET replaces it)."""

    TYPE: ClassVar[str] = "DatasetRequestMessage"

    dataset: str

    def members(self) -> dict[str, object]:
        """See `Message`."""
        return {"dataset": self.dataset}

    @classmethod
    def read(cls, data: Reader) -> Self:
        """See `Message`."""
        return cls(dataset=data.text("dataset"), **data.header())
