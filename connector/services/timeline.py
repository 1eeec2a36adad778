"""The timeline of a process: its messages in both directions, with each attempt to deliver ours.

Bodies are kept without secrets (`ledger`), answers of peers too (`connector.delivery.attempts`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Self

from connector.base.clock import format_time
from connector.services.waiting import came_to
from connector.store import attempts, messages, outbox
from connector.store.rows import AttemptRow, MessageRow, OutboxRow
from connector.store.store import Tx

Json = dict[str, Any]
Landed = Mapping[int, AttemptRow]


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the store knows of a process's messages, in order."""

    messages: Sequence[MessageRow]
    queue: Sequence[OutboxRow]
    tried: Sequence[AttemptRow]

    @classmethod
    def of(cls, tx: Tx, process: str, landed: Landed = MappingProxyType({})) -> Self:
        """The timeline of a process (our pid); `landed`: what arrived and is not marked yet."""
        queue, tried = outbox.of(tx, process=process), attempts.of(tx, process=process)
        for place, row in enumerate(queue):
            if row.state == "pending" and row.seq in landed:
                queue[place] = replace(row, state="sent")
                tried.append(landed[row.seq])
        return cls(messages.of(tx, process=process), queue, tried)

    def document(self) -> list[Json]:
        """Every message as JSON; ours with what became of its delivery."""
        # Each message of ours was noted together with its row in the outbox, in one order.
        queue = iter(self.queue)
        return [
            {
                "direction": row.direction,
                "type": row.type,
                "at": format_time(row.at),
                "digest": row.digest,
                "body": json.loads(row.body),
                **self._delivery(next(queue, None) if row.direction == "out" else None),
            }
            for row in self.messages
        ]

    def _delivery(self, row: OutboxRow | None) -> Json:
        if row is None:
            return {"delivery": None, "deadline": None, "next_at": None, "attempts": []}
        waits = row.state == "pending"
        return {
            "delivery": row.state,
            "deadline": format_time(row.deadline) if row.deadline else None,
            "next_at": format_time(row.next_at) if waits else None,
            "attempts": [attempt(row, one) for one in self.tried if one.outbox == row.seq],
        }


def attempt(row: OutboxRow, one: AttemptRow) -> Json:
    """One attempt as JSON; `n` 0 is a warning from before the first."""
    fr, en = came_to(row, one)
    return {
        "n": one.n,
        "at": format_time(one.at),
        "status": one.status,
        "problem": one.problem,
        "answer": None if one.answer is None else one.answer.decode(errors="replace"),
        "next_at": format_time(one.next_at) if one.next_at else None,
        "fr": fr,
        "en": en,
    }
