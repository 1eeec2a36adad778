"""Building a revision, against `orjson.loads` on the same rows in the same process."""

import tempfile
from collections import deque
from pathlib import Path
from statistics import median
from typing import Final

import orjson

from benchmarks.harness import Run, timed
from benchmarks.traces import write
from connector.base.ids import SystemIds
from connector.cli.story.about import About
from connector.dataplane import about as declarations
from connector.dataplane.building import build

ROWS: Final = 100_000
ROUNDS: Final = 3


def main() -> None:
    """Alternate the two and report rows a second."""
    about = About(id="bench", fr="bench", en="bench", until="2099-01-01T00:00:00Z")
    declaration = declarations.parse(about.toml().encode())
    with tempfile.TemporaryDirectory(dir="/var/tmp") as d:
        folder = Path(d)
        source = folder / "traces.jsonl"
        write(source, ROWS)
        lines = source.read_bytes().splitlines()
        run = Run(f"publish: {len(lines):,} rows of {source.stat().st_size // len(lines):,} bytes")
        ours, yardstick = [], []
        for number in range(ROUNDS):
            yardstick.append(len(lines) / timed(lambda: deque(map(orjson.loads, lines), maxlen=0)))
            target = folder / f"revision-{number}"
            seconds = timed(
                lambda to=target: build(  # type: ignore[misc]
                    source,
                    folder=to,
                    declaration=declaration,
                    subject_secret=b"s" * 32,
                    random=SystemIds().token,
                )
            )
            ours.append(len(lines) / seconds)
        run.note(
            "publish: building a revision",
            median(ours),
            "rows/s",
            against=("orjson.loads", median(yardstick)),
            ratio=median(one / two for one, two in zip(ours, yardstick, strict=True)),
            runs=ROUNDS,
            budget=">= 0.35 (floor 0.2)",
        )
        run.finish()


if __name__ == "__main__":
    main()
