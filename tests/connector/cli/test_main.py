"""The command line before any command runs: options anywhere, subjects in two or three words."""

import pytest

from connector.cli.main import hoist


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
