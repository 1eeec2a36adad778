"""`preau`: the list of commands and the options they all share."""

import os
import sys
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Annotated, Final

import typer

from connector.cli import (
    agreement,
    audit,
    catalog,
    consent,
    dataset,
    demo,
    negotiation,
    node,
    operating,
    peer,
    policy,
    transfer,
)
from connector.cli.output import SESSION

_SUBJECT_WORDS: Final = 3
_SHARED: Final = {"--node": 1, "--token-file": 1, "--lang": 1, "--json": 0}

app = typer.Typer(
    name="preau",
    help="A dataspace connector for education: each institution runs a node; no centre.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("init")(node.init)
app.command("serve")(node.serve)
app.command("demo")(demo.demo)
app.command("doctor")(operating.doctor)
app.command("upgrade")(operating.upgrade)
app.add_typer(operating.backup, name="backup")
app.add_typer(operating.key, name="key")
app.add_typer(node.token, name="token")
app.add_typer(dataset.app, name="dataset")
app.add_typer(catalog.app, name="catalog")
app.add_typer(peer.app, name="peer")
app.add_typer(policy.app, name="policy")
app.command("request")(negotiation.request)
app.add_typer(negotiation.app, name="negotiation")
app.add_typer(agreement.app, name="agreement")
app.add_typer(transfer.app, name="transfer")
app.add_typer(consent.app, name="consent")
app.add_typer(audit.app, name="audit")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"preau {distribution_version('preau')}")
        raise typer.Exit


@app.callback()
def shared(
    node: Annotated[
        str | None, typer.Option(help="The node's folder or management URL (PREAU_NODE).")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with your token (or PREAU_TOKEN).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    lang: Annotated[
        str | None, typer.Option(help="fr or en (PREAU_LANG); the node's language by default.")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options before or after the command; each falls back on its environment variable."""
    SESSION.node = node or os.environ.get("PREAU_NODE")
    SESSION.token_file = token_file
    SESSION.token = os.environ.get("PREAU_TOKEN")
    SESSION.machine = json
    named = lang or os.environ.get("PREAU_LANG")
    SESSION.chosen = bool(named)
    chosen = named or "en"
    if chosen not in {"fr", "en"}:
        raise typer.BadParameter("--lang takes fr or en")
    SESSION.lang = "fr" if chosen == "fr" else "en"


def run() -> None:
    """Entry point of the `preau` command."""
    app(args=hoist(sys.argv[1:]))


def hoist(arguments: list[str]) -> list[str]:
    """Move the shared options to the front, so that they may stand anywhere on the line, and let
    `--subject TYPE VALUE [HOME]` take its two or three words.
    """
    front: list[str] = []
    rest: list[str] = []
    queue = list(arguments)
    while queue:
        word = queue.pop(0)
        name, equals, _ = word.partition("=")
        if word == "--":
            rest += [word, *queue]
            break
        if word == "--subject":
            rest += _subject(queue)
            continue
        if name not in _SHARED:
            rest.append(word)
            continue
        front.append(word)
        if _SHARED[name] and not equals and queue:
            front.append(queue.pop(0))
    return front + rest


def _subject(queue: list[str]) -> list[str]:
    """The words of one subject, each under its own option, as the parser knows it."""
    words: list[str] = []
    while queue and len(words) < _SUBJECT_WORDS and not queue[0].startswith("--"):
        words.append(queue.pop(0))
    return [part for word in words for part in ("--subject", word)] or ["--subject"]
