"""Our members on the wire, and what a peer's JSON-LD processor may do to them."""

import json

import pytest

from connector.protocol.messages import Reference, extend, extension, reference
from policies.problem import Problem

NS = "https://w3id.org/preau/ns#"
DIGEST = "sha-256:" + "a" * 64
DOCUMENT = {"v": 1, "b": ["é", {"x": None}], "a": 1.5}


def test_a_document_travels_as_text():
    plain = {"@id": "urn:x"}
    wire = extend(plain, "application", DOCUMENT)
    assert wire[NS + "application"] == '{"a":1.5,"b":["é",{"x":null}],"v":1}'
    assert extension(wire, "application") == DOCUMENT
    assert plain == {"@id": "urn:x"}
    assert extension(wire, "proof") is None


def test_a_reference_travels_as_a_node():
    wire = extend({}, "signedDocument", Reference("https://d.example/v1", DIGEST))
    assert wire == {NS + "signedDocument": {"@id": "https://d.example/v1", NS + "digest": DIGEST}}
    found = reference(wire, "signedDocument")
    assert found == Reference("https://d.example/v1", DIGEST)
    assert found.document() == {"id": "https://d.example/v1", "digest": DIGEST}
    assert reference(wire, "offer") is None


@pytest.mark.parametrize(
    "wrap",
    [lambda x: x, lambda x: [x], lambda x: {"@value": x}, lambda x: [{"@value": x}]],
    ids=["plain", "array", "value", "array of value"],
)
def test_wrappings_of_processors_are_undone(wrap):
    wire = {NS + "proof": wrap(json.dumps(DOCUMENT)), NS + "offer": None}
    assert extension(wire, "proof") == DOCUMENT
    node = {"@id": "urn:d", NS + "digest": wrap(DIGEST)}
    for member in (node, [node]):
        assert reference({NS + "signedDocument": member}, "signedDocument") == Reference(
            "urn:d", DIGEST
        )


@pytest.mark.parametrize(
    "member",
    [7, {"a": 1}, ["{}", "{}"], "{", '{"a":1,"a":2}', '{"a":NaN}', "\ud800", [], {"@value": 7}],
)
def test_what_is_no_json_text_is_refused(member):
    with pytest.raises(Problem) as caught:
        extension({NS + "proof": member}, "proof")
    assert (caught.value.code, caught.value.params) == (
        "protocol-extension-invalid",
        {"name": "proof"},
    )


@pytest.mark.parametrize(
    "member",
    [
        "urn:d",
        {"@id": "urn:d"},
        {NS + "digest": DIGEST},
        {"@id": "urn:d", NS + "digest": "md5:00"},
        {"@id": "urn:d", NS + "digest": DIGEST.upper()},
        {"@id": "", NS + "digest": DIGEST},
        {"@id": 7, NS + "digest": DIGEST},
        [{"@id": "a", NS + "digest": DIGEST}, {"@id": "b", NS + "digest": DIGEST}],
    ],
)
def test_what_is_no_reference_is_refused(member):
    with pytest.raises(Problem, match="protocol-extension-invalid"):
        reference({NS + "offer": member}, "offer")


def test_our_members_survive_expansion_and_compaction(official):
    from pyld import jsonld

    folder = official("dsp-2025-1/context")
    terms = json.loads((folder / "dspace.jsonld").read_text())["@context"]
    name = "ContractAgreementVerificationMessage"
    context = {"@context": {key: terms[key] for key in ("@version", "dspace", name)}}
    wire = extend({}, "proof", DOCUMENT)
    wire = extend(wire, "signedDocument", Reference("https://d.example/v1", DIGEST))
    message = {
        **context,
        "@type": name,
        "providerPid": "urn:p",
        "consumerPid": "urn:c",
        **wire,
    }
    again = jsonld.compact(jsonld.expand(message), context)
    assert extension(again, "proof") == DOCUMENT
    assert reference(again, "signedDocument") == Reference("https://d.example/v1", DIGEST)
    expanded = jsonld.expand(message)[0]
    assert extension(expanded, "proof") == DOCUMENT
    assert reference(expanded, "signedDocument") == Reference("https://d.example/v1", DIGEST)
