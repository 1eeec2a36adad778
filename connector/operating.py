"""Operating a node: back up, restore, upgrade, escrow keys. Beside `runtime`, which runs it.

Like `runtime` this composes and holds no rule. These commands own the node's folder while they
work (its lock), or leave the part that a running node must do to that node.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from connector.base import settings as configuration
from connector.base.clock import Clock, SystemClock
from connector.base.files import private_file
from connector.base.ids import SystemIds
from connector.base.settings import Settings
from connector.identity import vault
from connector.runtime import client_of, opened
from connector.services.operate import backups, restoring
from connector.services.operate.restoring import Restoring
from connector.store import copying
from connector.store.engine import is_postgresql, located
from connector.store.lock import NodeLock
from connector.store.tables import KNOWN, SCHEMA
from policies.problem import Problem


def back_up(
    out: Path,
    online: Callable[[BinaryIO], None],
    *,
    folder: Path | None,
    passphrase: str | None,
) -> dict[str, Any]:
    """Write a backup of a node and verify it; its manifest, and whether it holds the keys.

    `online` streams the archive of a running node into a file; a stopped one is read here, under
    its lock. Keys are read from `folder` and leave it only sealed.

    Raises:
        Problem: `backup-…`, `identity-…`, `file-…`, `store-…`.
    """
    if passphrase is not None and folder is None:
        raise Problem("backup-keys-elsewhere")
    with private_file(out) as file:
        if passphrase is not None and folder is not None:
            content = sealed_keys(folder, passphrase, token=True)
            file.write(backups.member(backups.KEYS, content, SystemClock().now()))
        lock = contextlib.nullcontext() if folder is None else node_lock(folder)
        if lock is None or folder is None:
            online(file)
        else:
            with lock:
                file.writelines(_archive(folder))
    try:
        manifest = restoring.verify(out)
    except Problem:
        out.unlink()
        raise
    return {"v": 1, "backup": str(out), "keys": passphrase is not None, **_summary(manifest)}


def node_lock(folder: Path) -> NodeLock | None:
    """The node's lock, not yet taken, or None while a node runs."""
    lock = NodeLock(folder)
    try:
        lock.acquire()
    except Problem as problem:
        if problem.code != "store-node-running":
            raise
        return None
    lock.release()
    return lock


def _archive(folder: Path) -> Iterator[bytes]:
    checked = configuration.read(folder)
    scratch = folder / f"backup-{SystemIds().token(8).hex()}.partial"
    yield from backups.archive(backups.begin(folder, checked, SystemClock().now(), scratch))


def _summary(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "node": manifest["node"],
        "made": manifest["made"],
        "schema": manifest["schema"],
        "leaves": manifest["leaves"],
        "journal": manifest["journal"]["entries"],
        "files": len(manifest["files"]),
        "bytes": sum(entry["size"] for entry in manifest["files"]),
    }


def sealed_keys(folder: Path, passphrase: str, *, token: bool = False) -> bytes:
    """The node's private keys under a passphrase, all versions; with the operator's token in a
    backup.

    Raises:
        Problem: `settings-…`, `identity-…`.
    """
    checked = configuration.read(folder)
    files = vault.keys_of(folder / checked.keys.dir)
    operator = folder / "tokens" / "operator"
    if token and operator.exists():
        files["tokens/operator"] = operator.read_bytes()
    return vault.seal(files, passphrase, did=checked.node.did, random=SystemIds().token)


def restore(
    archive: Path, folder: Path, given: Restoring, *, clock: Clock | None = None
) -> dict[str, Any]:
    """Make a node's folder from a backup; what is in it, and whether its journal goes further.

    The folder has its name only when everything in it is verified: digests, every page of the
    database, and the log when this version can open the database.

    Raises:
        Problem: `runtime-folder-not-empty`, `backup-…`, `identity-…`, `evidence-…`, `store-…`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Problem("runtime-folder-not-empty", folder=str(folder))
    draft = folder.with_name(f"{folder.name}.restore-{SystemIds().token(4).hex()}.partial")
    draft.mkdir(mode=0o700, parents=True)
    try:
        with NodeLock(draft):
            done = restoring.unpack(archive, draft, given, (clock or SystemClock()).now())
            with _emptied_again(done.settings.store.url):
                target = located(draft, done.settings.store.url)
                current = copying.look(target).schema == SCHEMA
                leaves = check_log(draft, done.settings) if current else None
                os.sync()
                draft.rename(folder)
    except OSError as error:
        fault = error.strerror or "I/O"
        raise Problem("backup-unreadable", path=str(archive), fault=fault) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return {
        "v": 1,
        "folder": str(folder),
        **_summary(done.manifest),
        "log": leaves,
        "upgrade": not current,
        "survived": done.journal.entries - done.backed_up.entries,
    }


@contextlib.contextmanager
def _emptied_again(url: str) -> Iterator[None]:
    """Take a restored PostgreSQL database back should the restored node not be whole."""
    try:
        yield
    except BaseException:
        if is_postgresql(url):
            from connector.store import moving  # noqa: PLC0415  (Core and alembic, when needed)

            moving.clear(url)
        raise


def upgrade(folder: Path) -> dict[str, Any]:
    """Bring a stopped node's database to this version's schema and verify its log; what was done.

    The database is copied to `DIR/backups` before it is touched. A second call finds nothing to
    migrate and verifies again.

    Raises:
        Problem: `settings-…`, `store-…`, `evidence-…`.
    """
    checked = configuration.read(folder)
    with NodeLock(folder):
        target = located(folder, checked.store.url)
        found = copying.look(target).schema
        kept = None
        if found != SCHEMA and found in KNOWN:
            kept = _keep_before(folder, target, found)
        # alembic is loaded by the one command that needs it
        from connector.store import migrate  # noqa: PLC0415

        reached = migrate.upgrade(target)
        leaves = check_log(folder, checked)
    return {
        "v": 1,
        "folder": str(folder),
        "from": found,
        "to": reached,
        "backup": str(kept) if kept else None,
        "log": leaves,
    }


def _keep_before(folder: Path, target: Path | str, found: str) -> Path:
    """A copy of the database as it was, named by its schema and the instant."""
    place = folder / "backups"
    place.mkdir(mode=0o700, exist_ok=True)
    kept = place / f"schema-{found}-{SystemClock().now():%Y%m%dT%H%M%SZ}.sqlite"
    copying.copy(target, kept)
    return kept


def check_log(folder: Path, checked: Settings) -> int:
    """Hash every leaf again under the last checkpoint; how many there are."""
    with opened(folder, checked, client_of(checked)) as node:
        return node.log.check()
