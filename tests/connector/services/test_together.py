"""One question for all who ask at the same time, and none answered by an older one."""

import asyncio

import pytest

from connector.services.discover.together import Together


async def test_those_who_come_meanwhile_share_the_next_question():
    together: Together[int] = Together()
    put: list[int] = []
    gates = [asyncio.Event() for _ in range(3)]

    async def question() -> int:
        number = len(put)
        put.append(number)
        await gates[number].wait()
        return number

    first = asyncio.create_task(together.ask("peer", question))
    await asyncio.sleep(0)
    later = [asyncio.create_task(together.ask("peer", question)) for _ in range(5)]
    await asyncio.sleep(0)
    for gate in gates:
        gate.set()
    assert await first == 0
    assert await asyncio.gather(*later) == [1] * 5
    assert await together.ask("peer", question) == 2
    assert put == [0, 1, 2]


async def test_other_questions_do_not_wait():
    together: Together[str] = Together()
    gate = asyncio.Event()

    async def slow() -> str:
        await gate.wait()
        return "slow"

    async def quick() -> str:
        return "quick"

    waiting = asyncio.create_task(together.ask("one", slow))
    assert await together.ask("two", quick) == "quick"
    gate.set()
    assert await waiting == "slow"


async def test_a_refusal_is_that_of_all_who_share_it_and_of_nobody_later():
    together: Together[int] = Together()
    gate = asyncio.Event()

    async def refused() -> int:
        await gate.wait()
        raise ValueError("refused")

    async def fine() -> int:
        return 1

    tasks = [asyncio.create_task(together.ask("peer", refused)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in found] == [ValueError] * 3
    assert await together.ask("peer", fine) == 1


async def test_one_who_leaves_takes_nobody_along():
    together: Together[int] = Together()
    gate = asyncio.Event()

    async def question() -> int:
        await gate.wait()
        return 1

    one, other = (asyncio.create_task(together.ask("peer", question)) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    gate.set()
    assert await other == 1
    with pytest.raises(asyncio.CancelledError):
        await one
