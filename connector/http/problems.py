"""Where a `Problem` becomes a status and a document (RFC 9457), and nowhere else."""

import re
from collections.abc import Mapping
from typing import Final

import orjson
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError

from connector.base import telemetry
from connector.base.packed import Packed
from policies.problem import Kind, Problem

STATUS: Final[Mapping[Kind, int]] = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "conflict": 409,
    "refused": 422,
    "unavailable": 503,
    "internal": 500,
}

_WORTHWHILE: Final = 4096
MEDIA_TYPE: Final = "application/problem+json"


def status_of(problem: Problem) -> int:
    """The HTTP status of a problem's kind."""
    return STATUS[problem.kind]


def problem_response(problem: Problem, status: int | None = None) -> Response:
    """The problem document: code, both languages, what to do; `status` where HTTP has a better
    one than the problem's kind.
    """
    status = status or status_of(problem)
    document = {
        "type": f"https://w3id.org/preau/ns#problem-{problem.code}",
        "title": problem.code,
        "status": status,
        **problem.document(),
    }
    # What is not there for one caller may be there for the next, or a moment later.
    headers = {"Cache-Control": "no-store"}
    if status == STATUS["unavailable"]:
        headers["Retry-After"] = "5"
    return Response(orjson.dumps(document), status, headers, MEDIA_TYPE)


async def on_problem(_: Request, error: Exception) -> Response:
    """Exception handler: a problem that a route let through."""
    if not isinstance(error, Problem):
        return await on_failure(_, error)
    return problem_response(error)


async def on_failure(_: Request, error: Exception) -> Response:
    """Exception handler: our own fault. The log has its place; the caller gets no detail."""
    telemetry.failure("request-failed", error)
    return problem_response(Problem("http-internal"))


async def on_nothing(_: Request, __: Exception) -> Response:
    """Exception handler: no route has this address."""
    return problem_response(Problem("http-not-found"))


async def on_method(_: Request, error: Exception) -> Response:
    """Exception handler: the address is one, for the methods that `Allow` names."""
    response = problem_response(Problem("http-method"), 405)
    response.headers.update(getattr(error, "headers", None) or {})
    return response


async def on_parameter(_: Request, error: Exception) -> Response:
    """Exception handler: a query parameter is missing or of another type."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    member = str(found[0]["loc"][-1]) if found else "-"
    return problem_response(Problem("http-member", member=member))


def compressed(request: Request, response: Response) -> Response:
    """A long answer in gzip, if the caller takes it (DSP: MAY, for catalogs)."""
    if len(response.body) < _WORTHWHILE:
        return response
    response.headers["Vary"] = "Accept-Encoding"
    if _takes_gzip(request):
        response.body = Packed.of_text(bytes(response.body)).data
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response


def packed_response(request: Request, packed: Packed, status: int) -> Response:
    """A JSON answer that is packed already, unpacked for a caller that does not take gzip."""
    headers = {"Vary": "Accept-Encoding"}
    if not _takes_gzip(request):
        return Response(packed.text(), status, headers, "application/json")
    return Response(
        packed.data, status, {**headers, "Content-Encoding": "gzip"}, "application/json"
    )


def _takes_gzip(request: Request) -> bool:
    """Whether an Accept-Encoding names gzip with a weight that is not zero (RFC 9110, 12.5.3)."""
    header = request.headers.get("accept-encoding", "")
    for item in header.lower().split(","):
        name, _, weight = item.partition(";")
        if name.strip() == "gzip":
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


def json_response(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(value), status, media_type="application/json")
