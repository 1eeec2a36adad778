"""Looking for people in what arrived: every identifier of the source, in every received byte."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connector.cli.story.source import agents

Json = dict[str, Any]

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Shorter names occur inside innocent words: they count only where they are a whole text.
_TELLING: Final = 8


@dataclass(frozen=True, slots=True)
class Found:
    """How many of each were found, and in how many bytes."""

    names: int
    homes: int
    ids: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Needles:
    """What must not have arrived."""

    names: frozenset[str]
    homes: frozenset[str]
    ids: frozenset[str]

    @classmethod
    def of(cls, statements: Iterable[Json]) -> "Needles":
        """Account names, mboxes, openids; home pages; ids of statements and sessions."""
        names: set[str] = set()
        homes: set[str] = set()
        ids: set[str] = set()
        for statement in statements:
            for agent in agents(statement):
                account = agent.get("account")
                if isinstance(account, dict):
                    names.add(str(account.get("name")))
                    homes.add(str(account.get("homePage")))
                names.update(
                    str(agent[key]) for key in ("mbox", "mbox_sha1sum", "openid") if key in agent
                )
            ids.update(_ids(statement))
        return cls(frozenset(names), frozenset(homes), frozenset(ids))

    def search(self, folder: Path) -> Found:
        """Search every file of a folder, as bytes and as the texts that its JSON holds."""
        whole: set[str] = set()
        size = 0
        for path in sorted(folder.iterdir()):
            for line in path.read_bytes().splitlines():
                size += len(line) + 1
                whole.update(_texts(line))
        hay = "\n".join(whole)
        found = sum(name in whole or (len(name) >= _TELLING and name in hay) for name in self.names)
        uuids = set(_UUID.findall(hay.lower()))
        return Found(found, len(self.homes & whole), len(self.ids & uuids), size)


def _texts(line: bytes) -> Iterator[str]:
    """The line as it is spelled and, if it is JSON, each text in it: escapes hide nothing."""
    text = line.decode("utf-8", "replace")
    try:
        yield from _walk(json.loads(line))
    except ValueError:
        yield text


def _walk(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _walk(part)
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part)
    elif value is not None:
        yield json.dumps(value)


def _ids(statement: Json) -> Iterator[str]:
    """The UUIDs that follow a learner about: the statement's, the registration, extensions."""
    yield str(statement["id"]).lower()[-36:]
    context = statement.get("context")
    places: list[object] = [context.get("registration")] if isinstance(context, dict) else []
    for part in (context, statement.get("result")):
        if isinstance(part, dict) and isinstance(part.get("extensions"), dict):
            places.extend(part["extensions"].values())
    for value in places:
        if isinstance(value, str) and _UUID.fullmatch(value.lower()[-36:]):
            yield value.lower()[-36:]
