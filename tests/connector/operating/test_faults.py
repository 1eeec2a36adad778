"""Full disks, a locked database, a clock set back, peers that are slow or talk nonsense.

Each time: a clear problem that says what to do, nothing half-written, nothing let through, and
work goes on where it stopped once the fault is gone.
"""

import contextlib
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from connector.base.clock import format_time
from connector.cli.story import generate
from connector.http import management, public
from connector.identity.ports import Response
from connector.services.consent import consents
from connector.services.discover import peering
from connector.store import catalogs, leaves, parts, peers, transfers
from connector.store import consents as events
from policies.problem import Problem
from tests.connector.operating.conftest import LATER, Opened, Wire, fetch_all
from tests.support.clock import ManualClock
from tests.support.disks import enlarge, tmpfs

ABOUT = """
id = "more-traces"
kind = "xapi"
category = "https://w3id.org/preau/ns#LearningTraces"
audience = "adults"
until = 2027-12-31T00:00:00Z
personal = "yes"
title = { fr = "Encore des traces", en = "More traces" }
notice = { iri = "https://example.org/information", version = "1" }
basis = { type = "consent", reference = "Register, 12" }
policy = { template = "research-under-consent", params = { \
purposes = ["https://w3id.org/preau/ns#EducationResearch"], \
until = "2027-12-31T00:00:00Z", retention = "P1Y" } }
"""


# ------------------------------------------------------------------ disks


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def publish(platform: Opened, token: str, data: bytes) -> httpx.Response:
    """Upload a dataset over the management API."""
    transport = httpx.ASGITransport(management.app(platform.node))
    async with httpx.AsyncClient(transport=transport, base_url="http://n") as client:
        return await client.post(
            "/v1/datasets",
            files={"about": ("a.toml", ABOUT.encode()), "file": ("traces.jsonl.gz", data)},
            headers={"Authorization": f"Bearer {token}"},
        )


@pytest.mark.slow
@pytest.mark.parametrize("where", ["data/more-traces", "uploads"])
async def test_a_disk_that_is_full_while_publishing(where: str, opening, copy_of, tmp_path: Path):
    folder, file = copy_of("platform"), tmp_path / "traces.jsonl.gz"
    token = (folder / "tokens" / "operator").read_text("ascii").strip()
    generate.write(file, learners=300)
    data = file.read_bytes()
    size = 2_000_000 if where.startswith("data") else 100_000
    async with opening(folder) as platform:
        before = await platform.node.store.read(leaves.next_index)
        with tmpfs(folder / where, size) as mounted, contextlib.ExitStack() as stack:
            if not mounted:
                stack.enter_context(small_files(max(size, 2_000_000)))
            answer = await publish(platform, token, data)
            left = [path for path in (folder / where).rglob("*") if path.is_file()]
        assert (answer.status_code, answer.json()["code"]) == (503, "dataplane-disk")
        assert answer.json()["do"]["fr"]
        assert left == []
        assert await platform.node.store.read(leaves.next_index) == before
        assert (
            await platform.node.store.read(lambda tx: catalogs.dataset(tx, id="more-traces"))
            is None
        )
        again = await publish(platform, token, data)
        assert again.status_code == 201, again.text


@pytest.mark.slow
async def test_a_disk_that_is_full_while_fetching(paired):
    async with paired() as (platform, lab):
        await platform.release()
        with tmpfs(lab.node.folder / "received", 200_000) as mounted:
            if not mounted:
                pytest.skip("only root can mount a small disk")
            problem = await fetch_all(lab)
            assert problem is not None
            assert problem.code == "dataplane-disk"
            progress = await lab.progress()
            assert progress.files == []
            assert 1 <= progress.parts < 5
            partial = next((lab.node.folder / "received").rglob("data.ndjson.partial"))
            assert partial.stat().st_size == progress.bytes  # whole parts only
            enlarge(lab.node.folder / "received")
            assert await fetch_all(lab) is None
            assert "data.ndjson" in (await lab.progress()).files


