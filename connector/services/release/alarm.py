"""What wakes the monitor: an instant that comes, or something that changed."""

import asyncio
import contextlib
from typing import Final

_LONGEST: Final = 3600.0
"""Seconds after which the clock is read again: a machine's clock may be set, or have slept."""


class Alarm:
    """One for each node. Ringing is cheap and may be done by anybody; it says only "look again"."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something changed that running agreements may depend on."""
        self._rung.set()

    async def wait(self, seconds: float | None) -> None:
        """Until somebody rings, or so many seconds have passed (None: until somebody rings)."""
        pause = _LONGEST if seconds is None else min(max(seconds, 0.0), _LONGEST)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._rung.wait()
        self._rung.clear()
