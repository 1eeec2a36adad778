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
from typing import Final, Literal

from connector.base import telemetry
from connector.protocol.transfer import Act, Role, State, Transfer
from connector.services import ledger
from connector.services.committing import commit
from connector.services.consent.bitmaps import groups_of
from connector.services.negotiate import planning
from connector.services.node import Node
from connector.services.processes import save_transfer
from connector.services.publish import published
from connector.services.release import granting, halting
from connector.services.release.releases import judge
from connector.store import agreements as agreement_rows
from connector.store import catalogs
from connector.store import transfers as transfer_rows
from connector.store.rows import AgreementRow
from connector.store.store import Tx
from policies.decision import Decision
from policies.plan import Plan
from policies.problem import Problem
from policies.standing import lasting, next_instant

HELD: Final = "agreement-held"
OVER: Final = "agreement-over"
_RUNNING: Final = frozenset({State.STARTED, State.SUSPENDED})

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
            except Problem as problem:  # the next ring, or the next start, looks again
                telemetry.failure("monitor-failed", problem, code=problem.code)
                until = None
            await node.alarm.wait(until)
    finally:
        cancel()


async def look(node: Node) -> float | None:
    """Act on every running transfer whose agreement has changed; seconds until the next instant
    that matters, None when none is known.
    """
    due = await node.store.read(lambda tx: [f for f in _review(node, tx) if f.verdict != "go-on"])
    if due:
        await commit(node, lambda tx: _act(node, tx))
    following = await node.store.read(lambda tx: following_instant(node, tx))
    return None if following is None else (following - node.clock.now()).total_seconds()


def following_instant(node: Node, tx: Tx) -> datetime | None:
    """The next instant at which what a running agreement allows may change by itself."""
    now = node.clock.now()
    plans = [Plan.read(agreement.plan) for agreement, _ in _running(tx)]
    moments = [next_instant(plan, now) for plan in plans]
    return min((at for at in moments if at is not None), default=None)


def _act(node: Node, tx: Tx) -> None:
    for found in list(_review(node, tx)):
        t, decision = found.transfer, found.decision
        if found.verdict == "go-on":
            continue
        if decision is not None:
            words = {lang: decision.reasons(lang) for lang in ("fr", "en")}
            shared = {**decision.shared(), "reasons": words}
            internal = decision.internal()
            ledger.decided(node, tx, t, outcome=decision.outcome, shared=shared, internal=internal)
        if found.verdict == "resume":
            t = granting.start(node, tx, t)
        else:
            act = Act.SUSPEND if found.verdict == "hold" else Act.TERMINATE
            code = HELD if found.verdict == "hold" else OVER
            t = halting.stop(node, tx, t, act, code, found.reasons)
        save_transfer(tx, t)
        telemetry.event("agreement-reviewed", transfer=t.pid, verdict=found.verdict)


def _review(node: Node, tx: Tx) -> Iterator[Finding]:
    for agreement, transfers in _running(tx):
        problem = _basis_moved(tx, agreement)
        for t in transfers:
            if problem is not None:
                held = t.state is State.SUSPENDED
                yield Finding(t, "go-on" if held else "hold", None, problem)
                continue
            groups = groups_of(tx, t.peer)
            decision = judge(node, tx, t, agreement, "monitor", groups)
            yield Finding(t, _verdict(t, decision), decision)


def _verdict(t: Transfer, decision: Decision) -> Verdict:
    ours = t.suspended_by is Role.PROVIDER and t.code == HELD
    if decision.permitted:
        return "resume" if t.state is State.SUSPENDED and ours else "go-on"
    if lasting(decision):
        return "end"
    return "go-on" if t.state is State.SUSPENDED else "hold"


def _running(tx: Tx) -> Iterator[tuple[AgreementRow, list[Transfer]]]:
    """The agreements under which this node serves somebody, with those transfers."""
    for agreement in agreement_rows.listing(tx, state="active"):
        if agreement.role != Role.PROVIDER.value or not agreement.plan:
            continue
        found = transfer_rows.of_agreement(tx, agreement=agreement.id)
        running = [t for t in found if t.role is Role.PROVIDER and t.state in _RUNNING]
        if running:
            yield agreement, running


def _basis_moved(tx: Tx, agreement: AgreementRow) -> Problem | None:
    """Whether the dataset now asks for more of its learners than the agreement's plan does.

    The institution has declared another legal basis since: what was released of everybody who had
    not objected would now need their consent. A withdrawn dataset has ended its transfers itself.
    """
    row = catalogs.dataset_by_iri(tx, iri=agreement.dataset)
    if row is None or row.state != "published":
        return None
    facts = planning.facts_of(published.of_row(tx, row).dataset)
    scope = Plan.read(agreement.plan).rows.consent
    stricter = facts.personal and (
        scope is None or (facts.basis == "consent" and scope.mode != "consent")
    )
    return Problem("release-basis") if stricter else None
