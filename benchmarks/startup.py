"""CPU to ready of a node, against importing what it is made of."""

import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.harness import Run, memory_of
from connector.cli.story import nodes

ROUNDS: Final = 5
_IMPORTS: Final = "import fastapi, uvicorn, sqlalchemy, httpx, jwt"


def _imports() -> float:
    """CPU seconds of the reference."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", _IMPORTS], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Alternate the two and report."""
    run = Run("start-up: `preau serve` until /health/ready, and an idle node")
    ready, reference, resident = [], [], []
    with TemporaryDirectory(dir="/var/tmp") as d:
        (node,) = nodes.make(Path(d), [("node", "Node")], "en")
        for _ in range(ROUNDS):
            reference.append(_imports())
            nodes.start([node])
            try:
                ready.append(node.ready_cpu or 0.0)
                resident.append(memory_of(node.pid, "VmRSS"))
            finally:
                nodes.stop([node])
    run.note(
        "start-up: CPU to ready",
        median(ready) * 1000,
        "ms",
        against=(_IMPORTS, median(reference) * 1000),
        ratio=median(one / two for one, two in zip(ready, reference, strict=True)),
        runs=ROUNDS,
        budget="<= 2",
    )
    run.note("start-up: idle RSS", median(resident), "MB", runs=ROUNDS, budget="<= 120 MB")
    run.finish()


if __name__ == "__main__":
    main()
