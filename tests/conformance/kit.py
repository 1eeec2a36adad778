"""The official kit against a node in the conformance profile: `make conformance KIT=DIR`.

DIR holds the kit's jars, from wherever the operator has them; `java` (17 or newer) must be there.
The kit ends with 0 whatever it found, so the gate is what it says: all passed, none failed, and
the run was complete. The result goes to `docs/conformance/dsp.json`.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.conformance.profile import profile
from tests.conformance.properties import write
from tests.support.source import ROOT

Json = dict[str, Any]

MAIN: Final = "org.eclipse.dataspacetck.dsp.suite.DspTckSuite"
EXPECTED: Final = 65
LIMIT: Final = 15 * 60
RESULT: Final = ROOT / "docs" / "conformance" / "dsp.json"
_OUTCOME: Final = re.compile(r"\] (SUCCESSFUL|FAILED|ABORTED): ([A-Z_]+:\d\d-\d\d)$", re.MULTILINE)


def main() -> int:
    """Run the kit; 0 only if everything passed."""
    parser = argparse.ArgumentParser(prog="make conformance")
    parser.add_argument("kit", type=Path, help="the directory with the kit's jars")
    parser.add_argument("--version", default="unknown", help="the kit's version, for the record")
    parser.add_argument("--log", type=Path, help="where the kit's own output goes")
    asked = parser.parse_args()
    jars = sorted(asked.kit.glob("*.jar"))
    if not jars:
        sys.stdout.write(
            f"There is no jar in {asked.kit}: give the directory of the kit as KIT=DIR."
        )
        return 2
    with tempfile.TemporaryDirectory() as folder, profile(Path(folder) / "node") as made:
        path = Path(folder) / "kit.properties"
        write(path, made.properties)
        said = run(jars, path)
        faults = made.faults
    if asked.log:
        asked.log.write_text(said, "utf-8")
    found = result(said, asked.version)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    for fault in faults:
        _say(f"the script could not: {fault}")
    _say(json.dumps(found))
    return 0 if complete(said) else 1


def run(jars: list[Path], properties: Path) -> str:
    """What the kit said, cut off after the time limit."""
    command = ["java", "-cp", ":".join(map(str, jars)), MAIN, "-config", str(properties)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired as late:
        return str(late.stdout or "") + "\ncut off by the time limit\n"
    return done.stdout + done.stderr


def complete(said: str) -> bool:
    """Whether the kit found nothing wrong, and looked at everything."""
    return (
        f"Passed tests: {EXPECTED}" in said
        and "Failed tests: 0" in said
        and "Test run complete" in said
    )


def result(said: str, version: str) -> Json:
    """The record of a run, for machines (B3)."""
    outcomes = {test: word for word, test in _OUTCOME.findall(said)}
    failures = sorted(test for test, word in outcomes.items() if word != "SUCCESSFUL")
    return {
        "kit": "dsp-tck",
        "version": version,
        "found": EXPECTED,
        "run": len(outcomes),
        "passed": len(outcomes) - len(failures),
        "failed": len(failures),
        "skipped": EXPECTED - len(outcomes),
        "failures": failures,
    }


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
