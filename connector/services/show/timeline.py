"""The timeline of a process: its messages in both directions, with each attempt to deliver ours.

Bodies are kept without secrets (`ledger`), answers of peers too (`connector.delivery.attempts`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Self

from connector.base.clock import format_time
from connector.services.show.waiting import came_to
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
        deliveries = self._deliveries()
        return [
            {
                "direction": row.direction,
                "type": row.type,
                "at": format_time(row.at),
                "digest": row.digest,
                "body": json.loads(row.body),
                **self._delivery(deliveries.get(place, [])),
            }
            for place, row in enumerate(self.messages)
        ]

    def _deliveries(self) -> dict[int, list[OutboxRow]]:
        """The outbox's rows for each message of ours, by its place: one, and one more each time it
        was sent again as it was.
        """
        found: dict[int, list[OutboxRow]] = {}
        waiting: dict[str, list[int]] = {}
        for place, row in enumerate(self.messages):
            if row.direction == "out":
                waiting.setdefault(row.type, []).append(place)
        last: dict[str, int] = {}
        for sent in self.queue:
            places = waiting.get(sent.type, [])
            if places and (sent.type not in last or self.messages[places[0]].at <= sent.created):
                last[sent.type] = places.pop(0)
            if sent.type in last:
                found.setdefault(last[sent.type], []).append(sent)
        return found

    def _delivery(self, rows: list[OutboxRow]) -> Json:
        if not rows:
            return {"delivery": None, "deadline": None, "next_at": None, "attempts": []}
        row = rows[-1]
        return {
            "delivery": row.state,
            "deadline": format_time(row.deadline) if row.deadline else None,
            "next_at": format_time(row.next_at) if row.state == "pending" else None,
            "attempts": [
                attempt(each, one) for each in rows for one in self.tried if one.outbox == each.seq
            ],
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
