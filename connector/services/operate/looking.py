"""Looking back: a node asks a peer what the peer sees of it; a peer asked looks, and tells.

Whoever runs a node cannot see it from outside; a peer can. The peer fetches two documents, both at
addresses the asking node has published itself (its DID says where its document lies, its document
where its protocol is spoken), under its own egress guard, and tells the status or the fault,
nothing of the content. Only known peers are looked at, each seldom: nobody makes a node fetch
something for a third party.
"""

import asyncio
from typing import Any, Final

from connector.identity import did_web, tokens
from connector.identity.did import VERSION_PATH, DidDocument
from connector.protocol.json import strict_json
from connector.services import access, identity
from connector.services.access import Actor, Caller
from connector.services.discover import asking
from connector.services.doctor.finding import Finding, failure, good
from connector.services.messages import inbound
from connector.services.node import Node
from connector.store import peers
from policies.problem import Problem

Json = dict[str, Any]

PATH: Final = "/look-back"
SECONDS: Final = 8.0
PATIENCE: Final = 40.0
_LIMIT: Final = 262_144
_OK: Final = 200
_WHAT: Final = ("did", "dsp")


# ------------------------------------------------------------------------------ being asked


async def look(node: Node, token: str) -> Json:
    """What this node sees of the peer that asks.

    Raises:
        Problem: `identity-…`, `access-unknown-peer`: who asks is not a peer that proves itself;
            `lookback-too-often`.
    """
    caller = await _caller(node, token)
    await inbound.admit(node, caller)
    node.looks.admit(caller.did, node.clock.now())
    node.looks.running += 1
    try:
        document = did_web.read(caller.did, dev=node.settings.dev.on).document_url
        seen = await asyncio.gather(
            _seen(node, document, about=caller.did), _seen(node, _dsp(caller))
        )
    finally:
        node.looks.running -= 1
    found = {what: one for what, one in zip(_WHAT, seen, strict=True) if one is not None}
    return {"v": 1, "seen": found}


async def _caller(node: Node, token: str) -> Caller:
    """Who asks, by the document this node kept when its operator added the peer, should the one at
    the published address not be there now: that is what the look is to find out.
    """

    async def document_of(did: str) -> DidDocument:
        peer = await node.store.read(lambda tx: peers.get(tx, did=did))
        if peer is None:
            raise Problem("access-unknown-peer")
        try:
            return await node.resolver.document(did)
        except Problem:
            if not peer.did_document:
                raise
            return DidDocument.of(peer.did_document, did)

    claims = await tokens.verify(
        token, audience=node.did, document_of=document_of, now=node.clock.now()
    )
    document = await document_of(claims.issuer)
    return Caller(claims.issuer, claims.jti, claims.expires, document, frozenset())


def _dsp(caller: Caller) -> str | None:
    """Its version document, if its DID document says where it speaks; never another's host."""
    try:
        return f"{caller.document.root}{VERSION_PATH}"
    except Problem:
        return None


async def _seen(node: Node, url: str | None, *, about: str | None = None) -> Json | None:
    """What a GET comes to; with `about`, whether it brings the DID document of that DID."""
    if url is None:
        return None
    try:
        answer = await node.fetch.get(url, timeout=SECONDS, limit=_LIMIT)
    except Problem as problem:
        return {"url": url, "status": None, "problem": problem.code, **_fault(problem)}
    wrong = _wrong(answer.body, about) if about and answer.status == _OK else None
    return {"url": url, "status": answer.status, "problem": wrong}


def _wrong(body: bytes, did: str) -> str | None:
    """Why a document is not that of a DID, as a code."""
    try:
        DidDocument.of(strict_json(body), did)
    except Problem as problem:
        return problem.code
    return None


def _fault(problem: Problem) -> dict[str, str]:
    """Why there was no connection, where the client knows it (TLS, refused)."""
    said = problem.params.get("fault") or problem.params.get("reason")
    return {"fault": str(said)[:120]} if said else {}


# ------------------------------------------------------------------------------ asking


async def ask(node: Node, who: Actor, did: str) -> Json:
    """Ask a known peer, named by its DID or its public URL, to look back; what it saw, as findings
    of the doctor.

    Raises:
        Problem: `access-role`, `peer-unknown`, `lookback-unable`, `lookback-garbled`, `delivery-…`.
    """
    access.require(who, "operator", "steward")
    if did.startswith(("https://", "http://")):
        did = did_web.from_url(did, dev=node.settings.dev.on)
    asked = await asking.ask(node, did)
    headers = {
        "Authorization": identity.authorization(node, did),
        "Content-Type": "application/json",
    }
    answer = await node.fetch.post(
        asked.root + PATH, b"{}", headers=headers, limit=65_536, timeout=PATIENCE
    )
    if answer.status != _OK:
        raise Problem("lookback-unable", peer=did, status=answer.status)
    seen = _read(did, answer.body)
    own = {
        "did": did_web.read(node.did, dev=node.settings.dev.on).document_url,
        "dsp": f"{node.url}{VERSION_PATH}",
    }
    found = [_finding(did, what, url, seen.get(what)) for what, url in own.items()]
    healthy = all(one.level == "ok" for one in found)
    return {"v": 1, "peer": did, "ok": healthy, "checks": [one.document() for one in found]}


def _read(did: str, body: bytes) -> Json:
    try:
        seen = strict_json(body).get("seen")
    except Problem:
        seen = None
    if not isinstance(seen, dict):
        raise Problem("lookback-garbled", peer=did)
    return seen


def _finding(did: str, what: str, url: str, seen: object) -> Finding:
    """What a peer says of one address of ours; its words are read, never repeated unread."""
    check = f"seen-{what}"
    told = seen if isinstance(seen, dict) else {}
    there, status, code = told.get("url"), told.get("status"), told.get("problem")
    if there != url:
        return failure(check, Problem("lookback-elsewhere", peer=did, url=url))
    if status == _OK and code:
        return failure(check, Problem("lookback-other", peer=did, url=url, fault=_plain(code)))
    if status == _OK:
        return good(check, f"{did} obtient {url}", f"{did} gets {url}")
    said = f"HTTP {status}" if isinstance(status, int) else _plain(code)
    fault = _plain(told.get("fault"))
    if fault:
        said = f"{said} ({fault})"
    return failure(check, Problem("lookback-unreached", peer=did, url=url, fault=said))


def _plain(said: object) -> str:
    """A short printable word of a peer."""
    text = said[:120] if isinstance(said, str) else ""
    return text if text.isprintable() else ""
