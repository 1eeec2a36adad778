"""The monitor: running transfers go on only while their agreement still allows it (phase monitor).

Nothing is polled. The monitor computes the next instant at which any running agreement may change
by itself and sleeps until then; whoever changes a fact (a membership, a dataset's declaration)
rings the alarm. It keeps no state: after a restart it computes the same from the store.

A refusal that time alone or the other side may turn is a suspension, which ends by itself; one that
lasts is a termination. Both carry the reasons of the shared rendering to the peer (P7).
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Literal

from connector.base import telemetry
from connector.protocol.transfer import Act, Role, State, Transfer
from connector.services.committing import commit
from connector.services.consent.bitmaps import groups_of
from connector.services.node import Node
from connector.services.processes import save_transfer
from connector.services.release import granting, halting, pushing
from connector.services.release.releases import basis_moved, judge
from connector.store import agreements as agreement_rows
from connector.store import transfers as transfer_rows
from connector.store.rows import AgreementRow
from connector.store.store import Tx
from policies.decision import Decision
from policies.plan import Plan
from policies.problem import Problem
from policies.standing import lasting, next_instant

HELD: Final = "agreement-held"
OVER: Final = "agreement-over"
AGAIN: Final = 30.0
"""Seconds before a look that failed is repeated."""

Verdict = Literal["go-on", "hold", "end", "resume"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be done with one transfer, and why."""

    transfer: Transfer
    verdict: Verdict
    decision: Decision | None = None
    problem: Problem | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons as the peer reads them, English first."""
        if self.problem is not None:
            return (self.problem.text("en"), self.problem.text("fr"))
        if self.decision is None:
            return ()
        return (*self.decision.reasons("en"), *self.decision.reasons("fr"))


@dataclass(frozen=True, slots=True)
class _Seen:
    """One agreement: whether something is to be done, and when it may change by itself."""

    due: bool
    following: datetime | None


async def watch(node: Node) -> None:
    """Look at every running agreement now, and whenever one may have changed, until cancelled."""
    loop = asyncio.get_running_loop()
    cancel = node.store.on_commit(
        lambda: loop.call_soon_threadsafe(node.alarm.ring), topic="transfer"
    )
    try:
        while True:
            try:
                until = await look(node)
            except Problem as problem:
                telemetry.failure("monitor-failed", problem, code=problem.code)
                until = AGAIN
            await node.alarm.wait(until)
    finally:
        cancel()


async def look(node: Node) -> float | None:
    """Act on every running transfer whose agreement has changed; seconds until the next instant
    that matters, None when none is known.

    Each agreement is looked at in a unit of its own: whoever else reads waits for one at most.
    """
    moments: list[datetime] = []
    for ident in await node.store.survey(_watched):
        seen = await node.store.survey(partial(_look_at, node, ident))
        if seen.due:
            await commit(node, partial(_act, node, ident))
            await pushing.soon(node)  # what it resumed may be a push
        if seen.following is not None:
            moments.append(seen.following)
    return (min(moments) - node.clock.now()).total_seconds() if moments else None


def _watched(tx: Tx) -> list[str]:
    """The agreements under which this node serves somebody now, however many others there are."""
    return list(dict.fromkeys(t.agreement for t in transfer_rows.served(tx)))


def _look_at(node: Node, ident: str, tx: Tx) -> _Seen:
    agreement = _in_force(tx, ident)
    if agreement is None:
        return _Seen(due=False, following=None)
    due = any(found.verdict != "go-on" for found in _review(node, tx, agreement))
    return _Seen(due, next_instant(Plan.read(agreement.plan), node.clock.now()))


def _act(node: Node, ident: str, tx: Tx) -> None:
    agreement = _in_force(tx, ident)
    for found in list(_review(node, tx, agreement)) if agreement else []:
        t, decision = found.transfer, found.decision
        if found.verdict == "go-on":
            continue
        if decision is not None:
            granting.noted(node, tx, t, decision)
        if found.verdict == "resume":
            t = granting.start(node, tx, t)
        else:
            act = Act.SUSPEND if found.verdict == "hold" else Act.TERMINATE
            code = HELD if found.verdict == "hold" else OVER
            t = halting.stop(node, tx, t, act, code, found.reasons)
        save_transfer(tx, t)
        telemetry.event("agreement-reviewed", transfer=t.pid, verdict=found.verdict)


def _review(node: Node, tx: Tx, agreement: AgreementRow) -> Iterator[Finding]:
    problem = basis_moved(tx, agreement.dataset, Plan.read(agreement.plan))
    for t in transfer_rows.served(tx, agreement=agreement.id):
        if problem is not None:
            held = t.state is State.SUSPENDED
            yield Finding(t, "go-on" if held else "hold", None, problem)
            continue
        decision = judge(node, tx, t, agreement, "monitor", groups_of(tx, t.peer))
        yield Finding(t, _verdict(t, decision), decision)


def _verdict(t: Transfer, decision: Decision) -> Verdict:
    ours = t.suspended_by is Role.PROVIDER and t.code == HELD
    if decision.permitted:
        return "resume" if t.state is State.SUSPENDED and ours else "go-on"
    if lasting(decision):
        return "end"
    return "go-on" if t.state is State.SUSPENDED else "hold"


def _in_force(tx: Tx, ident: str) -> AgreementRow | None:
    """An agreement that is to be watched: in force, and with a plan of ours."""
    found = agreement_rows.get(tx, id=ident)
    return found if found and found.state == "active" and found.plan else None
