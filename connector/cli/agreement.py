"""`preau agreement`: what was agreed, in plain words."""

import typer

from connector.cli import choosing
from connector.cli.choosing import AgreementId
from connector.cli.client import segment
from connector.cli.output import SESSION, command, table

app = typer.Typer(no_args_is_help=True, help="What was agreed.")


@app.command("list")
@command
def list_() -> None:
    """All agreements, the newest first."""
    found = SESSION.client().get("/v1/agreements")
    rows = [(a["id"], a["role"], a["state"], a["peer"], a["dataset"]) for a in found]
    SESSION.say(found, *table(("id", "role", "state", "peer", "dataset"), rows))


@app.command("show")
@command
def show(ident: AgreementId = None) -> None:
    """One agreement: terms and plan in plain words, signatures, digest."""
    client = SESSION.client()
    found = client.get(f"/v1/agreements/{segment(choosing.agreement(client, ident))}")
    SESSION.say(
        found,
        f"{found['id']}  {found['state']}",
        f"  {found['digest']}",
        *[f"  {line}" for line in found["terms"][SESSION.lang]],
        *[f"  {line}" for line in found["plan"][SESSION.lang]],
        *[f"  {who}: {how}" for who, how in found["signatures"].items()],
    )
