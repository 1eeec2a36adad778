"""All repositories of the store, so that all their statements are known when it opens."""

from connector.store import (
    agreements,
    catalogs,
    consents,
    decisions,
    inbox,
    known,
    leaves,
    messages,
    negotiations,
    notes,
    outbox,
    parts,
    peers,
    replay,
    tokens,
    transfers,
)
from connector.store.statement import Statement
from connector.store.statement import statements as _known

__all__ = [
    "agreements",
    "catalogs",
    "consents",
    "decisions",
    "inbox",
    "known",
    "leaves",
    "messages",
    "negotiations",
    "notes",
    "outbox",
    "parts",
    "peers",
    "replay",
    "statements",
    "tokens",
    "transfers",
]


def statements() -> tuple[Statement, ...]:
    """Every statement that a repository may run."""
    return _known()
