"""Signals as they are read and written, without a node."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.protocol import messages, signaling
from connector.protocol.signaling import FlowStart
from connector.protocol.transfer import Role, State, Transfer
from policies.problem import Problem
from tests.peers import control_plane

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CONTROL = "http://edc.example/control"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4)
    ),
    max_leaves=20,
)


def started(**changes: Any) -> dict[str, Any]:
    source = changes.pop("source", {"dataset": "https://n.example/datasets/x", "offer": "ni:///o"})
    made = control_plane.start("p", "a", consumer="lab", callback=CONTROL + "/", **source)
    return {**made, **changes}


def flow(control: str | None = "sha-256:0") -> Transfer:
    return Transfer(
        pid="p",
        role=Role.PROVIDER,
        peer="lab",
        peer_pid="p",
        callback=CONTROL,
        state=State.STARTED,
        agreement="urn:uuid:a",
        format=signaling.PULL,
        control=control,
        created=NOW,
        updated=NOW,
    )


def test_a_start_as_an_edc_sends_it():
    found = FlowStart.read(started())
    assert (found.process, found.agreement, found.consumer) == ("p", "a", "lab")
    assert (found.transfer_type, found.callback) == (signaling.PULL, CONTROL)
    assert (found.dataset, found.offer) == ("https://n.example/datasets/x", "ni:///o")


def test_without_a_dataset_in_its_address_the_asset_is_meant():
    found = FlowStart.read(started(source={"note": "x"}))
    assert (found.dataset, found.offer) == ("traces", None)


def test_one_property_may_stand_without_its_array():
    made = started(source={"dataset": "one"})
    address = made["sourceDataAddress"]
    address["dspace:endpointProperties"] = address["dspace:endpointProperties"][0]
    assert FlowStart.read(made).dataset == "one"


@pytest.mark.parametrize("name", ["..", "a/b", "a b", "%2e", "é", "x" * 201, ""])
@pytest.mark.parametrize("member", ["processId", "agreementId"])
def test_an_id_that_could_lead_elsewhere_is_refused(member: str, name: str):
    with pytest.raises(Problem):
        FlowStart.read(started(**{member: name}))


@given(st.sampled_from(sorted(started())), JSON)
def test_whatever_stands_in_a_member_is_read_or_refused(member: str, value: Any):
    try:
        found = FlowStart.read({**started(), member: value})
    except Problem:
        return
    assert found.document()["@type"] == "DataFlowStartMessage"


@given(st.dictionaries(st.sampled_from(sorted(started())), JSON))
def test_no_object_is_read_that_lacks_what_a_start_needs(members: dict[str, Any]):
    with pytest.raises(Problem):
        FlowStart.read(members)


def test_the_answer_is_spelled_as_that_edc_reads_it():
    made = signaling.started("https://n.example/data/p", "secret")
    found = control_plane.address(made)
    assert found == {
        "endpoint": "https://n.example/data/p",
        "endpointType": "https://w3id.org/idsa/v4.1/HTTP",
        "authorization": "secret",
        "authType": "bearer",
    }


PIDS: dict[str, Any] = {"provider_pid": "p", "consumer_pid": "p"}


@pytest.mark.parametrize(
    ("message", "kind", "path"),
    [
        (messages.TransferTermination(**PIDS, reasons=("a", "b")), "DataFlowFailed", "fail"),
        (messages.TransferTermination(**PIDS), "DataFlowFailed", "fail"),
        (messages.TransferCompletion(**PIDS), "DataFlowCompleted", "complete"),
        (messages.TransferSuspension(**PIDS), "DataFlowSuspended", None),
        (messages.TransferStart(**PIDS), "DataFlowStarted", None),
    ],
)
def test_what_a_message_becomes(message: messages.Message, kind: str, path: str | None):
    made = signaling.signal(flow(), message)
    assert made is not None
    assert made.kept["@type"] == kind
    assert made.path == (None if path is None else f"/transferprocess/p/{path}")
    if path == "fail":
        assert made.body is not None
        assert str(made.body["errorMessage"])


def test_a_transfer_without_a_control_plane_has_no_signals():
    assert signaling.signal(flow(None), messages.TransferCompletion(**PIDS)) is None


def test_the_address_of_a_start_is_not_among_what_is_kept():
    address = messages.DataAddress.pull("https://n.example/data/p", "secret")
    made = signaling.signal(flow(), messages.TransferStart(**PIDS, address=address))
    assert made is not None
    assert "secret" not in str(made)
