"""One finding of the doctor, and all of them as a report."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from policies.problem import Language, Problem

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `problem` says what to do, unless all is well."""

    check: str
    level: Level
    fr: str
    en: str
    problem: Problem | None = None

    @property
    def code(self) -> str | None:
        """The code of the problem, if there is one."""
        return None if self.problem is None else self.problem.code

    def text(self, lang: Language) -> str:
        """The sentence in a language."""
        return self.fr if lang == "fr" else self.en

    def document(self) -> dict[str, Any]:
        """The finding as JSON."""
        document: dict[str, Any] = {
            "check": self.check,
            "level": self.level,
            "fr": self.fr,
            "en": self.en,
        }
        if self.problem is not None:
            document["code"] = self.problem.code
            document["do"] = {"fr": self.problem.remedy("fr"), "en": self.problem.remedy("en")}
        return document


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the doctor found, in the order of the checks."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Report":
        """A report of these findings."""
        return cls(tuple(findings))

    @property
    def healthy(self) -> bool:
        """Whether nothing failed; warnings do not count."""
        return not self._at("failure")

    def document(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "v": 1,
            "ok": self.healthy,
            "failures": self._at("failure"),
            "warnings": self._at("warning"),
            "checks": [finding.document() for finding in self.findings],
        }

    def _at(self, level: Level) -> int:
        return sum(finding.level == level for finding in self.findings)


def good(check: str, fr: str, en: str) -> Finding:
    """All is well, or as well as can be known."""
    return Finding(check, "ok", fr, en)


def warning(check: str, problem: Problem) -> Finding:
    """It works, but somebody should look."""
    return Finding(check, "warning", problem.text("fr"), problem.text("en"), problem)


def failure(check: str, problem: Problem) -> Finding:
    """It does not work, or will not much longer."""
    return Finding(check, "failure", problem.text("fr"), problem.text("en"), problem)
