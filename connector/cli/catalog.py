"""`preau catalog`: checking what a node says it has, without trusting it."""

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.output import SESSION, command, read_json

app = typer.Typer(no_args_is_help=True, help="Catalogs, checked.")


@app.command("verify")
@command
def verify(
    target: Annotated[str, typer.Argument(metavar="FILE|URL", help="A signed document or a node.")],
    did: Annotated[
        Path | None, typer.Option(metavar="DID.json", help="The publisher's DID document.")
    ] = None,
) -> None:
    """Verify signatures and digests: a whole catalog by URL, or one saved document offline."""
    if target.startswith(("http://", "https://")):
        from connector.runtime import verify_catalog

        report = verify_catalog(target)
    else:
        if did is None:
            raise typer.BadParameter("a file needs --did DID.json")
        from catalog.verify import verify_document

        report = verify_document(read_json(Path(target)), read_json(did))
    lines = [f"  ✓ {item['id']}  {item['digest']}" for item in report["documents"]]
    SESSION.say(
        report,
        SESSION.pick("Vérifié : signé par ", "Verified: signed by ") + str(report["publisher"]),
        *lines,
    )
