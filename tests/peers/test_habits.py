"""`README.md` of this folder names the test of each habit: they exist, and every habit has one."""

import re
from pathlib import Path

from tests.support.source import ROOT

NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
TABLE = Path(__file__).with_name("README.md")


def test_each_named_test_exists():
    named = NAMED.findall(TABLE.read_text("utf-8"))
    assert len(named) > 30
    missing = [
        f"{path}::{test}"
        for path, test in named
        if f"def {test}(" not in (ROOT / "tests" / path).read_text("utf-8")
    ]
    assert missing == []


def test_each_habit_has_a_test():
    rows = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert [row for row in rows if row != "| habit | held by |" and not NAMED.search(row)] == []