@pytest.mark.slow
async def test_a_disk_that_is_full_under_the_consent_journal(opening, copy_of, tmp_path: Path):
    folder = copy_of("platform")
    with tmpfs(tmp_path / "small", 128 * 1024) as mounted:
        if not mounted:
            pytest.skip("only root can mount a small disk")
        journal = tmp_path / "small" / "consent.journal"
        journal.write_bytes((folder / "consent.journal").read_bytes())
        with (folder / "preau.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[consent]\njournal = "{journal}"\n')
        async with opening(folder) as platform:
            epoch, last = await platform.node.store.read(events.epoch), platform.node.journal.last
            with pytest.raises(Problem) as caught:
                await consents.load(platform.node, platform.who["dpo"], many(2000))
            assert caught.value.code == "subjects-journal-unusable"
            assert await platform.node.store.read(events.epoch) == epoch
            assert platform.node.journal.last == last
            await consents.load(platform.node, platform.who["dpo"], many(2))
            assert await platform.node.store.read(events.epoch) == epoch + 1


def many(count: int) -> bytes:
    """An import of so many consents."""
    at = format_time(LATER - timedelta(days=1))
    head = (
        "event_id,id_type,id_value,id_home,recipient,purpose,category,status,at,valid_until,notice"
    )
    rows = [
        f"e{n},account,someone{n},https://home.example,did:web:lab.example,"
        f"https://w3id.org/preau/ns#EducationResearch,https://w3id.org/preau/ns#LearningTraces,"
        f"given,{at},,"
        for n in range(count)
    ]
    return "\n".join([head, *rows]).encode()


# ------------------------------------------------------------------ a locked database

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("ready", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(database: Path) -> Iterator[None]:
    """Another process writes to the database and does not end."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.kill()


@pytest.mark.slow
async def test_a_database_locked_by_another_process(paired):
    """Five seconds are waited, then every act is refused; afterwards all of it counts."""
    async with paired() as (platform, lab):
        await platform.release()
        dpo = platform.who["dpo"]
        epoch = await platform.node.store.read(events.epoch)
        with held(platform.node.folder / "preau.sqlite"):
            with pytest.raises(Problem) as caught:
                await consents.load(platform.node, dpo, many(3))
            assert caught.value.code == "store-locked"
            problem = await fetch_all(lab)
            assert problem is not None
            assert problem.params["status"] == 503
            assert (await lab.progress()).rows == 0
            assert await platform.node.store.read(events.epoch) == epoch
        # What was journalled then is applied before anything later.
        await consents.load(platform.node, dpo, many(4))
        assert await platform.node.store.read(events.epoch) == epoch + 2
        assert await fetch_all(lab) is None


# ------------------------------------------------------------------ a clock set back


async def test_a_clock_set_back_stops_every_release_and_says_why(opening, copy_of):
    own = ManualClock(LATER)
    async with opening(copy_of("platform"), own) as platform, opening(copy_of("lab")) as lab:
        lab.wire.app, platform.wire.app = public.app(platform.node), public.app(lab.node)
        await platform.release()
        assert await fetch_all(lab, parts=1) is None
        sent = await _issues(platform)
        own.advance(-3600)
        problem = await fetch_all(lab)
        assert problem is not None
        assert problem.params["status"] == 503
        assert "clock" in str(problem.params["reason"])
        assert await _issues(platform) == sent
        with pytest.raises(Problem) as caught:
            await consents.load(platform.node, platform.who["dpo"], many(1))
        assert caught.value.code == "evidence-clock-back"
        own.advance(3600)
        assert await fetch_all(lab) is None
        assert "data.ndjson" in (await lab.progress()).files


async def _issues(platform: Opened) -> int:
    def unit(tx):
        (row,) = transfers.listing(tx)
        return len(parts.listing(tx, transfer=row.pid))

    found: int = await platform.node.store.read(unit)
    return found


# ------------------------------------------------------------------ slow peers, and nonsense

TIMEOUT = Problem("delivery-timeout", host="localhost", port=1)
GARBLED = Problem("delivery-garbled", host="localhost", port=1)
HTML = Response(200, {"content-type": "text/html"}, b"<html>It works!</html>")
FORGED = Response(
    200,
    {
        "preau-part": "1",
        "preau-issue": "1",
        "preau-rows": "1",
        "preau-digest": "hmac-sha-256:" + "0" * 64,
        "preau-leaf": "1",
        "preau-last": "true",
    },
    b"{}\n",
)


@pytest.mark.parametrize(
    ("place", "answer", "code"),
    [
        ("/parts/1", TIMEOUT, "delivery-timeout"),
        ("/parts/3", TIMEOUT, "delivery-timeout"),
        ("/parts/1", GARBLED, "delivery-garbled"),
        ("/parts/1", HTML, "dataplane-part-header"),
        ("/parts/2", Response(500, {}, b"<html>oops"), "transfer-refused"),
        ("/parts/1", Response(204), "transfer-refused"),
        ("/parts/1", Response(404, {}, b'{"code": 5}'), "transfer-refused"),
        ("/parts/1", FORGED, "dataplane-part-digest"),
        ("/parts/2", FORGED, "dataplane-part-order"),
        ("/manifest", TIMEOUT, "delivery-timeout"),
        ("/manifest", HTML, "protocol-json"),
        ("/manifest", Response(200, {}, b"[]"), "protocol-json"),
        ("/manifest", Response(200, {}, b"{}"), "catalog-proof-missing"),
        ("/manifest", Response(200, {}, b'{"proof": {"type": "x"}}'), "catalog-proof"),
        ("/receipt", TIMEOUT, "delivery-timeout"),
        ("/receipt", Response(502, {}, b"bad gateway"), "transfer-refused"),
    ],
)
async def test_a_provider_that_is_slow_or_talks_nonsense(
    place: str, answer: Response | Problem, code: str, paired
):
    async with paired() as (platform, lab):
        await platform.release()
        lab.wire.answers[place] = answer
        problem = await fetch_all(lab)
        assert problem is not None
        assert problem.code.startswith(code), problem.code
        assert problem.remedy("fr")
        files = (await lab.progress()).files
        # Before the manifest is verified no file has its name; after it, all have.
        assert files == [] if place != "/receipt" else "receipt.json" in files
        lab.wire.answers.clear()
        assert await fetch_all(lab) is None
        assert "data.ndjson" in (await lab.progress()).files
        await platform.node.background.idle()
        manifest = await platform.node.store.read(_receipt)
        assert manifest is not None


def _receipt(tx):
    (row,) = transfers.listing(tx)
    found = parts.manifest(tx, transfer=row.pid)
    return found and found.receipt


@pytest.mark.parametrize(
    ("place", "answer"),
    [
        ("/catalog", TIMEOUT),
        ("/catalog", HTML),
        ("/catalog", Response(200, {}, b"{}")),
        ("/catalog", Response(200, {}, b'{"v": 1, "v": 2}')),
        ("/catalog", Response(503, {}, b"")),
        ("/did.json", Response(200, {}, b"\x00\xff")),
        ("/did.json", TIMEOUT),
    ],
)
async def test_a_publisher_that_is_slow_or_talks_nonsense(
    place: str, answer: Response | Problem, paired
):
    async with paired() as (platform, lab):
        did = platform.node.did
        before = await lab.node.store.read(lambda tx: peers.get(tx, did=did))
        lab.wire.answers[place] = answer
        with pytest.raises(Problem) as caught:
            await peering.catalog_of(lab.node, did)
        assert caught.value.remedy("en")
        assert await lab.node.store.read(lambda tx: peers.get(tx, did=did)) == before


async def test_another_nodes_catalog_is_refused(paired):
    async with paired() as (platform, lab):
        own = Wire(public.app(lab.node))
        lab.wire.answers["/catalog"] = await own.get(f"{lab.node.url}/catalog")
        with pytest.raises(Problem) as caught:
            await peering.catalog_of(lab.node, platform.node.did)
        assert caught.value.code.startswith(("catalog-", "identity-"))
