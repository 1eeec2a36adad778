"""What a timeline keeps of one attempt: no whole answers, no tokens, no pages of HTML."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import orjson

from connector.evidence.leaf import without_secrets
from connector.identity.ports import Response
from connector.store.rows import AttemptRow, OutboxRow

CLIPPED: Final = 2_000
"""Bytes of an answer that are kept with an attempt."""
_OK: Final = range(200, 300)
_CREDENTIALS: Final = ("Authorization", "X-Api-Key")
_LEFT_OUT: Final = "…".encode()


def answered(
    row: OutboxRow, at: datetime, response: Response, next_at: datetime | None = None
) -> AttemptRow:
    """An attempt that got an answer; of one that accepts the message only the status is kept."""
    said = None if response.status in _OK else clipped(response.body)
    return AttemptRow(
        row.seq, row.attempts, at, status=response.status, answer=said, next_at=next_at
    )


def unanswered(
    row: OutboxRow, at: datetime, code: str, next_at: datetime | None = None
) -> AttemptRow:
    """An attempt without an answer that we could use: the code says why."""
    return AttemptRow(row.seq, row.attempts, at, problem=code, next_at=next_at)


def unechoed(response: Response, headers: Mapping[str, str]) -> Response:
    """An answer without our own credentials: some peers say which token they did not like, and
    answers are kept and shown.
    """
    body = response.body
    for name in _CREDENTIALS:
        secret = headers.get(name, "").removeprefix("Bearer ").encode()
        if secret and not secret.startswith(b"{"):  # an EDC's mock identity is no secret
            body = body.replace(secret, _LEFT_OUT)
    return response if body is response.body else replace(response, body=body)


def clipped(body: bytes) -> bytes | None:
    """An answer as it may be kept and shown: JSON without its secrets, or printable text."""
    if not body:
        return None
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body[: 4 * CLIPPED].decode(errors="replace")
        return _cut("".join(c if c.isprintable() else " " for c in text).encode())
    return _cut(orjson.dumps(without_secrets(found) if isinstance(found, dict) else found))


def _cut(content: bytes) -> bytes:
    return content[:CLIPPED].decode(errors="ignore").encode()
