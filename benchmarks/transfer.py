"""Releasing rows: treated and filtered by consent, against a raw copy over the same HTTP."""

import hmac
import http.client
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks import raw, world
from benchmarks.harness import Run, cpu_of, memory_of, percentile
from benchmarks.traces import consent_file, write
from connector.cli.client import Client, segment
from connector.cli.story import nodes
from connector.cli.story.about import CATEGORY, RESULTS
from connector.dataplane import parts
from connector.protocol.messages import read_address
from connector.services.processes import transfer
from connector.store.store import Store

ROWS: Final = 100_000
ROUNDS: Final = 4
_TIMEOUT: Final = 120


@dataclass(slots=True)
class Received:
    """What a client got: seconds in all, ms to the first byte, rows, bytes."""

    seconds: float
    first: float
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Source:
    """Where parts are: the address below `/parts/N`, the token, the salt of their digests."""

    url: str
    token: str
    salt: bytes


def receive(source: Source, into: Path) -> Received:
    """Fetch, verify, keep: the least a consumer must do. One connection, one part at a time."""
    parts_of = urlsplit(source.url)
    connection = http.client.HTTPConnection(parts_of.hostname or "", parts_of.port, _TIMEOUT)
    connection.connect()
    headers = {"Authorization": f"Bearer {source.token}"}
    number = rows = size = 0
    first = 0.0
    last = "false"
    started = time.perf_counter()
    with into.open("wb", buffering=0) as file:
        while last != "true":
            number += 1
            connection.request("GET", f"{parts_of.path}/parts/{number}", headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(f"part {number}: {answer.status} {answer.read()[:300]!r}")
            head = answer.read(1)
            first = first or (time.perf_counter() - started) * 1000
            body = head + answer.read()
            said = answer.headers[parts.DIGEST]
            if not hmac.compare_digest(said, parts.part_digest(source.salt, body)):
                raise RuntimeError("a part is not what its digest says")
            file.write(body)
            rows += body.count(b"\n")
            size += len(body)
            last = answer.headers[parts.LAST]
            headers[parts.ACK] = f"{number};{answer.headers[parts.ISSUE]};{said}"
        os.fsync(file.fileno())
    connection.close()
    return Received(time.perf_counter() - started, first, rows, size)


class Stage:
    """The two served nodes, and how the lab comes to a running transfer."""

    def __init__(self, platform: nodes.Node, lab: nodes.Node) -> None:
        self.platform, self.lab = platform, lab
        self._who: Client = lab.who("researcher")

    def agree(self, iri: str) -> str:
        """An agreement about a dataset, all its fields."""
        seen = self._who.get("/v1/catalogs", peer=self.platform.did)
        fields = next(one["fields"] for one in seen["datasets"] if one["id"] == iri)
        body = {"dataset": iri, "application": world.draft(fields)}
        made = self._who.post("/v1/requests", body)
        path = f"/v1/negotiations/{segment(made['pid'])}"
        final = self._who.get(path, wait=30, until="FINALIZED")
        if final["state"] != "FINALIZED":
            raise RuntimeError(f"no agreement: {final['reasons']}")
        return str(final["agreement"])

    def start(self, agreement: str) -> tuple[str, Source]:
        """A started transfer: its path, and where its parts are."""
        made = self._who.post("/v1/transfers", {"agreement": agreement, "format": "ndjson"})
        path = f"/v1/transfers/{segment(made['pid'])}"
        self._who.get(path, wait=30, until="STARTED")
        # The management API never shows the token: it is read beside the running node.
        store = Store.open(self.lab.folder / "preau.sqlite")
        try:
            t = store.read_now(lambda tx: transfer(tx, made["pid"]))
        finally:
            store.close()
        address = read_address(t.data_address or {})
        salt = bytes.fromhex(address.part_salt or "")
        return path, Source(str(address.url), str(address.authorization), salt)

    def end(self, path: str) -> None:
        """End a transfer, so that the next one is a new one."""
        self._who.post(f"{path}/termination", {"reason": "measured"})

    def fetch(self, path: str) -> tuple[float, int]:
        """Let the lab's node fetch; seconds until its receipt is in, and rows."""
        started = time.perf_counter()
        self._who.post(f"{path}/fetch", {})
        view = self._who.get(path, wait=60, until="FETCHED")
        return time.perf_counter() - started, int(view["fetch"]["rows"])


@contextmanager
def watching(platform: nodes.Node) -> Iterator[dict[str, Any]]:
    """A watcher; its dict is filled when the block ends."""
    address = ["127.0.0.1", str(platform.ports.public), str(platform.pid)]
    command = [sys.executable, "-m", "benchmarks.watch", *address]
    found: dict[str, Any] = {}
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as other:
        if other.stdout is None or other.stdout.readline() != "ready\n":
            raise RuntimeError("the watcher did not start")
        yield found
        found.update(json.loads(other.communicate("")[0]))


@contextmanager
def raw_source(file: Path) -> Iterator[Source]:
    """The raw copy, served by a process of its own."""
    listen = f"127.0.0.1:{nodes._free_ports().public}"
    command = [sys.executable, "-m", "benchmarks.raw", str(file), listen]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True) as other:
        if other.stdout is None or other.stdout.readline() != "ready\n":
            raise RuntimeError("the raw copy did not start")
        yield Source(f"http://{listen}", "none", raw.SALT)
        other.communicate("")


