"""Where messages go, and which version both sides speak."""

import json
from typing import Any

import pytest

from connector.protocol import messages as m
from connector.protocol.machine import Role
from connector.protocol.negotiation import State
from connector.protocol.paths import path_of, segment, transfer_path
from connector.protocol.versions import base_url, version_document
from policies.problem import Problem

PIDS: Any = {"provider_pid": "urn:uuid:p", "consumer_pid": "urn:uuid:c"}
TERMS = m.Terms.read(
    {"@id": "o", "@type": "Offer", "target": "d", "permission": [{"action": "use"}]}, kind="Offer"
)
C, P = Role.CONSUMER, Role.PROVIDER
AT_P, AT_C = "/negotiations/urn:uuid:p", "/negotiations/urn:uuid:c"


@pytest.mark.parametrize(
    ("message", "to", "path"),
    [
        (m.CatalogRequest(), P, "/catalog/request"),
        (m.DatasetRequest(dataset="https://x/a b"), P, "/catalog/datasets/https:%2F%2Fx%2Fa%20b"),
        (m.ContractRequest(consumer_pid="c", offer=TERMS, callback="u"), P,
         "/negotiations/request"),
        (m.ContractRequest(**PIDS, offer=TERMS), P, AT_P + "/request"),
        (m.ContractOffer(provider_pid="p", offer=TERMS, callback="u"), C, "/negotiations/offers"),
        (m.ContractOffer(**PIDS, offer=TERMS), C, AT_C + "/offers"),
        (m.ContractAgreementVerification(**PIDS), P, AT_P + "/agreement/verification"),
        (m.ContractNegotiationEvent(**PIDS, event=m.Event.ACCEPTED), P, AT_P + "/events"),
        (m.ContractNegotiationEvent(**PIDS, event=m.Event.FINALIZED), C, AT_C + "/events"),
        (m.ContractNegotiationTermination(**PIDS), C, AT_C + "/termination"),
        (m.ContractNegotiationTermination(**PIDS), P, AT_P + "/termination"),
        (m.TransferRequest(consumer_pid="c", agreement="a", format="f", callback="u"), P,
         "/transfers/request"),
        (m.TransferStart(**PIDS), C, "/transfers/urn:uuid:c/start"),
        (m.TransferStart(**PIDS), P, "/transfers/urn:uuid:p/start"),
        (m.TransferCompletion(**PIDS), C, "/transfers/urn:uuid:c/completion"),
        (m.TransferSuspension(**PIDS), P, "/transfers/urn:uuid:p/suspension"),
        (m.TransferTermination(**PIDS), P, "/transfers/urn:uuid:p/termination"),
    ],
)  # fmt: skip
def test_every_message_has_its_path(message, to, path):
    assert path_of(message, to=to) == path


def test_an_answer_has_no_path():
    with pytest.raises(TypeError, match="ContractNegotiation is an answer"):
        path_of(m.ContractNegotiation(**PIDS, state=State.AGREED), to=P)


@pytest.mark.parametrize("pid", ["../../admin", "a/b", "a?b#c", "%2e%2e", "é"])
def test_a_foreign_pid_stays_one_segment(pid):
    path = transfer_path(pid)
    assert path.count("/") == 2
    assert not set("?# é") & set(path)
    assert segment("..") == ".."  # one segment still; the client refuses dot segments


def test_our_version_document_is_valid(schemas):
    schemas("common/protocol-version", version_document())
    full = version_document(
        service_id="urn:s",
        auth={"protocol": "DCP", "version": "1.0", "profile": ["vc11-sl2021/jwt"]},
    )
    schemas("common/protocol-version", full)
    assert base_url("https://x.example/n1/", json.dumps(full).encode()) == (
        "https://x.example/n1/dsp/2025-1"
    )


def test_the_common_version_is_found_among_others(examples):
    edc = {
        "protocolVersions": [
            {"version": "v0.8", "path": "/", "binding": "HTTPS"},
            {"version": "2025-1", "path": "/2025-1", "binding": "HTTPS"},
        ]
    }
    assert base_url("https://e.example/protocol", json.dumps(edc).encode()) == (
        "https://e.example/protocol/2025-1"
    )
    later = {"protocolVersions": edc["protocolVersions"][1:]}  # an EDC 0.18 has no other
    assert base_url("https://e.example/protocol", json.dumps(later).encode()) == (
        "https://e.example/protocol/2025-1"
    )
    official = json.dumps(examples["protocol-version"]).encode()
    assert base_url("https://provider.com", official) == "https://provider.com/some/path/2025-1"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"protocolVersions": "2025-1"},
        {"protocolVersions": [7, {"version": "v0.8", "path": "/"}]},
        {"protocolVersions": [{"version": "2025-1", "path": "//evil.example/x"}]},
        {"protocolVersions": [{"version": "2025-1", "path": "https://evil.example"}]},
        {"protocolVersions": [{"version": "2025-1", "path": "/a/../../b"}]},
        {"protocolVersions": [{"version": "2025-1", "path": "/a@evil?x"}]},
        {"protocolVersions": [{"version": "2025-1", "path": "/x", "binding": "GRPC"}]},
        {"protocolVersions": [{"version": "2025-1"}]},
    ],
)
def test_without_a_common_version_we_stop(document):
    with pytest.raises(Problem, match="protocol-no-common-version"):
        base_url("https://x.example", json.dumps(document).encode())
