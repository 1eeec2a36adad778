"""The data plane's endpoints: parts, the plain stream, the manifest, the receipt (FORMATS).

Authorised by the token of the data address alone; 409 while suspended, 410 once ended, 404 for
whoever holds no token of this transfer.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from connector.base import telemetry
from connector.http.problems import json_response, problem_response
from connector.http.requests import bearer_of, declared_size, json_body_of, named, whole
from connector.services.fetch import sinking
from connector.services.node import Node
from connector.services.release import handing_over, releasing
from connector.services.release.pushing import MEDIA_TYPES
from policies.problem import Problem

GONE: Final = 410
P = ParamSpec("P")
Handler = Callable[Concatenate[Request, P], Coroutine[Any, Any, Response]]


def router(node: Node) -> APIRouter:
    """The routes below `/data`."""
    made = APIRouter()

    @made.get("/{pid}/parts/{number}")
    @_told
    async def part(request: Request, pid: str, number: str) -> Response:
        asked = whole(number)
        found = await releasing.part(
            node, pid, bearer_of(request), asked, acknowledged=request.headers.get("preau-ack")
        )
        headers = found.info.headers(last=found.last)
        return Response(found.body, media_type=MEDIA_TYPES[found.form], headers=headers)

    @made.get("/{pid}/manifest")
    @_told
    async def manifest(request: Request, pid: str) -> Response:
        found = await handing_over.manifest(
            node, pid, bearer_of(request), acknowledged=request.headers.get("preau-ack")
        )
        return json_response(found)

    @made.post("/{pid}/receipt")
    @_told
    async def receipt(request: Request, pid: str) -> Response:
        body = await json_body_of(request, node.settings.limits.message_bytes)
        return json_response(await handing_over.receipt(node, pid, bearer_of(request), body))

    @made.post("/{pid}/sink")
    @_told
    async def sink(request: Request, pid: str) -> Response:
        kind = request.headers.get("content-type", "")[:200]
        await sinking.take(node, pid, bearer_of(request), kind, _arriving(node, request))
        return json_response({"v": 1, "received": True})

    @made.get("/{pid}")
    @_told
    async def stream(request: Request, pid: str) -> Response:
        first, rest = await releasing.stream(node, pid, bearer_of(request))
        return StreamingResponse(_bodies(first.body, rest), media_type=MEDIA_TYPES[first.form])

    return made


async def _arriving(node: Node, request: Request) -> AsyncIterator[bytes]:
    """A body as it arrives; one that breaks off or is larger than the operator allows raises."""
    limit, size = node.settings.limits.pushed_bytes, 0
    if declared_size(request) > limit:
        raise Problem("http-too-large", limit=limit)
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise Problem("http-too-large", limit=limit)
            yield piece
    except ClientDisconnect:
        raise Problem("http-broken-off") from None


async def _bodies(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The whole stream; a cut raises, so that the connection breaks and never ends cleanly."""
    yield first
    async for body in rest:
        yield body


def _told(handle: Handler[P]) -> Handler[P]:
    """Answer a problem with its document; an ended transfer is 410."""

    @wraps(handle)
    async def run(request: Request, *args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            named(request.path_params["pid"])
            return await handle(request, *args, **kwargs)
        except Problem as problem:
            telemetry.event("data-refused", code=problem.code)
            return problem_response(problem, GONE if problem.code in releasing.ENDED else None)

    return run  # type: ignore[return-value]  # wraps() says less than it knows
