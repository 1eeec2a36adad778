"""Work that goes on beside requests: named tasks, one of a name at a time, ended on shutdown."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Final

from connector.base import telemetry
from policies.problem import Problem

FIRST: Final = 1.0
LONGEST: Final = 60.0
"""Seconds before work that failed is done again: doubling, between these."""

Work = Callable[[], Coroutine[Any, Any, None]]


class Background:
    """The running tasks by name. Lost work is found again in the store at the next start."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, asyncio.Event] = {}

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> bool:
        """Run `work` under `name`; False, and nothing happens, while that name is running."""
        if self.running(name):
            work.close()
            return False
        task = asyncio.create_task(work, name=name)
        self._tasks[name] = task
        task.add_done_callback(self._ended)
        return True

    def ensure(self, name: str, work: Work) -> None:
        """Have `work` done from its beginning after this moment: now, or once more when the run
        under way has ended. A run that fails is repeated, later and later: nobody else would.
        """
        asked = self._asked.setdefault(name, asyncio.Event())
        asked.set()
        self.start(name, self._until_done(name, work, asked))

    async def _until_done(self, name: str, work: Work, asked: asyncio.Event) -> None:
        pause = FIRST
        try:
            # Nothing is awaited between the last look and the end: who asks is heard.
            while asked.is_set():
                asked.clear()
                try:
                    await work()
                    pause = FIRST
                except Exception as error:  # noqa: BLE001  (whatever it was, the work is owed)
                    if isinstance(error, Problem) and error.code == "store-closed":
                        return
                    self._failed(name, error)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await asked.wait()
                    asked.set()
                    pause = min(2 * pause, LONGEST)
        finally:
            del self._asked[name]

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
            self._failed(task.get_name(), error)

    @staticmethod
    def _failed(name: str, error: BaseException) -> None:
        told = {"code": error.code} if isinstance(error, Problem) else {}
        telemetry.failure("background-failed", error, task=name.partition(":")[0], **told)
