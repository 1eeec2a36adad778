"""`preau policy compare`: does an offer cover what is asked; if not, what would be acceptable."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.output import SESSION, command, read_bytes


@command
def compare(
    offer: Annotated[
        Path, typer.Option(metavar="FILE", help="The offer: ODRL as JSON, or Turtle.")
    ],
    request: Annotated[
        Path, typer.Option(metavar="FILE", help="What is asked: a policy, or a request.")
    ],
) -> None:
    """Compare an offer with a request, and propose the nearest terms it covers."""
    from catalog.canonical import parse
    from connector.cli.policy.decide import load
    from policies.compare import files

    found = files.compared(load(offer), parse(read_bytes(request)))
    SESSION.say(found, *_lines(found))


def _lines(found: dict[str, Any]) -> list[str]:
    """The comparison for people: covered or not, what differs, what would be acceptable."""
    if found["covered"]:
        return [SESSION.pick("L'offre couvre cette demande.", "The offer covers this request.")]
    lines = [SESSION.pick("L'offre ne couvre pas cette demande :", "The offer does not cover it:")]
    lines += [f"- {each[SESSION.lang]}" for each in found["differences"]]
    counter = found["counter"]
    if counter is None:
        none = "Aucune contre-offre possible.", "No counter-offer is possible."
        return [*lines, SESSION.pick(*none)]
    return [*lines, *(f"- {each[SESSION.lang]}" for each in counter["nearest"])]
