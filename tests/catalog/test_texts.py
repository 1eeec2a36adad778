"""Every problem of this package has a text, and every text a problem."""

import re
from pathlib import Path

import catalog
from catalog.texts import TEXTS


def test_codes_in_the_code_are_codes_in_the_table() -> None:
    used: set[str] = set()
    for path in Path(catalog.__file__).parent.glob("*.py"):
        if path.name != "texts.py":
            used |= set(re.findall(r'"(catalog-[a-z-]+)"', path.read_text(encoding="utf-8")))
    assert used == set(TEXTS)


def test_both_languages_fill_in_the_same_values() -> None:
    for code, text in TEXTS.items():
        assert text.fr.strip(), code
        assert text.do_fr.strip(), code
        assert set(re.findall(r"{(\w+)}", text.fr)) == set(re.findall(r"{(\w+)}", text.en)), code
