"""Work beside requests: who asks is heard, and what fails is done again."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from connector.services import background, committing
from connector.services.background import Background
from connector.services.release import granting, releases, transferring
from connector.services.show import views
from connector.store.store import Store, Unit
from policies.problem import Problem
from tests.support.pair import RESEARCHER, Pair, statements


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST", 0.0)
    monkeypatch.setattr(committing, "PAUSE", 0.0)


@pytest_asyncio.fixture
async def work() -> AsyncIterator[Background]:
    made = Background()
    yield made
    await made.stop()


async def test_what_is_asked_for_during_a_run_is_done_after_it(work: Background):
    gates = [asyncio.Event() for _ in range(2)]
    runs: list[int] = []

    async def one() -> None:
        runs.append(len(runs))
        await gates[runs[-1]].wait()

    work.ensure("w", one)
    await asyncio.sleep(0)
    for _ in range(3):
        work.ensure("w", one)
    for gate in gates:
        gate.set()
    await work.ended("w")
    assert runs == [0, 1]
    assert not work.running("w")


async def test_what_failed_is_done_again_until_it_is_done(work: Background):
    faults = iter([Problem("store-locked"), ValueError("secret"), Problem("store-disk-full")])
    runs = 0

    async def one() -> None:
        nonlocal runs
        runs += 1
        if fault := next(faults, None):
            raise fault

    work.ensure("w", one)
    await work.ended("w")
    assert runs == 4


async def test_nothing_is_done_for_a_store_that_is_closed(work: Background):
    runs = 0

    async def one() -> None:
        nonlocal runs
        runs += 1
        raise Problem("store-closed")

    work.ensure("w", one)
    await work.ended("w")
    assert runs == 1


@pytest_asyncio.fixture
async def agreed(nodes: Pair) -> Pair:
    """Two agreements, on the traces of twenty learners each."""
    await nodes.consent([f"learner-{number}" for number in range(20)])
    for name in ("one", "two"):
        await nodes.request(await nodes.publish(statements(20), id=name))
    return nodes


async def begun(nodes: Pair, *, push: bool = False) -> list[str]:
    """A transfer under each agreement; the consumer's pids."""
    made = []
    for agreement in await views.agreements(nodes.consumer):
        pid = await transferring.start(
            nodes.consumer, RESEARCHER, agreement["id"], "ndjson", push=push
        )
        made.append(pid)
        await nodes.settle()
    return made


async def until(condition: Callable[[], bool]) -> None:
    """Let the tasks of this loop go on until something is so."""
    while not condition():  # noqa: ASYNC110  (it comes about by no event)
        await asyncio.sleep(0)


async def test_a_database_that_is_locked_while_a_transfer_is_prepared_only_delays_it(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch
):
    provider, prepare = agreed.provider, granting._prepare
    refused = iter([Problem("store-locked"), Problem("store-lost")])

    async def locked(node: object, pid: str) -> None:
        if fault := next(refused, None):
            raise fault
        await prepare(provider, pid)

    monkeypatch.setattr(granting, "_prepare", locked)
    for pid in await begun(agreed):
        assert (await views.transfer(agreed.consumer, pid))["state"] == "STARTED"


async def test_a_database_that_does_not_answer_says_nothing_of_the_persons(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch
):
    refused = iter([Problem("store-lost")])

    async def lost(*arguments: object) -> object:
        if fault := next(refused, None):
            raise fault
        return await releases.consent_now(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(granting, "consent_now", lost)
    for pid in await begun(agreed):
        assert (await views.transfer(agreed.consumer, pid))["state"] == "STARTED"


async def test_one_transfer_that_cannot_be_prepared_holds_back_no_other(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch
):
    prepare, poisoned = granting._prepare, list[str]()
    monkeypatch.setattr(background, "FIRST", background.LONGEST)

    async def poison(node: object, pid: str) -> None:
        poisoned.append(pid)
        if pid == poisoned[0]:
            raise KeyError(pid)
        await prepare(agreed.provider, pid)

    monkeypatch.setattr(granting, "_prepare", poison)
    pids = []
    for agreement in await views.agreements(agreed.consumer):
        pids.append(
            await transferring.start(agreed.consumer, RESEARCHER, agreement["id"], "ndjson")
        )
        await agreed.consumer.worker.run_until_idle()
        await until(lambda: len(set(poisoned)) == len(pids))
    await until(lambda: bool(agreed.provider.worker.delivering))
    await agreed.provider.worker.run_until_idle()
    states = [(await views.transfer(agreed.consumer, pid))["state"] for pid in pids]
    assert sorted(states) == ["REQUESTED", "STARTED"]


async def test_the_end_of_a_push_is_recorded_once_the_database_takes_it(
    agreed: Pair, monkeypatch: pytest.MonkeyPatch
):
    """The rows are at the sink: that cannot be told again, only later."""
    write, refused = Store.write, iter([Problem("store-locked"), Problem("store-disk-full")])

    async def locked(self: Store, unit: Unit[object]) -> object:
        task = asyncio.current_task()
        ending = "both" in unit.__qualname__ and task and task.get_name().startswith("push:")
        if ending and self is agreed.provider.store and (fault := next(refused, None)):
            raise fault
        return await write(self, unit)

    monkeypatch.setattr(Store, "write", locked)
    (pid, _) = await begun(agreed, push=True)
    for _ in range(2):
        await agreed.provider.background.idle()
        await agreed.settle()
    assert (await views.transfer(agreed.consumer, pid))["state"] == "COMPLETED"
    assert next(refused, None) is None
