"""EDC's `QuerySpec`, the one `filter` that a catalog request may carry (DSP leaves the language
open): which slice of the catalog is wanted. An EDC sends one with every request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from catalog.foreign import plain

MAX_LIMIT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Slice:
    """Datasets `start` to `stop` (excluded) of a catalog's order; `stop` None is its end."""

    start: int = 0
    stop: int | None = None


def read(filters: Sequence[object]) -> Slice | None:
    """The slice that a `filter` asks for; the whole for none, None for one we do not understand.

    A condition (`filterExpression`) or an order of its own is one we do not understand.
    """
    if not filters:
        return Slice()
    if len(filters) != 1 or not isinstance(filters[0], Mapping):
        return None
    members = plain(filters[0])
    if members.get("@type") != "QuerySpec" or members.get("filterExpression") or _sorted(members):
        return None
    offset, limit = members.get("offset", 0), members.get("limit", MAX_LIMIT)
    if type(offset) is not int or type(limit) is not int or offset < 0 or limit < 1:
        return None
    return Slice(offset, offset + min(limit, MAX_LIMIT))


def _sorted(members: Mapping[str, Any]) -> bool:
    return bool(members.get("sortField"))
