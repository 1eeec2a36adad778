"""Whom the scenarios are played with: our own node in the conformance profile, or any connector.

    pytest -m slow tests/conformance/dsp --connector-properties FILE

FILE is in the form of the official kit's properties: where the connector is, how to start it, the
ids it was seeded with. Without it, a node is made ready and its own properties are used.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.counterpart import Counterpart
from tests.conformance.profile import profile
from tests.conformance.properties import KIT, Properties, read
from tests.conformance.script import Scripted
from tests.support import schemas

Check = Callable[[dict[str, Any]], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--connector-properties", type=Path, help="a connector, as the kit is told")


@pytest.fixture(scope="session")
def checked(official: Callable[[str], Path]) -> Check:
    """Refuses what is not valid against the official schema of its type; without the schemas,
    what is of no type of the protocol.
    """
    known = schemas.present()
    if known is None and os.environ.get("PREAU_REQUIRE_TEST_DATA") == "1":
        official(schemas.FOLDER)
    return known.check if known else schemas.check_type


@pytest.fixture(scope="session")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Properties, Scripted | None]]:
    """The connector's properties, and who plays its side if that is us."""
    given: Path | None = request.config.getoption("--connector-properties", None)
    if given is not None:
        yield read(given), None
        return
    with profile(tmp_path_factory.mktemp("conformance")) as made:
        yield made.properties, made.scripted


@pytest.fixture(scope="session")
def properties(played: tuple[Properties, Scripted | None]) -> Properties:
    return played[0]


@pytest.fixture(scope="session")
def counterpart(properties: Properties, checked: Check) -> Iterator[Counterpart]:
    """The other participant."""
    made = Counterpart(
        int(properties[f"{KIT}.port"]),
        properties[f"{KIT}.dsp.connector.http.url"].rstrip("/"),
        properties.get(f"{KIT}.dsp.connector.http.headers.authorization", ""),
        checked,
        host=properties.get(f"{KIT}.host", "127.0.0.1"),
        url=properties.get(f"{KIT}.callback.address", ""),
    )
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def _the_script_went_well(played: tuple[Properties, Scripted | None]) -> Iterator[None]:
    """What plays our side could do what the scenario asks of it."""
    yield
    scripted = played[1]
    if scripted is not None:
        assert not scripted.faults, scripted.faults
