"""`python -m tests.simulation SEED` tells one schedule again; `FIRST LAST` plays many."""

import sys
import time

from tests.simulation.running import many, run


def main() -> None:
    """Run the seeds that were asked for."""
    first, *rest = map(int, sys.argv[1:])
    started = time.perf_counter()
    tally = many(first, rest[0]) if rest else run([first])
    sys.stdout.write(f"{tally} in {time.perf_counter() - started:.0f} s\n")


if __name__ == "__main__":
    main()
