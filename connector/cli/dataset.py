"""`preau dataset`: what this node publishes."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.client import segment
from connector.cli.output import SESSION, command, table
from connector.cli.policy.saying import warnings
from policies.problem import Problem

app = typer.Typer(no_args_is_help=True, help="What this node publishes.")


@app.command("add")
@command
def add(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The data (.jsonl or .csv, or .gz of it).")
    ],
    about: Annotated[Path, typer.Option(metavar="ABOUT.toml", help="What the steward declares.")],
    max_bad: Annotated[
        float, typer.Option(help="Share of faulty rows accepted (at least 10 rows are).")
    ] = 0.001,
) -> None:
    """Publish a file: check every row, make a revision, sign the dataset document."""
    try:
        with about.open("rb") as declared, file.open("rb") as data:
            made = SESSION.client().upload(
                "/v1/datasets",
                {"about": (about.name, declared), "file": (file.name, data)},
                max_bad=str(max_bad),
            )
    except OSError as error:
        path, fault = str(error.filename), error.strerror or type(error).__name__
        raise Problem("cli-file-unreadable", path=path, fault=fault) from None
    counts = made["counts"]
    SESSION.say(
        made,
        made["dataset"],
        SESSION.pick(
            f"  {counts['rows']} lignes, {counts['persons']} personnes, "
            f"{counts['quarantined']} en quarantaine, {counts['duplicates']} doublons",
            f"  {counts['rows']} rows, {counts['persons']} persons, "
            f"{counts['quarantined']} quarantined, {counts['duplicates']} duplicates",
        ),
        f"  document {made['document']}",
        *warnings(made["warnings"]),
    )


@app.command("list")
@command
def list_() -> None:
    """The datasets of this node."""
    found = SESSION.client().get("/v1/datasets")
    rows = [(d["id"], d["version"], d["state"], d["rows"], d["title"]) for d in found]
    SESSION.say(found, *table(("id", "version", "state", "rows", "title"), rows))


@app.command("show")
@command
def show(ident: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One dataset: its terms in plain words, its counts, its quarantine."""
    found = SESSION.client().get(f"/v1/datasets/{segment(ident)}")
    terms = found["terms"][SESSION.lang] + found["linkage"][SESSION.lang]
    SESSION.say(found, found["dataset"], *[f"  {line}" for line in terms], *_columns(found))


def _columns(found: dict[str, Any]) -> list[str]:
    """What the profiler found in a table's columns, beside what the steward published (X10)."""
    revision = found["revision"] or {}
    chosen = {field["name"]: field["personal"] for field in revision.get("codebook", ())}
    rows = [
        (
            one["name"],
            ", ".join(
                f"{flag['what']} ({flag['cells']})" if flag["cells"] else flag["what"]
                for flag in one["flags"]
            ),
            one["proposed"],
            chosen[one["name"]],
        )
        for one in revision.get("table", {}).get("profile", ())
        if one["flags"] or one["proposed"] != chosen[one["name"]]
    ]
    if not rows:
        return []
    headings = SESSION.pick(
        "colonne|constats|proposition|déclarée", "column|found|proposed|declared"
    ).split("|")
    return ["", *table(headings, rows)]


@app.command("risk")
@command
def risk(ident: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Measure how far colluding recipients could link it; announced in the catalog from then on."""
    found = SESSION.client().post(f"/v1/datasets/{segment(ident)}/risk")
    SESSION.say(
        found,
        found["document"],
        *_histories(found["measurement"] or {}),
        *found["words"][SESSION.lang],
        *[line for told in found["absence"] for line in (told["transfer"], *told[SESSION.lang])],
    )


def _histories(measurement: dict[str, Any]) -> list[str]:
    """Exact figures of one's own data: how many learners have a history of their own."""
    times = measurement.get("histories", {})
    rows = [(time, f"{share} %") for time, share in times.items()]
    unique = SESSION.pick("historique unique", "unique history")
    return table((SESSION.pick("précision", "precision"), unique), rows) if rows else []


@app.command("withdraw")
@command
def withdraw(
    ident: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[str, typer.Option(help="Why, in your words; stays in this node.")] = "",
) -> None:
    """Stop offering a dataset; running transfers end, what was agreed stays verifiable."""
    path = f"/v1/datasets/{segment(ident)}/withdrawal"
    made = SESSION.client().post(path, {"reason": reason})
    SESSION.say(made, f"{made['dataset']}: {made['state']}")
