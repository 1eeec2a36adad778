"""Whom the scenarios are played with: our own node in the conformance profile, or any connector.

    pytest -m slow tests/conformance/dsp --connector-properties FILE

FILE is in the form of the official kit's properties: where the connector is, how to start it, the
ids it was seeded with. Without it, a node is made ready and its own properties are used.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.conformance.counterpart import Counterpart
from tests.conformance.profile import Properties, profile
from tests.conformance.script import Scripted

Check = Callable[[dict[str, Any]], None]

# The schema of each type that a connector sends; its file below the official `dsp-2025-1`.
_SCHEMAS = {
    "Catalog": "catalog/catalog-schema.json",
    "Dataset": "catalog/dataset-schema.json",
    "CatalogError": "catalog/catalog-error-schema.json",
    "ContractRequestMessage": "negotiation/contract-request-message-schema.json",
    "ContractOfferMessage": "negotiation/contract-offer-message-schema.json",
    "ContractAgreementMessage": "negotiation/contract-agreement-message-schema.json",
    "ContractAgreementVerificationMessage": (
        "negotiation/contract-agreement-verification-message-schema.json"
    ),
    "ContractNegotiationEventMessage": (
        "negotiation/contract-negotiation-event-message-schema.json"
    ),
    "ContractNegotiationTerminationMessage": (
        "negotiation/contract-negotiation-termination-message-schema.json"
    ),
    "ContractNegotiation": "negotiation/contract-negotiation-schema.json",
    "ContractNegotiationError": "negotiation/contract-negotiation-error-schema.json",
    "TransferRequestMessage": "transfer/transfer-request-message-schema.json",
    "TransferStartMessage": "transfer/transfer-start-message-schema.json",
    "TransferSuspensionMessage": "transfer/transfer-suspension-message-schema.json",
    "TransferCompletionMessage": "transfer/transfer-completion-message-schema.json",
    "TransferTerminationMessage": "transfer/transfer-termination-message-schema.json",
    "TransferProcess": "transfer/transfer-process-schema.json",
    "TransferError": "transfer/transfer-error-schema.json",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--connector-properties", type=Path, help="a connector, as the kit is told")


def read(path: Path) -> Properties:
    """A file of properties, as far as kits' files go."""
    lines = (line.strip() for line in path.read_text("latin-1").splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and line[0] not in "#!")
    return {name.strip(): value.strip().strip('"').replace("\\", "") for name, value in pairs}


@pytest.fixture(scope="session")
def checked(official: Callable[[str], Path]) -> Check:
    """Refuses what is not valid against the official schema of its type."""
    root = official("dsp-2025-1")
    schemas = {
        # three schemas reference "…#definitions/X", which names nothing: a slash is missing
        path: json.loads(path.read_text("utf-8").replace("#definitions/", "#/definitions/"))
        for path in root.rglob("*-schema.json")
    }
    registry = jsonschema_rs.Registry([(each["$id"], each) for each in schemas.values()])
    validators = {
        kind: jsonschema_rs.Draft201909Validator(schemas[root / file], registry=registry)
        for kind, file in _SCHEMAS.items()
    }

    def check(wire: dict[str, Any]) -> None:
        assert wire.get("@type") in validators, wire
        validators[wire["@type"]].validate(wire)

    return check


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
        int(properties["dataspacetck.port"]),
        properties["dataspacetck.dsp.connector.http.url"].rstrip("/"),
        properties["dataspacetck.dsp.connector.http.headers.authorization"],
        checked,
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
    assert not (scripted and scripted.faults), scripted and scripted.faults
