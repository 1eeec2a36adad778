"""Decisions remembered for as long as nothing they depend on can have changed.

A part is judged again and again under the same agreement for the same party. Between two instants
that its clauses name, the clock changes no outcome; so a decision is kept with the first instant
at which it might, and with the facts that it was made on. Anything else is decided anew.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from policies.decision import Decision
from policies.model import Policy
from policies.standing import next_change

Key = tuple[object, ...]

_MOST: Final = 1024


@dataclass(frozen=True, slots=True)
class _Kept:
    since: datetime
    until: datetime | None
    decision: Decision


class Judgements:
    """One for each node; a cache, nothing more."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()

    def find(
        self, key: Key, now: datetime, make: Callable[[], tuple[Policy, Decision]]
    ) -> Decision:
        """The decision for these facts (`key`) at this instant, made only if it may be another.

        Its instant and the clock's value in its trace are those of when it was made.
        """
        known = self._kept.get(key)
        if known and known.since <= now and (known.until is None or now < known.until):
            self._kept.move_to_end(key)
            return known.decision
        policy, decision = make()
        self._kept[key] = _Kept(now, next_change(policy, now), decision)
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return decision
