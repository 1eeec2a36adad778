"""One commit of a use case, with its messages handed to the worker the moment it is durable."""

from typing import TypeVar

from connector.delivery.outbox import leasing
from connector.services.node import Node
from connector.store.outbox import Leases
from connector.store.store import Tx, Unit

T = TypeVar("T")


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
