"""Two real processes that know each other, for every test of this folder that wants them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import traces
from tests.support.killing import Before
from tests.support.nodes import Two, alive, two

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


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, consenting: list[str]) -> Before:
    folder = tmp_path_factory.mktemp("before")
    with alive(Two.make(folder / "a", first_part_rows=50, max_part_rows=150)) as nodes:
        nodes.start().meet()
        nodes.publish(decisions=["dpo"])
        nodes.publish(id="automatic")
        nodes.consent(consenting)
        for node in nodes.both:
            for role in ("dpo", "researcher"):
                node.token(role)
        nodes.stop()
        agreed = nodes.at(folder / "b")
    with alive(agreed):
        agreement = agreed.start().agree(f"{nodes.platform.url}/datasets/automatic")
        agreed.stop()
    return Before(nodes, agreed, agreement)


@pytest.fixture
def started(before: Before, tmp_path: Path) -> Iterator[Callable[..., Two]]:
    """Starts a copy of one of the states, one side with a failpoint."""
    made: list[Two] = []

    def start(state: Two, side: str, failpoint: str) -> Two:
        nodes = state.at(tmp_path / "nodes")
        made.append(nodes)
        return nodes.start(**{side: ("--kill", failpoint)})

    yield start
    for nodes in made:
        nodes.kill()
