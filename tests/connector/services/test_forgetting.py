"""Identifiers of tokens are forgotten once they have expired, and no sooner; answers never."""

import asyncio
from contextlib import suppress
from typing import Final

import pytest
from sqlalchemy import func, select

from connector.services.operate import forgetting
from connector.store.statement import Statement
from connector.store.tables import INBOX, JTI
from policies.problem import Problem
from tests.support.pair import Pair, statements

_KEPT: Final = Statement(
    select(
        select(func.count()).select_from(JTI).scalar_subquery(),
        select(func.count()).select_from(INBOX).scalar_subquery(),
    )
)


async def kept(nodes: Pair) -> tuple[int, int]:
    """Identifiers of tokens, and answers."""
    row = await nodes.provider.store.read(lambda tx: tx.one(_KEPT))
    assert row is not None
    return row[0], row[1]


async def test_what_has_expired_goes_every_hour(nodes: Pair, monkeypatch: pytest.MonkeyPatch):
    await nodes.request(await nodes.publish(statements(12)))
    tokens, answers = await kept(nodes)
    assert tokens
    assert answers
    asked: asyncio.Queue[float] = asyncio.Queue()
    go: asyncio.Queue[None] = asyncio.Queue()

    async def pause(seconds: float) -> None:
        await asked.put(seconds)
        await go.get()

    task = asyncio.create_task(forgetting.keep(nodes.provider, pause))
    assert await asked.get() == forgetting.EVERY
    await go.put(None)
    await asked.get()
    assert await kept(nodes) == (tokens, answers), "none has expired"

    nodes.clock.advance(forgetting.EVERY)
    writing = nodes.provider.store.write
    refused = Problem("store-locked")

    async def locked(_unit: object) -> None:
        raise refused

    monkeypatch.setattr(nodes.provider.store, "write", locked)
    await go.put(None)
    await asked.get()
    monkeypatch.setattr(nodes.provider.store, "write", writing)
    await go.put(None)
    await asked.get()
    assert await kept(nodes) == (0, answers)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
