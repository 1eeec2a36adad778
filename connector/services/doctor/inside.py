"""What the doctor sees on the node's own machine: folder, keys, disk, ports, clock, database."""

import shutil
import socket
import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from connector.base.clock import format_time
from connector.base.settings import Settings, host_port
from connector.evidence.note import Verifier, open_checkpoint
from connector.identity.keys import KeyRing
from connector.services.access import CONTROL
from connector.services.consent import consents
from connector.services.doctor.finding import Finding, failure, good, warning
from connector.services.operate import quarantine
from connector.services.operate.quarantine import Quarantine
from connector.store import copying
from connector.store.copying import Look
from connector.store.engine import check_schema, located
from connector.subjects.journal import extent_of
from policies.problem import Problem

NOTES: Final = (consents.APPLIED, quarantine.NOTE)
LOW: Final = 1 << 30
FULL: Final = 64 << 20
_AHEAD: Final = timedelta(seconds=30)
_PORT_SECONDS: Final = 2.0


def folder(place: Path) -> Iterator[Finding]:
    """Whether others on this machine can look into the node's folder."""
    mode = stat.S_IMODE(place.stat().st_mode)
    if mode & 0o077:
        yield warning("folder", Problem("doctor-folder-open", path=str(place), mode=f"{mode:03o}"))
    else:
        yield good(
            "folder",
            f"{place} n'est lisible que par son propriétaire",
            f"{place} is readable by its owner only",
        )


def keys(place: Path, checked: Settings) -> tuple[KeyRing | None, Finding]:
    """The keys, if they are all there and nobody else can read them."""
    try:
        ring = KeyRing.load(place / checked.keys.dir)
    except Problem as problem:
        return None, failure("keys", problem)
    said = ", ".join(f"{name}-{number}" for name, number in ring.versions.items())
    return ring, good("keys", f"présentes, privées : {said}", f"present, private: {said}")


def disk(place: Path, checked: Settings) -> Iterator[Finding]:
    """Room on the disks that the node writes to, each disk once."""
    database = located(place, checked.store.url)
    own = (place / checked.consent.journal, place / "data")
    wanted = (database, *own) if isinstance(database, Path) else own
    seen: set[int] = set()
    for path in wanted:
        where = next(parent for parent in (path, *path.parents) if parent.exists())
        device = where.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(where).free
        params = {"path": str(where), "free": f"{free / 2**20:.0f}"}
        if free < FULL:
            yield failure("disk", Problem("doctor-disk-full", **params))
        elif free < LOW:
            yield warning("disk", Problem("doctor-disk-low", **params))
        else:
            gigabytes = f"{free / 2**30:.0f}"
            yield good(
                "disk",
                f"{gigabytes} Gio libres pour {where}",
                f"{gigabytes} GiB free for {where}",
            )


def ports(checked: Settings, *, running: bool) -> Iterator[Finding]:
    """Whether the two ports answer (a running node) or can be taken (a stopped one)."""
    for name in ("public", "management"):
        address: str = getattr(checked.listen, name)
        if running:
            yield _answering(f"port-{name}", address)
        else:
            yield _free(f"port-{name}", address)


