"""Every sentence is used, every code has a sentence, and the verifier stands alone."""

import re
import string
import subprocess
import sys
from pathlib import Path

import pytest

import connector.evidence
from connector.base.texts.evidence import TEXTS
from connector.evidence import report
from connector.evidence.verify import CHECKS

SOURCES = sorted(Path(connector.evidence.__file__).parent.rglob("*.py"))


def test_codes_and_texts_are_the_same_set():
    code = "".join(path.read_text() for path in SOURCES)
    assert set(re.findall(r'"(evidence-[a-z-]+)"', code)) == set(TEXTS)


def test_both_languages_speak_of_the_same_things():
    def names(text) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for code, text in TEXTS.items():
        french, english = names(text.fr) - {"fr"}, names(text.en) - {"en"}
        assert french == english, code
        assert text.do_fr
        assert text.do_en


def test_every_check_has_its_title():
    assert set(report.TITLES) == {"archive", *CHECKS} == set(report._FILES)


@pytest.mark.parametrize(
    "module", ["verify", "bodies", "leaf", "note", "tree", "archive", "case", "keys", "report"]
)
def test_an_auditor_needs_neither_store_nor_network(module):
    script = (
        f"import connector.evidence.{module}, sys\n"
        "bad = [n for n in sys.modules if n.split('.')[0] in "
        "('sqlalchemy', 'sqlite3', 'httpx', 'aiohttp', 'fastapi', 'pyld', 'rdflib', 'duckdb')"
        " or n.startswith(('connector.store', 'connector.http', 'connector.identity'))]\n"
        "assert not bad, bad\n"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root)
