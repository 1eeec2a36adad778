"""Negotiations to FINALIZED, against the signed durable ping of the same run; beside two Eclipse
EDC pairs where one can be started; and while two transfers run.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen
from typing import Any, Final
from urllib.parse import unquote

import httpx
import uvloop

from benchmarks import edc, world
from benchmarks.harness import Run, cpu_of, percentile
from benchmarks.ping import Pinger
from benchmarks.traces import consent_file, write
from benchmarks.world import RESEARCHER
from connector import runtime
from connector.cli.story import nodes
from connector.cli.story.about import CATEGORY
from connector.identity.did import DidDocument
from connector.services.fetch import fetching
from connector.services.negotiate import people
from connector.services.node import Node
from connector.services.release import transferring
from connector.services.show import views

Once = Callable[[], Awaitable[None]]
ROUNDS: Final = 5
# Concurrent exchanges -> how many a slice has.
SLICES: Final = {1: (20, 30), 8: (48, 80), 32: (96, 128)}
# An EDC is slower: fewer to a slice, and not in every round.
EDC_SLICES: Final = {edc.TUNED: {1: 10, 8: 24, 32: 48}, edc.DEFAULT: {1: 4, 8: 16, 32: 64}}
EDC_ROUNDS: Final = 3
MOVED_ROWS: Final = 30_000
# Quiet negotiations before each pair of transfers, and how many pairs.
QUIET: Final = 25
MOVES: Final = 3


@dataclass(slots=True)
class Slice:
    """Measured times: each exchange in ms, exchanges a second, CPU-ms an exchange (both sides)."""

    spans: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


class Finals:
    """Tells when the lab has promised a FINALIZED: the 2xx to the event, seen around the app.

    It costs the lab nothing, where a question to the store after each commit would.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[None]] = {}

    def around(self, app: Any) -> Any:
        """The application, listened to."""

        async def heard(scope: Any, receive: Any, send: Any) -> None:
            await app(scope, receive, send)
            path = scope.get("path", "")
            if path.endswith("/events"):
                self._of(unquote(path.split("/")[-2])).set_result(None)
            elif path.endswith("/termination"):
                refused = RuntimeError("the platform refused: see its log and the lab's timeline")
                self._of(unquote(path.split("/")[-2])).set_exception(refused)

        return heard

    async def of(self, pid: str) -> None:
        """Wait for a negotiation."""
        await self._of(pid)

    def _of(self, pid: str) -> asyncio.Future[None]:
        return self._waiting.setdefault(pid, asyncio.get_running_loop().create_future())


async def asked(node: Node, finals: Finals, iri: str, draft: dict[str, Any]) -> None:
    """One negotiation, from a researcher's request to FINALIZED."""
    made = await people.request(node, RESEARCHER, iri, draft)
    await finals.of(made["pid"])


async def slice_of(once: Once, count: int, at_once: int, pids: list[int], into: Slice) -> None:
    """So many exchanges, so many at a time."""
    left = iter(range(count))

    async def go() -> None:
        for _ in left:
            started = time.perf_counter()
            await once()
            into.spans.append((time.perf_counter() - started) * 1000)

    cpu = time.process_time() + sum(map(cpu_of, pids))
    started = time.perf_counter()
    await asyncio.gather(*(go() for _ in range(at_once)))
    into.rates.append(count / (time.perf_counter() - started))
    into.cpu.append((time.process_time() + sum(map(cpu_of, pids)) - cpu) * 1000 / count)


Found = dict[tuple[int, str], Slice]


async def measure(
    platform: nodes.Node, lab: nodes.Node, iris: list[str], fields: list[str]
) -> None:
    """Alternate slices and report."""
    iri, moved = iris
    finals = Finals()
    run = Run("negotiation: request -> FINALIZED, two processes, no person decides")
    async with AsyncExitStack() as stack:
        node, client = stack.enter_context(world.opened(lab.folder))
        await stack.enter_async_context(world.working(node, client, finals.around))
        side, other = await _pingers(stack, platform, lab)
        rivals = await _rivals(stack, lab)
        draft = world.draft(fields)

        async def negotiate() -> None:
            await asked(node, finals, iri, draft)

        for once in (negotiate, side.exchange):  # warm: DID documents, connections, statements
            for _ in range(5):
                await once()
        found = {(at, kind): Slice() for at in SLICES for kind in ("negotiation", "ping", *rivals)}
        for turn in range(ROUNDS):
            for at_once, (ours, pings) in SLICES.items():
                slot = found[at_once, "negotiation"]
                await slice_of(negotiate, ours, at_once, [platform.pid], slot)
                await slice_of(side.exchange, pings, at_once, [other.pid], found[at_once, "ping"])
                if turn < EDC_ROUNDS:
                    await _rival_slices(rivals, at_once, found)
        await _extra(run, node, finals, iri, draft)
        quiet, busy = Slice(), Slice()
        kept = len(await views.agreements(node))
        for _ in range(MOVES):
            await slice_of(negotiate, QUIET, 1, [], quiet)
            await _while_moving(node, finals, moved, draft, negotiate, busy)
    _report(run, found)
    _report_busy(run, busy.spans, quiet.spans, kept)
    _report_rivals(run, found, rivals)
    run.finish()


