"""Runs seeds: many in a row, or one of them told step by step."""

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.simulation import world as worlds
from tests.simulation.judge import judge
from tests.simulation.schedule import play
from tests.simulation.world import Template

_FAST = Path("/dev/shm")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Tally:
    """How much happened in some schedules."""

    schedules: int = 0
    messages: int = 0
    deaths: int = 0
    agreements: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.schedules + other.schedules,
            self.messages + other.messages,
            self.deaths + other.deaths,
            self.agreements + other.agreements,
        )


class Broken(AssertionError):
    """A promise did not hold; the seed and what happened, told in order."""


class Inline(ThreadPoolExecutor):
    """Does at once what is meant for a thread: when a thread ends is no seed's choice."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*given, **named))
        except Exception as error:  # noqa: BLE001  (it is its caller's)
            future.set_exception(error)
        return future


def run(seeds: Iterable[int]) -> Tally:
    """Play these schedules one after the other.

    Raises:
        Broken: what the first seed broke.
    """
    heard = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    place = _FAST if _FAST.is_dir() else None
    try:
        with tempfile.TemporaryDirectory(prefix="preau-simulation-", dir=place) as folder:
            return asyncio.run(_run(Path(folder), seeds))
    finally:
        logging.disable(heard)


def many(first: int, last: int) -> Tally:
    """Play the seeds from `first` up to but without `last`, on all cores. Raises like `run`.

    Of several test processes side by side, each takes its share of the cores.
    """
    cores = (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    chunks = [range(start, min(start + _CHUNK, last)) for start in range(first, last, _CHUNK)]
    # Not by fork: a test process has threads.
    with ProcessPoolExecutor(max(1, cores), mp_context=get_context("spawn")) as pool:
        return sum(pool.map(run, chunks), Tally())


async def _run(folder: Path, seeds: Iterable[int]) -> Tally:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # crashes are ours
    found = await worlds.template(folder / "template")
    asyncio.get_running_loop().set_default_executor(Inline())
    total = Tally()
    for seed in seeds:
        total += await one(found, seed, folder)
    return total


async def one(found: Template, seed: int, scratch: Path) -> Tally:
    """One schedule, judged."""
    world = worlds.made(found, seed, scratch)
    try:
        await play(world)
        judge(world)
        (agreements,) = world.provider.raw.execute("SELECT count(*) FROM agreement").fetchone()
        deaths = sum(side.deaths for side in world.sides)
        return Tally(1, len(world.network.seen), deaths, agreements)
    except Exception as error:
        story = "\n".join(world.network.seen)
        raise Broken(f"seed {seed}: {type(error).__name__}: {error}\n{story}") from error
    finally:
        await worlds.ended(world)
