"""`preau demo`: three nodes on this machine play the whole story, and every fact is measured."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli.output import SESSION, command
from policies.problem import Problem

if TYPE_CHECKING:
    from connector.cli.story.story import Outcome


@command
def demo(
    traces: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own xAPI traces (.jsonl or .jsonl.gz)."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own table (.csv or .csv.gz) for the results."),
    ] = None,
    table_about: Annotated[
        Path | None,
        typer.Option(metavar="ABOUT.toml", help="What its steward declares (docs/tables.md)."),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where everything goes (a temporary folder)."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the nodes running.")] = False,
) -> None:
    """Play the whole story with three real nodes: publish, agree, transfer, withdraw, audit."""
    from connector.cli.story import story
    from connector.cli.story.scene import Voice

    if (table is None) != (table_about is None):
        raise Problem("demo-table-alone")
    given = story.Inputs(traces, table, table_about)
    voice = Voice(SESSION.lang, silent=SESSION.machine)
    with _folder(folder, keep=keep) as root, _ended_politely():
        outcome = story.play(root, given, voice, keep=keep)
        _tell(outcome, root, traces or root / "expected" / "traces.jsonl.gz")
        if not SESSION.machine and (folder or keep):
            SESSION.say(None, SESSION.pick("Dossier : ", "Folder: ") + str(root))
    if not outcome.ok:
        raise typer.Exit(1)


def _tell(outcome: "Outcome", root: Path, traces: Path) -> None:
    from connector.cli.story import report

    if SESSION.machine:
        SESSION.say(outcome.document(root, traces))
        return
    report.show(outcome.board)
    if outcome.problem:
        problem, lang = outcome.problem, SESSION.lang
        typer.echo(f"\n{problem.text(lang)}\n→ {problem.remedy(lang)}  [{problem.code}]", err=True)
        return
    SESSION.say(None, "", report.verdict(outcome.board, SESSION.lang))
    for node in outcome.running:
        SESSION.say(
            None,
            "",
            f"{node.name}  {node.did}",
            f"  public      {node.public}",
            f"  management  {node.management}",
            f"  --node {node.folder}",
        )
    if outcome.running:
        _tell_how_to_go_on(root)
        pids = " ".join(str(node.pid) for node in outcome.running)
        SESSION.say(None, SESSION.pick("Pour les arrêter :", "To stop them:") + f" kill {pids}")


def _tell_how_to_go_on(root: Path) -> None:
    """Three things to try with the nodes that were left running."""
    platform, lab, authority = (root / name for name in ("platform", "lab", "authority"))
    SESSION.say(
        None,
        "",
        SESSION.pick("Pour continuer, par exemple :", "To go on, for example:"),
        f"  preau agreement list --node {lab}",
        f"  preau catalog search --node {lab}",
        f"  preau dataset show mooc-traces --node {platform}",
        f"  preau doctor {authority}",
        "",
    )


@contextmanager
def _folder(chosen: Path | None, *, keep: bool) -> Iterator[Path]:
    """The folder asked for, or a temporary one that goes away unless its nodes stay."""
    if chosen is not None:
        yield chosen.absolute()
        return
    made = Path(tempfile.mkdtemp(prefix="preau-demo-"))
    try:
        yield made
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    if not keep:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _ended_politely() -> Iterator[None]:
    """SIGTERM ends the demo like Ctrl-C, so that it stops its nodes."""
    previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
