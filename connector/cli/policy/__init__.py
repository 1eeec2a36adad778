"""`preau policy`: policies read, decided, explained; no node is needed. One file per command."""

import typer

from connector.cli.policy import checking, compare, composing, decide, library

app = typer.Typer(no_args_is_help=True, help="Policies: decided and explained, without a node.")
app.command("list")(library.list_)
app.command("show")(library.show)
app.command("compose")(composing.compose)
app.command("lint")(checking.lint)
app.command("test")(library.run_vectors)
app.command("explain")(checking.explain)
app.command("compare")(compare.compare)
app.command("decide")(decide.decide)
