"""The documents say what is there: decisions numbered and listed, commands as `preau --help`."""

import importlib
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.source import ROOT

ADRS = ROOT / "docs" / "adr"
ADR_PARTS = ("## Status", "## Context", "## Decision", "## Consequences")


def adrs() -> list[str]:
    """File names of the decision records, template included."""
    return sorted(path.name for path in ADRS.glob("*.md") if path.name != "README.md")


def test_decision_records_are_numbered_without_gap():
    assert all(re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name) for name in adrs())
    assert [int(name[:4]) for name in adrs()] == list(range(len(adrs())))


def test_decision_records_are_listed():
    index = (ADRS / "README.md").read_text("utf-8")
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", index)
    assert listed == adrs()


@pytest.mark.parametrize("name", adrs())
def test_a_decision_record_has_its_parts(name: str):
    lines = (ADRS / name).read_text("utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert [line for line in lines if line.startswith("## ")] == list(ADR_PARTS)


@pytest.mark.parametrize("path", ["README.md", *(f"docs/adr/{name}" for name in adrs())])
def test_links_between_documents_lead_somewhere(path: str):
    document = ROOT / path
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


# ------------------------------------------------------------------------------- README and CLI


def readme() -> str:
    """The README."""
    return (ROOT / "README.md").read_text("utf-8")


def command_line() -> Any:
    """The command `preau` as an object of the command-line library."""
    main = importlib.import_module("connector.cli.main")
    return importlib.import_module("typer").main.get_command(main.app)


def fenced(text: str) -> Iterator[list[str]]:
    """The words after `preau` of every such line in a fenced block, continuations joined."""
    for block in re.findall(r"^```[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            match = re.match(r"(?:\$ )?(?:\S*/)?preau (.+)", line)
            if match:
                yield shlex.split(match[1], comments=True)


def unknown(words: list[str], command: Any) -> str | None:
    """The first word of a line that the command line does not know, or None."""
    options = set(_options(command))
    for word in words:
        if word in (";", "|", "&&", "&", ">"):
            return None
        subcommands = getattr(command, "commands", {})
        if word.startswith("-") and word != "-":
            if word.partition("=")[0] not in options:
                return word
        elif word in subcommands:
            command = subcommands[word]
            options |= set(_options(command))
        elif subcommands and not _is_value(word, words):
            return word
    return None


def _options(command: Any) -> Iterator[str]:
    yield "--help"
    for parameter in command.params:
        yield from (*parameter.opts, *parameter.secondary_opts)


def _is_value(word: str, words: list[str]) -> bool:
    """Whether a word follows an option, and so may be its value."""
    position = words.index(word)
    return position > 0 and words[position - 1].startswith("-")


def test_every_command_of_the_readme_exists():
    command = command_line()
    lines = [(" ".join(words), unknown(words, command)) for words in fenced(readme())]
    assert [f"{line}: {word}" for line, word in lines if word] == []


def test_every_command_stands_in_the_readme():
    text = readme()
    commands = [name for name, sub in command_line().commands.items() if not sub.hidden]
    assert [name for name in commands if not re.search(rf"\bpreau {name}\b", text)] == []


def test_every_command_says_what_it_does():
    def silent(command: Any, path: str) -> Iterator[str]:
        if not (command.help or command.short_help):
            yield path
        for name, sub in getattr(command, "commands", {}).items():
            yield from silent(sub, f"{path} {name}")

    assert list(silent(command_line(), "preau")) == []
