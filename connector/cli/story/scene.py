"""What all acts share: the three nodes, the folders, the board of facts, and the voice."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

import typer

from connector.base.clock import Clock, format_time
from connector.cli.client import Client, segment
from connector.cli.story.consents import Account
from connector.cli.story.deals import TRACES, Deal
from connector.cli.story.facts import Board, Said, pick
from connector.cli.story.nodes import Node
from connector.cli.story.source import Source
from connector.cli.story.tables import Table
from policies.problem import Language, Problem

Json = dict[str, Any]

PLATFORM: Final = ("platform", "Campus des MOOC (démonstration)")
AUTHORITY: Final = ("authority", "Académie des Préaux (démonstration)")
LAB: Final = ("lab", "Laboratoire d'analyse de l'apprentissage (démonstration)")
_WAIT: Final = 30.0
_GLANCE: Final = 0.05
_TRIES: Final = 400
_WIDE: Final = 100
_UUID: Final = re.compile(r"(urn:uuid:[0-9a-f]{8})-[0-9a-f-]{27}")


@dataclass(frozen=True, slots=True)
class Folders:
    """The demo's folder; nodes, received files, bundles and expectations lie apart."""

    root: Path

    @property
    def received(self) -> Path:
        """The traces that arrived at the lab, copied out of its node."""
        return self.arrived(TRACES)

    @property
    def backups(self) -> Path:
        """What `preau backup` made of each node."""
        return self.root / "backups"

    @property
    def bundles(self) -> Path:
        """The evidence, for the auditor."""
        return self.root / "bundles"

    @property
    def expected(self) -> Path:
        """What the demo knows and the nodes were not told this way: traces, who consents."""
        return self.root / "expected"

    def arrived(self, deal: str) -> Path:
        """What arrived under one agreement."""
        return self.root / "received" / deal

    def bundle(self, deal: str, node: Node) -> Path:
        """The evidence of one party of an agreement."""
        return self.bundles / f"{deal}-{node.name}.zip"


class Voice:
    """Tells the story while it plays; says nothing when a machine listens."""

    def __init__(self, lang: Language, *, silent: bool) -> None:
        self.lang = lang
        self._silent = silent

    def say(self, *lines: str) -> None:
        """Lines as they are."""
        if not self._silent:
            for line in lines:
                typer.echo(line)

    def tell(self, french: str, english: str) -> None:
        """One sentence in the listener's language."""
        self.quote(pick((french, english), self.lang), "  ")

    def quote(self, text: str, indent: str = "    ") -> None:
        """A text, wrapped to the width of the tables."""
        self.say(*wrap(text, _WIDE, initial_indent=indent, subsequent_indent=indent))

    def act(self, number: int, title: Said) -> None:
        """The title of an act."""
        self.say("", f"{number}. {pick(title, self.lang)}")

    def command(self, node: Node, line: str) -> None:
        """A command as a person of this node would type it; of long names, the beginning."""
        self.say(f"  {node.name}$ preau " + _UUID.sub(r"\1…", line))


@dataclass(slots=True)
class Scene:
    """The stage. What one act finds out and a later one needs stands here."""

    folders: Folders
    source: Source
    voice: Voice
    board: Board
    clock: Clock
    platform: Node
    lab: Node
    authority: Node
    table: Table
    seen: Json = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    dataset: str = ""
    sample: str = ""
    deals: dict[str, Deal] = field(default_factory=dict)
    pseudonyms: dict[str, dict[str, str]] = field(default_factory=dict)
    withdrawn: Account | None = None
    old_checkpoint: bytes = b""

    @property
    def nodes(self) -> tuple[Node, Node, Node]:
        """All three."""
        return self.platform, self.lab, self.authority

    @property
    def traces(self) -> Deal:
        """The agreement between platform and lab, which most acts are about."""
        return self.deals[TRACES]

    @contextmanager
    def act(self, number: int, key: str, french: str, english: str) -> Iterator[None]:
        """Announce an act; facts noted inside belong to it."""
        self.board.act = key
        self.board.acts[key] = (french, english)
        self.voice.act(number, (french, english))
        yield

    def until(self) -> str:
        """The last day of use that the publishers allow."""
        return until(self.clock)

    def public(self, node: Node, path: str) -> bytes:
        """What anybody gets at a public path of a node."""
        target = self.folders.root / ".answer"
        try:
            Client(node.public, "anybody").download(path, target)
            return target.read_bytes()
        finally:
            target.unlink(missing_ok=True)


def until(clock: Clock) -> str:
    """Half a year from now, at midnight."""
    day = (clock.now() + timedelta(days=180)).replace(hour=0, minute=0, second=0, microsecond=0)
    return format_time(day)


def negotiation(who: Client, pid: str, *, until: str, wait: float = _WAIT) -> Json:
    """A negotiation once it has reached a state.

    Raises:
        Problem: `demo-not-reached`, with the state it is in and the reasons told.
    """
    path = f"/v1/negotiations/{segment(pid)}"
    found: Json = who.get(path, wait=wait, until=until)
    if found["state"] != until and not (until == "SETTLED" and found["settled"]):
        reasons = " ".join(map(str, found["reasons"]))
        raise Problem("demo-not-reached", wanted=until, state=found["state"], reasons=reasons)
    return found


def counterpart(who: Client, pid: str) -> str:
    """The pid that the other node gave to our negotiation, once it has answered."""
    path = f"/v1/negotiations/{segment(pid)}"
    for _ in range(_TRIES):
        found = who.get(path, wait=_GLANCE, until="SETTLED")
        if found["peer_pid"]:
            return str(found["peer_pid"])
    raise Problem("demo-not-reached", wanted="an answer", state=found["state"], reasons="")


def draft(
    purpose: str,
    fields: tuple[str, ...],
    period: tuple[str, str],
    end: str,
    title: str = "Comment revoit-on une vidéo avant l'examen ?",
) -> Json:
    """What a researcher writes: purpose, project, fields, period (FORMATS "Application")."""
    first, last = period
    return {
        "purpose": purpose,
        "project": {
            "title": title,
            "end": end,
            "ethics": "CER-2025-014",
        },
        "fields": sorted(fields),
        "period": {"from": f"{first}T00:00:00Z", "to": f"{last}T00:00:00Z"},
        "relation": {"type": "separate"},
        "processors": [],
    }
