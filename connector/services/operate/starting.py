"""Putting a node together, and what it does by itself while it runs.

After a crash everything is found again in the store: leases are freed, journalled consents are
replayed, half-made revisions are deleted, granted transfers are started, the log takes in its
newest leaves.
"""

import asyncio
from pathlib import Path
from typing import Final

from connector.base import telemetry
from connector.base.clock import Clock
from connector.base.ids import Ids
from connector.base.settings import Settings
from connector.delivery.outbox import Worker
from connector.evidence.log import Log
from connector.identity import static
from connector.identity.did import DidDocument
from connector.identity.keys import KeyRing
from connector.identity.ports import Fetch
from connector.identity.resolver import DidResolver
from connector.identity.static import Partners
from connector.services import identity
from connector.services.consent import consents
from connector.services.discover import peering
from connector.services.messages import reconciling, settling
from connector.services.node import Node
from connector.services.operate import backups, restored
from connector.services.publish import publishing
from connector.services.release import granting, pushing
from connector.store.rows import OutboxRow
from connector.store.store import Store, Unit
from connector.subjects.journal import Journal
from policies.problem import Problem

CHECKPOINT_PAUSE: Final = 0.25
"""Seconds in which new leaves gather under one checkpoint."""
LAG_PAUSE: Final = 10.0
"""Seconds before a checkpoint that failed is tried again."""


def assemble(
    *,
    folder: Path,
    settings: Settings,
    clock: Clock,
    ids: Ids,
    keys: KeyRing,
    store: Store,
    log: Log,
    fetch: Fetch,
) -> Node:
    """The node made of these pieces, not yet working."""

    def authorize(row: OutboxRow) -> dict[str, str]:
        return identity.headers(node, row)

    async def settle(row: OutboxRow, outcome: settling.Outcome) -> bool | Unit[None]:
        return await settling.settle(node, row, outcome)

    key = settings.signaling.api_key_file
    worker = Worker(
        store,
        fetch,
        clock,
        authorize=authorize,
        settle=settle,
        answered=reconciling.answered,
        random=ids.token,
    )
    node = Node(
        folder=folder,
        settings=settings,
        clock=clock,
        ids=ids,
        keys=keys,
        store=store,
        log=log,
        journal=Journal.open(folder / settings.consent.journal),
        fetch=fetch,
        resolver=DidResolver(fetch, clock, dev=settings.dev.on),
        worker=worker,
        partners=Partners(
            static.read(folder, one.name, one.dsp, one.file) for one in settings.static_token
        ),
        control_key=static.secret_of(folder / key) if key else None,
    )
    return node


async def resume(node: Node) -> None:
    """Take up what a former life left: journal, own identity, log, transfers to look at.

    Raises:
        Problem: `evidence-…`, `store-…`.
    """
    backups.sweep(node.folder)
    node.resolver.learn(DidDocument.of(identity.document(node), node.did))
    await peering.recall(node)
    replayed = await consents.replay(node)
    if replayed:
        telemetry.event("consents-replayed", count=replayed)
    await restored.settle(node)
    swept = await publishing.sweep(node)
    if swept:
        telemetry.event("revisions-swept", count=swept)
    await node.log.advance()
    await node.worker.start()
    granting.prepare_soon(node)
    await pushing.soon(node)


async def keep_log(node: Node) -> None:
    """After every commit that logged something, hash it in and publish a checkpoint."""
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()
    cancel = node.store.on_commit(lambda: loop.call_soon_threadsafe(changed.set), topic="leaf")
    try:
        while True:
            await changed.wait()
            # A checkpoint is a commit of its own: one for many leaves, out of the way of messages.
            await asyncio.sleep(CHECKPOINT_PAUSE)
            changed.clear()
            try:
                await node.log.advance()
            except Problem as problem:
                telemetry.failure("log-lags", problem, code=problem.code)
                changed.set()
                await asyncio.sleep(LAG_PAUSE)
    finally:
        cancel()
