"""`python -m tests.conformance FOLDER`: a node in the conformance profile, until Ctrl-C.

Whoever wants to play the scenarios with it, from another terminal or with another kit, finds what
a kit is told in FOLDER/kit.properties. The node answers as long as this program runs, because this
program decides in people's place.
"""

import argparse
import contextlib
import signal
import sys
import threading
from pathlib import Path

from tests.conformance.profile import profile
from tests.conformance.properties import write


def main() -> None:
    """Serve until somebody has enough."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("folder", type=Path, help="a new folder for the node and its properties")
    folder: Path = parser.parse_args().folder.resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), profile(folder / "node") as made:
        path = folder / "kit.properties"
        write(path, made.properties)
        sys.stdout.write(f"{made.node.url} is ready; Ctrl-C ends it. Play its scenarios with\n")
        sys.stdout.write(f"  pytest -m slow tests/conformance/dsp --connector-properties {path}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
