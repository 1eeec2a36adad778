"""Between a table's columns and a frozen dataclass.

A row's dataclass names the columns it needs; the annotation of a field says how the column is read
and written: instants as fixed-width text, JSON objects and lists as text, the rest as it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar, get_args, get_origin, get_type_hints

import orjson
from sqlalchemy import Column, FromClause, Table

from connector.store.tx import Row

Json = dict[str, Any]
R = TypeVar("R")


def stamp(instant: datetime) -> str:
    """RFC 3339 in UTC, always with six decimals: such texts sort as their instants do."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return instant.isoformat(timespec="microseconds")[:-6] + "Z"


def instant(text: str) -> datetime:
    """The instant that `stamp` wrote."""
    return datetime.fromisoformat(text)


def to_text(value: object) -> str:
    """JSON, compact, members in the order given."""
    return orjson.dumps(value).decode()


def _tuple(text: str) -> tuple[str, ...]:
    return tuple(orjson.loads(text))


_NONE: Final[Mapping[str, Column[Any]]] = {}
Converter = Callable[[Any], Any]

_CONVERTERS: Final[Mapping[object, tuple[Converter, Converter]]] = {
    datetime: (instant, stamp),
    dict: (orjson.loads, to_text),
    tuple: (_tuple, to_text),
}


class Codec(Generic[R]):
    """Reads and writes one kind of row; made once per dataclass."""

    __slots__ = ("_get", "_readers", "_row", "_writers", "columns", "names", "source")

    def __init__(
        self,
        row: type[R],
        table: Table,
        instead: Mapping[str, Column[Any]] = _NONE,
        /,
        **spelled: str,
    ) -> None:
        """Fields are columns of the same name, or of the name `spelled` gives them; what is read
        from other columns `instead` is written as it is (`contents`).
        """
        hints = get_type_hints(row)
        attributes = [field.name for field in fields(row)]  # type: ignore[arg-type]
        self._row = row
        self.names: tuple[str, ...] = tuple(spelled.get(name, name) for name in attributes)
        self.source: FromClause = table
        self.columns: tuple[Column[Any], ...] = tuple(
            instead[name] if name in instead else table.c[name] for name in self.names
        )
        pairs = [(index, _converters(hints[name])) for index, name in enumerate(attributes)]
        self._readers = [(index, pair[0]) for index, pair in pairs if pair]
        self._writers = [
            (self.names[index], pair[1])
            for index, pair in pairs
            if pair and self.names[index] not in instead
        ]
        self._get = attrgetter(*attributes)

    def read(self, values: Row) -> R:
        """The dataclass of one row of `select(*codec.columns)`."""
        return self._row(*self.cells(values))

    def cells(self, values: Row) -> list[Any]:
        """The fields of one row, converted."""
        cells = list(values)
        for index, convert in self._readers:
            if cells[index] is not None:
                cells[index] = convert(cells[index])
        return cells

    def made(self, cells: list[Any]) -> R:
        """The dataclass of converted fields."""
        return self._row(*cells)

    def maybe(self, values: Row | None) -> R | None:
        """As `read`, where there may be no row."""
        return None if values is None else self.read(values)

    def values(self, row: R) -> dict[str, Any]:
        """The parameters of a statement that writes this row, by column."""
        cells = dict(zip(self.names, self._get(row), strict=True))
        for name, convert in self._writers:
            if cells[name] is not None:
                cells[name] = convert(cells[name])
        return cells


def _converters(hint: object) -> tuple[Converter, Converter] | None:
    """How a field of this type (or None) is read and written; None: as it is."""
    for kind in (hint, *get_args(hint)):
        known = _CONVERTERS.get(get_origin(kind) or kind)
        if known is not None:
            return known
    return None
