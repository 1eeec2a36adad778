"""`preau doctor`: all checks on one node, each able to use what the ones before it found."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from connector.base import settings as configuration
from connector.base.clock import Clock, SystemClock
from connector.base.settings import Settings
from connector.delivery.client import PeerClient
from connector.delivery.egress import networks
from connector.identity.keys import KeyRing
from connector.operating import check_log, node_lock
from connector.runtime import client_of, origin
from connector.services.doctor import inside, outside
from connector.services.doctor.finding import Finding, Report, failure, good, warning
from connector.store.engine import located
from policies.problem import Problem

_ANYWHERE: Final = ("0.0.0.0/0", "::/0")


def examine(folder: Path, *, full: bool = False, clock: Clock | None = None) -> Report:
    """What is wrong with the node in `folder`, running or not; nothing is changed.

    With `full`, a stopped node's log is hashed again (this may repair its level files).
    """
    try:
        checked = configuration.read(folder)
    except Problem as problem:
        return Report((failure("settings", problem),))
    now = (clock or SystemClock()).now()
    lock = node_lock(folder)
    with lock or contextlib.nullcontext():
        return Report.of(_findings(folder, checked, running=lock is None, full=full, now=now))


def _findings(
    folder: Path, checked: Settings, *, running: bool, full: bool, now: datetime
) -> Iterator[Finding]:
    place = folder / configuration.FILE
    yield good("settings", f"{place} est lisible et juste", f"{place} is readable and right")
    yield from inside.folder(folder)
    ring, finding = inside.keys(folder, checked)
    yield finding
    yield from inside.disk(folder, checked)
    yield from inside.ports(checked, running=running)
    seen, finding = inside.database(folder, checked)
    yield finding
    if seen and ring:
        yield inside.log(ring, origin(checked), seen)
    if full and seen and ring:
        yield _rehashed(folder, checked, running=running)
    yield inside.journal(folder, checked, seen)
    if seen:
        yield from inside.quarantined(seen)
        yield from inside.signals(checked, seen)
    database, journal = located(folder, checked.store.url), folder / checked.consent.journal
    written = (database, journal) if isinstance(database, Path) else (journal,)
    yield inside.clock(now, seen, written)
    yield from asyncio.run(_outside(checked, ring, seen.peers if seen else (), running=running))
    yield outside.tls(checked.node.public_url, now)


async def _outside(
    checked: Settings, ring: KeyRing | None, peers: Sequence[str], *, running: bool
) -> list[Finding]:
    async with client_of(checked) as client:
        found = [await outside.clocks(client, checked, peers, SystemClock().now())]
        found += await outside.control_plane(client, checked)
    if ring is not None:
        # The operator chose this name, nobody else: it may lead to this very machine.
        async with PeerClient(private=networks(_ANYWHERE), dev=checked.dev.on) as client:
            found.append(await outside.own_url(client, checked, ring, running=running))
    return found


def _rehashed(folder: Path, checked: Settings, *, running: bool) -> Finding:
    """The whole log, hashed again."""
    if running:
        return warning("log-full", Problem("doctor-full-running"))
    try:
        leaves = check_log(folder, checked)
    except Problem as problem:
        return failure("log-full", problem)
    return good("log-full", f"{leaves} feuilles relues", f"{leaves} leaves hashed again")
