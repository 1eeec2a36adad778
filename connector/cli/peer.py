"""`preau peer`: the nodes this one deals with."""

from typing import Annotated

import typer

from connector.cli.client import segment
from connector.cli.output import SESSION, command, table

app = typer.Typer(no_args_is_help=True, help="The nodes this one deals with.")


@app.command("add")
@command
def add(
    did: Annotated[str, typer.Argument(metavar="DID|URL", help="Its DID or public URL.")],
    group: Annotated[list[str] | None, typer.Option(help="A group of yours; repeatable.")] = None,
    name: Annotated[str, typer.Option(help="How your people call it.")] = "",
    edc: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="An Eclipse EDC with mock identity: DID is its participant id, URL its protocol "
            "address. Your preau.toml must allow it.",
        ),
    ] = "",
    data: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="With --edc: where it hands out or takes data."),
    ] = None,
    signaled: Annotated[
        bool,
        typer.Option(
            "--signaled", help="Only your own EDC deals with it: DID is the name in its signals."
        ),
    ] = False,
) -> None:
    """Know a node; groups are declared by you and shown as such."""
    body: dict[str, object] = {"did": did, "name": name, "groups": group or []}
    if edc:
        body["edc"] = {"dsp": edc, "data": data or []}
    if signaled:
        body["signaled"] = True
    made = SESSION.client().post("/v1/peers", body)
    SESSION.say(made, f"{made['did']}  {made['name']}")


@app.command("groups")
@command
def groups(
    did: Annotated[str, typer.Argument(metavar="DID", help="Its DID, as in the list.")],
    group: Annotated[list[str] | None, typer.Option(help="A group of yours; repeatable.")] = None,
) -> None:
    """Put a node into exactly these groups; without --group, into none.

    What it holds under a policy that asks for a group is judged anew at once.
    """
    made = SESSION.client().post("/v1/peers/groups", {"did": did, "groups": group or []})
    SESSION.say(made, f"{made['did']}  {', '.join(made['groups'])}")


@app.command("remove")
@command
def remove(
    did: Annotated[str, typer.Argument(metavar="DID", help="Its DID, as in the list.")],
    reason: Annotated[
        str, typer.Option(help="Why; logged, and read by that node where something of its ends.")
    ],
    terminate: Annotated[
        bool,
        typer.Option(
            "--terminate", help="End its negotiations, transfers and agreements, and tell it."
        ),
    ] = False,
) -> None:
    """Deal with a node no more; refused while anything runs with it, unless --terminate ends it.

    Evidence and received files stay. Added again, it has to agree anew.
    """
    path = f"/v1/peers/{segment(did)}"
    made = SESSION.client().delete(path, reason=reason, terminate=terminate)
    kinds = {
        "negotiations": SESSION.pick("négociation terminée", "negotiation ended"),
        "transfers": SESSION.pick("transfert terminé", "transfer ended"),
        "agreements": SESSION.pick("accord terminé", "agreement ended"),
    }
    ended = [f"  {kinds[kind]}  {ident}" for kind in kinds for ident in made["ended"][kind]]
    SESSION.say(made, f"{made['did']}  {SESSION.pick('retiré', 'removed')}", *ended)


@app.command("list")
@command
def list_() -> None:
    """The nodes known."""
    peers = SESSION.client().get("/v1/peers")
    rows = [(p["did"], p["name"], ", ".join(p["groups"])) for p in peers]
    SESSION.say(peers, *table(("did", "name", "groups"), rows))
