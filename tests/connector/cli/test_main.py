"""The command line before any command runs: options anywhere, subjects in two or three words,
and the language of the node at hand.
"""

from pathlib import Path

import pytest

from connector.cli.main import hoist
from tests.support.nodes import preau


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dataset list", "dataset list"),
        ("dataset list --json", "--json dataset list"),
        ("dataset list --node DIR --lang fr", "--node DIR --lang fr dataset list"),
        ("dataset list --node=DIR", "--node=DIR dataset list"),
        ("--json dataset list", "--json dataset list"),
        (
            "consent give --subject account NAME HOME --recipient R",
            "consent give --subject account --subject NAME --subject HOME --recipient R",
        ),
        (
            "consent give --subject mbox mailto:a@b.org --recipient R --json",
            "--json consent give --subject mbox --subject mailto:a@b.org --recipient R",
        ),
        ("consent give --subject", "consent give --subject"),
        ("audit verify -- --json", "audit verify -- --json"),
    ],
)
def test_hoist(line: str, expected: str):
    assert hoist(line.split()) == expected.split()


@pytest.mark.parametrize(
    ("language", "options", "environment", "expected"),
    [
        ("fr", (), None, "lisible"),
        ("en", (), None, "cannot be read"),
        ("fr", ("--lang", "en"), None, "cannot be read"),
        ("fr", (), "en", "cannot be read"),
        ("de", (), None, "cannot be read"),
    ],
)
def test_a_command_speaks_the_language_of_its_node(
    language: str,
    options: tuple[str, ...],
    environment: str | None,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    if environment:
        monkeypatch.setenv("PREAU_LANG", environment)
    (tmp_path / "preau.toml").write_text(f'[node]\nlanguage = "{language}"\n', "utf-8")
    missing = ("request", "https://x", "--application", "missing.json", "--node", tmp_path)
    done = preau(*missing, *options)
    assert done.code == 1
    assert expected in done.err
