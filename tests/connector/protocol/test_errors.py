"""How a refusal is told to the peer: what it may know, in two languages, with the right status."""

from typing import get_args

import pytest

from connector.protocol.errors import (
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    error_document,
    reasons,
    status_of,
)
from policies.problem import Kind, Problem, Text, register

register(
    {
        f"test-protocol-{kind}": Text(kind, "secret fr {x}", "secret en {x}", "faire", "do")
        for kind in get_args(Kind)
    }
)


@pytest.mark.parametrize(
    ("kind", "status", "told"),
    [
        ("invalid", 400, None),
        ("refused", 400, None),
        ("conflict", 400, None),
        ("unauthenticated", 401, None),
        ("forbidden", 404, "protocol-not-found"),
        ("not-found", 404, "protocol-not-found"),
        ("unavailable", 503, "protocol-try-later"),
        ("internal", 500, "protocol-internal"),
    ],
)
def test_status_and_what_the_peer_reads(kind, status, told):
    problem = Problem(f"test-protocol-{kind}", x="1")
    assert status_of(problem) == status
    document = error_document("negotiation", problem, "urn:p")
    assert document["code"] == (told or problem.code)
    assert ("secret" in str(document["reason"])) == (told is None)


def test_unknown_and_forbidden_look_the_same():
    documents = [
        error_document("transfer", Problem(f"test-protocol-{kind}", x=kind), "urn:p", "urn:c")
        for kind in ("forbidden", "not-found")
    ]
    assert documents[0] == documents[1]


def test_our_own_fault_is_never_told_in_detail():
    for error in (LocalProtocolError("protocol-not-now", act="A", by="b", state="S"),):
        assert status_of(error) == 500
        assert error_document("negotiation", error)["code"] == "protocol-internal"
        assert error.kind == "conflict"  # what the management API shows its user
    assert issubclass(RemoteProtocolError, ProtocolError)
    assert issubclass(ProtocolError, Problem)


def test_an_illegal_act_is_told_in_english_then_french():
    error = RemoteProtocolError(
        "protocol-illegal-act", act="VERIFY", by="consumer", state="OFFERED"
    )
    assert status_of(error) == 400
    document = error_document("negotiation", error, "urn:p", "urn:c")
    assert document["@type"] == "ContractNegotiationError"
    assert (document["providerPid"], document["consumerPid"]) == ("urn:p", "urn:c")
    english, french = reasons(error)
    assert document["reason"] == [english, french]
    assert english.startswith("VERIFY by the consumer is not possible in state OFFERED")
    assert french.startswith("VERIFY par consumer")


def test_a_catalog_error_names_no_process():
    assert error_document("catalog", Problem("protocol-json-root")).keys() == {
        "@context",
        "@type",
        "code",
        "reason",
    }


def test_an_unknown_pid_is_the_nil_uuid():
    document = error_document("transfer", Problem("protocol-json-root"), None, "urn:c")
    assert document["providerPid"] == "urn:uuid:00000000-0000-0000-0000-000000000000"
