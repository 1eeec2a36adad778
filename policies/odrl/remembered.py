"""What was read of the same bytes before.

The same terms are read at every step of a negotiation, and requests for one offer differ in a few
constraints only. What is remembered is found by its own bytes, member order included, so it can be
nobody else's; refusals are never remembered, so that each names its own place.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

import orjson

Read = TypeVar("Read", bound=Callable[..., Any])


class _Spelled:
    """A JSON value and what else it is read by, compared by its bytes and that; `arguments` are
    for the first reading only.
    """

    __slots__ = ("_key", "arguments")

    def __init__(self, key: tuple[object, ...], arguments: tuple[object, ...]) -> None:
        self._key = key
        self.arguments = arguments

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Spelled) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def by_bytes(most: int, longest: int) -> Callable[[Read], Read]:
    """Have `read(data, where, *rest)` read the same bytes once, while they are among the `most`
    latest; `where` is for problems only. Longer values than `longest` bytes are read each time.
    """

    def decorate(read: Read) -> Read:
        @lru_cache(maxsize=most)
        def first(spelled: _Spelled) -> object:
            made = read(*spelled.arguments)
            spelled.arguments = ()  # its bytes are enough to find it again
            return made

        @wraps(read)
        def remembered(data: object, where: str, *rest: object) -> object:
            try:
                written = orjson.dumps(data)
            except TypeError:  # no plain JSON
                return read(data, where, *rest)
            if len(written) > longest:
                return read(data, where, *rest)
            return first(_Spelled((written, *rest), (data, where, *rest)))

        return cast("Read", remembered)

    return decorate
