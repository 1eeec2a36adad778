"""One commit of a use case, with its messages handed to the worker the moment it is durable."""

from typing import TypeVar

from connector.delivery.outbox import lease
from connector.services.node import Node
from connector.store import outbox
from connector.store.rows import OutboxRow
from connector.store.store import Tx, Unit

T = TypeVar("T")


async def commit(node: Node, unit: Unit[T]) -> T:
    """Run a unit that may send messages.

    They are leased in the same transaction and handed over after it: finding and leasing them
    again would cost a second fsync on the way of every negotiation.
    """

    def both(tx: Tx) -> tuple[T, list[OutboxRow], frozenset[str]]:
        result = unit(tx)
        if "outbox" not in tx.topics:  # nothing to send that was not there before
            return result, [], frozenset()
        return result, lease(tx, node.clock.now()), outbox.followed(tx)

    result, leased, followed = await node.store.write(both)
    node.worker.hand(leased, followed)
    return result
