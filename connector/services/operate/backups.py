"""Backups: one file with everything a node cannot make again, taken while it runs.

A tar archive: settings, a snapshot of the database, the consent journal, the revisions that the
snapshot names, finished received files, and last `manifest.json` with the digest of each. The
evidence log's hashes are left out (rebuilt from the database), and so are private keys: they never
leave through the management API. Where the caller reads the key files itself and gives a
passphrase, `keys.sealed` stands first in the archive (`connector.identity.vault`).

The database is copied first and the journal after it, so the journal holds at least what the
database has applied. Revisions and received files never change; they are read as they leave.
"""

import asyncio
import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from connector.base.clock import format_time
from connector.base.settings import FILE as SETTINGS
from connector.base.settings import Settings
from connector.evidence.leaf import Entry
from connector.services import access
from connector.services.access import Actor
from connector.services.node import Node
from connector.services.publish import library
from connector.store import copying
from connector.store.engine import located
from connector.subjects.journal import Extent, extent_of
from policies.problem import Problem

MANIFEST: Final = "manifest.json"
DATABASE: Final = "preau.sqlite"
JOURNAL: Final = "consent.journal"
KEYS: Final = "keys.sealed"
TYPE: Final = "Backup"
DATA: Final = "data"
RECEIVED: Final = "received"
CHUNK: Final = 2**20
_BLOCK: Final = 512
_UNFINISHED: Final = (".partial", ".parts")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one backup takes: the database's copy (open, already without a name), the rest by
    path under its name in the archive.
    """

    settings: Settings
    made: datetime
    database: BinaryIO
    journal: Extent
    files: tuple[tuple[str, Path], ...]
    schema: str
    leaves: int


async def take(node: Node, who: Actor) -> Iterator[bytes]:
    """The archive of this node as it is now, in chunks; the taking is logged.

    Raises:
        Problem: `access-role`, `store-…`, `subjects-journal-…`, `backup-file-missing`.
    """
    access.require(who, "operator")
    now = node.clock.now()
    change = {"v": 1, "change": "backup-taken", "by": who.id, "role": who.role}
    await node.store.write(lambda tx: node.log.append(tx, Entry("config", None, None, change), now))
    scratch = node.folder / f"backup-{node.ids.token(8).hex()}.partial"
    snapshot = await asyncio.to_thread(begin, node.folder, node.settings, now, scratch)
    return archive(snapshot)


def begin(folder: Path, settings: Settings, made: datetime, scratch: Path) -> Snapshot:
    """Copy the database and list the rest. `scratch` is a free name on the node's disk.

    Raises:
        Problem: `store-…`, `subjects-journal-…`, `backup-file-missing`.
    """
    copying.copy(located(folder, settings.store.url), scratch)
    try:
        seen = copying.look(scratch)
        database = scratch.open("rb")
    finally:
        scratch.unlink()
    try:
        journal = folder / settings.consent.journal
        extent = extent_of(journal)
        files = (
            (SETTINGS, folder / SETTINGS),
            (JOURNAL, journal),
            *_revisions(folder, seen.revisions),
            *_received(folder / RECEIVED),
            *_templates(folder / library.FOLDER),
        )
    except BaseException:
        database.close()
        raise
    return Snapshot(settings, made, database, extent, files, str(seen.schema), seen.leaves)


def sweep(folder: Path) -> None:
    """At a start: remove copies that a crash left (one being read has lost its name already)."""
    for left in folder.glob("backup-*.partial"):
        left.unlink()


def archive(snapshot: Snapshot) -> Iterator[bytes]:
    """The snapshot as the bytes of a tar archive.

    Raises:
        Problem: `backup-file-changed`: the stream ends there and is no backup.
    """
    written: list[dict[str, object]] = []
    with snapshot.database:
        yield from _member(snapshot, DATABASE, snapshot.database, None, written)
    for name, path in snapshot.files:
        limit = snapshot.journal.size if name == JOURNAL else None
        try:
            with path.open("rb") as file:
                yield from _member(snapshot, name, file, limit, written)
        except OSError as error:
            fault = error.strerror or "I/O"
            raise Problem("backup-file-missing", file=name, fault=fault) from None
    content = orjson.dumps(_manifest(snapshot, written), option=orjson.OPT_INDENT_2)
    yield from (member(MANIFEST, content, snapshot.made), bytes(2 * _BLOCK))


def member(name: str, content: bytes, made: datetime) -> bytes:
    """A small file as a member of the archive."""
    return _header(name, len(content), made) + content + _padding(len(content))


def _member(
    snapshot: Snapshot,
    name: str,
    file: BinaryIO,
    limit: int | None,
    written: list[dict[str, object]],
) -> Iterator[bytes]:
    """An open file, or its first `limit` bytes, as a member; notes its digest."""
    size = file.seek(0, 2) if limit is None else limit
    file.seek(0)
    yield _header(name, size, snapshot.made)
    left, sha256 = size, hashlib.sha256()
    while left:
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            raise Problem("backup-file-changed", file=name)
        left -= len(chunk)
        sha256.update(chunk)
        yield chunk
    yield _padding(size)
    written.append({"path": name, "size": size, "digest": f"sha-256:{sha256.hexdigest()}"})


def _header(name: str, size: int, made: datetime) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(made.timestamp())
    return info.tobuf(tarfile.PAX_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def _manifest(snapshot: Snapshot, written: list[dict[str, object]]) -> dict[str, Any]:
    journal = snapshot.journal
    return {
        "v": 1,
        "type": TYPE,
        "node": snapshot.settings.node.did,
        "made": format_time(snapshot.made),
        "preau": version("preau"),
        "schema": snapshot.schema,
        "leaves": snapshot.leaves,
        "journal": {
            "entries": journal.entries,
            "size": journal.size,
            "digest": journal.digest,
        },
        "files": written,
    }


def _revisions(folder: Path, named: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for name in named:
        where = folder / name
        if not (where / "meta.json").exists():
            raise Problem("backup-file-missing", file=name, fault="meta.json")
        for path in sorted(where.iterdir()):
            yield f"{name}/{path.name}", path


def _templates(folder: Path) -> Iterator[tuple[str, Path]]:
    """The institution's own; a file whose name no template can have stays where it is."""
    for path in sorted(folder.glob("*.json")):
        if library.NAME.fullmatch(path.stem):
            yield f"{library.FOLDER}/{path.name}", path


def _received(folder: Path) -> Iterator[tuple[str, Path]]:
    """Finished files only: what is half fetched is fetched again."""
    for where in sorted(folder.iterdir()) if folder.exists() else ():
        files = sorted(path for path in where.iterdir() if path.suffix not in _UNFINISHED)
        if any(path.name.startswith("data.") for path in files):
            for path in files:
                yield f"{RECEIVED}/{where.name}/{path.name}", path
