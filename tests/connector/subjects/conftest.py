"""A store for the registry's tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.store.migrate import upgrade
from connector.store.sqlite import create_file
from connector.store.store import Store


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database as `init` makes it."""
    path = tmp_path_factory.mktemp("template") / "node.db"
    create_file(path)
    upgrade(path)
    return path


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty, open store."""
    opened = Store.open(Path(shutil.copy(template, tmp_path / "node.db")))
    yield opened
    opened.close()
