"""The page `docs/lint.md`, drawn from the texts of the findings.

Draw it: python -c 'from policies.lint.documentation import page; print(page(), end="")'.
"""

from typing import Final

from policies.lint.finding import Finding
from policies.lint.texts import TEXTS

_HEAD: Final = """# What the linter finds

Drawn from `policies/lint/texts.py` by `policies/lint/documentation.py`; a test compares. Each
finding has offers with and without it in `tests/policies/lint_cases`. One that *refuses* forbids
publishing; one that *warns* is shown, and written into the log.

"""


def page() -> str:
    """The whole of `docs/lint.md`."""
    refusing = [code for code in sorted(TEXTS) if Finding(code, "").severity == "refuses"]
    warning = [code for code in sorted(TEXTS) if code not in refusing]
    return (
        _HEAD
        + f"## Refuses\n\n{''.join(map(_entry, refusing))}"
        + f"\n## Warns\n\n{''.join(map(_entry, warning))}"
    )


def _entry(code: str) -> str:
    text = TEXTS[code]
    en, fr = text.en.removeprefix("{path}: "), text.fr.removeprefix("{path} : ")
    return (
        f"- `{code.removeprefix('policy-lint-')}`: {en} *{text.do_en}*\n  — {fr} *{text.do_fr}*\n"
    )
