"""Readiness turns red with a dead worker; the metrics say what an operator alarms on."""

import asyncio
import errno
import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from connector.http import management
from connector.services import access
from connector.services.negotiate import people
from connector.services.node import Node
from connector.services.operate import starting
from connector.services.release import monitoring
from connector.store import outbox
from policies.problem import Problem
from tests.support.clock import ManualClock
from tests.support.pair import OPERATOR, RESEARCHER, Pair, application, pair, statements

SAMPLE = re.compile(r'preau_[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? -?[0-9.e+]+')


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Pair]:
    async with pair(tmp_path, ManualClock(datetime.now(UTC) + timedelta(seconds=5))) as made:
        yield made


async def ask(nodes: Pair, path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(management.app(nodes.consumer), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        return await client.get(path, headers=headers)


async def test_a_worker_that_really_dies_turns_readiness_red(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    node = nodes.consumer
    await node.worker.start()
    node.keeping.start("log", starting.keep_log(node))
    node.keeping.start("monitor", starting.keep_log(node))
    try:
        assert (await ask(nodes, "/health/ready")).status_code == 200

        def defect(*_: object, **__: object) -> None:
            raise RuntimeError("a defect nobody foresaw")

        monkeypatch.setattr(outbox, "next_due", defect)
        task = node.worker._task
        assert task is not None
        node.worker._wake.set()
        with pytest.raises(RuntimeError, match="defect"):
            await task
        answer = await ask(nodes, "/health/ready")
        assert answer.status_code == 503
        assert answer.json()["checks"]["delivery"] is False
        assert "the outbox worker has ended: RuntimeError" in caplog.text
    finally:
        monkeypatch.undo()
        await node.keeping.stop()


async def test_a_dead_keeper_of_the_log_turns_readiness_red(nodes: Pair):
    node = nodes.consumer
    await node.worker.start()
    for name in ("log", "monitor"):
        node.keeping.start(name, starting.keep_log(node))
    assert (await ask(nodes, "/health/ready")).json()["status"] == "ready"
    await node.keeping.stop()
    answer = await ask(nodes, "/health/ready")
    assert (answer.status_code, answer.json()["checks"]["log"]) == (503, False)


async def test_a_clock_that_went_back_turns_readiness_red_until_its_time_comes(nodes: Pair):
    """The node can log nothing then, so it keeps no promise."""
    node = nodes.consumer
    await node.worker.start()
    for name in ("log", "monitor"):
        node.keeping.start(name, starting.keep_log(node))
    try:
        await nodes.request(await nodes.publish(statements(12)))
        for moved, status in ((-31, 503), (2, 200)):
            nodes.clock.advance(moved)
            answer = await ask(nodes, "/health/ready")
            assert (answer.status_code, answer.json()["checks"]["clock"]) == (status, status == 200)
    finally:
        await node.keeping.stop()


async def test_a_disk_that_is_full_for_a_while_ends_neither_log_nor_monitor(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch
):
    """Readiness would stay red until somebody starts the node again."""
    node = nodes.consumer
    for module, name in ((starting, "CHECKPOINT_PAUSE"), (starting, "LAG_PAUSE")):
        monkeypatch.setattr(module, name, 0.0)
    monkeypatch.setattr(monitoring, "AGAIN", 0.0)
    looks, full = monitoring.look, [True, True]

    async def look(one: Node) -> float | None:
        if full:
            full.pop()
            raise Problem("store-locked")
        return await looks(one)

    def pwrite(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(monitoring, "look", look)
    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", pwrite)
        node.keeping.start("log", starting.keep_log(node))
        node.keeping.start("monitor", monitoring.watch(node))
        size = node.log.size
        dataset = await nodes.publish(statements(12))
        await nodes.request(dataset)
        for _ in range(50):
            await asyncio.sleep(0)
        assert node.log.size == size
    try:
        while node.log.size == size or full:  # noqa: ASYNC110  (no event tells of it)
            await asyncio.sleep(0)
        assert node.keeping.running("log")
        assert node.keeping.running("monitor")
    finally:
        await node.keeping.stop()


async def test_metrics_are_a_page_of_samples_without_names(nodes: Pair):
    dataset = await nodes.publish(statements(12))
    secret = (await access.add_token(nodes.consumer, OPERATOR, "Prometheus", "auditor"))["token"]
    assert (await ask(nodes, "/metrics")).status_code == 401
    bearer = {"Authorization": f"Bearer {secret}"}

    answers = asyncio.Event()
    host = urlsplit(nodes.provider.url).netloc
    nodes.wire.apps[host] = _after(answers, nodes.wire.apps[host])
    await people.request(nodes.consumer, RESEARCHER, dataset, application())
    nodes.clock.advance(90)
    waiting = await samples(nodes, bearer)
    assert waiting["preau_outbox_messages"] == 1
    assert waiting["preau_outbox_oldest_seconds"] == 90
    assert waiting['preau_negotiations{role="consumer",state="REQUESTED"}'] == 1

    answers.set()
    await nodes.settle()
    await nodes.consumer.log.advance()
    text = (await ask(nodes, "/metrics", **bearer)).text
    after = await samples(nodes, bearer)
    assert after["preau_outbox_messages"] == 0
    assert after['preau_delivery_attempts_total{result="201"}'] == 1
    assert after['preau_negotiations{role="consumer",state="FINALIZED"}'] == 1
    assert after["preau_log_unhashed_leaves"] == 0
    assert after["preau_log_leaves"] > 3
    assert after["preau_store_commits_total"] > 3
    assert after["preau_store_stopped"] == after["preau_quarantine"] == 0
    assert after['preau_disk_free_bytes{holds="folder"}'] > 0
    assert {key for key in after if key.startswith("preau_key_age_days")} == {
        f'preau_key_age_days{{key="{name}"}}'
        for name in ("assertion", "log", "pseudonym", "subject", "token")
    }
    assert nodes.provider.did not in text
    assert "localhost" not in text
    assert "Prometheus" not in text


def _after(event: asyncio.Event, app: ASGIApp) -> ASGIApp:
    """A port that takes messages and answers none until something has happened."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            await event.wait()
        await app(scope, receive, send)

    return answering


async def samples(nodes: Pair, headers: dict[str, str]) -> dict[str, float]:
    answer = await ask(nodes, "/metrics", **headers)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    found: dict[str, float] = {}
    described: set[str] = set()
    for line in answer.text.splitlines():
        if line.startswith("# "):
            described.add(line.split()[2])
            continue
        assert SAMPLE.fullmatch(line), line
        name, _, value = line.rpartition(" ")
        assert name.partition("{")[0] in described
        assert name not in found
        found[name] = float(value)
    return found
