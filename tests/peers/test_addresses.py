"""Addresses and catalogs of a connector that signs nothing, as far as they go wrong."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from catalog.search import Query
from connector.identity import edc as profile
from connector.services.discover import discovering, foreign, peering
from connector.services.fetch import fetching, received
from connector.services.negotiate import people
from connector.services.show import views
from policies.problem import Problem
from tests.peers.conftest import ONE, World
from tests.peers.edc import ROWS, FakeEdc
from tests.support import traces
from tests.support.pair import OPERATOR, RESEARCHER

pytestmark = ONE


async def running(world: World) -> str:
    """A transfer of a connector's asset that has started; our pid."""
    world.edc.assets = {"grades": []}
    negotiation = await world.ask("grades")
    return await world.begin(negotiation["agreement"])


async def fetched(world: World, pid: str) -> dict[str, Any]:
    await fetching.start(world.node, RESEARCHER, pid, None)
    await world.node.background.ended(f"fetch:{pid}")
    return await views.transfer(world.node, pid)


async def test_a_start_said_again_brings_the_address_that_is_good_now(world: World):
    pid = await running(world)
    (theirs,) = world.edc.of("transfer")
    world.edc.tokens.clear()
    found = await fetched(world, pid)
    assert (found["state"], found["fetch"]["problem"]["code"]) == ("STARTED", "transfer-refused")
    assert received.finished(received.folder_of(world.node, pid)) == []
    for more in ({"dataAddress": world.edc._address(theirs)}, {}):  # one without tells nothing new
        said = await asyncio.to_thread(
            world.edc.say_again, theirs, "start", "TransferStartMessage", **more
        )
        assert said == 200
    found = await fetched(world, pid)
    assert (found["state"], found["fetch"]["problem"]) == ("COMPLETED", None)
    folder = received.folder_of(world.node, pid)
    assert (folder / "data.csv").read_bytes() == ROWS


@pytest.mark.parametrize(("limit", "value"), [("MAX_PAGES", 3), ("MAX_DATASETS", 3)])
async def test_a_catalog_without_an_end_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
):
    monkeypatch.setattr(foreign, limit, value)
    world.edc.page = 1
    world.edc.assets = {f"asset-{number}": [] for number in range(6)}
    found = await discovering.search(world.node, Query(), refresh="always")
    (peer,) = found["peers"]
    assert (peer["problem"]["code"], found["results"]) == ("discovery-large", [])
    with pytest.raises(Problem, match="discovery-large"):
        await peering.catalog_of(world.node, "edc-university")


async def test_whom_to_ask_must_be_said_where_two_list_the_same(world: World, tmp_path: Path):
    other = FakeEdc("edc-school", "0.14.1")
    try:
        where = profile.participant(other.name, other.dsp, [other.plane.url])
        await peering.add_edc(world.node, OPERATOR, where, "School", [])
        for edc in (world.edc, other):
            edc.assets = {"grades": []}
        await discovering.search(world.node, Query("grades"), refresh="always")
        with pytest.raises(Problem, match="peer-ambiguous") as caught:
            await people.request(world.node, RESEARCHER, "grades", traces.application())
        assert caught.value.params["peers"] == "edc-school, edc-university"
        assert (await world.ask("grades"))["state"] == "FINALIZED"
        assert other.of("negotiation") == []
    finally:
        other.close()
