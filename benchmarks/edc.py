"""Two Eclipse EDC connectors that negotiate with each other, beside us in the same run.

The EDC is that of `make interop`: 0.14.1 from Maven, mock identity, one process a connector, **all
stores in memory**, which favours it: our every step is durable. A *pair* is one that asks and one
that is asked, with their state machines' waits as they come (1 s) or tuned (50 ms, what EDC's own
end-to-end tests use). What is not being measured is stopped (SIGSTOP), so that only those who are
compared share the cores.

An exchange is what its operator sees: from the POST to the management API until that says
FINALIZED, asked every 10 ms (EDC tells nobody by itself). It knows its offer already, which
favours it too: we fetch the peer's catalog head each time.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import cpu_of
from tests.interop.edc import Edc, available

__all__ = ["DEFAULT", "TUNED", "EdcPair", "available", "pairs"]

DEFAULT: Final = "EDC default"
TUNED: Final = "EDC tuned"
WAITS: Final = {TUNED: 50, DEFAULT: 1000}
"""Milliseconds between two turns of a state machine that found nothing to do."""
_BETWEEN: Final = 0.01
_PATIENCE: Final = 120.0
_ASSET: Final = "asset"


@dataclass(slots=True)
class EdcPair:
    """One that asks, one that is asked; `lost` counts negotiations that did not end FINALIZED."""

    asker: Edc
    asked: Edc
    offer: dict[str, Any] = field(default_factory=dict)
    lost: int = 0

    def begin(self) -> None:
        """Start both and put one asset on offer."""
        self.asked.start()
        self.asker.start()
        self.asked.offer(_ASSET, "http://127.0.0.1:9/nothing")
        found = self.asker.dataset(self.asked.id, self.asked.dsp, _ASSET)["hasPolicy"]
        self.offer = found[0] if isinstance(found, list) else found

    def slice_of(self, count: int, at_once: int) -> tuple[list[float], float, float]:
        """So many negotiations, so many at a time: each one's ms, how many a second, CPU-ms each.

        Those that were lost count in neither.
        """
        spans: list[float] = []
        left, lock = iter(range(count)), threading.Lock()

        def go() -> None:
            while True:
                with lock:
                    if next(left, None) is None:
                        return
                started = time.perf_counter()
                if self._negotiate():
                    spans.append((time.perf_counter() - started) * 1000)

        cpu = self._cpu()
        started = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            for each in [pool.submit(go) for _ in range(at_once)]:
                each.result()
        rate = len(spans) / (time.perf_counter() - started)
        self.lost += count - len(spans)
        return spans, rate, (self._cpu() - cpu) * 1000 / count

    def pause(self) -> None:
        """Leave the cores to others."""
        self.asker.pause()
        self.asked.pause()

    def go_on(self) -> None:
        """Take part again."""
        self.asked.go_on()
        self.asker.go_on()

    def stop(self) -> None:
        """End both, paused or not."""
        for each in (self.asker, self.asked):
            if each.process is not None and each.process.poll() is None:
                each.go_on()
            each.stop()

    def _negotiate(self) -> bool:
        """One negotiation; False when it was terminated (EDC's race with itself)."""
        ident = self.asker.negotiate(self.asked.id, self.asked.dsp, _ASSET, self.offer)
        end = time.perf_counter() + _PATIENCE
        while time.perf_counter() < end:
            state = self.asker.negotiation(ident)["state"]
            if state in ("FINALIZED", "TERMINATED"):
                return bool(state == "FINALIZED")
            time.sleep(_BETWEEN)
        return False

    def _cpu(self) -> float:
        found = (each.process for each in (self.asker, self.asked))
        return sum(cpu_of(process.pid) for process in found if process is not None)


@contextlib.contextmanager
def pairs(folder: Path) -> Iterator[dict[str, EdcPair]]:
    """A tuned pair and one as it comes, warm and stopped for now."""
    made: dict[str, EdcPair] = {}
    try:
        for name, wait in WAITS.items():
            short = name.rpartition(" ")[2]
            asker, asked = (
                Edc.make(folder / f"{short}-{who}", f"{short}-{who}", wait_millis=wait)
                for who in ("asker", "asked")
            )
            made[name] = EdcPair(asker, asked)
            made[name].begin()
            made[name].slice_of(32, 8)
            made[name].lost = 0
            made[name].pause()
        yield made
    finally:
        for pair in made.values():
            pair.stop()
