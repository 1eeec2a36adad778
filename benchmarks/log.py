"""The log: appends a second with group commit, and an inclusion proof among many leaves."""

import asyncio
import random
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.harness import Run, percentile
from connector.base.clock import SystemClock
from connector.base.ids import SystemIds
from connector.evidence.leaf import Entry
from connector.evidence.log import Log
from connector.store.store import Store

LEAVES: Final = 100_000
AT_ONCE: Final = 256
SINGLE: Final = 20_000


async def measure(folder: Path) -> None:
    """Append one leaf a unit, then prove."""
    run = Run(f"log: {LEAVES:,} leaves")
    store = Store.open(folder / "log.db", create=True)
    key, clock = Ed25519PrivateKey.generate(), SystemClock()
    log = Log.open(
        folder / "log",
        store,
        sign=key.sign,
        key=key.public_key().public_bytes_raw(),
        origin="bench.example/log",
        clock=clock,
        ids=SystemIds(),
    )
    entry = Entry("config", None, None, {"v": 1, "change": "bench", "note": "x" * 200})

    async def appends(count: int, each: int) -> float:
        left = iter(range(count // each))

        async def go() -> None:
            for _ in left:
                await store.write(
                    lambda tx: [log.append(tx, entry, clock.now()) for _ in range(each)]
                )

        started = time.perf_counter()
        await asyncio.gather(*(go() for _ in range(AT_ONCE)))
        return count / (time.perf_counter() - started)

    rate = await appends(SINGLE, 1)
    commits = store.commits
    await appends(LEAVES - SINGLE, 100)
    started = time.perf_counter()
    await log.advance()
    hashed = (time.perf_counter() - started) * 1000
    spans = []
    for _ in range(500):
        index = random.randrange(log.size)  # noqa: S311  (which leaf is no secret)
        started = time.perf_counter()
        log.inclusion(index)
        spans.append((time.perf_counter() - started) * 1000)
    run.note(
        f"log: appends, one a unit, {AT_ONCE} waiting", rate, "/s", runs=SINGLE, budget=">= 2,000/s"
    )
    run.note("log: commits for those appends", commits, "commits")
    run.note(f"log: hashing {LEAVES:,} leaves and a checkpoint", hashed, "ms")
    run.note("log: inclusion proof p50", median(spans), "ms", runs=500, budget="<= 5 ms")
    run.note("log: inclusion proof p99", percentile(spans, 0.99), "ms", runs=500)
    run.finish()
    log.close()
    store.close()


def main() -> None:
    """Measure in a folder of its own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as d:
        asyncio.run(measure(Path(d)))


if __name__ == "__main__":
    main()
