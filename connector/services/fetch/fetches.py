"""The fetches that are under way on this node, for whoever watches them."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from policies.problem import Problem


@dataclass(slots=True)
class Progress:
    """How far one fetch is; `problem` is why it stopped, if it did not pause or finish.

    Of several pushes that come at once, one at a time gives its file a name (`naming`).
    """

    running: bool = False
    parts: int = 0
    rows: int = 0
    bytes: int = 0
    files: list[str] = field(default_factory=list)
    problem: Problem | None = None
    naming: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False, compare=False)


class Fetches:
    """Progress by transfer. Nothing here is durable: files and the store are."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}
        self._listeners: set[asyncio.Event] = set()

    def of(self, transfer: str) -> Progress:
        """The progress of a transfer's fetch, made on first use."""
        return self._progress.setdefault(transfer, Progress())

    def changed(self) -> None:
        """Tell whoever waits."""
        for event in self._listeners:
            event.set()

    def listen(self, event: asyncio.Event) -> None:
        """Set `event` at every change."""
        self._listeners.add(event)

    def unlisten(self, event: asyncio.Event) -> None:
        """Stop that."""
        self._listeners.discard(event)

    def view(self, transfer: str) -> dict[str, Any]:
        """The progress as JSON."""
        found = self._progress.get(transfer, Progress())
        return {
            "running": found.running,
            "parts": found.parts,
            "rows": found.rows,
            "bytes": found.bytes,
            "files": list(found.files),
            "problem": found.problem.document() if found.problem else None,
        }
