"""What this room needs from the world: somebody who fetches.

The node's implementation is `connector.delivery.client.PeerClient`, the one hardened HTTP client
(DECISIONS P8); tests use a table of answers.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

DEFAULT_LIMIT = 1_048_576
DEFAULT_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Response:
    """One whole answer: status, headers with lower-case names, body as it came on the wire."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Write = Callable[[bytes], Awaitable[object]]
"""Takes the next piece of a body."""


class Fetch(Protocol):
    """HTTP to addresses that a peer, a document or a dataset named."""

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = DEFAULT_LIMIT,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109  (the deadline of the whole exchange)
    ) -> Response:
        """Any answer but a redirect, whatever its status.

        Args:
            url: absolute https URL (http on loopback in dev).
            headers: additional request headers.
            limit: bytes the body may have.
            timeout: seconds the whole exchange may take.

        Raises:
            Problem: `delivery-…`: no answer, or one that must not be used.
        """
        ...

    async def post(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = DEFAULT_LIMIT,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109  (the deadline of the whole exchange)
    ) -> Response:
        """As `get`, with a body; never repeated by itself."""
        ...

    async def download(
        self,
        url: str,
        write: Write,
        *,
        headers: Mapping[str, str] | None = None,
        limit: int,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109  (the longest silence)
    ) -> Response:
        """As `get`, for a body that is too large to hold: of an answer 200 it goes to `write`
        piece by piece as it arrives, and the answer returned has none. `timeout` is how long the
        peer may be silent, not how long the whole may take.
        """
        ...

    async def upload(
        self,
        url: str,
        body: AsyncIterator[bytes],
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109  (the longest silence)
    ) -> Response:
        """As `post`, for a body that is made piece by piece while it goes out. What `body` raises
        breaks the request off and is raised; the peer never sees a clean end then. `timeout` is
        how long the peer may take for a piece, and for its answer.
        """
        ...
