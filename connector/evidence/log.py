"""The node's log: leaves go in with the caller's transaction, hashes and checkpoints follow.

    index = log.append(tx, Entry("plan", agreement, shared=bodies.plan(plan)), now)   # in a unit
    await log.advance()                                                             # after commits

The store's leaves are the log; level files and checkpoints are made from them. A checkpoint is
published only once it is stored, so a crash at any point leaves either the old one or the new one,
and both extend all that was published before. At start every disagreement between leaves,
hashes and the last checkpoint is either repaired because it is derived data, or refused: a log
that shrank or changed must not go on as if nothing had happened.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from connector.base.clock import Clock, format_time
from connector.base.ids import Ids
from connector.evidence import leaf, levels, tree
from connector.evidence.leaf import Entry
from connector.evidence.note import Checkpoint, Verifier, open_checkpoint, sign_checkpoint
from connector.store import leaves
from connector.store.rows import CheckpointRow, LeafRow
from connector.store.store import Store, Tx
from policies.problem import Problem

CHUNK: Final = 1024
"""Leaves hashed at a time: a few milliseconds of the event loop."""

# Above how many of the newest leaves every hash is made again at a start: some 50 ms of it.
_WINDOW: Final = 65_536

# Units wait in the writer's queue after their instant was taken; only more than this is a clock
# that went back.
_QUEUE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Published:
    size: int
    root: bytes
    note: bytes


class Log:
    """One node's log. Make it with `open`; one at a time, on the event loop's thread."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        *,
        sign: Callable[[bytes], bytes],
        key: bytes,
        origin: str,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self.verifier = Verifier(origin, key)
        self._store = store
        self._sign = sign
        self._clock = clock
        self._ids = ids
        self._levels = levels.Levels(folder)
        self._edge = tree.Edge()
        self._published: _Published | None = None
        self._busy = asyncio.Lock()

    @classmethod
    def open(
        cls,
        folder: Path,
        store: Store,
        *,
        sign: Callable[[bytes], bytes],
        key: bytes,
        origin: str,
        clock: Clock,
        ids: Ids,
    ) -> "Log":
        """The log, reconciled with the store. Blocks; call it before serving.

        Args:
            folder: for the level files, the log's alone; may be empty or missing.
            store: the node's store.
            sign: Ed25519 signature by the log's key.
            key: the 32-byte public key of it.
            origin: the log's name (C2SP: a schema-less URL such as `node.example/log`); it is
                also the name of the key.
            clock: for the time beside stored checkpoints.
            ids: for salts.

        Raises:
            Problem: `evidence-log-…`: the last checkpoint is not this log's, the store has fewer
                leaves than it counts, or other ones.
        """
        log = cls(folder, store, sign=sign, key=key, origin=origin, clock=clock, ids=ids)
        log._reconcile()
        return log

    @staticmethod
    def timely(tx: Tx, now: datetime) -> bool:
        """Whether a leaf could be appended now: the clock has not gone back."""
        newest = leaves.newest(tx)
        return newest is None or newest[1] - now <= _QUEUE

    def append(self, tx: Tx, entry: Entry, now: datetime) -> int:
        """Log an act inside the caller's transaction; returns the leaf's index.

        Raises:
            Problem: `evidence-clock-back`, when `now` lies before the newest leaf by more than a
                unit may wait in the queue. Nothing may be released then.
            ValueError: the entry is not one (unknown type, a body that has no canonical form).
        """
        newest = leaves.newest(tx)
        index, time = (0, now) if newest is None else (newest[0] + 1, _not_before(newest[1], now))
        filed = entry.agreement if entry.agreement is not None else entry.about
        number = None
        if entry.shared is not None:
            number = leaves.next_number_of(tx, agreement=filed, type=entry.type)
        salts = self._salts(tx, entry)
        made = leaf.make(entry, time, number, salts)
        leaves.insert_leaf(
            tx,
            LeafRow(
                idx=index,
                type=entry.type,
                agreement=filed,
                n=number,
                data=made.bytes(),
                at=time,
                shared_body=None if entry.shared is None else dict(entry.shared),
                shared_salt=salts.shared,
                private_body=_private(entry, salts),
            ),
        )
        return index

    async def advance(self) -> bytes | None:
        """Hash what was committed since the last call, sign, store and publish a checkpoint.

        Returns the checkpoint in force, None while the log is empty. Calls are serialised; one
        after any commit that logged something is enough, and several commits may share one.

        Raises:
            Problem: `evidence-log-…`, `store-…`: the published checkpoint stays as it was, and
                the next call tries again.
        """
        async with self._busy:
            while added := await self._store.read(self._next):
                self._edge = self._levels.extend(self._edge, map(tree.leaf_hash, added))
            drafted = self._draft()
            if drafted is not None:
                await self._store.write(lambda tx: self._keep(tx, drafted))
                self._published = drafted
            return None if self._published is None else self._published.note

    def checkpoint(self) -> bytes:
        """The published checkpoint, a signed note.

        Raises:
            Problem: `evidence-log-empty`.
        """
        return self._in_force().note

    @property
    def size(self) -> int:
        """How many leaves the published checkpoint counts."""
        return 0 if self._published is None else self._published.size

    def tile(self, level: int, index: int, width: int = levels.TILE_WIDTH) -> bytes:
        """A hash tile under the published checkpoint (C2SP tlog-tiles; `levels.read_tile_path`).

        Raises:
            Problem: `evidence-tile-unknown`.
        """
        return levels.tile(self._levels, self.size, level, index, width)

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The inclusion proof of a leaf in the tree of `size` leaves (the published one's).

        Raises:
            Problem: `evidence-proof-range`.
        """
        whole = self.size if size is None else size
        if whole > self.size:
            raise Problem("evidence-proof-range", first=index, second=whole)
        return tree.inclusion(self._levels.read, index, whole)

    def consistency(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        """The proof that the tree of `new` leaves (the published one's) extends that of `old`.

        Raises:
            Problem: `evidence-proof-range`.
        """
        whole = self.size if new is None else new
        if whole > self.size:
            raise Problem("evidence-proof-range", first=old, second=whole)
        return tree.consistency(self._levels.read, old, whole)

    def check(self) -> int:
        """Hash every leaf of the store again and compare; how many there are. Blocks, seconds
        for a million leaves: for `preau doctor` and after an upgrade.

        Raises:
            Problem: `evidence-log-hole`, `evidence-log-disagrees`, `evidence-levels-damaged`.
        """
        published = self._published
        edge = tree.Edge()
        while published is not None and edge.size < published.size:
            stop = min(edge.size + CHUNK, published.size)
            for added in self._data(edge.size, stop):
                edge, _ = tree.append(edge, tree.leaf_hash(added))
        if published is not None and tree.root(edge) != published.root:
            raise Problem("evidence-log-disagrees", size=published.size)
        if not self._levels.sound(edge.size, edge.size):
            raise Problem("evidence-levels-damaged", level=1)
        return edge.size

    def close(self) -> None:
        """Close the level files."""
        self._levels.close()

    # -------------------------------------------------------------------------- appending

    def _salts(self, tx: Tx, entry: Entry) -> leaf.Salts:
        agreement = None
        if entry.agreement is not None:
            agreement = leaves.keep_salt(
                tx, agreement=entry.agreement, fresh=lambda: self._ids.token(leaf.SALT_SIZE)
            )
        return leaf.Salts(
            agreement,
            None if entry.shared is None else self._ids.token(leaf.SALT_SIZE),
            None if entry.private is None else self._ids.token(leaf.SALT_SIZE),
        )

    # -------------------------------------------------------------------------- advancing

    def _next(self, tx: Tx) -> list[bytes]:
        start = self._edge.size
        return leaves.data(tx, start=start, stop=start + CHUNK)

    def _draft(self) -> _Published | None:
        """A signed checkpoint over all hashed leaves, unless it is published already."""
        if self._edge.size == self.size:
            return None
        root = tree.root(self._edge)
        text = Checkpoint(self.verifier.name, self._edge.size, root)
        return _Published(self._edge.size, root, sign_checkpoint(text, self.verifier, self._sign))

    def _keep(self, tx: Tx, drafted: _Published) -> None:
        """Store a checkpoint, unless a larger or a different one of its size is there."""
        last = leaves.last_checkpoint(tx)
        if last is not None and (
            last.size > drafted.size or (last.size == drafted.size and last.root != drafted.root)
        ):
            raise Problem("evidence-log-disagrees", size=last.size)
        leaves.put_checkpoint(
            tx,
            CheckpointRow(drafted.size, drafted.root, drafted.note.decode(), self._clock.now()),
        )

    def _in_force(self) -> _Published:
        if self._published is None:
            raise Problem("evidence-log-empty")
        return self._published

    # -------------------------------------------------------------------------- starting

    def _reconcile(self) -> None:
        """Make hashes agree with the last checkpoint, then take in what was logged after it."""
        last, size = self._store.read_now(
            lambda tx: (leaves.last_checkpoint(tx), leaves.next_index(tx))
        )
        if last is not None:
            self._published = self._own(last)
            if size < last.size:
                raise Problem("evidence-log-shorter", found=size, size=last.size)
            if not self._levels_agree(self._published):
                self._rebuild(self._published)
        self._edge = self._levels.edge(self.size)
        self._levels.truncate(self.size)
        self._check_newest()
        self._hash_up_to(size)
        drafted = self._draft()
        if drafted is not None:
            self._store.write_now(lambda tx: self._keep(tx, drafted))
            self._published = drafted

    def _own(self, row: CheckpointRow) -> _Published:
        """The stored checkpoint, if it is this log's and says what its row says."""
        note = row.note.encode()
        wrong = Problem("evidence-log-checkpoint", origin=self.verifier.name)
        try:
            opened = open_checkpoint(note, [self.verifier])
        except Problem:
            raise wrong from None
        if (opened.origin, opened.size, opened.root) != (self.verifier.name, row.size, row.root):
            raise wrong
        return _Published(row.size, row.root, note)

    def _levels_agree(self, published: _Published) -> bool:
        """Whether the level files give the root of the checkpoint."""
        try:
            root = tree.root(self._levels.edge(published.size))
            return root == published.root and self._levels.sound(published.size, _WINDOW)
        except Problem:  # a file is missing or short
            return False

    def _rebuild(self, published: _Published) -> None:
        """Make the level files again from the leaves, and compare with the checkpoint."""
        self._levels.truncate(0)
        self._edge = tree.Edge()
        self._hash_up_to(published.size)
        if tree.root(self._edge) != published.root:
            raise Problem("evidence-log-disagrees", size=published.size)

    def _check_newest(self) -> None:
        """The newest leaves are those that were hashed (all of them: `check`)."""
        start = max(0, self.size - CHUNK)
        for offset, found in enumerate(self._data(start, self.size)):
            if tree.leaf_hash(found) != self._levels.read(0, start + offset):
                raise Problem("evidence-log-disagrees", size=self.size)

    def _hash_up_to(self, size: int) -> None:
        while self._edge.size < size:
            stop = min(self._edge.size + CHUNK, size)
            added = self._data(self._edge.size, stop)
            self._edge = self._levels.extend(self._edge, map(tree.leaf_hash, added))

    def _data(self, start: int, stop: int) -> list[bytes]:
        """The bytes of leaves, none missing."""
        found = self._store.read_now(lambda tx: leaves.data(tx, start=start, stop=stop))
        if len(found) != stop - start:
            raise Problem("evidence-log-hole", index=start + len(found))
        return found


def _not_before(last: datetime, now: datetime) -> datetime:
    """The time of a leaf: `now`, or the newest leaf's where a unit waited for another one's."""
    if now >= last:
        return now
    if last - now > _QUEUE:
        raise Problem("evidence-clock-back", now=format_time(now), last=format_time(last))
    return last


def _private(entry: Entry, salts: leaf.Salts) -> dict[str, object] | None:
    """What is stored beside the leaf for our own eyes: body and salt go together, or not at all."""
    if entry.private is None or salts.private is None:
        return None
    return {"salt": salts.private.hex(), "body": dict(entry.private)}