async def _rivals(stack: AsyncExitStack, lab: nodes.Node) -> dict[str, edc.EdcPair]:
    """The EDC pairs, warm and stopped; none where this machine has no Java and Maven."""
    if not edc.available():
        print("no EDC beside us: it needs java, javac and mvn")
        return {}
    making = edc.pairs(Path(lab.folder).with_name("edc"))
    made = await asyncio.to_thread(making.__enter__)
    stack.push(making.__exit__)
    return made


async def _rival_slices(rivals: dict[str, edc.EdcPair], at_once: int, found: Found) -> None:
    for name, pair in rivals.items():
        pair.go_on()
        count = EDC_SLICES[name][at_once]
        spans, rate, cpu = await asyncio.to_thread(pair.slice_of, count, at_once)
        pair.pause()
        slot = found[at_once, name]
        slot.spans.extend(spans)
        slot.rates.append(rate)
        slot.cpu.append(cpu)


async def _while_moving(
    node: Node, finals: Finals, iri: str, draft: dict[str, Any], negotiate: Once, into: Slice
) -> None:
    """Sequential negotiations while two transfers run between the same two nodes."""
    made = await people.request(node, RESEARCHER, iri, draft)
    await finals.of(made["pid"])
    agreement = (await views.negotiation(node, made["pid"]))["agreement"]
    pids = [await transferring.start(node, RESEARCHER, agreement, "ndjson") for _ in range(2)]
    for pid in pids:
        await views.transfer(node, pid, wait=30, until="STARTED")
    for pid in pids:
        await fetching.start(node, RESEARCHER, pid, None)
    while all(node.fetches.view(pid)["running"] for pid in pids):
        await slice_of(negotiate, 1, 1, [], into)
    for pid in pids:
        view = await views.transfer(node, pid, wait=60, until=views.FETCHED)
        if view["fetch"]["problem"]:
            raise RuntimeError(f"a transfer ended early: {view['fetch']['problem']}")


async def _extra(run: Run, node: Node, finals: Finals, iri: str, draft: dict[str, Any]) -> None:
    """Commits of the lab while one negotiation runs, and the time between its own two stamps."""
    commits, spans = [], []
    for _ in range(20):
        before = node.store.commits
        made = await people.request(node, RESEARCHER, iri, draft)
        await finals.of(made["pid"])
        commits.append(node.store.commits - before)
        view = await views.negotiation(node, made["pid"])
        sent = min(message["at"] for message in view["messages"])
        last = max(message["at"] for message in view["messages"])
        spans.append(_ms(last) - _ms(sent))
        await asyncio.sleep(0.35)  # let the checkpoint and the marks of this one pass
    run.note("negotiation: protocol part (request committed -> FINALIZED)", median(spans), "ms")
    run.note(
        "negotiation: commits of the lab till FINALIZED (its part of the path: 3)",
        median(commits),
        "commits",
        runs=20,
        budget="both nodes <= 6",
    )


