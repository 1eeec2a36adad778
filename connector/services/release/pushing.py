"""Handing data out to an address that the consumer gave with its request (HttpData-PUSH).

The rows are those of the plain stream, released part by part under the same checks: a part's leaf
is committed before its bytes leave, and a withdrawal takes effect in the next part. They leave as
one POST; when the sink has taken all of it the transfer is completed. A sink that refuses or does
not answer suspends the transfer with the reason, and whoever resumes it begins anew (X3): a sink
may get the same rows twice, and must bear it.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Final

from connector.protocol import errors, messages
from connector.protocol import transfer as machine
from connector.protocol.messages import DataAddress, read_address
from connector.protocol.transfer import Act, Role, State, Transfer
from connector.services import access, ledger
from connector.services.access import Caller
from connector.services.committing import insist
from connector.services.negotiate.agreements import attests
from connector.services.node import Node
from connector.services.processes import save_transfer, transfer
from connector.services.release import halting, releasing
from connector.services.release.releases import session_of
from connector.store import parts as rows
from connector.store import transfers as transfer_rows
from connector.store.store import Tx
from policies.problem import Problem

PUSH: Final = "HttpData-PUSH"
MEDIA_TYPES: Final = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
SILENCE: Final = 120.0
_SINK: Final = "baseUrl"
_HEADER: Final = re.compile(r"authorization|x-[a-z0-9-]{1,60}", re.IGNORECASE | re.ASCII)
_GIVEN: Final = range(200, 300)


def check(node: Node, caller: Caller, message: messages.TransferRequest) -> None:
    """Refuse a push to nowhere, or to where the consumer's own addresses do not allow it.

    Raises:
        Problem: `transfer-sink`, `identity-address-foreign`; `delivery-…` for an address that is
            none we ever speak to.
    """
    if message.format != PUSH:
        return
    if message.address is None:
        raise Problem("transfer-sink")
    access.check_address(node, caller, _url(message.address))


def moved(node: Node, tx: Tx, caller: Caller, t: Transfer, address: DataAddress) -> Transfer:
    """A push whose consumer says with its resumption where the data go from now on.

    Raises:
        Problem: as `check`.
    """
    access.check_address(node, caller, _url(address))
    if address.wire() != t.sink:
        _cut_off(tx, t)
    return replace(t, sink=address.wire(), version=t.version + 1)


def start(node: Node, tx: Tx, t: Transfer) -> Transfer:
    """Say that data will flow; `soon` lets it.

    An EDC 0.18 that has resumed waits for a start with an address, also in a push: it gets its
    own back (divergences, T12).
    """
    back = t.address_due and attests(node, t.peer)
    _cut_off(tx, t)
    t = machine.step(t, Act.START, Role.PROVIDER, node.clock.now())
    message = messages.TransferStart(
        id=node.ids.uuid(),
        provider_pid=t.pid,
        consumer_pid=str(t.consumer_pid),
        address=read_address(t.sink or {}) if back else None,
    )
    ledger.sent(node, tx, t, message)
    return t


def _cut_off(tx: Tx, t: Transfer) -> None:
    """Let a stream that was under way before this start get no further part: the sink may be
    another one now, and the run that follows begins anew.
    """
    rows.put_session(tx, replace(session_of(tx, t.pid), token_hash=None))


async def soon(node: Node) -> None:
    """Begin, in the background, every push that has started and is not under way."""
    for pid in await node.store.read(_due):
        node.background.ensure(f"push:{pid}", partial(_push, node, pid))


def _due(tx: Tx) -> list[str]:
    return [
        row.pid
        for row in transfer_rows.listing(tx, state=State.STARTED.value)
        if (row.role, row.format) == (Role.PROVIDER.value, PUSH)
    ]


async def _push(node: Node, pid: str) -> None:
    token = access.new_secret(node)

    def opens(tx: Tx) -> Transfer:
        session = session_of(tx, pid)
        rows.put_session(tx, replace(session, token_hash=access.token_hash(token)))
        return transfer(tx, pid)

    t = await node.store.write(opens)
    if t.state is not State.STARTED:
        return
    try:
        await _send(node, t, token)
    except Problem as problem:
        ending = partial(_stop, node, pid, token, problem)
    else:
        ending = partial(_complete, node, pid, token)
    await insist(node, ending)


async def _send(node: Node, t: Transfer, token: str) -> None:
    """One POST of the whole stream.

    Raises:
        Problem: `release-…`, `transfer-refused`, `delivery-…`.
    """
    address = read_address(t.sink or {})
    first, rest = await releasing.stream(node, t.pid, token)

    async def bodies() -> AsyncIterator[bytes]:
        yield first.body
        async for body in rest:
            yield body

    headers = {"Content-Type": MEDIA_TYPES[first.form], **_credential(address)}
    answer = await node.fetch.upload(_url(address), bodies(), headers=headers, timeout=SILENCE)
    if answer.status not in _GIVEN:
        raise Problem("transfer-refused", status=answer.status, reason="–")


def _credential(address: DataAddress) -> dict[str, str]:
    """The header that the sink asks for: a bearer token, or, as EDC says it, `authKey: authCode`.
    What else a sink could want to be called (`Host`, say) is not its to choose.
    """
    if address.authorization is not None:
        return {"Authorization": address.authorization}
    name, code = address.get("authKey"), address.get("authCode")
    if name is None or code is None or not _HEADER.fullmatch(name):
        return {}
    return {name: code}


def _current(tx: Tx, t: Transfer, token: str) -> bool:
    """Whether the run of this token is the one that counts: the transfer goes on, and was not
    started anew behind its back.
    """
    return t.state is State.STARTED and access.same_secret(token, session_of(tx, t.pid).token_hash)


def _complete(node: Node, pid: str, token: str, tx: Tx) -> None:
    t = transfer(tx, pid)
    if not _current(tx, t, token):
        return
    t = machine.step(t, Act.COMPLETE, Role.PROVIDER, node.clock.now())
    message = messages.TransferCompletion(
        id=node.ids.uuid(), provider_pid=t.pid, consumer_pid=str(t.consumer_pid)
    )
    ledger.sent(node, tx, t, message)
    save_transfer(tx, t)


def _stop(node: Node, pid: str, token: str, problem: Problem, tx: Tx) -> None:
    """What was suspended, ended or started anew meanwhile stays so; anything else pauses, and says
    why.
    """
    t = transfer(tx, pid)
    if not _current(tx, t, token):
        return
    told = errors.shared(problem)
    save_transfer(tx, halting.stop(node, tx, t, Act.SUSPEND, told.code, errors.reasons(told)))


def _url(address: DataAddress) -> str:
    """The sink: EDC calls it `baseUrl`, others `endpoint`.

    Raises:
        Problem: `transfer-sink`.
    """
    url = address.get(_SINK) or address.url
    if url is None:
        raise Problem("transfer-sink")
    return url
