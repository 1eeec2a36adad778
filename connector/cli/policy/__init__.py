"""`preau policy`: policies read, decided, explained; no node is needed. One file per command."""

import typer

from connector.cli.policy import compare, decide

app = typer.Typer(no_args_is_help=True, help="Policies: decided and explained, without a node.")
app.command("compare")(compare.compare)
app.command("decide")(decide.decide)
