"""A store for the registry's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.store.store import Store
from tests.support.databases import fresh


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty, open store."""
    opened = Store.open(fresh(tmp_path / "node.db"))
    yield opened
    opened.close()
