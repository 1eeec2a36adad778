"""Figures and the conditions they were taken under; processes seen from outside."""

import json
import os
import platform
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

RESULTS: Final = Path(__file__).with_name("results.json")
_LOOP: Final = 1_000_000
_BLOCK: Final = b"\0" * 4096


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; `baseline` names what it is held against in the same run.

    `ratio` is value / baseline_value unless said otherwise in the name; `budget` is only printed.
    """

    name: str
    value: float
    unit: str
    baseline: str | None = None
    baseline_value: float | None = None
    ratio: float | None = None
    runs: int = 1
    budget: str = ""


class Run:
    """The figures of one script, between two looks at the machine."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._figures: list[Figure] = []
        self._before = _machine()

    def note(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        against: tuple[str, float] | None = None,
        ratio: float | None = None,
        runs: int = 1,
        budget: str = "",
    ) -> None:
        """Add a figure; without `ratio` it is value over baseline."""
        baseline, held = against or (None, None)
        if ratio is None and held:
            ratio = value / held
        self._figures.append(Figure(name, value, unit, baseline, held, ratio, runs, budget))

    def finish(self) -> None:
        """Print the table and renew these figures in `results.json`."""
        after = _machine()
        conditions = {
            "cal_ms": [self._before[0], after[0]],
            "fdatasync_p50_ms": [self._before[1], after[1]],
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "load": [round(load, 2) for load in os.getloadavg()],
        }
        self._print(conditions)
        _keep(self._figures, conditions)

    def _print(self, conditions: dict[str, Any]) -> None:
        print(f"\n{self._title}")
        print(
            f"  cal {conditions['cal_ms']} ms, fdatasync p50 {conditions['fdatasync_p50_ms']} ms, "
            f"load {conditions['load']}, Python {conditions['python']}, "
            f"{conditions['cores']} cores"
        )
        rows = [("what", "value", "baseline", "ratio", "budget")]
        rows += [_row(figure) for figure in self._figures]
        widths = [max(len(row[place]) for row in rows) for place in range(5)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("  " + "  ".join(cells).rstrip())


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    held = figure.baseline_value
    baseline = "" if held is None else f"{_number(held)} ({figure.baseline})"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    value = f"{_number(figure.value)} {figure.unit}"
    return figure.name, value, baseline, ratio, figure.budget


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _machine() -> tuple[float, float]:
    """A fixed loop of 10^6 additions in ms (`cal`), and the fdatasync p50 of 4 KB appends in ms."""
    return round(median(_loop() for _ in range(5)), 1), round(median(_syncs(60)), 3)


def _loop() -> float:
    started = perf_counter()
    total = 0
    for _ in range(_LOOP):
        total += 1
    return (perf_counter() - started) * 1000


def _syncs(count: int) -> list[float]:
    spans = []
    with tempfile.TemporaryFile() as file:
        for _ in range(count):
            file.write(_BLOCK)
            file.flush()
            started = perf_counter()
            os.fdatasync(file.fileno())
            spans.append((perf_counter() - started) * 1000)
    return spans


def _keep(figures: Iterable[Figure], conditions: dict[str, Any]) -> None:
    """Replace the figures of these names; the shape is that of FORMATS "Machine figures"."""
    made = []
    for figure in figures:
        entry = asdict(figure)
        del entry["budget"]
        made.append({**entry, "conditions": conditions})
    names = {entry["name"] for entry in made}
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    kept = [entry for entry in known if entry["name"] not in names]
    RESULTS.write_text(json.dumps(kept + made, indent=1, ensure_ascii=False) + "\n", "utf-8")


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def timed(work: Callable[[], object]) -> float:
    """Seconds of wall time that a call takes."""
    started = perf_counter()
    work()
    return perf_counter() - started


def cpu_of(pid: int) -> float:
    """Seconds of processor time a process has used (ticks of 10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int | str, member: str = "RssAnon") -> float:
    """MB of a member of /proc/PID/status: RssAnon, VmRSS, VmHWM."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith(member + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0
