"""How a catalog moves from one head to the next, and what a reader refuses.

The rules (C2, X8). A head's version grows by one and names the digest of the head before. A
dataset leaves only with a tombstone and never comes back under the same IRI. A reader remembers
(version, digest) of the last head it verified; it refuses

1. a lower version (rollback),
2. the same version with another digest (fork: two histories were signed),
3. the next version whose `previous` is not the digest it remembers (fork, one step later).

A reader that missed heads in between cannot check rule 3; `check_successor` compares whole heads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from catalog.documents import digest
from catalog.heads import head as head_document
from catalog.model import Entry, Head, Tombstone
from policies.problem import Problem

Seen = tuple[int, str]
"""What a reader remembers of a head: its version and its digest."""


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed between two heads; dataset IRIs, sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def head_digest(head: Head) -> str:
    """The digest by which the next head names this one."""
    return digest(head_document(head))


def first_head(
    *, catalog: str, publisher: str, group: str, entries: Iterable[Entry], issued: datetime
) -> Head:
    """Version 1 of a group's catalog (it may be empty).

    Raises:
        Problem: `catalog-member-…`.
    """
    return Head(catalog, publisher, group, 1, None, issued, _in_order(entries))


def next_head(
    previous: Head,
    entries: Iterable[Entry],
    *,
    issued: datetime,
    withdrawn: Iterable[Tombstone] = (),
) -> Head:
    """The head after `previous`, holding these entries (in any order) and all tombstones.

    Raises:
        Problem: `catalog-head-vanished` (a dataset left without a tombstone),
            `catalog-head-returned` (a withdrawn one came back), `catalog-head-time` (issued
            before the previous head), `catalog-member-…`.
    """
    stones = {stone.dataset: stone for stone in (*withdrawn, *previous.tombstones)}
    following = Head(
        catalog=previous.catalog,
        publisher=previous.publisher,
        group=previous.group,
        version=previous.version + 1,
        previous=head_digest(previous),
        issued=issued,
        entries=_without(stones, entries),
        tombstones=tuple(stones[dataset] for dataset in sorted(stones)),
    )
    check_successor(previous, following)
    return following


def check(seen: Seen | None, head: Head) -> None:
    """That a reader who remembers `seen` may accept this (verified) head.

    Raises:
        Problem: `catalog-head-rollback`, `catalog-head-fork`.
    """
    if seen is None:
        return
    version, remembered = seen
    if head.version < version:
        raise Problem("catalog-head-rollback", found=head.version, seen=version)
    same = head.version == version and head_digest(head) != remembered
    following = head.version == version + 1 and head.previous != remembered
    if same or following:
        raise Problem("catalog-head-fork", found=head.version, seen=version)


def check_successor(previous: Head, head: Head) -> None:
    """That a head follows an earlier one of the same catalog, whatever the distance.

    Raises:
        Problem: `catalog-head-other` (another catalog, group or publisher), the problems of
            `check`, `catalog-head-time`, `catalog-head-vanished`, `catalog-head-rewritten`,
            `catalog-head-returned`.
    """
    if (previous.catalog, previous.group, previous.publisher) != (
        head.catalog,
        head.group,
        head.publisher,
    ):
        raise Problem("catalog-head-other", found=head.iri[:300], expected=previous.iri[:300])
    check((previous.version, head_digest(previous)), head)
    if head.issued < previous.issued:
        raise Problem("catalog-head-time", found=head.version)
    gone = {stone.dataset for stone in head.tombstones}
    for dataset in diff(previous, head).removed:
        if dataset not in gone:
            raise Problem("catalog-head-vanished", dataset=dataset[:300])
    before = {entry.document: entry.digest for entry in previous.entries}
    for entry in head.entries:
        if before.get(entry.document, entry.digest) != entry.digest:
            raise Problem("catalog-head-rewritten", document=entry.document[:300])
    for stone in previous.tombstones:
        if stone not in head.tombstones:
            raise Problem("catalog-head-returned", dataset=stone.dataset[:300])


def diff(old: Head | None, new: Head) -> Diff:
    """Which datasets came, changed their document, or left."""
    before = {} if old is None else {entry.dataset: entry for entry in old.entries}
    after = {entry.dataset: entry for entry in new.entries}
    return Diff(
        added=tuple(sorted(after.keys() - before.keys())),
        changed=tuple(sorted(d for d in after if d in before and after[d] != before[d])),
        removed=tuple(sorted(before.keys() - after.keys())),
    )


def _in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.dataset))


def _without(stones: Mapping[str, Tombstone], entries: Iterable[Entry]) -> tuple[Entry, ...]:
    kept = _in_order(entries)
    for entry in kept:
        if entry.dataset in stones:
            raise Problem("catalog-head-returned", dataset=entry.dataset[:300])
    return kept
