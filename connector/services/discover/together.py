"""One question for all who ask at the same time.

Whoever asks is answered by a question that was put *after* they asked, so nobody is told anything
older than they would have learnt alone: while one question is under way, those who come meanwhile
share the next.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Questions under way, and those that wait for them, by what is asked."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[T]] = {}
        self._next: dict[str, asyncio.Task[T]] = {}

    async def ask(self, key: str, put: Callable[[], Awaitable[T]]) -> T:
        """The answer to `put`, or to that of somebody who asks the same and was not sent yet.

        Raises:
            Whatever `put` raises, for all who share it.
        """
        task = self._next.get(key)
        if task is None:
            before = self._running.get(key)
            task = asyncio.create_task(self._put(key, put, before))
            if before is None:
                self._running[key] = task
            else:
                self._next[key] = task
        # One caller's cancellation is not the others'.
        return await asyncio.shield(task)

    async def _put(
        self, key: str, put: Callable[[], Awaitable[T]], before: "asyncio.Task[T] | None"
    ) -> T:
        if before is not None:
            await asyncio.wait([before])
            self._running[key] = self._next.pop(key)
        try:
            return await put()
        finally:
            if key not in self._next:
                del self._running[key]
