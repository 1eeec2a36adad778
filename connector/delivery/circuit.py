"""When a peer that does not answer may be tried again (circuit breaker). Pure.

    closed ── FAILURES in a row ──> open ── the pause is over ──> half-open
      ^                              ^                                │
      └───────── an answer ──────────┼──────────── one attempt ───────┤
                                     └── fails: a pause twice as long ┘

While a circuit is open the worker leaves the peer's messages alone: they use up no attempt, no
connection and no place among the deliveries in flight. An answer of any status closes it, for a
peer that answers is there.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

FAILURES: Final = 3
PAUSE: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(minutes=5)

State = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is known about one peer: failures in a row, and until when it is left alone."""

    failures: int = 0
    until: datetime | None = None
    trying: bool = False

    def state(self, now: datetime) -> State:
        """Closed: free to send; open: wait; half-open: one attempt may find out."""
        if self.until is None:
            return "closed"
        return "half-open" if now >= self.until else "open"

    def admits(self, now: datetime) -> bool:
        """Whether an attempt may start now."""
        state = self.state(now)
        return state == "closed" or (state == "half-open" and not self.trying)

    def started(self, now: datetime) -> "Circuit":
        """An attempt has started; in half-open it is the only one."""
        return replace(self, trying=self.state(now) == "half-open")

    def succeeded(self) -> "Circuit":
        """The peer answered."""
        return Circuit()

    def failed(self, now: datetime) -> "Circuit":
        """The peer did not answer."""
        if self.until is not None and now < self.until:
            # An attempt from before the circuit opened: it tells nothing new. Where many were
            # under way, to count them would make the first pause the longest.
            return self
        failures = self.failures + 1
        if failures < FAILURES:
            return Circuit(failures)
        pause = min(PAUSE * 2 ** min(failures - FAILURES, 16), LONGEST)
        return Circuit(failures, now + pause)
