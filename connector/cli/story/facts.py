"""The facts of the demo: what was to be shown, what was measured, and whether they agree.

A fact is measured on the receiving side, or on the side that refuses; it is never taken from what
the acting node says of itself. Figures without a right answer (times, sizes) are measures.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final, Self

from connector.cli.story.matching import Mismatch
from policies.problem import Language, Problem

Said = tuple[str, str]
"""One text in French and English."""

_PROC: Final = Path("/proc")


def pick(text: Said, lang: Language) -> str:
    """The text in the language asked for."""
    return text[0] if lang == "fr" else text[1]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the table; a `detail` is printed only when it is not as stated."""

    act: str
    name: Said
    expected: Said
    measured: Said
    ok: bool
    detail: bool = False

    def document(self) -> dict[str, Any]:
        """The fact for machines."""
        return {
            "act": self.act,
            "ok": self.ok,
            **{
                key: {"fr": text[0], "en": text[1]}
                for key, text in (
                    ("name", self.name),
                    ("expected", self.expected),
                    ("measured", self.measured),
                )
            },
        }


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure; `budget` is what the design allows, None where it only reports.

    `baseline` is what the budget is measured against, taken in the same run.
    """

    key: str
    name: Said
    value: float | None
    unit: str
    budget: float | None = None
    baseline: float | None = None

    def document(self) -> dict[str, Any]:
        """The figure for machines."""
        return {
            "key": self.key,
            "name": {"fr": self.name[0], "en": self.name[1]},
            "value": self.value,
            "unit": self.unit,
            "budget": self.budget,
            "baseline": self.baseline,
        }


@dataclass(slots=True)
class Board:
    """Facts and measures as they come in."""

    facts: list[Fact] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    act: str = ""
    acts: dict[str, Said] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether there are facts, and all are as stated."""
        return bool(self.facts) and all(fact.ok for fact in self.facts)

    def note(self, name: Said, expected: object, measured: object, *, detail: bool = False) -> bool:
        """A fact that holds when both are equal."""
        ok = expected == measured
        return self.judge(name, _said(expected), _said(measured), ok=ok, detail=detail)

    def judge(
        self, name: Said, expected: Said, measured: Said, *, ok: bool, detail: bool = False
    ) -> bool:
        """A fact judged by the caller."""
        self.facts.append(Fact(self.act, name, expected, measured, ok, detail))
        return ok

    @contextmanager
    def refused(self, name: Said, *codes: str, detail: bool = False) -> Iterator[None]:
        """A fact that holds when the block is refused with one of these codes (or beginnings)."""
        expected = ("refusé", "refused")
        try:
            yield
        except Problem as problem:
            text = (problem.text("fr"), problem.text("en"))
            ok = problem.code.startswith(codes)
            self.judge(name, expected, text, ok=ok, detail=detail)
        else:
            self.judge(name, expected, ("accepté", "accepted"), ok=False)

    def measure(
        self,
        key: str,
        name: Said,
        value: float | None,
        unit: str,
        budget: float | None = None,
        baseline: float | None = None,
    ) -> None:
        """A figure."""
        self.measures.append(Measure(key, name, value, unit, budget, baseline))


class Timer:
    """Seconds since it was made, or between `with` and its end."""

    def __init__(self) -> None:
        self._start = perf_counter()
        self.seconds = 0.0

    def __enter__(self) -> Self:
        self._start = perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = perf_counter() - self._start

    def split(self) -> float:
        """Seconds so far."""
        return perf_counter() - self._start


def mismatch(reason: Mismatch) -> Said:
    """Why two sides differ."""
    return reason.fr, reason.en


def short(text: str) -> str:
    """The first digits of a digest: enough to see by eye that two are the same."""
    return text.removeprefix("sha-256:")[:12] + "…"


def median(values: Sequence[float]) -> float:
    """The middle one (the upper of two)."""
    return sorted(values)[len(values) // 2]


def resident_mb(pid: int) -> float | None:
    """Resident memory of a process in MB, None where the system does not say (`VmRSS`)."""
    try:
        status = (_PROC / str(pid) / "status").read_text("ascii", "replace")
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    return None


def cpu_seconds(pid: int, ticks: int) -> float | None:
    """Processor time a process has used so far, None where the system does not say.

    `ticks` is the system's number of clock ticks a second.
    """
    try:
        stat = (_PROC / str(pid) / "stat").read_text("ascii", "replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / ticks


def _said(value: object) -> Said:
    if value is True:
        return "oui", "yes"
    if value is False:
        return "non", "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", " "), f"{value:,}"
    return str(value), str(value)