def _answering(check: str, address: str) -> Finding:
    host, port = host_port(address)
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (compared only)
    try:
        socket.create_connection((reached, port), timeout=_PORT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or "-"
        return failure(check, Problem("doctor-port-silent", address=address, reason=reason))
    return good(check, f"{address} répond", f"{address} answers")


def _free(check: str, address: str) -> Finding:
    host, port = host_port(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = error.strerror or "-"
            return failure(check, Problem("runtime-port-in-use", address=address, reason=reason))
    return good(check, f"{address} est libre (nœud arrêté)", f"{address} is free (node stopped)")


def database(place: Path, checked: Settings) -> tuple[Look | None, Finding]:
    """What the database says of itself, if its schema is ours."""
    try:
        seen = copying.look(located(place, checked.store.url), known_notes=NOTES)
        check_schema(seen.schema)
    except Problem as problem:
        return None, failure("database", problem)
    return seen, good("database", f"schéma {seen.schema}", f"schema {seen.schema}")


def log(ring: KeyRing, origin: str, seen: Look) -> Finding:
    """The quick look at the evidence log: no leaf is missing, the last checkpoint is ours."""
    last = seen.checkpoint
    try:
        if seen.leaves != seen.next_leaf:
            raise Problem("evidence-log-hole", index=seen.leaves)
        if last is not None:
            _own_checkpoint(last.note.encode(), Verifier(origin, ring.log_public))
            if seen.leaves < last.size:
                raise Problem("evidence-log-shorter", found=seen.leaves, size=last.size)
    except Problem as problem:
        return failure("log", problem)
    size = last.size if last else 0
    return good(
        "log",
        f"{seen.leaves} feuilles, point de contrôle signé sur {size} (relire tout : --full)",
        f"{seen.leaves} leaves, signed checkpoint over {size} (to hash them all: --full)",
    )


def _own_checkpoint(note: bytes, verifier: Verifier) -> None:
    try:
        open_checkpoint(note, [verifier])
    except Problem:
        raise Problem("evidence-log-checkpoint", origin=verifier.name) from None


def journal(place: Path, checked: Settings, seen: Look | None) -> Finding:
    """Whether the consent journal can be read, and its entries are in the database."""
    path = place / checked.consent.journal
    try:
        extent = extent_of(path)
    except Problem as problem:
        return failure("journal", problem)
    applied = int(seen.notes.get(consents.APPLIED, 0)) if seen else extent.entries
    numbers = {"entries": extent.entries, "applied": applied}
    if extent.entries < applied:
        return failure("journal", Problem("doctor-journal-behind", path=str(path), **numbers))
    if extent.entries > applied:
        return warning("journal", Problem("doctor-journal-pending", **numbers))
    return good(
        "journal",
        f"{extent.entries} événements, tous dans la base",
        f"{extent.entries} events, all in the database",
    )


def quarantined(seen: Look) -> Iterator[Finding]:
    """Whether the node was restored and still waits for its journal or its DPO."""
    text = seen.notes.get(quarantine.NOTE)
    if text is not None:
        held = Quarantine.read(text)
        made, since = format_time(held.made), format_time(held.since)
        problem = Problem("doctor-quarantine", made=made, since=since)
        yield warning("quarantine", problem)


def signals(checked: Settings, seen: Look) -> Iterator[Finding]:
    """Whether the control plane that this node serves has a token to signal with."""
    url = checked.signaling.control_plane
    if url is None:
        return
    if CONTROL in seen.roles:
        fr, en = f"un jeton est ouvert à {url}", f"a token is open to {url}"
        yield good("signaling", fr, en)
    else:
        yield warning("signaling", Problem("doctor-signaling-token", url=url))


def clock(now: datetime, seen: Look | None, files: Iterable[Path]) -> Finding:
    """Whether this machine's clock went back: nothing here may be younger than now."""
    newest = max(_written(files), default=None)
    if seen and seen.last_leaf and seen.last_leaf > now + _AHEAD:
        found = {"now": format_time(now), "last": format_time(seen.last_leaf)}
        return failure("clock", Problem("evidence-clock-back", **found))
    if newest is not None and newest > now + _AHEAD:
        found = {"now": format_time(now), "newest": format_time(newest)}
        return failure("clock", Problem("doctor-clock-files", **found))
    return good(
        "clock",
        f"{format_time(now)}, après tout ce que ce nœud a écrit",
        f"{format_time(now)}, later than all this node has written",
    )


def _written(files: Iterable[Path]) -> Iterator[datetime]:
    for path in files:
        if path.exists():
            yield datetime.fromtimestamp(path.stat().st_mtime, UTC)
