"""Remembering what was made of a value that never changes.

Rules, duties and constraints are immutable, and the same bytes of rules give the same objects
(`odrl.read`). What follows from one of them alone is worked out once and found by its identity,
which spares the hash of the whole part. Nothing that can change may be remembered here.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

_MOST: Final = 2048

_FORGET: Final[list[Callable[[], None]]] = []

Made = TypeVar("Made", bound=Callable[..., Any])


def by_identity(make: Made) -> Made:
    """`make(part, *rest)`, worked out once for each part (by identity) and rest (by value).

    The result must be one that nobody can change, or be copied before somebody gets it.
    """
    known: dict[tuple[object, ...], tuple[object, object]] = {}

    def remembered(part: object, *rest: object) -> object:
        key = (id(part), *rest)
        found = known.get(key)
        if found is not None:
            return found[1]
        made = make(part, *rest)
        if len(known) >= _MOST:
            known.clear()
        # What is kept here cannot be freed, so its id stays its own.
        known[key] = (part, made)
        return made

    remembered.__doc__ = make.__doc__
    remembered.__name__ = make.__name__
    _FORGET.append(known.clear)
    return remembered  # type: ignore[return-value]


class Found:
    """Values of which something was found that cannot change, known by their identity."""

    def __init__(self) -> None:
        self._known: dict[int, object] = {}
        _FORGET.append(self._known.clear)

    def __contains__(self, part: object) -> bool:
        return id(part) in self._known

    def update(self, parts: Iterable[object]) -> None:
        """It was found of these, too."""
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known.update((id(part), part) for part in parts)


def forget() -> None:
    """Drop all that is remembered (for measuring)."""
    for each in _FORGET:
        each()
