"""`python -m tests.simulation SEED`: one schedule again; `FIRST LAST`: many."""

import sys
import time

from tests.simulation.running import run


def main() -> None:
    """Run the seeds that were asked for."""
    first, last = int(sys.argv[1]), int(sys.argv[-1])
    started = time.perf_counter()
    tally = run(range(first, last + 1))
    sys.stdout.write(f"{tally} in {time.perf_counter() - started:.1f} s\n")


if __name__ == "__main__":
    main()
