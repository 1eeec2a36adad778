"""Negotiations while something long is under way: messages wait for no transfer and for no list."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from connector.dataplane import parts
from connector.services.consent.bitmaps import Bitmaps
from connector.services.fetch import fetching
from connector.services.release import releasing, transferring
from connector.services.show import views
from tests.support.pair import RESEARCHER, Pair, statements

WAIT = 30.0


class Gate:
    """Holds whoever passes a function until it is opened, each in its own thread."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, behind the gate."""

        def held(*args: Any, **options: Any) -> Any:
            self._reached.set()
            assert self._opened.wait(WAIT)
            return function(*args, **options)

        return held

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """While somebody waits at the gate; afterwards it is open."""
        try:
            assert await asyncio.to_thread(self._reached.wait, WAIT)
            yield
        finally:
            self._opened.set()


@contextmanager
def gate(patch: pytest.MonkeyPatch, owner: object, name: str) -> Iterator[Gate]:
    """A gate before a function of a module or class, while the block runs."""
    made = Gate()
    with patch.context() as patched:
        patched.setattr(owner, name, made.before(getattr(owner, name)))
        yield made


@pytest.mark.parametrize(
    ("owner", "name"),
    [(releasing, "encode_part"), (parts, "part_digest"), (Bitmaps, "bitmap")],
    ids=["encoding a part", "its digest", "who may leave"],
)
async def test_a_negotiation_goes_on_while_a_part_is_being_made(
    nodes: Pair, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
):
    dataset = await nodes.publish(statements(30))
    await nodes.consent([f"learner-{n}" for n in range(20)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    moving = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    with gate(monkeypatch, owner, name) as shut:
        await fetching.start(nodes.consumer, RESEARCHER, moving, None)
        async with shut.held():
            pid = await nodes.request(dataset)
            assert (await nodes.seen(nodes.consumer, pid))["state"] == "FINALIZED"
            assert nodes.consumer.fetches.view(moving)["running"]
        await nodes.consumer.background.idle()
    await nodes.settle()
    assert (await views.transfer(nodes.consumer, moving))["state"] == "COMPLETED"
