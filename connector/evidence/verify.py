"""Check a bundle alone: no network, no node, no trust in whoever made it.

Pure but for reading the files it is given; it imports neither the store nor an HTTP library.
What it establishes, in this order, is in `CHECKS`; `docs/evidence.md` shows how to do the same by
hand. What it cannot establish, it says (decision T4): that the log was shown to everybody alike
needs a checkpoint obtained elsewhere (`log_checkpoint`), and that the keys are those of the
institutions needs a comparison by another channel (`Report.keys`).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from catalog.proofs import encode_key
from connector.base import texts as _texts  # noqa: F401  registers the sentences
from connector.evidence import archive, report
from connector.evidence.case import Case
from connector.evidence.checks import ledger, release, story, terms
from connector.evidence.report import Check, Finding, Key, NotMade, Report
from policies.problem import Problem

__all__ = ["CHECKS", "Check", "Report", "verify"]

CHECKS: Final[dict[str, Callable[[Case], Iterator[Finding]]]] = {
    "index": ledger.index,
    "keys": ledger.keys,
    "checkpoint": ledger.checkpoint,
    "leaves": ledger.leaves,
    "numbering": ledger.numbering,
    "agreement": terms.agreement,
    "application": terms.application,
    "dataset": terms.dataset,
    "plan": terms.plan,
    "messages": story.messages,
    "decisions": story.decisions,
    "parts": release.parts,
    "manifest": release.manifest,
    "receipt": release.receipt,
    "private": ledger.private,
    "files": release.files,
    "log": ledger.log,
}
_MAX_FINDINGS: Final = 20


def verify(path: Path, *, log_checkpoint: bytes | None = None, files: Path | None = None) -> Report:
    """Everything that can be checked about a bundle.

    Args:
        path: the zip.
        log_checkpoint: a checkpoint of the same log that the auditor obtained elsewhere, alone or
            after its consistency proof (`note.write_advance`).
        files: the folder of the received files (`data.ndjson` or `data.csv`, `manifest.json`,
            `receipt.json`).

    Never raises for what is in the files: a bundle that cannot be read is a failed check.
    """
    try:
        content = archive.read(path)
    except Problem as problem:
        return Report((report.failed("archive", problem),))
    case = Case(content, log_checkpoint=log_checkpoint, received=files)
    checks = [report.passed("archive")]
    for name, check in CHECKS.items():
        checks.extend(_run(name, check, case))
    return Report(tuple(checks), _keys(case))


def _run(name: str, check: Callable[[Case], Iterator[Finding]], case: Case) -> list[Check]:
    """The lines of one check: its failures, or that it passed; then what could not be seen."""
    wrong: list[Problem] = []
    unseen: list[Problem] = []
    made = True
    try:
        for finding in check(case):
            if isinstance(finding, NotMade):
                unseen.append(finding.problem)
            else:
                wrong.append(finding)
    except Problem as problem:
        wrong.append(problem)
    except NotMade as reason:
        unseen.append(reason.problem)
        made = False
    lines = [report.failed(name, problem) for problem in wrong[:_MAX_FINDINGS]]
    if len(wrong) > _MAX_FINDINGS:
        more = Problem("evidence-more-failures", count=len(wrong) - _MAX_FINDINGS, where=name)
        lines.append(report.failed(name, more))
    if not wrong and made:
        lines.append(report.passed(name))
    return lines + [report.not_made(name, problem) for problem in unseen]


def _keys(case: Case) -> tuple[Key, ...]:
    """The keys of the DID documents that the log names; none if these cannot be read."""
    try:
        snapshots = case.pinned
    except Problem:
        return ()
    found = []
    for snapshot in snapshots:
        for use, keys in (("assertion", snapshot.assertion), ("log", snapshot.log)):
            found += [
                Key(snapshot.did, use, f"{name} {encode_key(key)}") for name, key in keys.items()
            ]
    return tuple(dict.fromkeys(found))
