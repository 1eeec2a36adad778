"""Reading a request with limits: a body of so many bytes and seconds, a bearer token, no more."""

import asyncio
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from policies.problem import Problem

_JSON: Final = ("application/json", "application/ld+json")
PATIENCE: Final = 30
"""Seconds in which the JSON of a message has to arrive; uploads have no such limit."""


async def body_of(request: Request, limit: int) -> bytes:
    """The whole body, refused as soon as it is larger than `limit` bytes, or compressed: a small
    body must not become a large one.

    Raises:
        Problem: `http-encoding`, `http-too-large`, `http-broken-off`.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
        raise Problem("http-encoding")
    declared = request.headers.get("content-length")
    if declared is not None and declared.isdecimal() and int(declared) > limit:
        raise Problem("http-too-large", limit=limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise Problem("http-too-large", limit=limit)
            chunks.append(chunk)
    except ClientDisconnect:
        raise Problem("http-broken-off") from None
    return b"".join(chunks)


async def json_body_of(request: Request, limit: int) -> bytes:
    """As `body_of`, for a request that must say it is JSON and arrive in time.

    Raises:
        Problem: `http-media-type`, `http-slow` besides those of `body_of`.
    """
    declared = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if declared not in _JSON:
        raise Problem("http-media-type", found=declared[:60] or "-")
    try:
        async with asyncio.timeout(PATIENCE):
            return await body_of(request, limit)
    except TimeoutError:
        raise Problem("http-slow", seconds=PATIENCE) from None


def bearer_of(request: Request) -> str:
    """The bearer token of the `Authorization` header; the word Bearer may be missing (DSP leaves
    the header's form to the profile, and some peers send the token alone).

    Raises:
        Problem: `http-no-token`.
    """
    header = request.headers.get("authorization", "")
    if header.startswith("{"):  # a JSON object, blanks and all: the profile edc-mock
        return header
    scheme, _, rest = header.partition(" ")
    token = rest.strip() if scheme.lower() == "bearer" else header.strip()
    if not token or " " in token:
        raise Problem("http-no-token")
    return token
