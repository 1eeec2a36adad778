"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta
from typing import Final

START: Final = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


class ManualClock:
    """Implements `connector.base.clock.Clock`; starts at 2026-09-01T08:00:00Z."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant the test has set."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move by so many seconds (backwards too) and return the new instant."""
        self._now += timedelta(seconds=seconds)
        return self._now

    def set(self, instant: datetime) -> None:
        """Jump to an instant, which must name its time zone."""
        if instant.tzinfo is None:
            raise ValueError("a ManualClock needs an instant with a time zone")
        self._now = instant.astimezone(UTC)
