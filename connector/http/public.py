"""The public port: what other nodes, and anybody who checks, can reach.

Every path stands below the path of the public URL, so that many nodes live behind one name.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from catalog import terms
from connector.base import telemetry
from connector.evidence.levels import read_tile_path
from connector.http import data, dsp, health
from connector.http.application import application
from connector.http.problems import (
    json_response,
    problem_response,
)
from connector.http.requests import bearer_of, named, whole
from connector.protocol.versions import version_document
from connector.services import access, identity
from connector.services.messages import inbound
from connector.services.node import Node
from connector.services.operate import looking
from connector.services.publish import catalogs
from connector.services.publish.catalogs import NOBODY
from policies.problem import Problem

JSON_LD: Final = "application/ld+json"
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_TOO_MANY: Final = 429
_CHECKED: Final = "public, no-cache"
# For one caller: no shared cache may keep it, nor hand it to the next.
_PERSONAL: Final = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}


def app(node: Node) -> FastAPI:
    """The ASGI application of the public port."""
    made = application("Préau")
    made.router.redirect_slashes = False
    prefix = urlsplit(node.url).path.rstrip("/")
    # What is asked most comes first: routes are looked through one by one.
    made.router.routes.extend(dsp.places(node, prefix + "/dsp/2025-1"))
    dsp.tell_failures(made, prefix + "/dsp/2025-1")
    for routes in (_catalogs, _documents, _looks, _log):
        made.include_router(routes(node), prefix=prefix)
    made.include_router(data.router(node), prefix=prefix + "/data")
    made.include_router(health.router(node), prefix=prefix)
    made.add_middleware(_Tolerant, asked=(prefix + "/dsp/2025-1/", prefix + "/data/"))
    return made


def _documents(node: Node) -> APIRouter:
    """Who this node is and which words it speaks."""
    made = APIRouter()
    get = made.get

    @get("/.well-known/did.json")
    @get("/did.json")
    async def did() -> Response:
        return Response(orjson.dumps(identity.document(node)), media_type="application/did+json")

    @get("/.well-known/dspace-version")
    @get("/dsp/.well-known/dspace-version")
    async def versions() -> Response:
        return json_response(version_document(service_id=f"{node.dsp}#service"))

    @get("/ns")
    async def namespace() -> Response:
        return Response(orjson.dumps(terms.document(terms.CONTEXT)), media_type=JSON_LD)

    return made


def _looks(node: Node) -> APIRouter:
    """What this node sees of a peer that asks it."""
    made = APIRouter()

    @made.post(looking.PATH)
    async def look(request: Request) -> Response:
        try:
            return json_response(await looking.look(node, bearer_of(request)))
        except Problem as problem:
            telemetry.event("peer-refused", code=problem.code, cause=problem.kind)
            if problem.code == "lookback-too-often":
                return problem_response(problem, _TOO_MANY)
            raise

    return made


def _catalogs(node: Node) -> APIRouter:
    """What is published: to everybody, and behind a token to the members of a group (C2)."""
    made = APIRouter()
    get = made.get

    @get("/catalog")
    async def head(request: Request) -> Response:
        return _signed(request, await catalogs.public_head(node), _CHECKED)

    @get("/catalogs")
    async def groups(request: Request) -> Response:
        caller = await _caller(node, request)
        if caller is None:
            raise Problem("http-not-found")
        found = await catalogs.open_groups(node, caller.groups)
        response = json_response({"v": 1, "groups": found})
        response.headers.update(_PERSONAL)
        return response

    @get("/catalog/{group}")
    async def group_head(request: Request, group: str) -> Response:
        # Who may not see it is told nothing before anything is looked up.
        caller = await _caller(node, request)
        found = await catalogs.group_head(node, group, caller.groups if caller else NOBODY)
        return _signed(request, found, _CHECKED)

    @get("/datasets/{ident}")
    async def dataset(request: Request, ident: str) -> Response:
        found = await _visible(
            node, request, lambda groups: catalogs.current_document(node, named(ident), groups)
        )
        return _signed(request, found, _CHECKED)

    @get("/datasets/{ident}/v{version}")
    async def document(request: Request, ident: str, version: str) -> Response:
        number = whole(version)
        found = await _visible(
            node, request, lambda groups: catalogs.document(node, named(ident), number, groups)
        )
        return _signed(request, found, _IMMUTABLE)

    return made


def _log(node: Node) -> APIRouter:
    """The public part of the log."""
    made = APIRouter()
    get = made.get

    @get("/log/checkpoint")
    async def checkpoint() -> Response:
        note = node.log.checkpoint()
        return Response(note, media_type="text/plain", headers={"Cache-Control": "no-cache"})

    @get("/log/tile/{place:path}")
    async def tile(place: str) -> Response:
        level, index, width = read_tile_path(f"tile/{place}")
        content = node.log.tile(level, index, width)
        headers = {"Cache-Control": _IMMUTABLE}
        return Response(content, media_type="application/octet-stream", headers=headers)

    return made


async def _caller(node: Node, request: Request) -> access.Caller | None:
    """The node behind a request, if it proves to be one that we know; strangers are nobody."""
    if not request.headers.get("authorization"):
        return None
    try:
        caller = await access.authenticate(node, bearer_of(request))
        await inbound.admit(node, caller)
    except Problem as problem:
        telemetry.event("peer-refused", code=problem.code, cause=problem.kind)
        return None
    return caller


async def _visible(
    node: Node, request: Request, read: Callable[[frozenset[str]], Awaitable[catalogs.Signed]]
) -> catalogs.Signed:
    """What anybody may read; what only a group may, once the caller has proved to be in it."""
    try:
        return await read(NOBODY)
    except Problem as problem:
        caller = await _caller(node, request) if problem.kind == "not-found" else None
        if caller is None:
            raise
    return await read(caller.groups)


def _signed(request: Request, found: catalogs.Signed, caching: str) -> Response:
    """The exact signed bytes under a strong ETag, or 304 for who has them."""
    etag = f'"{found.digest}"'
    headers = {"ETag": etag, "Cache-Control": caching}
    if not found.public:
        headers |= {**_PERSONAL, "Cache-Control": caching.replace("public", "private")}
    if _held(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=JSON_LD, headers=headers)


def _held(known: str, etag: str) -> bool:
    """Whether an If-None-Match names this tag, compared weakly, or any (RFC 9110, 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
    return tags == ["*"] or etag in tags


class _Tolerant:
    """Answer `…/offers/` and `…//offers` like `…/offers`: some peers add slashes, and a redirect
    loses the body. Answer HEAD like GET (the server leaves the body out; RFC 9110, 9.3.2), but
    where a question uses up a token or releases rows, at the addresses `asked`.
    """

    def __init__(self, app: ASGIApp, asked: tuple[str, ...]) -> None:
        self._app: Callable[[Scope, Receive, Send], Awaitable[None]] = app
        self._asked = asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # Not the slashes of an IRI in the path (a dataset's id).
            path = re.sub(r"(?<!:)//+", "/", scope["path"])
            if len(path) > 1:
                path = path.rstrip("/") or "/"
            if path != scope["path"]:
                scope = {**scope, "path": path, "raw_path": path.encode()}
            if scope["method"] == "HEAD" and not path.startswith(self._asked):
                scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
