"""Which one a command is about, when only one can be meant and nobody named it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from connector.cli.client import Client
from policies.problem import Problem

AgreementId = Annotated[
    str | None, typer.Argument(metavar="[AGREEMENT]", help="May be left out when there is one.")
]
NegotiationId = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="May be left out when there is one.")
]
_SHOWN = 5


def agreement(client: Client, named: str | None) -> str:
    """The agreement named, or the only one.

    Raises:
        Problem: `cli-choose-none`, `cli-choose-several`.
    """
    return named or _only(client.get("/v1/agreements"), "id")


def negotiation(client: Client, named: str | None) -> str:
    """The negotiation named, or the only one; raises like `agreement`."""
    return named or _only(client.get("/v1/negotiations"), "pid")


def awaiting(client: Client, named: str | None, role: str, wait: float) -> str:
    """The negotiation named, or the only one that waits for a role; waits for it so many seconds.

    Raises like `agreement`.
    """
    if named:
        return named
    return _only(client.get("/v1/negotiations", awaiting=role, wait=wait or None), "pid")


def _only(found: Iterable[Mapping[str, Any]], key: str) -> str:
    names = [str(one[key]) for one in found]
    if not names:
        raise Problem("cli-choose-none")
    if len(names) > 1:
        more = "" if len(names) <= _SHOWN else " …"
        raise Problem("cli-choose-several", count=len(names), ids=", ".join(names[:_SHOWN]) + more)
    return names[0]
