"""Making a node's folder from a backup: every byte verified before the folder has its name.

The new node starts in quarantine (`quarantine`): the backup cannot know what learners said after
it. A surviving journal, given by the operator or lying where the settings say, is put in place;
if it goes on past the backup's, the next start replays it and ends the quarantine.
"""

import hashlib
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

import orjson

from connector.base import settings as configuration
from connector.base.clock import parse_time
from connector.base.settings import Settings
from connector.identity import keys, vault
from connector.services.operate import backups, quarantine
from connector.services.operate.quarantine import Quarantine
from connector.store import copying
from connector.store.engine import database_path, is_postgresql
from connector.subjects.journal import Extent, extent_of
from policies.problem import Problem

_NAMES: Final = re.compile(
    r"keys\.sealed|manifest\.json|preau\.toml|preau\.sqlite|consent\.journal"
    r"|(?:data|received)(?:/(?!\.)[A-Za-z0-9._-]{1,255}){2,3}"
    r"|templates/[a-z0-9-]{1,60}\.json"
)
_SMALL: Final = 64 * 2**20
_PEOPLE: Final = "tokens/"


@dataclass(frozen=True, slots=True)
class Restoring:
    """What the operator gives besides the archive: how its keys open, which journal survived."""

    passphrase: str | None = None
    keys: Path | None = None
    journal: Path | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put into the folder."""

    settings: Settings
    manifest: Mapping[str, Any]
    journal: Extent

    @property
    def made(self) -> datetime:
        """When the backup was taken."""
        return parse_time(str(self.manifest["made"]))

    @property
    def backed_up(self) -> Extent:
        """How far the backup's own journal reaches."""
        return Extent(**self.manifest["journal"])


def unpack(archive: Path, draft: Path, given: Restoring, now: datetime) -> Restored:
    """Fill the empty folder `draft` from a backup and put its database into quarantine.

    Raises:
        Problem: `backup-unreadable`, `backup-damaged` (with the file), `backup-keys-missing`,
            `backup-passphrase`, `backup-place-taken`, `backup-journal-other`, `identity-…`,
            `settings-…`, `store-…`. The caller removes the draft then.
    """
    with _told(archive):
        manifest, sealed = _extract(archive, draft)
    files = _keys(given, sealed)
    checked = configuration.read(draft)
    database = draft / backups.DATABASE
    copying.check_pages(database)
    restored = _journal(draft, given, checked, manifest)
    _install(draft, checked, files)
    state = Quarantine(now, restored.made, restored.backed_up)
    copying.put_note(database, key=quarantine.NOTE, text=state.text())
    _settle(database, draft, checked.store.url)
    return restored


def _settle(database: Path, draft: Path, url: str) -> None:
    """Put the database where the settings say: a file's place, or an empty PostgreSQL database."""
    if not is_postgresql(url):
        _place(database, draft / database_path(url))
        return
    from connector.store import moving  # noqa: PLC0415  (Core and alembic, not in a node)

    moving.from_file(database, url)
    database.unlink()


def verify(archive: Path) -> Mapping[str, Any]:
    """Check an archive that was just written against its own manifest, which is returned.

    Raises:
        Problem: `backup-unreadable`, `backup-damaged`.
    """
    with _told(archive):
        manifest, _ = _extract(archive, None)
    return manifest


@contextmanager
def _told(archive: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, tarfile.TarError) as error:
        fault = getattr(error, "strerror", None) or type(error).__name__
        raise Problem("backup-unreadable", path=str(archive), fault=fault) from None


