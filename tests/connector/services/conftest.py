"""Two nodes in one process, for every test of the use cases."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.clock import ManualClock
from tests.support.pair import Pair, pair


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Pair]:
    # A node's first leaves are written by its init, on the machine's clock.
    async with pair(tmp_path, ManualClock(datetime.now(UTC) + timedelta(seconds=5))) as made:
        yield made
