"""The catalog page by page (DSP 2025-1 "Catalog Protocol", pagination).

A page belongs to a *version* of the catalog: the cursor names the head of each group that the
caller may see, and heads never change. Whoever follows the links reads one state of the catalog
from end to end, however much is published meanwhile; what was withdrawn meanwhile is left out.
Nothing is capped: every dataset stands on some page.
"""

import base64
import binascii
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson

from catalog import dsp
from catalog.query_spec import Slice
from connector.base.packed import Packed
from connector.services.publish.published import PUBLIC
from connector.store import catalogs
from connector.store.store import Tx
from policies.problem import Problem

PAGE: Final = 50
"""Datasets on a page, unless the caller asks for more or fewer."""
LARGEST: Final = 1000
_KEPT_VERSIONS: Final = 16
_KEPT_PROJECTIONS: Final = 4096
_KEPT_PAGES: Final = 256
"""Pages of the usual size, packed: some 30 kB each."""
_MAX_CURSOR: Final = 4096

K = TypeVar("K")
V = TypeVar("V")
_Listed = tuple[tuple[str, str], ...]
_Versions = tuple[tuple[str, int], ...]
Write = Callable[[tuple[Any, ...]], object]
"""Makes the whole answer of projected datasets (JSON text in a shape that orjson writes)."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: which version of each group's catalog, and after how many datasets."""

    versions: _Versions
    start: int

    def text(self) -> str:
        """The cursor as it stands in a link; nobody else needs to read it."""
        said = json.dumps([self.start, *self.versions], separators=(",", ":"))
        return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """The cursor in a link of ours.

        Raises:
            Problem: `dataset-cursor`.
        """
        if len(text) > _MAX_CURSOR:
            raise Problem("dataset-cursor")
        try:
            padded = (text + "=" * (-len(text) % 4)).encode("ascii")
            start, *found = json.loads(base64.b64decode(padded, b"-_", validate=True))
            versions = tuple((group, version) for group, version in found)
        except (ValueError, TypeError, RecursionError, binascii.Error):
            raise Problem("dataset-cursor") from None
        if not (_whole(start) and all(type(g) is str and _whole(v) for g, v in versions)):
            raise Problem("dataset-cursor")
        found = cls(versions, start)
        named = [group for group, _ in versions]
        # Each group once, in the order in which links of ours name them.
        if not versions or named != sorted(set(named)) or found.text() != text:
            raise Problem("dataset-cursor")
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered, and the cursors of the pages beside this one."""

    body: Packed
    previous: str | None
    next: str | None


class Listings:
    """What heads list, what documents project to, and today's pages as they are answered.

    None of them ever changes, so all are kept: a page under the versions of today, since what is
    withdrawn leaves the catalog by a new version.
    """

    def __init__(self) -> None:
        self._listed: Kept[tuple[str, int], _Listed] = Kept(_KEPT_VERSIONS)
        self._projected: Kept[str, bytes] = Kept(_KEPT_PROJECTIONS)
        self._packed: Kept[tuple[_Versions, Cursor], Packed] = Kept(_KEPT_PAGES)

    def listed(self, tx: Tx, group: str, version: int) -> _Listed:
        """(dataset, digest of its document) of one version of a group's catalog, by IRI.

        Raises:
            Problem: `dataset-cursor`: there is no such version.
        """

        def make() -> _Listed:
            row = catalogs.head_at(tx, group=group, version=version)
            if row is None:
                raise Problem("dataset-cursor")
            return tuple((one["dataset"], one["digest"]) for one in orjson.loads(row.body)["entry"])

        return self._listed.get((group, version), make)

    def projected(self, tx: Tx, digest: str) -> bytes:
        """A dataset as it stands in a catalog on the wire, as JSON text.

        Raises:
            Problem: `dataset-unknown`.
        """

        def make() -> bytes:
            stored = catalogs.document_by_digest(tx, digest=digest)
            if stored is None:
                raise Problem("dataset-unknown")
            return orjson.dumps(dsp.inner(dsp.project(orjson.loads(stored.body))))

        return self._projected.get(digest, make)

    def packed(self, today: _Versions, at: Cursor, make: Callable[[], Packed]) -> Packed:
        """A page of the usual size, as it is answered."""
        return self._packed.get((today, at), make)


class Kept(Generic[K, V]):
    """The `most` values used last. Readers of the store are several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value under `key`, made if it is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value


def page(
    tx: Tx,
    listings: Listings,
    groups: frozenset[str],
    cursor: str | None,
    wanted: Slice,
    write: Write,
) -> Page:
    """A page of what somebody in these groups may see: the first of today's, or the cursor's.

    `wanted` is what the caller's filter asks for: where to begin without a cursor, and how many
    datasets make a page (up to `LARGEST`). `write` makes the answer of projected datasets.

    Raises:
        Problem: `dataset-cursor`: not one of ours, or not for these groups.
    """
    visible = frozenset({PUBLIC, *groups})
    today = _today(tx, visible)
    at = Cursor.read(cursor) if cursor is not None else Cursor(today, wanted.start)
    if not {group for group, _ in at.versions} <= visible:
        raise Problem("dataset-cursor")
    # Sorted by IRI over all groups, so that a page does not tell which group a dataset is in.
    entries = [one for group, n in at.versions for one in listings.listed(tx, group, n)]
    if len(at.versions) > 1:
        entries.sort()
    size = PAGE if wanted.stop is None else min(wanted.stop - wanted.start, LARGEST)
    stop = at.start + size

    def make() -> Packed:
        shown = entries[at.start : stop]
        found = (listings.projected(tx, digest) for iri, digest in shown if _offered(tx, iri))
        return Packed.of(write(tuple(map(orjson.Fragment, found))))

    return Page(
        listings.packed(today, at, make) if size == PAGE else make(),
        Cursor(at.versions, max(0, at.start - size)).text() if at.start else None,
        Cursor(at.versions, stop).text() if stop < len(entries) else None,
    )


def _today(tx: Tx, groups: frozenset[str]) -> _Versions:
    found = ((group, catalogs.version(tx, group=group)) for group in sorted(groups))
    return tuple((group, version) for group, version in found if version is not None)


def _offered(tx: Tx, dataset: str) -> bool:
    row = catalogs.dataset_by_iri(tx, iri=dataset)
    return row is not None and row.state == "published"


def _whole(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**53


def link(address: str, found: Page) -> str | None:
    """The `Link` header (RFC 8288) of a page; None when it is the only one.

    The page before goes by `prev`, its registered name, and by `previous`, that of DSP.
    """
    links = []
    if found.next is not None:
        links.append(f'<{address}?cursor={found.next}>; rel="next"')
    if found.previous is not None:
        before = f"{address}?cursor={found.previous}"
        links += [f'<{before}>; rel="prev"', f'<{before}>; rel="previous"']
    return ", ".join(links) or None
