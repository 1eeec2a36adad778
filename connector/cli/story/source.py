"""The platform's own file, read with nothing but `json`: what must arrive, and what must not.

This is the other side of the comparison, so it shares no code with the rooms that read, filter
and release data. Rows that no consent can cover are left out in the plainest way: a row leaves
only if every person it names, anywhere in it, is an account that consents.
"""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from connector.cli.story.consents import Account, consents
from policies.problem import Problem

Json = dict[str, Any]

_PERSON: Final = frozenset({"account", "mbox", "mbox_sha1sum", "openid"})
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Statement:
    """One row of the file: its JSON, the learner who did it, everybody it names."""

    value: Json
    learner: Account | None
    persons: frozenset[Account | None]

    @property
    def at(self) -> datetime:
        """When it happened."""
        return instant(str(self.value.get("timestamp") or self.value.get("stored")))


class Source:
    """The statements of a file, duplicates counted once, contradictions left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.statements = tuple(map(_statement, _distinct(_rows(path), path)))

    @cached_property
    def accounts(self) -> frozenset[Account]:
        """Everybody whom the rows name by an account: those who are asked for consent."""
        named = frozenset[Account | None]().union(*(row.persons for row in self.statements))
        return frozenset(account for account in named if account is not None)

    @cached_property
    def consenting(self) -> tuple[Statement, ...]:
        """The rows that may leave: those in which every person consents."""
        return self.permitted(consents)

    def permitted(self, rule: Callable[[str], bool]) -> tuple[Statement, ...]:
        """The rows in which every person is an account that consents by this rule."""
        return tuple(row for row in self.statements if _all_consent(row, rule))

    @cached_property
    def period(self) -> tuple[str, str]:
        """The first day of the statements, and the day after the last."""
        days = [row.at.date() for row in self.statements]
        return min(days).isoformat(), (max(days) + timedelta(days=1)).isoformat()

    def talkative(self) -> Account:
        """A consenting learner with many rows, so that some lie in later parts.

        Nobody whom the rows of others name: then all their rows stand under one pseudonym.

        Raises:
            Problem: `demo-traces-nobody`.
        """
        counts: Counter[Account] = Counter()
        elsewhere: set[Account | None] = set()
        for row in self.consenting:
            if row.learner is not None:
                counts[row.learner] += 1
            elsewhere |= row.persons - {row.learner}
        alone = [account for account in counts if account not in elsewhere]
        if not alone:
            raise Problem("demo-traces-nobody", path=str(self.path))
        return max(alone, key=lambda account: (counts[account], account))


def instant(text: str) -> datetime:
    """The UTC instant of an ISO 8601 date-time."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _rows(path: Path) -> Iterator[Json]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as lines:
            for line in lines:
                if line.strip():
                    row = _object(line)
                    if row is not None:
                        yield row
    except (OSError, EOFError) as error:
        fault = getattr(error, "strerror", None) or type(error).__name__
        raise Problem("demo-traces-unreadable", path=str(path), fault=fault) from None


def _object(line: bytes) -> Json | None:
    """A row, or None for one that the node quarantines: nobody did it, or nobody knows when."""
    try:
        row = json.loads(line)
        instant(str(row.get("timestamp") or row.get("stored")))
        return row if _PERSON & row["actor"].keys() and "id" in row else None
    except (ValueError, AttributeError, KeyError, TypeError):
        return None


def _distinct(rows: Iterator[Json], path: Path) -> list[Json]:
    """Each statement once; ids that stand for several statements, never."""
    found: dict[str, Json] = {}
    conflicting: set[str] = set()
    for row in rows:
        key = str(row["id"]).lower()
        if key in found and _essence(found[key]) != _essence(row):
            conflicting.add(key)
        found.setdefault(key, row)
    kept = [row for key, row in found.items() if key not in conflicting]
    if not kept:
        raise Problem("demo-traces-empty", path=str(path))
    return kept


def _essence(row: Json) -> Json:
    return {key: value for key, value in row.items() if key not in ("stored", "authority", "id")}


def _statement(row: Json) -> Statement:
    return Statement(row, _account(row["actor"]), frozenset(map(_account, agents(row))))


def agents(value: object) -> Iterator[Json]:
    """Whatever looks like a person, wherever it stands in a row."""
    if isinstance(value, dict):
        if _PERSON & value.keys():
            yield value
        for part in value.values():
            yield from agents(part)
    elif isinstance(value, list):
        for part in value:
            yield from agents(part)


def _account(agent: Json) -> Account | None:
    account = agent.get("account")
    if not isinstance(account, dict):
        return None
    return Account(str(account.get("homePage")), str(account.get("name")))


def _all_consent(row: Statement, rule: Callable[[str], bool]) -> bool:
    return all(person is not None and rule(person.name) for person in row.persons)
