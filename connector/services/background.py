"""Work that goes on beside requests: named tasks, one of a name at a time, ended on shutdown."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from connector.base import telemetry


class Background:
    """The running tasks by name. Lost work is found again in the store at the next start."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> bool:
        """Run `work` under `name`; False, and nothing happens, while that name is running."""
        if self.running(name):
            work.close()
            return False
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)
        return True

    def running(self, name: str) -> bool:
        """Whether work of this name goes on."""
        task = self._tasks.get(name)
        return task is not None and not task.done()

    async def ended(self, name: str) -> None:
        """Wait until the work of this name is over, if there is any."""
        task = self._tasks.get(name)
        if task is not None:
            await asyncio.wait([task])

    async def idle(self) -> None:
        """Wait until no work is left."""
        while tasks := [task for task in self._tasks.values() if not task.done()]:
            await asyncio.wait(tasks)

    async def stop(self) -> None:
        """Cancel what runs and wait for it to end."""
        tasks = [task for task in self._tasks.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._tasks.get(task.get_name()) is task:
            del self._tasks[task.get_name()]
        if not task.cancelled() and (error := task.exception()) is not None:
            telemetry.failure("background-failed", error, task=task.get_name().partition(":")[0])
