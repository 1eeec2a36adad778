"""`preau policy compose`: several templates or policies as one offer."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.output import SESSION, command
from connector.cli.policy import loading, saying
from connector.cli.policy.loading import Folder, Params
from policies.problem import Problem


@command
def compose(
    parts: Annotated[
        list[str], typer.Argument(metavar="NAME|FILE...", help="Templates, or policies as files.")
    ],
    params: Params = None,
    folder: Folder = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the offer there.")
    ] = None,
) -> None:
    """Join policies: what all of them permit, everything that any of them forbids or asks."""
    from policies.clauses import clauses
    from policies.composition import compose as composed

    own = loading.own(folder)
    given = loading.parameters(params)
    made = composed([loading.offer(part, _mine(part, given, own), own) for part in parts])
    _all_used(parts, given, own)
    document = loading.document(made)
    held = [clause.document() for clause in clauses(made)]
    if out is not None:
        try:
            out.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
        except OSError as error:
            fault = error.strerror or "I/O"
            raise Problem("cli-not-written", path=str(out), fault=fault) from None
    result = {"v": 1, "parts": parts, "id": made.id, "offer": document, "clauses": held}
    SESSION.say(result, made.id, *saying.clauses(held))


def _mine(part: str, given: dict[str, Any] | None, own: Any) -> dict[str, Any] | None:
    """Those of the parameters given that a template has."""
    from policies import templates

    if given is None or part not in templates.names(own):
        return given
    known = templates.parameters(part, own)["properties"]
    return {key: value for key, value in given.items() if key in known}


def _all_used(parts: list[str], given: dict[str, Any] | None, own: Any) -> None:
    """A parameter that no part has is a slip of the pen, and would say less than meant."""
    from policies import templates

    names = templates.names(own)
    known = {
        key
        for part in parts
        if part in names
        for key in templates.parameters(part, own)["properties"]
    }
    for key in sorted(set(given or ()) - known):
        expected = ", ".join(sorted(known)) or "-"
        raise Problem("policy-template-parameter", path=f"params.{key}", expected=expected)
