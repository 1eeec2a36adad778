"""What a restored node does about its quarantine: at a start, and when its DPO has decided."""

from dataclasses import replace
from typing import Any, Final

from connector.base import telemetry
from connector.base.clock import format_time, parse_time
from connector.evidence.leaf import Entry
from connector.services import access
from connector.services.access import Actor
from connector.services.consent import consents
from connector.services.node import Node
from connector.services.operate import quarantine
from connector.services.operate.quarantine import Quarantine
from connector.services.release import granting
from connector.store import notes
from connector.store.store import Tx
from policies.problem import Problem

_MAX_REASON: Final = 2000


async def settle(node: Node) -> None:
    """After a restore: log it; if the journal in place goes on past the backup's, replay it, and
    the quarantine is over.

    A journal goes on when it starts with the very bytes that the backup had and then holds an
    entry from before the restore: what was recorded since then proves nothing.

    Raises:
        Problem: `store-…`, `evidence-…`.
    """
    found = await node.store.read(quarantine.current)
    if found is None:
        return
    if not found.logged:
        await node.store.write(lambda tx: _log_restore(node, tx, found))
    if not node.journal.starts_like(found.journal):
        telemetry.event("quarantine", journal="other")
        return
    survived = _survived(node, found)
    if not survived:
        telemetry.event("quarantine", journal="same")
        return
    await consents.replay(node, after=found.journal.entries)
    change = {"how": "journal", "entries": survived}
    await node.store.write(lambda tx: _end(node, tx, found, change))
    telemetry.event("quarantine-ended", how="journal", entries=survived)


async def confirm(node: Node, who: Actor, reason: str) -> dict[str, Any]:
    """The data protection officer takes note that consents may be missing, says why the node may
    release again, and it does.

    Raises:
        Problem: `access-role`, `quarantine-none`, `quarantine-reason`.
    """
    access.require(who, "dpo")
    if len(reason) > _MAX_REASON:
        raise Problem("quarantine-reason", limit=_MAX_REASON)

    def unit(tx: Tx) -> dict[str, Any]:
        found = quarantine.current(tx)
        if found is None:
            raise Problem("quarantine-none")
        change = {"how": "confirmed", "by": who.id, "role": who.role, "reason": reason}
        _end(node, tx, found, change)
        return {"v": 1, "quarantine": None, "ended": {**found.document(), **change}}

    made = await node.store.write(unit)
    granting.prepare_soon(node)
    return made


def _survived(node: Node, found: Quarantine) -> int:
    """How many entries of the journal come after the backup and before the restore."""
    return sum(
        parse_time(str(entry["recorded"])) < found.since
        for _, entry in node.journal.replay(found.journal.entries)
    )


def _log_restore(node: Node, tx: Tx, found: Quarantine) -> None:
    change = {"v": 1, "change": "restored", **found.document()}
    node.log.append(tx, Entry("config", None, None, change), node.clock.now())
    notes.put(tx, key=quarantine.NOTE, text=replace(found, logged=True).text())


def _end(node: Node, tx: Tx, found: Quarantine, change: dict[str, Any]) -> None:
    now = node.clock.now()
    ended = {"v": 1, "change": "quarantine-ended", "at": format_time(now), **found.document()}
    node.log.append(tx, Entry("config", None, None, {**ended, **change}), now)
    notes.remove(tx, key=quarantine.NOTE)
