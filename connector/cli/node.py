"""`preau init`, `preau serve`, `preau token`: making a node, running it, letting people in."""

from pathlib import Path
from typing import Annotated

import typer

from connector.cli.output import SESSION, command

token = typer.Typer(no_args_is_help=True, help="Tokens of the people and machines of this node.")


@command
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    name: Annotated[str, typer.Option(help="The institution's name, as others will read it.")],
    public_url: Annotated[str, typer.Option(help="The URL other nodes reach, path allowed.")],
    did: Annotated[str | None, typer.Option(help="did:web…; made from the URL by default.")] = None,
    dev: Annotated[bool, typer.Option("--dev", help="Loopback over http, to try things.")] = False,
    listen: Annotated[str | None, typer.Option(help="ADDRESS:PORT of the public port.")] = None,
    management: Annotated[str | None, typer.Option(help="ADDRESS:PORT for your people.")] = None,
    store: Annotated[
        str | None, typer.Option(help="postgresql://HOST/DATABASE, empty; else a SQLite file.")
    ] = None,
) -> None:
    """Create a node: keys, DID, configuration, database, and one operator token."""
    from connector.runtime import initialise

    made = initialise(
        folder,
        name=name,
        public_url=public_url,
        did=did,
        dev=dev,
        listen=listen,
        management=management,
        store=store,
        language=SESSION.lang,
    )
    SESSION.say(
        made,
        SESSION.pick(f"Nœud créé dans {folder}", f"Node created in {folder}"),
        f"  DID         {made['did']}",
        f"  public      {made['listen']['public']}  ({made['public_url']})",
        f"  management  {made['listen']['management']}",
        SESSION.pick(
            f"  jeton       {made['token']} (lecture réservée à vous)",
            f"  token       {made['token']} (readable by you only)",
        ),
        *(() if dev else (_around(folder),)),
        SESSION.pick(f"Ensuite : preau serve {folder}", f"Next: preau serve {folder}"),
    )


def _around(folder: Path) -> str:
    return SESSION.pick(
        f"  autour      {folder / 'examples'} : Caddy, nginx, systemd (docs/operating.md)",
        f"  around it   {folder / 'examples'}: Caddy, nginx, systemd (docs/operating.md)",
    )


@command
def serve(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The node's folder.")],
    background: Annotated[
        bool,
        typer.Option(
            "--background", help="Return when it is ready, printing the process to kill later."
        ),
    ] = False,
) -> None:
    """Run the node until it is told to stop."""
    if background:
        _background(folder)
        return
    from connector.runtime import serve as run

    run(folder)


def _background(folder: Path) -> None:
    from connector.cli.background import start

    made = start(folder)
    if not SESSION.machine:
        said = SESSION.pick(
            f"{made.url} est prêt ; journal : {made.log} ; pour l'arrêter : kill {made.pid}",
            f"{made.url} is ready; log: {made.log}; to stop it: kill {made.pid}",
        )
        typer.echo(said, err=True)
    document = {"v": 1, "pid": made.pid, "url": made.url, "log": str(made.log)}
    SESSION.say(document, str(made.pid))


@token.command("add")
@command
def add(
    name: Annotated[str, typer.Argument(help="Whose token this is; stays in this node.")],
    role: Annotated[
        str,
        typer.Option(help="operator, steward, dpo, ethics, researcher, auditor or control-plane."),
    ],
) -> None:
    """Make a token for one person; it is shown once."""
    made = SESSION.client().post("/v1/tokens", {"name": name, "role": role})
    SESSION.say(made, made["token"])