def main() -> None:
    """Publish twice, agree twice, and alternate: raw, 70 % consent, everybody's."""
    with world.platform_and_lab() as (platform, lab):
        folder = Path(lab.folder).parent
        file = folder / "traces.jsonl"
        accounts = write(file, ROWS)
        stage = Stage(platform, lab)
        agreements = {}
        for ident, everybody in (("some", False), ("all", True)):
            category = RESULTS if everybody else CATEGORY
            iri = world.publish(platform, file, ident=ident, category=category)
            content = consent_file(accounts, lab.did, category, everybody=everybody)
            platform.who("dpo").post_raw("/v1/consents/import", content, "text/csv")
            agreements[ident] = stage.agree(iri)
        run = Run(f"transfer: {ROWS:,} rows, {file.stat().st_size / 1e6:.0f} MB, NDJSON, treated")
        measure(run, stage, agreements, file)
        run.finish()


def measure(run: Run, stage: Stage, agreements: dict[str, str], file: Path) -> None:
    """Alternate and report."""
    platform = stage.platform
    idle = memory_of(platform.pid, "VmRSS")
    found: dict[str, list[Received]] = {"raw": [], "some": [], "all": []}
    cpu = []
    target = file.with_name("received")
    with raw_source(file) as copy:
        receive(copy, target)
        # A first transfer of each, unmeasured: plans and maps get warm.
        for agreement in agreements.values():
            path, source = stage.start(agreement)
            receive(source, target)
            stage.end(path)
        after = memory_of(platform.pid, "VmRSS"), memory_of(platform.pid)
        for _ in range(ROUNDS):
            found["raw"].append(receive(copy, target))
            for ident, agreement in agreements.items():
                path, source = stage.start(agreement)
                before = cpu_of(platform.pid)
                found[ident].append(receive(source, target))
                if ident == "some":
                    cpu.append(cpu_of(platform.pid) - before)
                stage.end(path)
    with watching(platform) as quiet:
        time.sleep(2)
    path, source = stage.start(agreements["some"])
    with watching(platform) as busy:
        receive(source, target)
    stage.end(path)
    path, _ = stage.start(agreements["some"])
    seconds, rows = stage.fetch(path)
    _report(run, found)
    run.note("transfer: CPU of the provider", median(cpu) / ROWS * 1e6, "us/input row")
    run.note(
        "transfer: node to node, rows kept (fetch, verify, log, receipt)", rows / seconds, "rows/s"
    )
    run.note(
        "transfer: event loop p99 (/health/live) while one runs",
        busy["p99"],
        "ms",
        against=("quiet", quiet["p99"]),
        runs=busy["count"],
        budget="<= 10 ms (floor 30)",
    )
    run.note("transfer: RssAnon peak", busy["rss_anon"], "MB", budget="<= 150 MB (floor 200)")
    run.note("transfer: RSS before the first, datasets published just now", idle, "MB")
    run.note(
        "transfer: RSS after the first (mapped rows are counted)",
        after[0],
        "MB",
        against=("of it anonymous", after[1]),
        budget="<= 250 MB",
    )


def _report(run: Run, found: dict[str, list[Received]]) -> None:
    copied = [ROWS / one.seconds for one in found["raw"]]
    some = [ROWS / one.seconds for one in found["some"]]
    everybody = [ROWS / one.seconds for one in found["all"]]
    run.note(
        "transfer: input rows, 70 % consent",
        median(some),
        "rows/s",
        against=("raw copy", median(copied)),
        ratio=median(one / two for one, two in zip(some, copied, strict=True)),
        runs=ROUNDS,
        budget=">= 1.5 (floor 1.0)",
    )
    run.note(
        "transfer: input rows, everybody consents",
        median(everybody),
        "rows/s",
        against=("raw copy", median(copied)),
        ratio=median(one / two for one, two in zip(everybody, copied, strict=True)),
        runs=ROUNDS,
    )
    kept = [one.rows / one.seconds for one in found["some"]]
    full = [one.rows / one.seconds for one in found["all"]]
    run.note(
        "transfer: released rows, 70 % consent (consent's cost)",
        median(kept),
        "rows/s",
        against=("everybody consents", median(full)),
        ratio=median(one / two for one, two in zip(kept, full, strict=True)),
        runs=ROUNDS,
        budget=">= 0.95",
    )
    first = [one.first for one in found["some"]]
    run.note(
        "transfer: request to first byte, warm", median(first), "ms", runs=ROUNDS, budget="<= 20 ms"
    )
    run.note("transfer: request to first byte, worst", percentile(first, 1.0), "ms", runs=ROUNDS)


if __name__ == "__main__":
    main()
