"""What the fakes that are ASGI applications have in common."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def body_of(receive: Receive) -> bytes:
    """All of a request's body."""
    content: bytes = b""
    while True:
        event = await receive()
        content += event.get("body", b"")
        if not event.get("more_body"):
            return content


async def answer(send: Send, status: int) -> None:
    """An answer without a body."""
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})
