"""The management port: what this institution's own people and machines can ask of the node.

Loopback only, one token a person; a role decides who may do what, in `services`. Long polling
(`?wait=S&until=STATE`) instead of sleeping, for tests and people alike. No request names a path
on the node: files are uploaded and downloaded.
"""

import math
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, StreamingResponse
from starlette.exceptions import HTTPException

from catalog.search import Query, expand
from connector.dataplane.table_release import NDJSON
from connector.http import health, openapi, signaling
from connector.http.application import application
from connector.http.problems import (
    json_response,
    on_parameter,
)
from connector.http.requests import bearer_of, body_of, json_body_of
from connector.identity import edc
from connector.protocol.json import strict_json
from connector.services import access, identity
from connector.services.access import Actor
from connector.services.consent import consents
from connector.services.discover import discovering, peering
from connector.services.fetch import fetching
from connector.services.negotiate import concluding, people, proposing
from connector.services.node import Node
from connector.services.operate import backups, leaving, looking, restored
from connector.services.publish import catalogs, publishing, risk
from connector.services.publish.published import PUBLIC
from connector.services.release import transferring
from connector.services.show import auditing, metrics, views
from policies.problem import Problem

_MAX_JSON: Final = 1_000_000
_MAX_IMPORT: Final = 1_000_000_000
_MAX_WAIT: Final = 60.0
_MAX_WORDS: Final = 500
_MAX_SEQ: Final = 2**53

Body = dict[str, Any]
Act = Callable[[Actor, str, Body], Awaitable[None]]


def app(node: Node, public: FastAPI | None = None) -> FastAPI:
    """The ASGI application of the management port; it also describes the `public` one."""
    made = application("Préau management")
    rooms = (_node, _peers, _discovery, _datasets, _asking, _negotiations, _agreements, _transfers)
    for routes in (*rooms, _consents):
        made.include_router(routes(node), prefix="/v1")
    made.include_router(signaling.router(node), prefix="/v1/signaling")
    made.include_router(health.router(node))

    @made.get("/metrics")
    async def measured(request: Request) -> Response:
        await _actor(node, request)
        return Response(await metrics.exposition(node), media_type=metrics.CONTENT_TYPE)

    @made.get("/v1/openapi")
    async def described(request: Request, port: str = "management") -> Response:
        await _actor(node, request)
        if port == "management":
            return json_response(openapi.document(made))
        if port != "public" or public is None:
            raise Problem("http-member", member="port")
        prefix = urlsplit(node.url).path.rstrip("/")
        return json_response(openapi.document(public, prefix=prefix))

    made.add_exception_handler(RequestValidationError, on_parameter)
    return made


