"""Two real processes that know each other, for every test of this folder that wants them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import traces
from tests.support.nodes import Two, two

LEARNERS = [traces.learner(number) for number in range(40)]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """A platform and a lab, small parts; nothing is published yet."""
    folder: Path = tmp_path_factory.mktemp("nodes")
    with two(folder, first_part_rows=50, max_part_rows=100) as made:
        yield made


@pytest.fixture(scope="module")
def consenting() -> list[str]:
    """The learners who consent."""
    return [name for name in LEARNERS if traces.consents(name)]
