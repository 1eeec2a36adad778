"""What a command says: sentences and tables for people, one document for machines."""

import json
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, NoReturn, ParamSpec

import typer

from connector.cli.client import Client, connect
from policies.problem import LANGUAGES, Language, Problem

FILE: Final = "preau.toml"
P = ParamSpec("P")


@dataclass(slots=True)
class Session:
    """The global options of one invocation."""

    node: str | None = None
    token_file: Path | None = None
    token: str | None = None
    machine: bool = False
    lang: Language = "en"
    chosen: bool = False
    """Whether the caller named the language."""

    def client(self) -> Client:
        """The management API that `--node` and the token lead to."""
        return connect(self.node, self.token_file, self.token)

    def listen(self, folder: object = None) -> None:
        """Speak the language of the node at hand, unless the caller named one."""
        if self.chosen:
            return
        found = (_language(place) for place in (folder, self.node) if place)
        self.lang = next((language for language in found if language), self.lang)

    def say(self, document: Any, *lines: str) -> None:
        """Print the document with `--json`, the lines otherwise."""
        if self.machine:
            typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        else:
            for line in lines:
                typer.echo(line)

    def pick(self, french: str, english: str) -> str:
        """The sentence in the caller's language."""
        return french if self.lang == "fr" else english


def _language(place: object) -> Language | None:
    """`[node] language` of a node's folder, if that is what `place` is."""
    try:
        settings = tomllib.loads((Path(str(place)) / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    node = settings.get("node")
    named = node.get("language") if isinstance(node, dict) else None
    return next((language for language in LANGUAGES if language == named), None)


SESSION = Session()


def command(function: Callable[P, None]) -> Callable[P, None]:
    """Run a command so that a problem ends it with exit code 1 and an explanation."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        SESSION.listen(kwargs.get("folder"))
        try:
            function(*args, **kwargs)
        except Problem as problem:
            fail(problem)

    return run


def fail(problem: Problem) -> NoReturn:
    """Tell the problem (a document on stdout with `--json`, sentences on stderr) and exit 1."""
    if SESSION.machine:
        typer.echo(json.dumps(problem.document(), ensure_ascii=False, indent=2))
    else:
        lang = SESSION.lang
        typer.echo(f"{problem.text(lang)}\n→ {problem.remedy(lang)}  [{problem.code}]", err=True)
    raise typer.Exit(1)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Aligned columns; an empty table is one line that says so."""
    cells = [[str(cell) if cell is not None else "–" for cell in row] for row in rows]
    if not cells:
        return [SESSION.pick("(rien)", "(none)")]
    widths = [max(len(row[i]) for row in [list(headings), *cells]) for i in range(len(headings))]
    layout = "  ".join(f"{{:<{width}}}" for width in widths)
    return [layout.format(*row).rstrip() for row in [list(headings), *cells]]


def read_bytes(path: Path) -> bytes:
    """A file's bytes, or a problem that names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Problem("cli-file-unreadable", path=str(path), fault=reason) from None


def read_json(path: Path) -> Any:
    """A JSON file, or a problem that names the place."""
    try:
        return json.loads(read_bytes(path))
    except ValueError as error:
        raise Problem("cli-json-invalid", path=str(path), fault=str(error)) from None


def progress(text: str) -> None:
    """A line about work under way: on stderr, only where a person watches."""
    if sys.stderr.isatty() and not SESSION.machine:
        typer.echo(f"\r\x1b[K{text}", err=True, nl=False)


def remark(*lines: str) -> None:
    """Lines for people about work that goes on, on stderr."""
    if not SESSION.machine:
        for line in lines:
            typer.echo(line, err=True)
