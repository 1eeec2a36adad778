"""What is not valid is said to be so, and why, to whoever waits for the message."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.counterpart import CONTEXT, Counterpart
from tests.support import schemas
from tests.support.nodes import free_port

WRONG = {
    "@context": [CONTEXT],
    "@type": "TransferTerminationMessage",
    "providerPid": "theirs",
    "consumerPid": "ours",
    "reason": "not a list",
}


def test_a_fault_is_named(official: Callable[[str], Path]):
    known = schemas.read(official(schemas.FOLDER))
    known.check({**WRONG, "reason": ["a list"]})
    with pytest.raises(AssertionError, match="not a list"):
        known.check(WRONG)


def test_without_schemas_a_type_is_asked_for():
    schemas.check_type(WRONG)
    with pytest.raises(AssertionError, match="no type"):
        schemas.check_type({"@type": "Nothing"})


def test_the_counterpart_tells_who_waits_what_is_wrong(official: Callable[[str], Path]):
    known = schemas.read(official(schemas.FOLDER))
    port = free_port()
    counterpart = Counterpart(port, f"http://localhost:{port}", "", known.check)
    try:
        counterpart.open("ours", {})
        assert counterpart.post("/transfers/ours/termination", WRONG).status == 404
        with pytest.raises(AssertionError, match="not a list"):
            counterpart.next("ours")
        said = {**WRONG, "reason": ["a list"]}
        assert counterpart.post("/transfers/ours/termination", said).status == 200
        assert counterpart.next("ours").wire["reason"] == ["a list"]
    finally:
        counterpart.close()