def _ms(stamp: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(stamp).timestamp() * 1000


def _report(run: Run, found: Found) -> None:
    for at_once in SLICES:
        ours, pings = found[at_once, "negotiation"], found[at_once, "ping"]
        if at_once == 1:
            for share, name, budget in ((0.5, "p50", "<= 1.5 (floor 2.5)"), (0.99, "p99", "")):
                run.note(
                    f"negotiation: sequential {name}",
                    percentile(ours.spans, share),
                    "ms",
                    against=("signed ping", percentile(pings.spans, share)),
                    runs=len(ours.spans),
                    budget=budget,
                )
        else:
            ratios = [one / two for one, two in zip(ours.rates, pings.rates, strict=True)]
            run.note(
                f"negotiation: throughput at {at_once}",
                median(ours.rates),
                "/s",
                against=("signed ping", median(pings.rates)),
                ratio=median(ratios),
                runs=ROUNDS,
                budget=">= 0.65 (floor 0.4)",
            )
        run.note(
            f"negotiation: CPU at {at_once}, both nodes",
            median(ours.cpu),
            "ms",
            against=("signed ping", median(pings.cpu)),
            runs=ROUNDS,
        )


def _report_busy(run: Run, busy: list[float], quiet: list[float], kept: int) -> None:
    for share, name, budget in ((0.5, "p50", ""), (0.99, "p99", "<= 5")):
        run.note(
            f"negotiation: sequential {name} while two transfers run",
            percentile(busy, share),
            "ms",
            against=("none runs, in turns", percentile(quiet, share)),
            runs=len(busy),
            budget=budget,
        )
    run.note("negotiation: agreements that both nodes kept when the transfers began", kept, "")


def _report_rivals(run: Run, found: Found, rivals: dict[str, edc.EdcPair]) -> None:
    """Beside each EDC pair: latencies as a share of theirs, throughputs as a multiple."""
    for rival, pair in rivals.items():
        tuned = rival == edc.TUNED
        for at_once in SLICES:
            ours, theirs = found[at_once, "negotiation"], found[at_once, rival]
            for share, name in ((0.5, "p50"), (0.99, "p99")):
                run.note(
                    f"negotiation: {name} at {at_once}, beside {rival}",
                    percentile(ours.spans, share),
                    "ms",
                    against=(f"{rival}, in memory", percentile(theirs.spans, share)),
                    runs=len(theirs.spans),
                    budget="<= 0.1 (floor 0.2)" if tuned and (at_once, name) == (1, "p50") else "",
                )
            pace = zip(ours.rates[:EDC_ROUNDS], theirs.rates, strict=True)
            run.note(
                f"negotiation: throughput at {at_once}, beside {rival}",
                median(ours.rates[:EDC_ROUNDS]),
                "/s",
                against=(f"{rival}, in memory", median(theirs.rates)),
                ratio=median(one / two for one, two in pace),
                runs=EDC_ROUNDS,
                budget=">= 8 (floor 3)" if tuned and at_once == 8 else "",
            )
            run.note(
                f"negotiation: CPU at {at_once}, both sides, beside {rival}",
                median(ours.cpu[:EDC_ROUNDS]),
                "ms",
                against=(f"{rival}, in memory", median(theirs.cpu)),
                runs=EDC_ROUNDS,
            )
        run.note(f"negotiation: lost by {rival} itself", pair.lost, "negotiations")


async def _pingers(
    stack: AsyncExitStack, platform: nodes.Node, lab: nodes.Node
) -> tuple[Pinger, Popen[str]]:
    """This side of the pings and the other one, a process with the platform's token key."""
    ours, theirs = nodes._free_ports(), nodes._free_ports()
    told = {
        "folder": str(platform.folder),
        "did": platform.did,
        "peer": await asyncio.to_thread(_did, lab.public),
        "url": f"http://localhost:{ours.public}",
        "listen": f"127.0.0.1:{theirs.public}",
    }
    command = [sys.executable, "-m", "benchmarks.ping", json.dumps(told)]
    other = Popen(command, stdin=PIPE, stdout=PIPE, text=True)
    stack.callback(other.wait)
    stack.callback(lambda: other.stdin and other.stdin.close())
    if other.stdout is None or await asyncio.to_thread(other.stdout.readline) != "ready\n":
        raise RuntimeError("the other side of the ping did not start")
    peer = DidDocument.of(await asyncio.to_thread(_did, platform.public), platform.did)
    url = f"http://localhost:{theirs.public}"
    side = Pinger(lab.folder, lab.did, peer, url, lab.folder / "ping.db")
    stack.callback(side.store.close)
    await side.client.start()
    stack.push_async_callback(side.client.close)
    bound = stack.enter_context(runtime._bound(f"127.0.0.1:{ours.public}"))
    await stack.enter_async_context(world.serving(side.app(), bound))
    return side, other


def _did(url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{url}/.well-known/did.json", trust_env=False).json()
    return found


def main() -> None:
    """Make the world, measure, report."""
    sys.setswitchinterval(0.0005)
    with world.platform_and_lab() as (platform, lab):
        file = Path(lab.folder).with_name("traces.jsonl")
        write(file, 2_000)
        iri = world.publish(platform, file, ident="bench")
        accounts = write(file, MOVED_ROWS)
        moved = world.publish(platform, file, ident="moved")
        consents = consent_file(accounts, lab.did, CATEGORY, everybody=True)
        platform.who("dpo").post_raw("/v1/consents/import", consents, "text/csv")
        seen = lab.who("operator").get("/v1/catalogs", peer=platform.did)
        fields = next(one["fields"] for one in seen["datasets"] if one["id"] == iri)
        nodes.stop([lab])
        runtime.steady()
        uvloop.run(measure(platform, lab, [iri, moved], fields))


if __name__ == "__main__":
    main()
