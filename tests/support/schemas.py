"""The official schemas of the Dataspace Protocol 2025-1, where `PREAU_TEST_DATA` has them."""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

Json = dict[str, Any]

FOLDER: Final = "dsp-2025-1"
_NEGOTIATION: Final = "negotiation/contract-"
_TRANSFER: Final = "transfer/transfer-"

OF_TYPE: Final[Mapping[str, str]] = {
    "Catalog": "catalog/catalog",
    "Dataset": "catalog/dataset",
    "CatalogError": "catalog/catalog-error",
    "CatalogRequestMessage": "catalog/catalog-request-message",
    "DatasetRequestMessage": "catalog/dataset-request-message",
    "ContractRequestMessage": _NEGOTIATION + "request-message",
    "ContractOfferMessage": _NEGOTIATION + "offer-message",
    "ContractAgreementMessage": _NEGOTIATION + "agreement-message",
    "ContractAgreementVerificationMessage": _NEGOTIATION + "agreement-verification-message",
    "ContractNegotiationEventMessage": _NEGOTIATION + "negotiation-event-message",
    "ContractNegotiationTerminationMessage": _NEGOTIATION + "negotiation-termination-message",
    "ContractNegotiation": _NEGOTIATION + "negotiation",
    "ContractNegotiationError": _NEGOTIATION + "negotiation-error",
    "TransferRequestMessage": _TRANSFER + "request-message",
    "TransferStartMessage": _TRANSFER + "start-message",
    "TransferSuspensionMessage": _TRANSFER + "suspension-message",
    "TransferCompletionMessage": _TRANSFER + "completion-message",
    "TransferTerminationMessage": _TRANSFER + "termination-message",
    "TransferProcess": _TRANSFER + "process",
    "TransferError": _TRANSFER + "error",
}
"""Whatever stands alone on the wire: its `@type`, and its schema without `-schema.json`."""


class Schemas:
    """All schemas as one registry; nothing is fetched."""

    def __init__(self, folder: Path) -> None:
        documents = {
            str(path.relative_to(folder)).removesuffix("-schema.json"): json.loads(
                # three schemas reference "…#definitions/X", which names nothing: a slash is missing
                path.read_text("utf-8").replace("#definitions/", "#/definitions/")
            )
            for path in sorted(folder.glob("*/*-schema.json"))
        }
        registry = jsonschema_rs.Registry([(one["$id"], one) for one in documents.values()])
        self._validators = {
            name: jsonschema_rs.Draft201909Validator(one, registry=registry)
            for name, one in documents.items()
        }

    def validate(self, name: str, wire: object) -> None:
        """Refuse what is not valid against a schema, such as `catalog/dataset`."""
        faults = [str(error) for error in self._validators[name].iter_errors(wire)]
        assert not faults, f"{name}: {faults}"

    def check(self, wire: Json) -> None:
        """Refuse what is not valid against the schema of its type, or has none."""
        check_type(wire)
        self.validate(OF_TYPE[wire["@type"]], wire)


def check_type(wire: Json) -> None:
    """Refuse what is of no type that stands alone on the wire."""
    assert wire.get("@type") in OF_TYPE, f"no type of the protocol: {wire}"


@cache
def read(folder: Path) -> Schemas:
    """The schemas in a folder; read once."""
    return Schemas(folder)


def present() -> Schemas | None:
    """The schemas, for what checks messages in passing where it can."""
    root = os.environ.get("PREAU_TEST_DATA")
    folder = Path(root) / FOLDER if root else None
    return read(folder) if folder is not None and folder.is_dir() else None


def fault(wire: Json) -> str | None:
    """What the official schemas have against something on the wire; None without them, too."""
    known = present()
    try:
        if known is not None:
            known.check(wire)
    except AssertionError as error:
        return f"{wire.get('@type')}: {error}"
    return None
