"""Signals as they are read and written, without a node."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.protocol import messages, signaling
from connector.protocol.messages.address import EDC, HTTP
from connector.protocol.signaling import Form, jsonld, plain
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


def started_18(**changes: Any) -> dict[str, Any]:
    source = changes.pop("source", {"dataset": "https://n.example/datasets/x", "offer": "ni:///o"})
    made = control_plane.start_18("p", "a", consumer="lab", callback=CONTROL + "/", **source)
    return {**made, **changes}


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
    found = signaling.read(started())
    assert (found.process, found.agreement, found.consumer) == ("p", "a", "lab")
    assert (found.transfer_type, found.callback) == (signaling.PULL, CONTROL)
    assert (found.dataset, found.offer) == ("https://n.example/datasets/x", "ni:///o")


def test_a_start_of_0_17_means_the_same_and_is_answered_in_its_terms():
    linked, said = signaling.read(started()), signaling.read(control_plane.later(started()))
    assert linked.document() == said.document()
    assert linked.mark != said.mark
    t = flow(said.mark)
    assert signaling.form_of(t) is Form.JSONLD_2025
    made: Any = signaling.started(t, "https://n.example/data/p", "secret", "m")
    assert made["@context"]["dspace"] == "https://w3id.org/dspace/2025/1/"
    assert control_plane.address(made)["authorization"] == "secret"


def test_a_start_in_plain_json_means_the_same():
    linked, said = signaling.read(started()), signaling.read(started_18())
    same = ("process", "agreement", "consumer", "transfer_type", "callback", "dataset", "offer")
    assert [getattr(linked, name) for name in same] == [getattr(said, name) for name in same]
    assert (linked.message, said.message is None) == (None, False)
    assert linked.mark != said.mark
    forms = [signaling.form_of(flow(one.mark)) for one in (linked, said)]
    assert forms == [Form.JSONLD, Form.PLAIN]


def test_what_json_ld_has_no_word_for_is_not_among_what_is_kept_of_it():
    """So that a flow which began under an earlier version can be resumed under this one."""
    assert set(signaling.read(started()).document()) == {
        *("@type", "process", "agreement", "asset", "consumer"),
        *("transfer_type", "callback", "source"),
    }


@pytest.mark.parametrize("form", ["json-ld", "plain"])
def test_of_a_sink_only_its_place_is_kept(form: str):
    sink = {**control_plane.SINK, "baseUrl": "https://sink.example/rows?sig=query-secret"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control_plane, "SINK", sink)
        address = control_plane.sink_18()
        pushed = {"transferType": "HttpData-PUSH", "dataAddress": address}
        plain_start = {**started_18(), **pushed}
        made = control_plane.pushed(started()) if form == "json-ld" else plain_start
    found = signaling.read(made)
    assert found.sink is not None
    assert signaling.url_of(found.sink) == sink["baseUrl"]
    assert found.document()["sink"] == "https://sink.example/rows"
    assert "secret" not in str(found.document()) + repr(found)


def test_without_a_dataset_in_its_address_the_asset_is_meant():
    found = signaling.read(started(source={"note": "x"}))
    assert (found.dataset, found.offer) == ("traces", None)


def test_one_property_may_stand_without_its_array():
    made = started(source={"dataset": "one"})
    address = made["sourceDataAddress"]
    address["dspace:endpointProperties"] = address["dspace:endpointProperties"][0]
    assert signaling.read(made).dataset == "one"


@pytest.mark.parametrize("name", ["..", "a/b", "a b", "%2e", "é", "x" * 201, ""])
@pytest.mark.parametrize("member", ["processId", "agreementId", "messageId"])
def test_an_id_that_could_lead_elsewhere_is_refused(member: str, name: str):
    for made in (started_18(),) if member == "messageId" else (started(), started_18()):
        with pytest.raises(Problem):
            signaling.read({**made, member: name})


@given(st.sampled_from([started(), started_18()]), st.data(), JSON)
def test_whatever_stands_in_a_member_is_read_or_refused(
    made: dict[str, Any], data: st.DataObject, value: Any
):
    member = data.draw(st.sampled_from(sorted({*made, "profile", "dataAddress", "@context"})))
    try:
        found = signaling.read({**made, member: value})
    except Problem:
        return
    assert found.document()["@type"] == "DataFlowStartMessage"


@given(st.dictionaries(st.sampled_from(sorted({*started(), *started_18()})), JSON))
def test_no_object_is_read_that_lacks_what_a_start_needs(members: dict[str, Any]):
    with pytest.raises(Problem):
        signaling.read(members)


def test_the_answer_is_spelled_as_that_edc_reads_it():
    made = jsonld.started("https://n.example/data/p", "secret", Form.JSONLD)
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


@pytest.mark.parametrize(
    ("message", "last", "state"),
    [
        (messages.TransferTermination(**PIDS, id="m", reasons=("a", "b")), "errored", "TERMINATED"),
        (messages.TransferCompletion(**PIDS, id="m"), "completed", "COMPLETED"),
        (messages.TransferSuspension(**PIDS, id="m"), None, None),
        (messages.TransferStart(**PIDS, id="m"), None, None),
    ],
)
def test_what_a_message_becomes_in_plain_json(
    message: messages.Message, last: str | None, state: str | None
):
    made = signaling.signal(flow(signaling.read(started_18()).mark), message)
    assert made is not None
    assert made.path == (None if last is None else f"/transfers/p/dataflow/{last}")
    error = {"error": "a b"} if last == "errored" else {}
    said = {"messageId": "m", "dataFlowId": "p", "state": state, **error}
    assert made.body == (None if last is None else said)


def test_the_address_stands_in_both_spellings_and_is_no_part_of_a_status():
    t = flow(signaling.read(started_18()).mark)
    made = signaling.started(t, "https://n.example/data/p", "secret", "m")
    given = control_plane.address_18(made)
    assert (given["type"], given["endpoint"]) == (HTTP, "https://n.example/data/p")
    assert given["authorization"] == given[EDC + "authorization"] == "secret"
    assert plain.status(t) == {"dataFlowId": "p", "state": "STARTED"}


def test_a_transfer_without_a_control_plane_has_no_signals():
    assert signaling.signal(flow(None), messages.TransferCompletion(**PIDS)) is None


def test_the_address_of_a_start_is_not_among_what_is_kept():
    address = messages.DataAddress.pull("https://n.example/data/p", "secret")
    made = signaling.signal(flow(), messages.TransferStart(**PIDS, address=address))
    assert made is not None
    assert "secret" not in str(made)
