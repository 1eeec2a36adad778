"""Time enters the node here and nowhere else."""

from datetime import UTC, datetime
from typing import Protocol

from policies.problem import Problem


class Clock(Protocol):
    """The current instant; injected so that tests and decisions can hold it still."""

    def now(self) -> datetime:
        """The current instant, time zone UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current instant, time zone UTC."""
        return datetime.now(UTC)


def format_time(instant: datetime) -> str:
    """RFC 3339 in UTC with `Z`; microseconds only where there are some."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """The instant an RFC 3339 date-time names.

    Raises:
        Problem: `time-invalid`, when the text is no date-time or names no offset.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise Problem("time-invalid", value=text[:40]) from None
    if instant.tzinfo is None:
        raise Problem("time-invalid", value=text[:40])
    return instant.astimezone(UTC)
