"""A restored node's quarantine (S4): what a backup does not know, it must not release.

Restoring yesterday's database must not resurrect a consent withdrawn since. Until the journal of
the time between is replayed, or the data protection officer confirms the gap, the node serves its
catalog and its log, records what learners say, and releases nothing that depends on it. The state
is one note; `restored` begins and ends it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from connector.base.clock import format_time, parse_time
from connector.store import notes
from connector.store.store import Tx
from connector.subjects.journal import Extent
from policies.plan import Plan
from policies.problem import Problem

NOTE: Final = "quarantine"


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Since when, from a backup of which instant, with which journal; `logged` once the restoring
    has its leaf.
    """

    since: datetime
    made: datetime
    journal: Extent
    logged: bool = False

    def text(self) -> str:
        """The note's value."""
        journal = {
            "entries": self.journal.entries,
            "size": self.journal.size,
            "digest": self.journal.digest,
        }
        document = {**self.document(), "journal": journal, "logged": self.logged}
        return orjson.dumps(document).decode()

    def document(self) -> dict[str, Any]:
        """What people see of it."""
        return {
            "since": format_time(self.since),
            "backup": format_time(self.made),
        }

    @classmethod
    def read(cls, text: str) -> "Quarantine":
        """The quarantine in a note."""
        found = orjson.loads(text)
        return cls(
            parse_time(found["since"]),
            parse_time(found["backup"]),
            Extent(**found["journal"]),
            bool(found["logged"]),
        )


def current(tx: Tx) -> Quarantine | None:
    """The quarantine this node is in, None when it is in none."""
    text = notes.get(tx, key=NOTE)
    return None if text is None else Quarantine.read(text)


def check(tx: Tx, plan: Plan) -> None:
    """Refuse a release that depends on what learners said, while the node does not know it all.

    Raises:
        Problem: `release-quarantine`.
    """
    if holds_back(plan) and current(tx) is not None:
        raise Problem("release-quarantine")


def holds_back(plan: Plan) -> bool:
    """Whether a quarantine holds this plan back: it asks for consents or for objections."""
    return plan.rows.consent is not None
