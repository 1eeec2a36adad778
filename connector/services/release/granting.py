"""Whether a transfer may begin: the policy first, then whether enough persons are left (X4).

The second question takes a walk over the data, so it is asked in the background; after a crash it
is asked again for every transfer that was granted and did not start.
"""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any, Final, get_args

from connector.dataplane.release import count_persons, projection_of
from connector.protocol import messages
from connector.protocol import transfer as machine
from connector.protocol.transfer import Act, Role, State, Transfer
from connector.services import access, ledger
from connector.services.committing import commit
from connector.services.negotiate.agreements import attests
from connector.services.node import Node
from connector.services.operate import quarantine
from connector.services.processes import save_transfer, transfer
from connector.services.release import halting, pushing
from connector.services.release.part_rules import part_rules
from connector.services.release.releases import (
    consent_now,
    first_token,
    judge,
    load,
    revision_of,
    session_of,
)
from connector.store import parts as rows
from connector.store import transfers as transfer_rows
from connector.store.rows import AgreementRow, SessionRow
from connector.store.store import Tx
from policies.decision import Decision
from policies.problem import Language, Problem

_SALT: Final = 32


def open_session(
    node: Node, tx: Tx, t: Transfer, agreement: AgreementRow, groups: frozenset[str], form: str
) -> Transfer:
    """Judge a transfer request by the agreement's policy and prepare to serve it, or end it.

    `form` is the distribution asked for, by its name.
    """
    no = refused(node, tx, t, agreement, groups, form)
    return t if no is None else halting.stop(node, tx, t, Act.TERMINATE, *no)


def refused(
    node: Node, tx: Tx, t: Transfer, agreement: AgreementRow, groups: frozenset[str], form: str
) -> tuple[str, list[str]] | None:
    """As `open_session`, without ending anything: the code and reasons of a refusal, or None once
    all is prepared.
    """
    try:
        decision = judge(node, tx, t, agreement, "transfer", groups)
        revision = revision_of(tx, agreement)
    except Problem as problem:
        return halting.told(problem)
    noted(node, tx, t, decision)
    if not decision.permitted:
        return "transfer-denied", [*decision.reasons("en"), *decision.reasons("fr")]
    salt = node.ids.token(_SALT).hex()
    body = {"revision": revision.id, "salt": salt, "persons": "", "format": form}
    rows.put_session(tx, SessionRow(t.pid, None, body))
    return None


def noted(node: Node, tx: Tx, t: Transfer, decision: Decision) -> dict[str, Any]:
    """Log what the policy decided about a transfer; the rendering that the peer may read."""
    words = {lang: decision.reasons(lang) for lang in get_args(Language)}
    shared = {**decision.shared(), "reasons": words}
    outcome, internal = decision.outcome, decision.internal()
    ledger.decided(node, tx, t, outcome=outcome, shared=shared, internal=internal)
    return shared


def prepare_soon(node: Node) -> None:
    """Start, in the background, every transfer that was granted and waits for its first look."""
    node.background.ensure("prepare", partial(_prepare_all, node))


async def _prepare_all(node: Node) -> None:
    """Prepare each that waits now. One that fails holds back no other; it is tried again.

    Raises:
        Exception: what the last of those that failed failed with.
    """
    by_hand = "start" in node.settings.steps.by_hand
    failed: Exception | None = None
    for pid in await node.store.read(lambda tx: _waiting(tx, by_hand=by_hand)):
        try:
            await _prepare(node, pid)
        except Exception as error:  # noqa: BLE001  (a fault of one is not the others')
            failed = error
    if failed is not None:
        raise failed


def release(tx: Tx, pid: str) -> None:
    """A person has let a transfer start that waited for one."""
    session = session_of(tx, pid)
    rows.put_session(tx, replace(session, body={**session.body, "released": True}))


def _waiting(tx: Tx, *, by_hand: bool) -> list[str]:
    held = quarantine.current(tx) is not None
    return [
        row.pid
        for row in transfer_rows.listing(tx, state=State.REQUESTED.value)
        if row.role == Role.PROVIDER.value
        and row.control is None  # its control plane asks again
        and not (by_hand and not _released(tx, row.pid))
        and not (held and _held_back(tx, row.pid))
    ]


def _released(tx: Tx, pid: str) -> bool:
    session = rows.session(tx, transfer=pid)
    return session is not None and bool(session.body.get("released"))


def _held_back(tx: Tx, pid: str) -> bool:
    """Whether a transfer stays as it is until the node's quarantine ends."""
    try:
        return quarantine.holds_back(load(tx, pid).plan)
    except Problem:  # it cannot be served anyway: preparing it ends it and says why
        return False


async def _prepare(node: Node, pid: str) -> None:
    """Start if enough persons are left, end if not."""
    problem = await too_few(node, pid)

    def unit(tx: Tx) -> None:
        t = transfer(tx, pid)
        if t.state is not State.REQUESTED:
            return
        if problem is not None:
            save_transfer(tx, halting.end(node, tx, t, problem))
        else:
            save_transfer(tx, start(node, tx, t))

    await commit(node, unit)
    await pushing.soon(node)


async def too_few(node: Node, pid: str) -> Problem | None:
    """Count the persons whose rows would leave; the reason if they are too few, or if that cannot
    be known (X4).

    Raises:
        Problem: `store-…`: the database does not answer now, which says nothing of the persons.
    """
    floor = node.settings.release.min_persons
    try:
        release = await node.store.read(lambda tx: load(tx, pid))
        revision, bits = await consent_now(node, release)
        rules = await node.store.read(lambda tx: part_rules(node, tx, release, 1))
        projection = projection_of(rules.plan, revision.meta, release.form)
        found = await asyncio.to_thread(count_persons, revision, projection, bits.bits, floor)
    except Problem as fault:
        if fault.code.startswith("store-"):
            raise
        return fault
    if release.plan.rows.consent is not None and found < floor:
        return Problem("release-too-few", floor=floor)
    return None


def endpoint(node: Node, t: Transfer) -> str:
    """Where the data of a transfer are fetched."""
    return f"{node.url}/data/{t.pid}"


def start(node: Node, tx: Tx, t: Transfer) -> Transfer:
    """Hand out a fresh data address: the first start, or a resumption; a push needs none."""
    if t.format == pushing.PUSH:
        return pushing.start(node, tx, t)
    session = session_of(tx, t.pid)
    first = session.token_hash is None and attests(node, t.peer)
    lasting = first or t.control is not None
    token = first_token(node, t.pid) if lasting else access.new_secret(node)
    rows.put_session(tx, replace(session, token_hash=access.token_hash(token)))
    salt = session.body["salt"]
    address = messages.DataAddress.pull(endpoint(node, t), token, part_salt=salt)
    t = machine.step(
        t, Act.START, Role.PROVIDER, node.clock.now(), data_address={"endpoint": address.url}
    )
    message = messages.TransferStart(
        id=node.ids.uuid(),
        provider_pid=t.pid,
        consumer_pid=str(t.consumer_pid),
        address=address,
    )
    ledger.sent(node, tx, t, message)
    return t
