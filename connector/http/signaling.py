"""Data Plane Signaling: where the institution's own control plane tells this node what to release.

Both forms of `protocol.signaling` under one address: what arrives says which it is. On the
management port only, with a token of the role `control-plane`. An EDC as it comes sends no
header of its own with its signals; so the token may also stand in the address that is registered
there (`…/signaling/TOKEN/dataflows`), which then is the secret: this node logs no addresses.
"""

from typing import Final

from fastapi import APIRouter, Request, Response

from connector.http.problems import json_response
from connector.http.requests import bearer_of, body_of, json_body_of
from connector.protocol import signaling
from connector.protocol.json import strict_json
from connector.protocol.signaling import plain
from connector.services import access
from connector.services.access import Actor
from connector.services.node import Node
from connector.services.signaling import flows

PLACES: Final = ("/dataflows", "/{token}/dataflows")
_DONE: Final = {"v": 1}


def router(node: Node) -> APIRouter:
    """The routes below `/v1/signaling`."""
    made = APIRouter()

    async def check(request: Request, token: str = "") -> Response:
        flows.check(node, await _caller(node, request, token))
        return json_response(_DONE)

    async def start(request: Request, token: str = "") -> Response:
        who = await _caller(node, request, token)
        message = signaling.read(await _json(node, request))
        return json_response(await flows.start(node, who, message))

    async def suspend(request: Request, pid: str, token: str = "") -> Response:
        who, said = await _caller(node, request, token), await _json(node, request)
        linked = "@type" in said or "messageId" not in said  # an EDC before 0.18 gives it no id
        await flows.suspend(node, who, pid, None if linked else plain.message_id(said))
        return json_response(_DONE)

    async def resume(request: Request, pid: str, token: str = "") -> Response:
        who, said = await _caller(node, request, token), await _json(node, request)
        message, sink = plain.message_id(said), plain.sink_of(said)
        return json_response(await flows.resume(node, who, pid, message, sink))

    async def terminate(request: Request, pid: str, token: str = "") -> Response:
        who, _ = await _caller(node, request, token), await _json(node, request)
        await flows.terminate(node, who, pid)
        return json_response(_DONE)

    async def completed(request: Request, pid: str, token: str = "") -> Response:
        who = await _caller(node, request, token)
        await body_of(request, node.settings.limits.message_bytes)  # empty, or `{}` from an EDC
        await flows.complete(node, who, pid)
        return json_response(_DONE)

    async def status(request: Request, pid: str, token: str = "") -> Response:
        return json_response(await flows.status(node, await _caller(node, request, token), pid))

    async def consume(request: Request, token: str = "") -> Response:
        flows.consume(node, await _caller(node, request, token))

    acts = (
        ("", start),
        ("/start", start),
        ("/{pid}/suspend", suspend),
        ("/{pid}/resume", resume),
        ("/{pid}/terminate", terminate),
        ("/{pid}/completed", completed),
        ("/prepare", consume),
        ("/{pid}/started", consume),
    )
    for place in PLACES:
        made.add_api_route(f"{place}/check", check, methods=["GET"])
        made.add_api_route(f"{place}/{{pid}}/status", status, methods=["GET"])
        for path, act in acts:
            made.add_api_route(place + path, act, methods=["POST"])
    return made


async def _caller(node: Node, request: Request, token: str) -> Actor:
    given = token or request.headers.get("x-api-key") or bearer_of(request)
    return await access.actor(node, given)


async def _json(node: Node, request: Request) -> dict[str, object]:
    limit = node.settings.limits.message_bytes
    return strict_json(await json_body_of(request, limit), max_bytes=limit)
