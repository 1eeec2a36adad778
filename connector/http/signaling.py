"""Data Plane Signaling: where the institution's own control plane tells this node what to release.

On the management port only, with a token of the role `control-plane`. An EDC as it comes sends no
header of its own with its signals; so the token may also stand in the address that is registered
there (`…/signaling/TOKEN/dataflows`), which then is the secret: this node logs no addresses.
"""

from typing import Final

from fastapi import APIRouter, Request, Response

from connector.http.problems import json_response
from connector.http.requests import bearer_of, json_body_of
from connector.protocol.json import strict_json
from connector.protocol.signaling import FlowStart
from connector.services import access
from connector.services.access import Actor
from connector.services.node import Node
from connector.services.signaling import flows

PLACES: Final = ("/dataflows", "/{token}/dataflows")
_DONE: Final = 204


def router(node: Node) -> APIRouter:
    """The routes below `/v1/signaling`."""
    made = APIRouter()

    async def check(request: Request, token: str = "") -> Response:
        flows.check(node, await _caller(node, request, token))
        return Response(status_code=_DONE)

    async def start(request: Request, token: str = "") -> Response:
        who = await _caller(node, request, token)
        message = FlowStart.read(await _json(node, request))
        return json_response(await flows.start(node, who, message))

    async def suspend(request: Request, pid: str, token: str = "") -> Response:
        who, _ = await _caller(node, request, token), await _json(node, request)
        await flows.suspend(node, who, pid)
        return Response(status_code=_DONE)

    async def terminate(request: Request, pid: str, token: str = "") -> Response:
        who, _ = await _caller(node, request, token), await _json(node, request)
        await flows.terminate(node, who, pid)
        return Response(status_code=_DONE)

    for place in PLACES:
        made.add_api_route(f"{place}/check", check, methods=["GET"])
        made.add_api_route(place, start, methods=["POST"])
        made.add_api_route(f"{place}/{{pid}}/suspend", suspend, methods=["POST"])
        made.add_api_route(f"{place}/{{pid}}/terminate", terminate, methods=["POST"])
    return made


async def _caller(node: Node, request: Request, token: str) -> Actor:
    given = token or request.headers.get("x-api-key") or bearer_of(request)
    return await access.actor(node, given)


async def _json(node: Node, request: Request) -> dict[str, object]:
    limit = node.settings.limits.message_bytes
    return strict_json(await json_body_of(request, limit), max_bytes=limit)
