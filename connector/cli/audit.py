"""`preau audit`: evidence that anyone can check alone."""

from pathlib import Path
from typing import Annotated

import typer

from connector.cli import choosing
from connector.cli.choosing import AgreementId
from connector.cli.client import segment
from connector.cli.output import SESSION, command, read_bytes

app = typer.Typer(no_args_is_help=True, help="Evidence, made and checked.")


@app.command("bundle")
@command
def bundle(
    out: Annotated[Path, typer.Option(metavar="ZIP", help="The file to write.")],
    agreement: AgreementId = None,
) -> None:
    """Gather all evidence on one agreement into one file."""
    client = SESSION.client()
    client.download(f"/v1/agreements/{segment(choosing.agreement(client, agreement))}/bundle", out)
    SESSION.say({"bundle": str(out)}, str(out))


@app.command("verify")
@command
def verify(
    file: Annotated[Path, typer.Argument(metavar="ZIP")],
    log: Annotated[
        Path | None, typer.Option(metavar="CHECKPOINT", help="A later checkpoint you obtained.")
    ] = None,
    files: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The received files, to check as well.")
    ] = None,
) -> None:
    """Check a bundle on any machine: no network, no node, no trust in either party."""
    from connector.evidence.verify import verify as check

    report = check(file, log_checkpoint=read_bytes(log) if log else None, files=files)
    marks = {True: "✓", False: "✗", None: "·"}
    lines = [
        f"{marks[item.ok]} {item.fr if SESSION.lang == 'fr' else item.en}"
        + (f"  [{item.where}]" if item.where and not item.ok else "")
        for item in report.checks
    ]
    SESSION.say(report.document(), *lines, report.verdict(SESSION.lang))
    if not report.ok:
        raise typer.Exit(1)
