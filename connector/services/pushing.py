"""Data brought to the consumer's own address instead of fetched from ours (DSP: a push).

This node is then the reader of its own release: each part comes from the same door as for a
consumer that pulls, so it is planned, asked about consent, logged and committed before a byte of it
leaves, and it counts as acknowledged when the sink has answered 2xx. The sink lies where the
consumer's DID document says it may (constitution 4); the one guarded client speaks to it.

What the sink refuses ends the transfer; a sink that does not answer suspends it, and whoever
resumes it lets the next part be tried again. After a crash running pushes are found again.
"""

import asyncio
from dataclasses import replace
from typing import Final

from connector.delivery import retry
from connector.identity.ports import Response
from connector.protocol import errors, messages
from connector.protocol import transfer as machine
from connector.protocol.messages import DataAddress, read_address
from connector.protocol.transfer import Act, Role, State, Transfer
from connector.services import access, halting, handing_over, ledger, releasing
from connector.services.committing import commit
from connector.services.node import Node
from connector.services.processes import save_transfer, transfer
from connector.services.releases import session_of
from connector.services.releasing import Part
from connector.store import parts as rows
from connector.store import transfers as transfer_rows
from connector.store.store import Tx
from policies.problem import Problem

FORMAT: Final = "HttpData-PUSH"
MEDIA_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_TRIES: Final = 4
_TIMEOUT: Final = 120.0
_STOPPED: Final = frozenset({"release-suspended", "release-ended", "release-quarantine"})


def url_of(address: DataAddress) -> str | None:
    """Where a sink takes data: DSP's `endpoint`, or what an EDC calls `baseUrl`."""
    return address.url or address.get("baseUrl")


def push_soon(node: Node, pid: str | None = None) -> None:
    """Go on, in the background, with every push that runs, or with this one."""
    node.background.start(f"pushes:{pid}", _push_all(node, pid))


async def _push_all(node: Node, pid: str | None) -> None:
    def unit(tx: Tx) -> list[str]:
        return [
            row.pid
            for row in transfer_rows.listing(tx, state=State.STARTED.value)
            if row.role is Role.PROVIDER and row.sink is not None and pid in {None, row.pid}
        ]

    for found in await node.store.read(unit):
        node.background.start(f"push:{found}", _push(node, found))


async def _push(node: Node, pid: str) -> None:
    """All parts that were not acknowledged yet, then the end."""
    try:
        token = await node.store.write(lambda tx: _own_token(node, tx, pid))
        t = await node.store.read(lambda tx: transfer(tx, pid))
        number, acknowledged = await node.store.read(lambda tx: _next(tx, pid))
        address = read_address(t.sink or {})
        while not await _whole(node, pid, token, acknowledged):
            part = await releasing.part(node, pid, token, number, acknowledged=acknowledged)
            await _send(node, address, part)
            acknowledged = part.info.acknowledgement
            number += 1
    except Problem as problem:
        if problem.code not in _STOPPED:
            await commit(node, lambda tx, p=problem: _fail(node, tx, pid, p))  # type: ignore[misc]
        return
    await commit(node, lambda tx: _complete(node, tx, pid))


async def _whole(node: Node, pid: str, token: str, acknowledged: str | None) -> bool:
    """Whether the sink has taken everything; then the manifest is signed and logged."""
    if acknowledged is None:
        return False
    try:
        await handing_over.manifest(node, pid, token, acknowledged=acknowledged)
    except Problem as problem:
        if problem.code != "release-unfinished":
            raise
        return False
    return True


async def _send(node: Node, address: DataAddress, part: Part) -> None:
    """One part to the sink.

    Raises:
        Problem: `push-refused` (4xx), `push-unanswered`; `delivery-…` for an address we never
            speak to.
    """
    headers = {"Content-Type": MEDIA_TYPES[part.form], **part.info.headers(last=part.last)}
    if address.authorization is not None:
        bearer = (address.get("authType") or "").lower() == "bearer"
        headers["Authorization"] = ("Bearer " if bearer else "") + address.authorization
    for attempt in range(1, _TRIES + 1):
        answer = await _post(node, str(url_of(address)), part.body, headers)
        verdict = retry.judge(answer.status, _TRIES) if answer is not None else "again"
        if verdict == "arrived":
            return
        if verdict == "refused" and answer is not None:
            raise Problem("push-refused", status=answer.status)
        await asyncio.sleep(retry.delay(attempt, node.ids.token).total_seconds())
    raise Problem("push-unanswered", tries=_TRIES)


async def _post(node: Node, url: str, body: bytes, headers: dict[str, str]) -> Response | None:
    """The sink's answer; None when there was none that we use."""
    try:
        return await node.fetch.post(url, body, headers=headers, timeout=_TIMEOUT)
    except Problem as problem:
        if problem.kind != "unavailable":
            raise
        return None


def _own_token(node: Node, tx: Tx, pid: str) -> str:
    """A token for the parts' door that nobody but this task has."""
    token = access.new_secret(node)
    session = replace(session_of(tx, pid), token_hash=access.token_hash(token))
    rows.put_session(tx, session)
    return token


def _next(tx: Tx, pid: str) -> tuple[int, str | None]:
    """The first part that the sink has not taken, and the acknowledgement of the one before."""
    taken = [row for row in rows.listing(tx, transfer=pid) if row.acknowledged]
    if not taken:
        return 1, None
    last = max(taken, key=lambda row: (row.n, row.issue))
    return last.n + 1, releasing.info_of(last).acknowledgement


def _complete(node: Node, tx: Tx, pid: str) -> None:
    t = transfer(tx, pid)
    if t.over:
        return
    t = machine.step(t, Act.COMPLETE, Role.PROVIDER, node.clock.now())
    message = messages.TransferCompletion(
        id=node.ids.uuid(), provider_pid=t.pid, consumer_pid=str(t.consumer_pid)
    )
    ledger.sent(node, tx, t, message)
    save_transfer(tx, t)


def _fail(node: Node, tx: Tx, pid: str, problem: Problem) -> None:
    t: Transfer = transfer(tx, pid)
    if t.state is not State.STARTED:
        return
    act = Act.SUSPEND if problem.kind == "unavailable" else Act.TERMINATE
    told = problem if problem.code.startswith("push-") else errors.shared(problem)
    save_transfer(tx, halting.stop(node, tx, t, act, told.code, errors.reasons(told)))
