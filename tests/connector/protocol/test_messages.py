"""Every message: valid against the official schemas, read back equal, the official examples."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.protocol import messages as m
from connector.protocol.errors import error_document, status_of
from connector.protocol.messages import DataAddress, Terms, extend, parse
from connector.protocol.negotiation import State
from connector.protocol.transfer import State as TransferState
from policies.evaluate import Request, decide
from policies.problem import Problem
from policies.vocabulary import ODRL

PIDS: Any = {"provider_pid": "urn:uuid:p", "consumer_pid": "urn:uuid:c"}
CALLBACK = "https://lab.example/dsp/2025-1"
ADDRESS = DataAddress.pull("https://mooc.example/data/1", "token", "salt")
CONSTRAINT = {
    "leftOperand": "odrl:purpose",
    "operator": "eq",
    "rightOperand": {"@id": "https://w3id.org/preau/ns#EducationResearch"},
}
OFFER: Any = {
    "@id": "urn:offer:1",
    "@type": "Offer",
    "target": "urn:dataset",
    "assigner": "did:web:mooc.example",
    "permission": [{"action": "odrl:use", "constraint": [CONSTRAINT]}],
}
AGREEMENT = {
    **OFFER,
    "@id": "urn:uuid:a",
    "@type": "Agreement",
    "assignee": "did:web:lab.example",
    "timestamp": "2026-09-01T08:00:00Z",
}


WHY: Any = {"code": "policy-refused", "reasons": ("No.", "Non.")}
CN, TP = "negotiation/contract-", "transfer/transfer-"
Samples = list[tuple[str, m.Message]]


def samples() -> Samples:
    """(schema, message) of every message and form that this room can write."""
    return [
        ("catalog/catalog-request-message", m.CatalogRequest()),
        ("catalog/catalog-request-message", m.CatalogRequest(filter=({"x": 1},))),
        ("catalog/dataset-request-message", m.DatasetRequest(dataset="urn:dataset")),
        *_opening(),
        *_concluding(),
        *_asking(),
        *_running(),
    ]


def _opening() -> Samples:
    offer = Terms.read(OFFER, kind="Offer")
    signed = extend({}, "application", {"v": 1, "purpose": "x"})
    first: Any = {"offer": offer, "callback": CALLBACK}
    return [
        (
            CN + "request-message",
            m.ContractRequest(consumer_pid="urn:c", **first, extensions=signed, id="urn:m"),
        ),
        (CN + "request-message", m.ContractRequest(**PIDS, offer=offer)),
        (CN + "offer-message", m.ContractOffer(provider_pid="urn:p", **first)),
        (CN + "offer-message", m.ContractOffer(**PIDS, offer=offer)),
    ]


def _concluding() -> Samples:
    named = m.Reference("https://d.example/v1", "sha-256:" + "0" * 64)
    agreed = Terms.read(extend(AGREEMENT, "signedDocument", named), kind="Agreement")
    proof = extend({}, "proof", {"v": 1})
    events = [m.ContractNegotiationEvent(**PIDS, event=event) for event in m.Event]
    states = [m.ContractNegotiation(**PIDS, state=state) for state in State if state != "NEW"]
    return [
        (CN + "agreement-message", m.ContractAgreement(**PIDS, agreement=agreed)),
        (
            CN + "agreement-verification-message",
            m.ContractAgreementVerification(**PIDS, extensions=proof),
        ),
        *[(CN + "negotiation-event-message", event) for event in events],
        (CN + "negotiation-termination-message", m.ContractNegotiationTermination(**PIDS, **WHY)),
        (CN + "negotiation-termination-message", m.ContractNegotiationTermination(**PIDS)),
        *[(CN + "negotiation", state) for state in states],
    ]


def _asking() -> Samples:
    request: Any = {"consumer_pid": "urn:c", "agreement": "urn:uuid:a", "callback": CALLBACK}
    sink = DataAddress(endpoint_type="HttpData", endpoint="https://sink.example")
    return [
        (TP + "request-message", m.TransferRequest(**request, format="HttpData-PULL")),
        (
            TP + "request-message",
            m.TransferRequest(**request, format="HttpData-PUSH", address=sink),
        ),
    ]


def _running() -> Samples:
    states = [m.TransferProcess(**PIDS, state=state) for state in TransferState if state != "NEW"]
    return [
        (TP + "start-message", m.TransferStart(**PIDS, address=ADDRESS)),
        (TP + "start-message", m.TransferStart(**PIDS)),
        (TP + "suspension-message", m.TransferSuspension(**PIDS, **WHY)),
        (TP + "suspension-message", m.TransferSuspension(**PIDS)),
        (TP + "completion-message", m.TransferCompletion(**PIDS)),
        (TP + "termination-message", m.TransferTermination(**PIDS, **WHY)),
        *[(TP + "process", state) for state in states],
    ]


@pytest.mark.parametrize(("schema", "message"), samples())
def test_every_message_we_write_is_valid(schemas, schema, message):
    schemas(schema, message.wire())


@pytest.mark.parametrize(("schema", "message"), samples())
def test_every_message_is_read_back_equal(schema, message):
    body = json.dumps(message.wire()).encode()
    assert parse(body, type(message)) == message


def test_no_message_is_forgotten():
    named = {value for value in vars(m).values() if isinstance(value, type)}
    concrete = {kind for kind in named if issubclass(kind, m.Message) and kind is not m.Message}
    assert concrete == {type(message) for _schema, message in samples()}


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ("catalog/catalog-error", "catalog"),
        ("negotiation/contract-negotiation-error", "negotiation"),
        ("transfer/transfer-error", "transfer"),
    ],
)
def test_every_error_object_is_valid(schemas, schema, kind):
    for code in ("protocol-illegal-act", "protocol-not-found", "protocol-internal"):
        schemas(schema, error_document(kind, Problem(code, act="x", by="y", state="z")))
        schemas(schema, error_document(kind, Problem(code), "urn:p", "urn:c"))


# ------------------------------------------------------------------ the official examples

READ: dict[str, type[m.Message]] = {
    "catalog-request-message": m.CatalogRequest,
    "dataset-request-message": m.DatasetRequest,
    "contract-agreement-message": m.ContractAgreement,
    "contract-offer-message": m.ContractOffer,
    "contract-request-message": m.ContractRequest,
    "contract-agreement-verification-message": m.ContractAgreementVerification,
    "contract-negotiation-event-message": m.ContractNegotiationEvent,
    "contract-negotiation-termination-message": m.ContractNegotiationTermination,
    "contract-negotiation": m.ContractNegotiation,
    "contract-offer-message_initial": m.ContractOffer,
    "contract-request-message_initial": m.ContractRequest,
    "transfer-completion-message": m.TransferCompletion,
    "transfer-process": m.TransferProcess,
    "transfer-request-message": m.TransferRequest,
    "transfer-start-message": m.TransferStart,
    "transfer-suspension-message": m.TransferSuspension,
    "transfer-termination-message": m.TransferTermination,
}
# The full example speaks of `partner` and `constraint1`: bare words that no vocabulary defines.
# Nobody could evaluate them, and an agreement nobody can evaluate is refused at the door.
UNDEFINED = "contract-agreement-message-full"
# Read elsewhere: answers of the catalog (package `catalog`), DID services, the version document.
ELSEWHERE = {
    "catalog",
    "nested-catalog",
    "dataset",
    "catalogservice-did-service",
    "dataservice-did-service",
    "protocol-version",
    "catalog-error",
    "contract-negotiation-error",
    "transfer-error",
}


def test_every_official_example_has_its_place(examples):
    assert examples.keys() == READ.keys() | {UNDEFINED} | ELSEWHERE


@pytest.mark.parametrize("name", READ)
def test_official_examples_are_read_and_written_back(examples, name):
    message = m.read(examples[name], READ[name])
    expected: dict[str, Any] = dict(examples[name])
    if expected.get("filter") == []:
        del expected["filter"]
    assert message.wire() == expected


def test_the_official_example_with_words_nobody_defines_is_read_and_never_permits(examples):
    agreement = m.read(examples[UNDEFINED], m.ContractAgreement).agreement
    request = Request(ODRL + "use", agreement.target, agreement.assignee)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert not decide(agreement.policy, request, {}, now, "negotiation").permitted


@pytest.mark.parametrize("name", ["catalog-error", "contract-negotiation-error", "transfer-error"])
def test_official_errors_are_understood(examples, name):
    found = m.read_error(json.dumps(examples[name]).encode())
    assert found.type == examples[name]["@type"]
    assert (found.code, found.reasons) == (examples[name]["code"], tuple(examples[name]["reason"]))


# ------------------------------------------------------------------ policies keep their form


def test_a_policy_keeps_its_order_and_spelling_beside_its_meaning():
    rules = [{"action": "odrl:distribute"}, {"constraint": [], "action": "use"}]
    offer = {"permission": rules, "target": "urn:d", "@type": "Offer", "@id": "urn:o"}
    body = json.dumps({**header("ContractRequestMessage"), "consumerPid": "urn:c",
                       "callbackAddress": CALLBACK, "offer": offer}).encode()  # fmt: skip
    message = parse(body, m.ContractRequest)
    assert json.dumps(message.wire()["offer"]) == json.dumps(offer)
    actions = [rule.action.rpartition("/")[2] for rule in message.offer.policy.permissions]
    assert actions == ["distribute", "use"]
    assert (message.offer.id, message.offer.target) == ("urn:o", "urn:d")
    assert (message.offer.assigner, message.offer.assignee) == (None, None)


def test_our_members_of_an_agreement_are_kept():
    wire = extend({**AGREEMENT}, "proof", {"type": "DataIntegrityProof"})
    message = m.ContractAgreement(**PIDS, agreement=Terms.read(wire, kind="Agreement"))
    again = parse(json.dumps(message.wire()).encode(), m.ContractAgreement)
    assert m.extension(again.agreement.wire, "proof") == {"type": "DataIntegrityProof"}
    assert again.agreement.assignee == "did:web:lab.example"


def header(kind: str, **members: Any) -> dict[str, Any]:
    return {
        "@context": ["https://w3id.org/dspace/2025/1/context.jsonld"],
        "@type": kind,
        **members,
    }


# ------------------------------------------------------------------ habits of peers


def test_habits_of_peers_are_accepted():
    wire = header(
        "dspace:ContractNegotiationTerminationMessage",
        providerPid="p",
        consumerPid="c",
        code=409,
        reason="Counter Party\nresponded",
        extra={"any": ["thing"]},
    )
    wire["@context"] = "https://w3id.org/dspace/2025/1/context.jsonld"
    found = m.read(wire, m.ContractNegotiationTermination)
    assert (found.code, found.reasons) == ("409", ("Counter Party responded",))
    wire["reason"] = [{"@value": "x", "@language": "en"}, 7, None, "", "y" * 5000]
    assert m.read(wire, m.ContractNegotiationTermination).reasons == ("x", "y" * 2048)
    wire["code"] = True
    wire["reason"] = {"@value": "alone"}
    found = m.read(wire, m.ContractNegotiationTermination)
    assert (found.code, found.reasons) == (None, ("alone",))


@pytest.mark.parametrize("prefix", ["", "dspace:", "https://w3id.org/dspace/2025/1/"])
def test_words_of_the_protocol_may_be_prefixed(prefix):
    pids = {"providerPid": "p", "consumerPid": "c"}
    event = header(
        prefix + "ContractNegotiationEventMessage", **pids, eventType=prefix + "FINALIZED"
    )
    assert m.read(event, m.ContractNegotiationEvent).event is m.Event.FINALIZED
    state = header(prefix + "ContractNegotiation", **pids, state=prefix + "AGREED")
    assert m.read(state, m.ContractNegotiation).state is State.AGREED


def test_a_slash_after_the_callback_is_dropped():
    wire = {**header("TransferRequestMessage"), "consumerPid": "c", "agreementId": "a",
            "format": "f", "callbackAddress": "https://x.example/dsp/"}  # fmt: skip
    assert m.read(wire, m.TransferRequest).callback == "https://x.example/dsp"


def test_a_foreign_context_beside_the_protocols_is_accepted():
    wire = header("TransferCompletionMessage", providerPid="p", consumerPid="c")
    wire["@context"] += ["https://w3id.org/edc/dspace/v0.0.1"]
    wire["@id"] = "urn:uuid:m"
    assert m.read(wire, m.TransferCompletion).id == "urn:uuid:m"
    wire["@id"] = {"strange": 1}
    assert m.read(wire, m.TransferCompletion).id is None


def test_a_consumer_that_filters_with_one_object_is_understood():
    query = {"@type": "QuerySpec", "limit": 2}
    assert m.read(header("CatalogRequestMessage", filter=query), m.CatalogRequest).filter == (
        query,
    )
    assert m.read(header("CatalogRequestMessage", filter=[query]), m.CatalogRequest).filter == (
        query,
    )


# ------------------------------------------------------------------ what is refused, and where

BASE = header("ContractRequestMessage", consumerPid="urn:c", callbackAddress=CALLBACK, offer=OFFER)


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"@context": None}, "protocol-context-missing", None),
        ({"@context": ["https://w3id.org/other"]}, "protocol-context-missing", None),
        ({"@context": [*BASE["@context"], {"@vocab": "x"}]}, "protocol-context-inline", None),
        ({"@context": BASE["@context"] * 17}, "protocol-context-inline", None),
        ({"@type": "ContractOfferMessage"}, "protocol-type-unexpected", None),
        ({"@type": ["ContractRequestMessage"]}, "protocol-type-unexpected", None),
        ({"@type": None}, "protocol-type-unexpected", None),
        ({"consumerPid": None}, "protocol-member-missing", "/consumerPid"),
        ({"consumerPid": 7}, "protocol-not-text", "/consumerPid"),
        ({"consumerPid": ""}, "protocol-not-text", "/consumerPid"),
        ({"consumerPid": "x" * 2049}, "protocol-not-text", "/consumerPid"),
        ({"consumerPid": "a\nb"}, "protocol-not-text", "/consumerPid"),
        ({"consumerPid": {"@id": "urn:c"}}, "protocol-not-text", "/consumerPid"),
        ({"callbackAddress": None}, "protocol-first-or-later", None),
        ({"providerPid": "urn:p"}, "protocol-first-or-later", None),
        ({"offer": None}, "protocol-member-missing", "/offer"),
        ({"offer": "urn:offer"}, "protocol-not-object", "/offer"),
        ({"offer": {**OFFER, "@id": None}}, "protocol-member-missing", "/offer/@id"),
        ({"offer": {**OFFER, "target": None}}, "protocol-member-missing", "/offer/target"),
        ({"offer": {**OFFER, "target": "x" * 2049}}, "protocol-not-text", "/offer/target"),
        ({"offer": {**OFFER, "@type": "Agreement"}}, "protocol-type-unexpected", None),
        ({"offer": {**OFFER, "permission": []}}, "policy-no-rule", None),
    ],
)  # fmt: skip
def test_broken_messages_are_refused_with_their_place(changes, code, where):
    wire = {key: value for key, value in {**BASE, **changes}.items() if value is not None}
    wire = json.loads(json.dumps(wire))
    if isinstance(wire.get("offer"), dict):
        wire["offer"] = {key: value for key, value in wire["offer"].items() if value is not None}
    with pytest.raises(Problem) as caught:
        m.read(wire, m.ContractRequest)
    assert caught.value.code == code
    assert where is None or caught.value.params["where"] == where
    assert status_of(caught.value) == 400


@pytest.mark.parametrize(
    "address",
    [
        "ftp://x.example",
        "x.example/dsp",
        "https://",
        "https:///path",
        "https://user:secret@x.example",
        "https://user@x.example",
        "https://x.example/?q=1",
        "https://x.example/#f",
        "https://x.example/a b",
        "https://[::1",
        "https://x.example:99999",
        "https://x.example:0",
        "javascript:alert(1)",
        "",
        7,
        ["https://x.example"],
    ],
)
def test_callbacks_that_are_no_plain_address_are_refused(address):
    with pytest.raises(Problem) as caught:
        m.read({**BASE, "callbackAddress": address}, m.ContractRequest)
    assert caught.value.code in ("protocol-not-url", "protocol-not-text")
    assert caught.value.params["where"] == "/callbackAddress"


@pytest.mark.parametrize("name", ["target", "assigner", "assignee"])
def test_an_agreement_names_dataset_and_parties(name):
    wire = {key: value for key, value in AGREEMENT.items() if key != name}
    with pytest.raises(Problem) as caught:
        Terms.read(wire, kind="Agreement", where="/agreement")
    assert caught.value.params == {"where": f"/agreement/{name}"}


@pytest.mark.parametrize("state", ["NEW", "DONE", "dspace:NEW", "requested"])
def test_unknown_states_are_refused(state):
    wire = header("ContractNegotiation", providerPid="p", consumerPid="c", state=state)
    with pytest.raises(Problem) as caught:
        m.read(wire, m.ContractNegotiation)
    assert caught.value.code == "protocol-not-one-of"
    assert "NEW" not in str(caught.value.params["allowed"])


# ------------------------------------------------------------------ refusals of peers


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (None, None, ())),
        (b"<html>no</html>", (None, None, ())),
        (b"[]", (None, None, ())),
        (b"\xff", (None, None, ())),
        (b'{"@type":"ContractNegotiationError","code":"409","reason":["no"]}',
         ("ContractNegotiationError", "409", ("no",))),
        (b'{"@type":"dspace:TransferError","code":400,"reason":"no"}',
         ("TransferError", "400", ("no",))),
        (b'{"message":"boom","status":500}', (None, None, ())),
    ],
)  # fmt: skip
def test_any_refusal_can_be_read(body, expected):
    found = m.read_error(body)
    assert (found.type, found.code, found.reasons) == expected


@pytest.mark.parametrize("name", ["consumerPid", "agreementId", "format", "callbackAddress"])
def test_a_request_for_data_that_lacks_a_member_is_refused_by_its_name(name: str):
    whole = m.TransferRequest(
        consumer_pid="urn:uuid:c", agreement="urn:uuid:a", format="X-PULL", callback=CALLBACK
    ).wire()
    for missing in (
        {key: value for key, value in whole.items() if key != name},
        {**whole, name: None},
    ):
        with pytest.raises(Problem) as caught:
            m.read(missing, m.TransferRequest)
        assert caught.value.code in {"protocol-member-missing", "protocol-not-text"}
        assert name in str(caught.value.params["where"])