def _extract(archive: Path, draft: Path | None) -> tuple[Mapping[str, Any], bytes | None]:
    """Every member into `draft` (nowhere when None), compared with the manifest at the end."""
    found: dict[str, dict[str, object]] = {}
    small: dict[str, bytes] = {}
    with tarfile.open(archive, "r:") as tar:
        for info in tar:
            content = tar.extractfile(info) if info.isreg() else None
            if content is None or not _NAMES.fullmatch(info.name) or info.name in (*found, *small):
                raise Problem("backup-damaged", file=info.name[:100])
            if info.name in (backups.MANIFEST, backups.KEYS):
                small[info.name] = content.read(_SMALL)
            else:
                digest = _write(content, draft / info.name if draft else None)
                found[info.name] = {"path": info.name, "size": info.size, "digest": digest}
    manifest = _read_manifest(small.get(backups.MANIFEST, b""))
    listed = {str(entry["path"]): entry for entry in manifest["files"]}
    for name in sorted(listed.keys() | found.keys()):
        if listed.get(name) != found.get(name):
            raise Problem("backup-damaged", file=name)
    return manifest, small.get(backups.KEYS)


def _write(content: IO[bytes], target: Path | None) -> str:
    """Copy a member into a private file; its digest."""
    sha256 = hashlib.sha256()
    if target is None:
        while chunk := content.read(backups.CHUNK):
            sha256.update(chunk)
    else:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600, exist_ok=False)
        with target.open("wb") as out:
            while chunk := content.read(backups.CHUNK):
                sha256.update(chunk)
                out.write(chunk)
    return f"sha-256:{sha256.hexdigest()}"


def _read_manifest(data: bytes) -> Mapping[str, Any]:
    try:
        manifest = orjson.loads(data)
        names = {str(entry["path"]) for entry in manifest["files"]}
        needed = {configuration.FILE, backups.DATABASE, backups.JOURNAL}
        if (manifest["v"], manifest["type"]) == (1, backups.TYPE) and names >= needed:
            parse_time(str(manifest["made"]))
            Extent(**manifest["journal"])
            return dict(manifest)
    except (ValueError, KeyError, TypeError):
        pass
    raise Problem("backup-damaged", file=backups.MANIFEST)


def _keys(given: Restoring, sealed: bytes | None) -> dict[str, bytes]:
    """The keys the operator gives, or those in the backup."""
    if given.keys is not None:
        try:
            sealed = given.keys.read_bytes()
        except OSError as error:
            fault = error.strerror or "I/O"
            raise Problem("backup-unreadable", path=str(given.keys), fault=fault) from None
    if sealed is None:
        raise Problem("backup-keys-missing")
    if given.passphrase is None:
        raise Problem("backup-passphrase")
    return vault.unseal(sealed, given.passphrase)


def _install(draft: Path, checked: Settings, files: Mapping[str, bytes]) -> None:
    """Keys into their folder, the operator's token into its own."""
    rings = {name: data for name, data in files.items() if not name.startswith(_PEOPLE)}
    keys.install(draft / checked.keys.dir, rings)
    token = files.get(_PEOPLE + "operator")
    if token is not None:
        path = draft / "tokens" / "operator"
        path.parent.mkdir(mode=0o700)
        path.touch(mode=0o600)
        path.write_bytes(token)


def _place(found: Path, wanted: Path) -> None:
    """Put a file where the settings want it, never over another node's."""
    if found == wanted:
        return
    if wanted.exists():
        raise Problem("backup-place-taken", path=str(wanted))
    wanted.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.move(found, wanted)


def _journal(
    draft: Path, given: Restoring, checked: Settings, manifest: Mapping[str, Any]
) -> Restored:
    """Choose the journal: the one that survived, if it is the backup's own gone on."""
    backed_up, wanted = draft / backups.JOURNAL, draft / checked.consent.journal
    extent = Extent(**manifest["journal"])
    survivor = given.journal
    if survivor is None and wanted != backed_up and wanted.exists():
        survivor = wanted
    if survivor is None:
        _place(backed_up, wanted)
        return Restored(checked, manifest, extent)
    whole = extent_of(survivor)
    if whole.entries < extent.entries or extent_of(survivor, extent.size) != extent:
        raise Problem("backup-journal-other", path=str(survivor))
    if survivor != wanted:
        backed_up.unlink()
        if wanted.exists():
            raise Problem("backup-place-taken", path=str(wanted))
        wanted.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        wanted.touch(mode=0o600)
        shutil.copyfile(survivor, wanted)
    else:
        backed_up.unlink()
    return Restored(checked, manifest, whole)
