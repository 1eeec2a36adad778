"""Consent: importing many events, and what one withdrawal costs among many persons."""

import asyncio
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks import world
from benchmarks.harness import Run, memory_of, timed
from benchmarks.traces import consent_file
from benchmarks.world import DPO
from connector.cli.story import nodes
from connector.cli.story.about import CATEGORY, PURPOSE
from connector.cli.story.consents import Account
from connector.services.consent import consents as service
from connector.services.node import Node
from connector.subjects import registry
from connector.subjects.keys import Identifier, subject_key
from connector.subjects.registry import Bitmap, Roster
from policies.consent import Scope

PERSONS: Final = 100_000
ROUNDS: Final = 20
LAB: Final = "did:web:lab.example"
HOME: Final = "https://login.example"


async def measure(node: Node) -> None:
    """Import, then withdraw one by one and refresh the bitmap."""
    accounts = [Account(HOME, f"learner{number:06d}") for number in range(PERSONS)]
    content = consent_file(accounts, LAB, CATEGORY, everybody=True)
    secret = node.keys.subject_secret
    roster = Roster.of(
        subject_key(secret, Identifier("account", one.name, one.home)) for one in accounts
    )
    run = Run(f"consent: {PERSONS:,} persons")
    before = memory_of("self", "VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    started = time.perf_counter()
    await service.load(node, DPO, content)
    rate = PERSONS / (time.perf_counter() - started)
    peak = memory_of("self", "VmHWM")
    scope = Scope(LAB, PURPOSE, CATEGORY)
    first: Any = None

    def whole() -> None:
        nonlocal first
        first = node.store.read_now(
            lambda tx: registry.bitmap(
                tx, roster, scope, mode="consent", at=node.clock.now(), groups=frozenset()
            )
        )

    built = timed(whole) * 1000
    commits, refreshes = [], []
    bits: Bitmap = first
    for one in accounts[:ROUNDS]:
        started = time.perf_counter()
        await service.record(node, DPO, _withdrawal(one))
        commits.append((time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        bits = await node.store.read(
            lambda tx, b=bits: registry.refresh(  # type: ignore[misc]
                tx, b, roster, scope, mode="consent", at=node.clock.now(), groups=frozenset()
            )
        )
        refreshes.append((time.perf_counter() - started) * 1000)
    if sum(bits.bits) != PERSONS - ROUNDS:
        raise RuntimeError("the bitmap is not what was recorded")
    run.note("consent: import", rate, "events/s", budget=">= 33,000/s (aim 67,000)")
    run.note("consent: peak RSS while importing", peak, "MB", against=("before", before))
    run.note("consent: whole bitmap, cold", built, "ms")
    run.note("consent: one withdrawal (journal, commit, leaf)", median(commits), "ms", runs=ROUNDS)
    run.note(
        "consent: bitmap refresh after it",
        median(refreshes),
        "ms",
        runs=ROUNDS,
        budget="with its commit <= 2 ms at 1 M",
    )
    run.finish()


def _withdrawal(one: Account) -> dict[str, Any]:
    return {
        "status": "withdrawn",
        "subject": {"type": "account", "value": one.name, "home": one.home},
        "recipient": LAB,
        "purpose": PURPOSE,
        "category": CATEGORY,
    }


def main() -> None:
    """One node, opened in this process, answering nobody."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as d:
        (made,) = nodes.make(Path(d), [("node", "Node")], "en")
        with world.opened(made.folder) as (node, _):
            asyncio.run(measure(node))


if __name__ == "__main__":
    main()
