"""What is remembered between two questions about addresses: our own, and those of peers."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from policies.problem import Problem

FINE_FOR: Final = timedelta(minutes=10)
DOUBTED_FOR: Final = timedelta(minutes=1)
"""How long a good and a bad finding are believed without asking again."""
LOOK_PAUSE: Final = timedelta(seconds=30)
LOOKS_AT_ONCE: Final = 4


@dataclass(slots=True)
class Reach:
    """What was found at our own callback address last, and when; one question at a time.

    `certificate` is when the one before our public URL ends, as looked at `asked`.
    """

    at: datetime | None = None
    problem: Problem | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    certificate: datetime | None = None
    asked: datetime | None = None

    def fresh(self, now: datetime) -> bool:
        """Whether the finding may still be believed."""
        lasts = DOUBTED_FOR if self.problem else FINE_FOR
        return self.at is not None and timedelta(0) <= now - self.at < lasts


@dataclass(slots=True)
class Looks:
    """When each peer was looked back at; in memory, and only of known peers."""

    last: dict[str, datetime] = field(default_factory=dict)
    running: int = 0

    def admit(self, did: str, now: datetime) -> None:
        """Let a peer ask for a look.

        Raises:
            Problem: `lookback-too-often`: it asked a moment ago, or too many ask at once.
        """
        last = self.last.get(did)
        recent = last is not None and timedelta(0) <= now - last < LOOK_PAUSE
        if recent or self.running >= LOOKS_AT_ONCE:
            raise Problem("lookback-too-often", seconds=int(LOOK_PAUSE.total_seconds()))
        self.last[did] = now
