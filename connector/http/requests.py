"""Reading a request with limits: a body of so many bytes and seconds, a bearer token, no more."""

import asyncio
from typing import Final

from fastapi import Request
from starlette.requests import ClientDisconnect

from policies.problem import Problem

_JSON: Final = ("application/json", "application/ld+json")
_LONGEST_SIZE: Final = 20
_LONGEST_NUMBER: Final = 9
PATIENCE: Final = 30
"""Seconds in which the JSON of a message has to arrive; uploads have no such limit."""


async def body_of(request: Request, limit: int) -> bytes:
    """The whole body, refused as soon as it is larger than `limit` bytes, or compressed: a small
    body must not become a large one.

    Raises:
        Problem: `http-encoding`, `http-too-large`, `http-broken-off`.
    """
    encodings = (each.strip().lower() for each in request.headers.getlist("content-encoding"))
    if not {"identity", ""}.issuperset(encodings):
        raise Problem("http-encoding")
    if declared_size(request) > limit:
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
    # Said twice is said unclearly: the next reader of the same bytes may take the other one.
    declared = ", ".join(request.headers.getlist("content-type")).split(";")[0].strip().lower()
    if declared not in _JSON:
        raise Problem("http-media-type", found=declared[:60] or "-")
    try:
        async with asyncio.timeout(PATIENCE):
            return await body_of(request, limit)
    except TimeoutError:
        raise Problem("http-slow", seconds=PATIENCE) from None


def declared_size(request: Request) -> int:
    """The bytes that a `Content-Length` announces; 0 where none does."""
    # The server has read it as a number; Python reads no number of thousands of zeros.
    digits = request.headers.get("content-length", "").lstrip("0")
    return int(digits[:_LONGEST_SIZE]) if digits.isdecimal() else 0


def named(text: str) -> str:
    """An identifier in a path. Nothing of ours has a name that cannot be printed (and PostgreSQL
    takes no NUL, not even to look for).

    Raises:
        Problem: `http-not-found`.
    """
    if not text.isprintable():
        raise Problem("http-not-found")
    return text


def whole(text: str) -> int:
    """A number in a path. Nothing of ours has one of more than nine digits.

    Raises:
        Problem: `http-not-found`.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise Problem("http-not-found")
    return int(text)


def bearer_of(request: Request) -> str:
    """The bearer token of the one `Authorization` header; the word Bearer may be missing (DSP
    leaves the header's form to the profile, and some peers send the token alone).

    Raises:
        Problem: `http-no-token`.
    """
    found = request.headers.getlist("authorization")
    header = found[0] if len(found) == 1 else ""
    if header.startswith("{"):  # a JSON object, blanks and all: the profile edc-mock
        return header
    scheme, _, rest = header.partition(" ")
    token = rest.strip() if scheme.lower() == "bearer" else header.strip()
    if not token or " " in token:
        raise Problem("http-no-token")
    return token
