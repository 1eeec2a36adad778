"""One commit of a use case, with its messages handed to the worker the moment it is durable."""

import asyncio
from typing import Final, TypeVar

from connector.base import telemetry
from connector.delivery.outbox import leasing
from connector.services.node import Node
from connector.store.outbox import Leases
from connector.store.store import Tx, Unit
from policies.problem import Problem

T = TypeVar("T")
PAUSE: Final = 1.0
"""Seconds between two tries of `insist`."""
_PASSING: Final = frozenset(
    {"store-locked", "store-disk-full", "store-overloaded", "evidence-clock-back"}
)


async def commit(node: Node, unit: Unit[T]) -> T:
    """Run a unit that may send messages.

    They are leased as they are queued and handed over after the commit: finding and leasing them
    again would cost a second fsync on the way of every negotiation.
    """

    def both(tx: Tx) -> tuple[T, Leases]:
        leases = leasing(tx, node.clock.now())
        return unit(tx), leases

    result, leases = await node.store.write(both)
    node.worker.hand(leases.rows, leases.followed)
    return result


async def insist(node: Node, unit: Unit[T]) -> T:
    """As `commit`, for what has happened already beyond this node and can only be recorded: a
    database that is locked or full now is asked again until it takes it.
    """
    while True:
        try:
            return await commit(node, unit)
        except Problem as problem:
            if problem.code not in _PASSING:
                raise
            telemetry.failure("commit-delayed", problem, code=problem.code)
        await asyncio.sleep(PAUSE)
