"""Who may leave, for each revision and use: cached, refreshed at every new epoch (X1).

The cache is only a cache: it is rebuilt from the registry whenever it is missing, and asked again
inside the very transaction that commits a part.
"""

from datetime import datetime
from pathlib import Path

from connector.dataplane.revision import Revision
from connector.store import peers
from connector.store.rows import RevisionRow
from connector.store.store import Tx
from connector.subjects import registry
from connector.subjects.registry import Bitmap, Roster
from policies.plan import ConsentScope


class Bitmaps:
    """Open revisions, their rosters, and the newest bitmap of each use.

    Rosters and bitmaps are asked for in `Store.survey` only: one thread at a time, and not the one
    that messages wait for.
    """

    def __init__(self) -> None:
        self._revisions: dict[str, Revision] = {}
        self._rosters: dict[str, Roster] = {}
        self._bitmaps: dict[tuple[str, ConsentScope], Bitmap] = {}

    def revision(self, folder: Path, row: RevisionRow) -> Revision:
        """A revision, mapped into memory while the node runs."""
        if row.id not in self._revisions:
            self._revisions[row.id] = Revision.open(folder / row.folder)
        return self._revisions[row.id]

    def roster(self, row: RevisionRow, revision: Revision) -> Roster:
        """The persons of a revision."""
        if row.id not in self._rosters:
            self._rosters[row.id] = Roster.of(revision.subjects())
        return self._rosters[row.id]

    def bitmap(
        self, tx: Tx, row: RevisionRow, roster: Roster, consent: ConsentScope, at: datetime
    ) -> Bitmap:
        """The bitmap that holds at this instant in this transaction's state."""
        key = (row.id, consent)
        groups = groups_of(tx, consent.scope.recipient)
        known = self._bitmaps.get(key)
        make = registry.bitmap
        if known is None:
            made = make(tx, roster, consent.scope, mode=consent.mode, at=at, groups=groups)
        else:
            made = registry.refresh(
                tx, known, roster, consent.scope, mode=consent.mode, at=at, groups=groups
            )
        self._bitmaps[key] = made
        return made

    def close(self) -> None:
        """Unmap every revision."""
        for revision in self._revisions.values():
            revision.close()
        self._revisions.clear()


def groups_of(tx: Tx, recipient: str) -> frozenset[str]:
    """The groups the operator put a recipient in."""
    peer = peers.get(tx, did=recipient)
    return frozenset(peer.groups) if peer else frozenset()
