"""`python -m benchmarks [NAME …]`: run all scripts, or those named, each in its own process."""

import subprocess
import sys
from typing import Final

SCRIPTS: Final = (
    "startup",
    "negotiation",
    "catalog",
    "publish",
    "transfer",
    "consent",
    "log",
    "policies",
    "compiled",
    "refusals",
)


def main(names: list[str]) -> int:
    """The number of scripts that failed."""
    unknown = sorted(set(names) - set(SCRIPTS))
    if unknown:
        print(f"Unknown: {', '.join(unknown)}. There are: {', '.join(SCRIPTS)}.")
        return 2
    failed = 0
    for name in names or SCRIPTS:
        failed += subprocess.call([sys.executable, "-m", f"benchmarks.{name}"]) != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