def _node(node: Node) -> APIRouter:
    made = APIRouter()

    @made.get("/node")
    async def show(request: Request) -> Response:
        await _actor(node, request)
        return json_response(await identity.overview(node))

    @made.post("/node/quarantine")
    async def confirm_gap(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        return json_response(await restored.confirm(node, who, _text(body, "reason")))

    @made.post("/backups")
    async def backup(request: Request) -> Response:
        content = await backups.take(node, await _actor(node, request))
        return StreamingResponse(content, media_type="application/x-tar")

    @made.post("/tokens")
    async def add_token(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        added = await access.add_token(node, who, _text(body, "name"), _text(body, "role"))
        return json_response(added, 201)

    return made


def _peers(node: Node) -> APIRouter:
    made = APIRouter()

    @made.get("/peers")
    async def peers(request: Request) -> Response:
        await _actor(node, request)
        return json_response(await peering.listing(node))

    @made.post("/peers")
    async def add_peer(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        groups, name = _texts(body, "groups"), _words(body, "name")
        if "edc" in body:
            where = _object(body, "edc")
            participant = edc.participant(
                _text(body, "did"), _text(where, "dsp"), _texts(where, "data")
            )
            added = await peering.add_edc(node, who, participant, name, groups)
        elif _flag(body, "signaled"):
            added = await peering.add_consumer(node, who, _text(body, "did"), name, groups)
        else:
            added = await peering.add(node, who, _text(body, "did"), name, groups)
        return json_response(added, 201)

    @made.post("/peers/groups")
    async def set_groups(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        if "groups" not in body:  # none of them is said as []
            raise Problem("http-member", member="groups")
        changed = await peering.set_groups(node, who, _text(body, "did"), _texts(body, "groups"))
        return json_response(changed)

    @made.delete("/peers/{did:path}")
    async def remove_peer(
        request: Request, did: str, reason: str = "", *, terminate: bool = False
    ) -> Response:
        who, said = await _actor(node, request), _text({"reason": reason}, "reason")
        return json_response(await leaving.remove(node, who, did, said, terminate=terminate))

    @made.post("/peers/look-back")
    async def look_back(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        return json_response(await looking.ask(node, who, _text(body, "did")))

    return made


def _discovery(node: Node) -> APIRouter:
    made = APIRouter()

    @made.get("/catalogs")
    async def discover(request: Request, peer: str) -> Response:
        await _actor(node, request)
        return json_response(await peering.catalog_of(node, peer))

    @made.get("/search")
    async def search(request: Request, refresh: str = "due") -> Response:
        await _actor(node, request)
        asked = request.query_params
        query = Query(
            text=asked.get("q", "")[:_MAX_WORDS],
            access=asked.get("access"),
            purpose=_iri(asked.get("purpose")),
            category=_iri(asked.get("category")),
            freshness=asked.get("freshness"),
            publisher=asked.get("publisher"),
        )
        limit, offset = _number(asked.get("limit"), 50), _number(asked.get("offset"), 0)
        found = await discovering.search(node, query, refresh=refresh, limit=limit, offset=offset)
        return json_response(found)

    @made.get("/copies")
    async def copies(request: Request) -> Response:
        await _actor(node, request)
        return json_response(await discovering.copies(node))

    @made.get("/copies/catalog")
    async def copy(request: Request, publisher: str, group: str = PUBLIC) -> Response:
        await _actor(node, request)
        return json_response(await discovering.copy(node, publisher, group))

    return made


def _datasets(node: Node) -> APIRouter:
    made = APIRouter()

    @made.get("/datasets")
    async def listing(request: Request) -> Response:
        await _actor(node, request)
        return json_response(await catalogs.listing(node))

    @made.post("/datasets")
    async def add(request: Request) -> Response:
        who = await _actor(node, request)
        access.require(who, "operator", "steward")
        try:
            async with request.form(max_files=2, max_fields=4) as form:
                about, file = form.get("about"), form.get("file")
                if about is None or isinstance(about, str) or file is None or isinstance(file, str):
                    raise Problem("http-upload-parts")
                share = form.get("max_bad")
                upload = publishing.Upload(
                    about=await about.read(_MAX_JSON),
                    name=file.filename or "",
                    read=file.read,
                    max_bad=_share(share if isinstance(share, str) else None),
                )
                return json_response(await publishing.add(node, who, upload), 201)
        except HTTPException:  # Starlette's word for a form that is none
            raise Problem("http-upload-parts") from None
        except OSError as error:  # the upload is spooled on the node's disk first
            raise Problem("dataplane-disk", reason=error.strerror or "I/O") from None

    @made.get("/datasets/{ident}")
    async def show(request: Request, ident: str) -> Response:
        await _actor(node, request)
        return json_response(await catalogs.show(node, ident))

    @made.post("/datasets/{ident}/risk")
    async def measure(request: Request, ident: str) -> Response:
        who = await _actor(node, request)
        return json_response(await risk.run(node, who, ident))

    @made.get("/datasets/{ident}/risk")
    async def measured(request: Request, ident: str) -> Response:
        who = await _actor(node, request)
        return json_response(await risk.show(node, who, ident))

    @made.post("/datasets/{ident}/withdrawal")
    async def withdraw(request: Request, ident: str) -> Response:
        who, body = await _actor(node, request), await _json(request)
        return json_response(await publishing.withdraw(node, who, ident, _words(body, "reason")))

    return made


def _asking(node: Node) -> APIRouter:
    made = APIRouter()

    @made.post("/requests")
    async def ask(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        if "terms" in body:
            peer, dataset = _text(body, "peer"), _text(body, "dataset")
            asked = await proposing.request(node, who, peer, dataset, _object(body, "terms"))
        else:
            asked = await people.request(
                node,
                who,
                _text(body, "dataset"),
                _object(body, "application"),
                _text(body, "peer") if "peer" in body else None,
            )
        return json_response(asked, 201)

    @made.post("/offers")
    async def offer(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        chosen = _text(body, "offer") if body.get("offer") is not None else None
        made = await proposing.offer(node, who, _text(body, "peer"), _text(body, "dataset"), chosen)
        return json_response(made, 201)

    @made.get("/changes")
    async def changes(request: Request, after: int = 0, wait: float = 0.0) -> Response:
        await _actor(node, request)
        if not 0 <= after <= _MAX_SEQ:
            raise Problem("http-member", member="after")
        return json_response(await views.changes(node, after=after, wait=_seconds(wait)))

    return made


def _negotiations(node: Node) -> APIRouter:
    made = APIRouter()

    @made.get("/negotiations")
    async def listing(request: Request, wait: float = 0.0, awaiting: str | None = None) -> Response:
        await _actor(node, request)
        seconds = _seconds(wait)
        return json_response(await views.negotiations(node, awaiting=awaiting, wait=seconds))

    @made.get("/negotiations/{pid}")
    async def show(
        request: Request, pid: str, wait: float = 0.0, until: str | None = None
    ) -> Response:
        await _actor(node, request)
        seconds = _seconds(wait)
        return json_response(await views.negotiation(node, pid, wait=seconds, until=until))

    acts: dict[str, Act] = {
        "decisions": lambda who, pid, body: people.decide(node, who, pid, body),
        "applications": lambda who, pid, body: people.resubmit(
            node, who, pid, _object(body, "application")
        ),
        "acceptance": lambda who, pid, _: people.accept(node, who, pid),
        "offers": lambda who, pid, body: proposing.counter(node, who, pid, _object(body, "offer")),
        "verification": lambda who, pid, _: concluding.verify_by_hand(node, who, pid),
        "finalization": lambda who, pid, _: concluding.finalize_by_hand(node, who, pid),
        "termination": lambda who, pid, body: people.terminate(
            node, who, pid, _text(body, "reason")
        ),
    }

    async def show_after(pid: str) -> Body:
        return await views.negotiation(node, pid)

    for name, act in acts.items():
        _add_act(made, node, f"/negotiations/{{pid}}/{name}", act, show_after)
    return made


def _agreements(node: Node) -> APIRouter:
    made = APIRouter()

    @made.get("/agreements")
    async def listing(request: Request) -> Response:
        await _actor(node, request)
        return json_response(await views.agreements(node))

    @made.get("/agreements/{ident}")
    async def show(request: Request, ident: str) -> Response:
        await _actor(node, request)
        return json_response(await views.agreement(node, ident))

    @made.get("/agreements/{ident}/plan")
    async def plan(request: Request, ident: str) -> Response:
        await _actor(node, request)
        return json_response(await views.plan(node, ident))

    @made.get("/agreements/{ident}/bundle")
    async def bundle(request: Request, ident: str) -> Response:
        who = await _actor(node, request)
        content = await auditing.bundle(node, who, ident)
        return Response(content, media_type="application/zip")

    return made


def _transfers(node: Node) -> APIRouter:
    made = APIRouter()

    @made.get("/transfers")
    async def listing(request: Request) -> Response:
        await _actor(node, request)
        return json_response(await views.transfers(node))

    @made.post("/transfers")
    async def start(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        form, agreement = _words(body, "format") or NDJSON, _text(body, "agreement")
        if not _flag(body, "again", otherwise=True):
            access.require(who, "operator", "researcher")
            known = await fetching.complete(node, agreement, form)
            if known is not None:
                return json_response(await views.transfer(node, known))
        push = _flag(body, "push")
        pid = await transferring.start(node, who, agreement, form, push=push)
        return json_response(await views.transfer(node, pid), 201)

    @made.get("/transfers/{pid}")
    async def show(
        request: Request, pid: str, wait: float = 0.0, until: str | None = None
    ) -> Response:
        await _actor(node, request)
        seconds = _seconds(wait)
        return json_response(await views.transfer(node, pid, wait=seconds, until=until))

    acts: dict[str, Act] = {
        "fetch": lambda who, pid, body: fetching.start(node, who, pid, _parts(body)),
        "suspension": lambda who, pid, body: transferring.suspend(
            node, who, pid, _words(body, "reason")
        ),
        "start": lambda who, pid, _: transferring.begin(node, who, pid),
        "resumption": lambda who, pid, _: transferring.resume(node, who, pid),
        "completion": lambda who, pid, _: transferring.complete(node, who, pid),
        "termination": lambda who, pid, body: transferring.terminate(
            node, who, pid, _words(body, "reason")
        ),
    }

    async def show_after(pid: str) -> Body:
        return await views.transfer(node, pid)

    for name, act in acts.items():
        _add_act(made, node, f"/transfers/{{pid}}/{name}", act, show_after)

    @made.get("/transfers/{pid}/files/{name}")
    async def file(request: Request, pid: str, name: str) -> Response:
        who = await _actor(node, request)
        return FileResponse(await fetching.file(node, who, pid, name))

    return made


def _consents(node: Node) -> APIRouter:
    made = APIRouter()

    @made.post("/consents")
    async def record(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        return json_response(await consents.record(node, who, body), 201)

    @made.post("/consents/import")
    async def import_(request: Request) -> Response:
        who = await _actor(node, request)
        access.require(who, "dpo", "steward")
        content = await body_of(request, _MAX_IMPORT)
        return json_response(await consents.load(node, who, content), 201)

    @made.post("/consents/state")
    async def state(request: Request) -> Response:
        who, body = await _actor(node, request), await _json(request)
        return json_response(await consents.state(node, who, body))

    return made


def _add_act(
    made: APIRouter, node: Node, path: str, act: Act, after: Callable[[str], Awaitable[Body]]
) -> None:
    """One address where a person changes a process; the answer is the process as it is then."""

    async def act_on(request: Request, pid: str) -> Response:
        who, body = await _actor(node, request), await _json(request)
        await act(who, pid, body)
        return json_response(await after(pid))

    made.add_api_route(path, act_on, methods=["POST"], name=path.rpartition("/")[2])


async def _actor(node: Node, request: Request) -> Actor:
    return await access.person(node, bearer_of(request))


async def _json(request: Request) -> Body:
    return strict_json(await json_body_of(request, _MAX_JSON), max_bytes=_MAX_JSON)


def _text(body: Body, member: str) -> str:
    value = body.get(member)
    if not isinstance(value, str) or not value.strip():
        raise Problem("http-member", member=member)
    return value.strip()


def _words(body: Body, member: str) -> str:
    """A text that need not be there."""
    value = body.get(member)
    if value is not None and not isinstance(value, str):
        raise Problem("http-member", member=member)
    return value or ""


def _flag(body: Body, member: str, *, otherwise: bool = False) -> bool:
    value = body.get(member)
    if value is not None and not isinstance(value, bool):
        raise Problem("http-member", member=member)
    return otherwise if value is None else value


def _texts(body: Body, member: str) -> list[str]:
    value = body.get(member)
    value = [] if value is None else value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Problem("http-member", member=member)
    return value


def _object(body: Body, member: str) -> Body:
    value = body.get(member)
    if not isinstance(value, dict):
        raise Problem("http-member", member=member)
    return value


def _iri(name: str | None) -> str | None:
    """A facet's value as people spell it (`preau:EducationResearch`) or in full."""
    return expand(name) if name else None


def _number(text: str | None, otherwise: int) -> int:
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise Problem("http-member", member="limit, offset")
    return int(text)


def _seconds(wait: float) -> float:
    """How long a view may wait; what is no length of time is refused."""
    if math.isnan(wait) or wait < 0:
        raise Problem("http-member", member="wait")
    return min(wait, _MAX_WAIT)


def _parts(body: Body) -> int | None:
    """How many parts to fetch, all when nothing is said."""
    parts = body.get("parts")
    if parts is not None and (type(parts) is not int or parts < 1):
        raise Problem("http-member", member="parts")
    return parts


def _share(text: str | None) -> float:
    try:
        share = float(text or "0.001")
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise Problem("http-member", member="max_bad")
    return share
