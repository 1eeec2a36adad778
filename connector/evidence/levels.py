"""The hashes of the log on disk: one flat file a level, 32 bytes a complete subtree.

Derived data: whatever is missing or wrong here is rebuilt from the leaves in the store. So it is
written without fsync, and the log checks it against its last signed checkpoint at start.
256 records of level 8L are one full hash tile of level L (C2SP tlog-tiles).
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from connector.evidence.tree import HASH_SIZE, Edge, append, edge_at, node_hash
from policies.problem import Problem

TILE_WIDTH: Final = 256
_TILE_HEIGHT: Final = 8
_PATH: Final = re.compile(
    r"(?P<level>[0-9]{1,2})/(?P<index>(?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


class Levels:
    """The level files of one log in a folder that is theirs alone. Not safe for two writers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[int, int] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, level: int, index: int) -> bytes:
        """The hash of one complete subtree.

        Raises:
            Problem: `evidence-levels-damaged`, when the file does not hold it.
        """
        return self.records(level, index, 1)

    def records(self, level: int, start: int, count: int) -> bytes:
        """`count` consecutive hashes of one level, from `start`.

        Raises:
            Problem: `evidence-levels-damaged`, when the file does not hold them.
        """
        data = os.pread(self._file(level), count * HASH_SIZE, start * HASH_SIZE)
        if len(data) != count * HASH_SIZE:
            raise Problem("evidence-levels-damaged", level=level)
        return data

    def size(self) -> int:
        """How many leaf hashes there are (whole records of level 0)."""
        return os.fstat(self._file(0)).st_size // HASH_SIZE

    def edge(self, size: int) -> Edge:
        """The right edge over the first `size` leaves, as the files have it."""
        return edge_at(self.read, size)

    def sound(self, size: int, window: int) -> bool:
        """Whether every hash above the last `window` leaves follows from the two below it."""
        first = max(0, size - window)
        for level in range(1, size.bit_length()):
            start = -(-first >> level)
            count = (size >> level) - start
            below = self.records(level - 1, 2 * start, 2 * count)
            pairs = range(0, len(below), 2 * HASH_SIZE)
            expected = b"".join(
                node_hash(below[at : at + HASH_SIZE], below[at + HASH_SIZE : at + 2 * HASH_SIZE])
                for at in pairs
            )
            if expected != self.records(level, start, count):
                return False
        return True

    def extend(self, edge: Edge, leaves: Iterable[bytes]) -> Edge:
        """Add leaf hashes after those of `edge`; returns the new edge.

        Each hash is written at its own place, so that repeating after a crash changes nothing.

        Raises:
            Problem: `evidence-disk`; `edge` stays the one to go on from.
        """
        records: dict[int, list[bytes]] = {}
        first = edge.size
        for leaf in leaves:
            edge, completed = append(edge, leaf)
            for level, record in enumerate(completed):
                records.setdefault(level, []).append(record)
        for level, added in records.items():
            self._write(level, b"".join(added), (first >> level) * HASH_SIZE)
        return edge

    def truncate(self, size: int) -> None:
        """Forget every hash beyond the first `size` leaves."""
        for level in range(64):
            if level not in self._files and not self._path(level).exists():
                break
            os.ftruncate(self._file(level), (size >> level) * HASH_SIZE)

    def close(self) -> None:
        """Close the files."""
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()

    def _write(self, level: int, data: bytes, offset: int) -> None:
        """Write all of it: a disk that is full takes a part and says so by a number only."""
        view = memoryview(data)
        try:
            while view:
                done = os.pwrite(self._file(level), view, offset)
                view, offset = view[done:], offset + done
        except OSError as error:
            raise Problem("evidence-disk", reason=error.strerror or "-") from error

    def _path(self, level: int) -> Path:
        return self._folder / f"level-{level:02d}"

    def _file(self, level: int) -> int:
        if level not in self._files:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._files[level] = os.open(self._path(level), flags, 0o600)
        return self._files[level]


def tile(levels: Levels, size: int, level: int, index: int, width: int) -> bytes:
    """A hash tile of the tree of `size` leaves: `width` hashes (1 to 256).

    A partial tile stays available after the full one exists.

    Raises:
        Problem: `evidence-tile-unknown`, when the tree has no such tile.
    """
    known = 0 <= level < 64 // _TILE_HEIGHT and index >= 0 and 1 <= width <= TILE_WIDTH
    height = level * _TILE_HEIGHT
    if not known or index * TILE_WIDTH + width > size >> height:
        raise Problem("evidence-tile-unknown", level=level, index=index, width=width)
    return levels.records(height, index * TILE_WIDTH, width)


def read_tile_path(path: str) -> tuple[int, int, int]:
    """Level, index and width of a tile path (`0/x001/x234/067` or `0/005.p/17`).

    Raises:
        Problem: `evidence-tile-path`.
    """
    found = _PATH.fullmatch(path)
    if found is None:
        raise Problem("evidence-tile-path", path=path[:80])
    index = int(found["index"].replace("x", "").replace("/", ""))
    place = (int(found["level"]), index, int(found["width"] or TILE_WIDTH))
    if place[2] > TILE_WIDTH or tile_path(*place) != path:  # one spelling only
        raise Problem("evidence-tile-path", path=path[:80])
    return place


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile: groups of three digits, all but the last with an `x` before."""
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.append(f"x{index % 1000:03d}")
    path = f"{level}/" + "/".join(reversed(groups))
    return path if width == TILE_WIDTH else f"{path}.p/{width}"
