"""`preau policy decide`: one request against one policy, from two files (docs/policy-files.md)."""

from pathlib import Path
from typing import Annotated, Any

import typer

from connector.cli.output import SESSION, command, read_bytes

PolicyFile = Annotated[
    Path, typer.Option("--policy", metavar="FILE", help="The policy: ODRL as JSON, or Turtle.")
]


@command
def decide(
    policy: PolicyFile,
    request: Annotated[
        Path, typer.Option(metavar="FILE", help="What is asked and what is known of it.")
    ],
) -> None:
    """Decide a request under a policy, and show why. Exit code 0 whatever the answer."""
    from catalog.canonical import parse
    from policies import questions

    question = questions.read(parse(read_bytes(request)))
    found = questions.answer(load(policy), question)
    SESSION.say(found, *_lines(found))


def load(path: Path) -> Any:
    """The policy in a file: one ODRL policy as JSON, or the only one in a Turtle file.

    Raises:
        Problem: not strict JSON, not Turtle, no or several policies, or `policy-…`, located.
    """
    from catalog.canonical import parse
    from policies import odrl

    data = read_bytes(path)
    if path.suffix != ".ttl":
        return odrl.read(parse(data))
    from catalog import policy_graph

    return policy_graph.only(data)


def _lines(found: dict[str, Any]) -> list[str]:
    """The answer for people: the outcome, the reasons, each rule with its conditions."""
    lines = [f"{found['outcome']}", *found["reasons"][SESSION.lang]]
    for rule in found["trace"]:
        about = "" if rule["applies"] else SESSION.pick(" (autre objet)", " (about something else)")
        lines.append(f"{rule['path']}: {rule['outcome']}{about}")
        lines += [
            f"  {part['path']}: {part['outcome']}"
            + (f" ({part['reason']})" if "reason" in part else "")
            for part in (*rule["constraints"], *rule["duties"])
        ]
    return lines
