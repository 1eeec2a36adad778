"""Both ports of a node that publishes, asked without a network; a peer and people who ask."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from connector.services.release import transferring
from connector.services.show import views
from tests.support import schemas as official_schemas
from tests.support.clock import ManualClock
from tests.support.pair import RESEARCHER, pair, statements
from tests.support.ports import Knocker, Ports


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ports(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ports]:
    """A provider with one dataset, one agreement on it, and one transfer that may begin."""
    folder: Path = tmp_path_factory.mktemp("ports")
    # A node's first leaves are written by its init, on the machine's clock.
    clock = ManualClock(datetime.now(UTC) + timedelta(seconds=5))
    async with pair(folder, clock) as nodes:
        dataset = await nodes.publish(statements(12))
        await nodes.consent([f"learner-{number}" for number in range(12)])
        stranger = await Knocker.known_to(nodes.provider, folder / "stranger", 9301)
        made = Ports(nodes, dataset, stranger)
        await nodes.request(dataset)
        made.pid = (await views.negotiations(nodes.provider))[0]["pid"]
        agreement = (await views.agreements(nodes.consumer))[0]["id"]
        await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
        await nodes.settle()
        made.transfer = (await views.transfers(nodes.provider))[0]["pid"]
        await nodes.provider.log.advance()
        yield made


@pytest.fixture(scope="session")
def schemas(official: Callable[[str], Path]) -> Callable[[str, object], None]:
    """`schemas("negotiation/contract-negotiation-error", body)` fails unless the body is valid."""
    return official_schemas.read(official(official_schemas.FOLDER)).validate
