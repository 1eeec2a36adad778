"""The Dataspace Protocol 2025-1 over HTTPS, both roles on one base path.

Plain routes: a request comes in, a response goes out, DSP's own error documents included. FastAPI's
own kind would look for parameters and models, and there are none. Whether we are consumer or
provider of a negotiation or transfer is known by its pid.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Place

from connector.base import telemetry
from connector.http.problems import (
    compressed,
    json_response,
    on_failure,
    on_method,
    on_nothing,
    packed_response,
)
from connector.http.requests import bearer_of, json_body_of, named
from connector.protocol import errors, messages
from connector.protocol.json import strict_json
from connector.protocol.names import MAX_TEXT
from connector.services import access
from connector.services.messages import inbound
from connector.services.negotiate import negotiations
from connector.services.node import Node
from connector.services.publish import catalogs
from connector.services.release import transfers
from policies.problem import Problem

Handler = Callable[[Node, inbound.Incoming[Any]], Awaitable[inbound.Reply]]
OnFailure = Callable[[Request, Exception], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One address: what message it takes and which use case answers."""

    path: str
    message: type[Any]
    handler: Handler
    error: errors.ErrorKind


NEGOTIATION: Final[errors.ErrorKind] = "negotiation"
TRANSFER: Final[errors.ErrorKind] = "transfer"
CATALOG: Final[errors.ErrorKind] = "catalog"
_KINDS: Final = {"negotiations": NEGOTIATION, "transfers": TRANSFER, "catalog": CATALOG}

POSTS: Final = (
    Route("/catalog/request", messages.CatalogRequest, catalogs.requested, CATALOG),
    Route("/negotiations/request", messages.ContractRequest, negotiations.requested, NEGOTIATION),
    Route("/negotiations/offers", messages.ContractOffer, negotiations.offered, NEGOTIATION),
    Route(
        "/negotiations/{pid}/request",
        messages.ContractRequest,
        negotiations.requested,
        NEGOTIATION,
    ),
    Route("/negotiations/{pid}/offers", messages.ContractOffer, negotiations.offered, NEGOTIATION),
    Route(
        "/negotiations/{pid}/agreement",
        messages.ContractAgreement,
        negotiations.agreed,
        NEGOTIATION,
    ),
    Route(
        "/negotiations/{pid}/agreement/verification",
        messages.ContractAgreementVerification,
        negotiations.verified,
        NEGOTIATION,
    ),
    Route(
        "/negotiations/{pid}/events",
        messages.ContractNegotiationEvent,
        negotiations.event,
        NEGOTIATION,
    ),
    Route(
        "/negotiations/{pid}/termination",
        messages.ContractNegotiationTermination,
        negotiations.terminated,
        NEGOTIATION,
    ),
    Route("/transfers/request", messages.TransferRequest, transfers.requested, TRANSFER),
    Route("/transfers/{pid}/start", messages.TransferStart, transfers.started, TRANSFER),
    Route(
        "/transfers/{pid}/suspension", messages.TransferSuspension, transfers.suspended, TRANSFER
    ),
    Route(
        "/transfers/{pid}/completion", messages.TransferCompletion, transfers.completed, TRANSFER
    ),
    Route(
        "/transfers/{pid}/termination",
        messages.TransferTermination,
        transfers.terminated,
        TRANSFER,
    ),
)

Reader = Callable[[Node, access.Caller, str], Awaitable[inbound.Reply]]

GETS: Final[tuple[tuple[str, Reader, errors.ErrorKind], ...]] = (
    ("/catalog/datasets/{pid:path}", catalogs.dataset_requested, CATALOG),
    ("/negotiations/{pid}", negotiations.state_requested, NEGOTIATION),
    ("/transfers/{pid}", transfers.state_requested, TRANSFER),
)


def places(node: Node, below: str) -> list[Place]:
    """The routes of one node; `below` is the path of its base, such as `/dsp/2025-1`."""
    made = [Place(below + route.path, _post(node, route), methods=["POST"]) for route in POSTS]
    for path, reader, error in GETS:
        place = Place(below + path, _get(node, reader, error))
        place.methods = {"GET"}  # no HEAD: a question uses up a token, so it wants its answer
        made.append(place)
    return made


def _post(node: Node, route: Route) -> Callable[[Request], Awaitable[Response]]:
    limit = node.settings.limits.message_bytes

    async def handle(request: Request) -> Response:
        wire: dict[str, object] = {}
        try:
            caller = await access.authenticate(node, bearer_of(request))
            pid = named(request.path_params["pid"]) if "pid" in request.path_params else None
            body = await json_body_of(request, limit)
            wire = strict_json(body, max_bytes=limit)
            message = messages.read(wire, route.message)
            cursor = request.query_params.get("cursor")
            reply = await route.handler(node, inbound.Incoming(caller, message, wire, pid, cursor))
        except Problem as problem:
            return _error(route.error, problem, wire)
        return _answer(request, reply)

    return handle


def _get(
    node: Node, reader: Reader, error: errors.ErrorKind
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        try:
            caller = await access.authenticate(node, bearer_of(request))
            reply = await reader(node, caller, named(request.path_params["pid"]))
        except Problem as problem:
            return _error(error, problem, {})
        return _answer(request, reply)

    return handle


def _answer(request: Request, reply: inbound.Reply) -> Response:
    if reply.packed is not None:
        response = packed_response(request, reply.packed, reply.status)
    elif reply.body is not None:
        response = compressed(request, json_response(reply.body, reply.status))
    else:
        response = Response(status_code=reply.status)
    response.headers.update(reply.headers)
    return response


def _error(kind: errors.ErrorKind, problem: Problem, wire: Mapping[str, object]) -> Response:
    """The error object, with the pids that the message named: they tell its sender nothing new."""
    telemetry.event("peer-refused", code=problem.code, cause=problem.kind)
    pids = (_pid(wire, "providerPid"), _pid(wire, "consumerPid"))
    document = errors.error_document(kind, problem, *pids)
    return json_response(document, errors.status_of(problem))


def _pid(wire: Mapping[str, object], name: str) -> str | None:
    value = wire.get(name)
    fit = isinstance(value, str) and len(value) <= MAX_TEXT and value.isprintable()
    return value if fit and isinstance(value, str) else None


def tell_failures(made: FastAPI, below: str) -> None:
    """Whatever an application answers below the base at `below` without one of these routes (no
    such address, another method, a fault of ours) is an error object of DSP too.
    """
    for failure, handler, code in (
        (404, on_nothing, "http-not-found"),
        (405, on_method, "http-method"),
        (Exception, on_failure, "http-internal"),
    ):
        made.add_exception_handler(failure, _told(below, handler, code))


def _told(below: str, handler: OnFailure, code: str) -> OnFailure:
    async def handle(request: Request, error: Exception) -> Response:
        response = await handler(request, error)
        inside = request.scope["path"].removeprefix(below + "/")
        kind = _KINDS.get(inside.partition("/")[0])
        if kind is None:
            return response
        document = errors.error_document(kind, Problem(code))
        told = json_response(document, response.status_code)
        if "allow" in response.headers:
            told.headers["Allow"] = response.headers["allow"]
        return told

    return handle
