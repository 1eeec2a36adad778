"""What happens in one simulation: the seed chooses acts of people, faults and the passing of time.

First some ten steps of trouble, then the weather clears: nobody crashes, nothing is lost, time
passes, and both nodes must come to rest.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from connector.services.negotiate import people
from connector.services.node import Node
from connector.services.release import transferring
from connector.services.show import views
from connector.store import outbox
from policies.problem import Problem
from tests.simulation.network import CALM
from tests.simulation.store import Crash
from tests.simulation.world import Side, World
from tests.support.pair import DPO, RESEARCHER, application

STEPS: Final = (5, 14)
REST: Final = 400
PAUSES: Final = (0.3, 2.0, 15.0, 120.0)
LIMIT: Final = 3

Act = Callable[[World], Awaitable[None]]


async def play(world: World) -> None:
    """One schedule, until both nodes are at rest."""
    for _ in range(world.chance.randint(*STEPS)):
        (act,) = world.chance.choices(list(ACTS), list(ACTS.values()))
        world.network.seen.append(act.__name__)
        await _try(world, act)
        await world.raise_the_dead()
    await rest(world)


async def rest(world: World) -> None:
    """Let everything that is under way arrive."""
    world.network.cut = False
    world.network.weather = dict(CALM)
    while world.network.late:
        await world.network.arrive_late()
    for _ in range(REST):
        for side in world.sides:
            await side.work()
        await world.raise_the_dead()
        if not [side for side in world.sides if _owes(side)]:
            return
        world.clock.advance(30)
    raise AssertionError("the nodes do not come to rest")


def _owes(side: Side) -> bool:
    return side.store.read_now(outbox.next_due) is not None


async def _try(world: World, act: Act) -> None:
    """An act of a person may be refused (too late, not now); a crash ends it."""
    try:
        await act(world)
    except Crash:
        return
    except Problem as problem:
        world.network.seen.append(f"  refused: {problem.code}")


# --- people ---------------------------------------------------------------------------------


async def ask(world: World) -> None:
    """The researcher asks for one of the datasets."""
    node = _node(world.consumer)
    if len(await views.negotiations(node)) < LIMIT + len(world.template.datasets):
        iri = world.chance.choice(world.template.datasets)
        await people.request(node, RESEARCHER, iri, application())


async def decide(world: World) -> None:
    """The DPO approves, returns or rejects what waits."""
    node = _node(world.provider)
    waiting = [n for n in await views.negotiations(node) if n["awaiting"][:1] == ["dpo"]]
    if waiting:
        outcome = world.chance.choice(["approve", "approve", "return", "reject"])
        body: dict[str, Any] = {"role": "dpo", "outcome": outcome, "reason": "Because."}
        if outcome == "return":
            body["offer"] = {"v": 1, "fields": ["verb.id", "timestamp"]}
        await people.decide(node, DPO, world.chance.choice(waiting)["pid"], body)


async def answer(world: World) -> None:
    """The researcher accepts a changed offer, or asks again with less."""
    node = _node(world.consumer)
    offered = [n for n in await views.negotiations(node) if n["state"] == "OFFERED"]
    if not offered:
        return
    pid = world.chance.choice(offered)["pid"]
    if world.chance.random() < 0.5:
        await people.accept(node, RESEARCHER, pid)
    else:
        await people.resubmit(node, RESEARCHER, pid, application(fields=["verb.id"]))


async def walk_away(world: World) -> None:
    """Somebody on either side ends a negotiation."""
    node = _node(world.chance.choice(world.sides))
    running = [n for n in await views.negotiations(node) if n["state"] not in _OVER]
    if running:
        await people.terminate(node, DPO, world.chance.choice(running)["pid"], "Enough.")


async def transfer(world: World) -> None:
    """The researcher asks for the data of an agreement."""
    node = _node(world.consumer)
    found = [a for a in await views.agreements(node) if a["state"] == "active"]
    if found:
        await transferring.start(node, RESEARCHER, world.chance.choice(found)["id"], "ndjson")


async def steer(world: World) -> None:
    """Somebody on either side suspends, resumes or ends a transfer."""
    node = _node(world.chance.choice(world.sides))
    running = [t for t in await views.transfers(node) if t["state"] not in _OVER]
    if running:
        act = world.chance.choice(["suspend", "suspend", "resume", "resume", "terminate"])
        pid = world.chance.choice(running)["pid"]
        if act == "resume":
            await transferring.resume(node, DPO, pid)
        else:
            await getattr(transferring, act)(node, DPO, pid, "A pause.")


# --- the world ------------------------------------------------------------------------------


async def work(world: World) -> None:
    """One node delivers what is due."""
    await world.chance.choice(world.sides).work()


async def both_work(world: World) -> None:
    """Both nodes deliver what is due, one after the other."""
    for side in world.chance.sample(world.sides, 2):
        if side.alive:
            await side.work()


async def late(world: World) -> None:
    """A delayed message arrives."""
    if world.network.late:
        await world.network.arrive_late()


async def wait(world: World) -> None:
    """Time passes."""
    world.clock.advance(world.chance.choice(PAUSES))


async def crash(world: World) -> None:
    """A node dies where it stands."""
    world.chance.choice(world.sides).store.kill()


async def arm(world: World) -> None:
    """A node will die at one of its next commits, before it lasts or right after."""
    side = world.chance.choice(world.sides)
    side.store.fail(world.chance.choice(["before", "after"]), world.chance.randint(1, 4))


async def part(world: World) -> None:
    """The network between the nodes is cut, or heals."""
    world.network.cut = not world.network.cut


async def drift(world: World) -> None:
    """A clock jumps forward by some seconds."""
    world.chance.choice(world.sides).clock.skew += world.chance.uniform(0.0, 5.0)


_OVER: Final = frozenset({"TERMINATED", "FINALIZED", "COMPLETED"})

ACTS: Final[dict[Act, int]] = {
    ask: 4,
    decide: 3,
    answer: 3,
    walk_away: 1,
    transfer: 3,
    steer: 3,
    work: 8,
    both_work: 8,
    late: 3,
    wait: 6,
    crash: 2,
    arm: 4,
    part: 1,
    drift: 1,
}


def _node(side: Side) -> Node:
    assert side.node is not None
    return side.node
