"""DID documents: ours as served, theirs as believed."""

import copy
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from catalog.proofs import encode_key
from connector.identity.did import MAX_BYTES, DidDocument
from policies.problem import Problem
from tests.connector.identity.conftest import Party


def parse(source: object, did: str) -> DidDocument:
    return DidDocument.parse(json.dumps(source).encode(), did)


@pytest.fixture
def source(alice: Party) -> dict[str, Any]:
    return copy.deepcopy(alice.source)


def test_our_document_lists_each_key_for_its_one_use(alice: Party):
    read = parse(alice.source, alice.did)
    token, assertion, log = (f"{alice.did}#{name}-1" for name in ("token", "assertion", "log"))
    assert {kid: key.relationships for kid, key in read.keys.items()} == {
        token: {"authentication", "capabilityInvocation"},
        assertion: {"assertionMethod"},
        log: set(),
    }
    assert read.assertion_key(assertion) == alice.keys.assertion_public
    assert read.key(log, None).algorithm == "EdDSA"
    key = read.key(token, "capabilityInvocation")
    assert isinstance(key.key, EllipticCurvePublicKey)
    assert key.key.public_numbers() == alice.keys.token_key.public_key().public_numbers()
    assert key.algorithm == "ES256"


def test_our_document_says_where_to_speak_to_us(alice: Party):
    read = alice.document
    assert read.root == "https://alice.example"
    assert read.service("DataService") == "https://alice.example/.well-known/dspace-version"
    assert read.service("CatalogService") == "https://alice.example/dsp/2025-1/catalog"
    with pytest.raises(Problem, match="identity-service-missing"):
        read.service("CredentialService")


def test_our_document_holds_nothing_private(alice: Party):
    text = json.dumps(alice.source)
    assert '"d"' not in text
    assert alice.keys.assertion_key.private_bytes_raw().hex() not in text


def test_a_document_is_believed_about_itself_only(alice: Party, bob: Party):
    with pytest.raises(Problem, match="identity-document-other"):
        parse(alice.source, bob.did)
    with pytest.raises(Problem, match="identity-document-other"):
        parse({**alice.source, "id": alice.did + "#x"}, alice.did)


def test_a_key_of_another_controller_or_name_cannot_be_used(source: dict[str, Any], alice: Party):
    kid = alice.kid
    source["verificationMethod"][0]["controller"] = "did:web:bob.example"
    with pytest.raises(Problem, match="identity-key-unsupported"):
        parse(source, alice.did).key(kid, "capabilityInvocation")
    source["verificationMethod"][0]["controller"] = alice.did
    source["verificationMethod"][0]["id"] = "did:web:bob.example#token-1"
    source["capabilityInvocation"] = ["did:web:bob.example#token-1"]
    with pytest.raises(Problem, match="identity-key-unsupported"):
        parse(source, alice.did).key("did:web:bob.example#token-1", "capabilityInvocation")


def test_relative_and_embedded_keys_are_understood(source: dict[str, Any], alice: Party):
    method = source["verificationMethod"].pop(0)
    method["id"] = "#token-1"
    source["capabilityInvocation"] = [method]
    source["authentication"] = ["#token-1"]
    read = parse(source, alice.did)
    assert read.key(alice.kid, "capabilityInvocation").relationships == {
        "authentication",
        "capabilityInvocation",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"alg": "ES384"},
        {"alg": "HS256"},
        {"crv": "secp256k1"},
        {"kty": "oct", "k": "AAAA"},
        {"x": "AAAA"},
        {"x": 5},
        {"y": None},
        {"x": "A" * 43, "y": "A" * 43},
        {"x": "é" * 43},
    ],
)
def test_a_jwk_that_may_not_verify_is_no_key(
    source: dict[str, Any], alice: Party, change: dict[str, object]
):
    source["verificationMethod"][0]["publicKeyJwk"].update(change)
    with pytest.raises(Problem, match="identity-key-unsupported"):
        parse(source, alice.did).key(alice.kid, "capabilityInvocation")


def test_padded_or_loose_coordinates_are_refused(source: dict[str, Any], alice: Party):
    jwk = source["verificationMethod"][0]["publicKeyJwk"]
    x = jwk["x"]
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    loose = x[:-1] + last[last.index(x[-1]) + 1]  # same bytes, unused bits set
    for spelling in (x + "=", loose, x[:10] + "\n" + x[10:]):
        jwk["x"] = spelling
        with pytest.raises(Problem, match="identity-key-unsupported"):
            parse(source, alice.did).key(alice.kid, None)


def test_an_okp_jwk_and_the_older_type_are_known(source: dict[str, Any], alice: Party):
    source["verificationMethod"][0].update(
        type="JsonWebKey2020",
        publicKeyJwk={
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        },
    )
    key = parse(source, alice.did).key(alice.kid, "capabilityInvocation")
    assert key.algorithm == "EdDSA"


def test_other_kinds_of_keys_are_remembered_but_not_used(source: dict[str, Any], alice: Party):
    method = source["verificationMethod"][0]
    changes: list[dict[str, Any]] = [
        {"type": "EcdsaSecp256k1VerificationKey2019"},
        {"type": "Multikey"},
        {"type": "Multikey", "publicKeyMultibase": "z6Mk"},
        {"publicKeyJwk": None},
        {"publicKeyJwk": []},
    ]
    for change in changes:
        changed = {**source, "verificationMethod": [{**method, **change}]}
        with pytest.raises(Problem, match="identity-key-unsupported"):
            parse(changed, alice.did).key(alice.kid, None)


def test_a_published_private_key_discredits_the_document(source: dict[str, Any], alice: Party):
    source["verificationMethod"][0]["publicKeyJwk"]["d"] = "AAAA"
    with pytest.raises(Problem, match="identity-document-private-key"):
        parse(source, alice.did)


def test_a_key_serves_only_the_purposes_it_is_listed_for(alice: Party):
    read = alice.document
    with pytest.raises(Problem, match="identity-key-relationship"):
        read.key(alice.kid, "assertionMethod")
    with pytest.raises(Problem, match="identity-key-relationship"):
        read.assertion_key(f"{alice.did}#log-1")
    with pytest.raises(Problem, match="identity-key-unknown"):
        read.key(f"{alice.did}#token-2", "capabilityInvocation")
    changed = {**alice.source, "assertionMethod": [alice.kid]}
    with pytest.raises(Problem, match="identity-key-unsupported"):
        parse(changed, alice.did).assertion_key(alice.kid)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("verificationMethod", {}),
        ("verificationMethod", ["x"]),
        ("verificationMethod", [{"type": "Multikey"}]),
        ("verificationMethod", [{"id": f"#k{n}"} for n in range(65)]),
        ("assertionMethod", "did:web:alice.example#assertion-1"),
        ("capabilityInvocation", [5]),
        ("service", {}),
        ("service", ["x"]),
    ],
)
def test_a_malformed_member_is_named(alice: Party, member: str, value: object):
    with pytest.raises(Problem) as caught:
        parse({**alice.source, member: value}, alice.did)
    assert (caught.value.code, caught.value.params["member"]) == (
        "identity-document-malformed",
        member,
    )


def test_two_keys_under_one_name_are_refused(source: dict[str, Any], alice: Party):
    source["verificationMethod"].append(
        {
            "id": "#token-1",
            "type": "Multikey",
            "controller": alice.did,
            "publicKeyMultibase": encode_key(alice.keys.log_public),
        }
    )
    with pytest.raises(Problem, match="identity-document-malformed"):
        parse(source, alice.did)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b'{"id":"did:web:alice.example","id":"did:web:alice.example"}',
        b'{"id":"did:web:alice.example","n":NaN}',
        b'{"id":"did:web:alice.example","n":"\\ud800"}',
        b'{"id":"did:web:alice.example","n":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"id":"did:web:alice.example","n":' + b"[" * 20 + b"]" * 20 + b"}",
        b'{"id":"did:web:alice.example"} x',
        b'\xef\xbb\xbf{"id":"did:web:alice.example"}',
    ],
)
def test_what_is_not_one_clean_json_object_is_refused(data: bytes):
    with pytest.raises(Problem, match="identity-document-malformed"):
        DidDocument.parse(data, "did:web:alice.example")


def test_a_document_beyond_the_limit_is_refused_unparsed():
    with pytest.raises(Problem, match="identity-document-size"):
        DidDocument.parse(b" " * (MAX_BYTES + 1), "did:web:alice.example")


def test_only_a_participants_own_addresses_may_be_called(alice: Party):
    read = alice.document
    read.check_address("https://alice.example/dsp/2025-1/callback/7")
    read.check_address("https://alice.example:443/anything")
    for url in (
        "https://alice.example:8443/dsp",
        "http://alice.example/dsp",
        "https://bob.example/dsp",
        "https://alice.example.evil.example/dsp",
        "https://127.0.0.1/dsp",
    ):
        with pytest.raises(Problem, match="identity-address-foreign"):
            read.check_address(url)
    for url in ("https://alice.example@evil.example/", "file:///etc/passwd", ""):
        with pytest.raises(Problem, match="identity-url-invalid"):
            read.check_address(url)


def test_a_participant_without_services_may_be_called_nowhere(alice: Party):
    silent = parse({**alice.source, "service": []}, alice.did)
    with pytest.raises(Problem, match="identity-address-foreign"):
        silent.check_address("https://alice.example/dsp")


def test_several_services_and_odd_endpoints_are_read(alice: Party):
    read = parse(
        {
            **alice.source,
            "service": [
                {"type": ["Other", "DataService"], "serviceEndpoint": "https://alice.example/v"},
                {"type": "DataService", "serviceEndpoint": "https://late.example/"},
                {"type": "Linked", "serviceEndpoint": {"origins": ["https://alice.example"]}},
                {"type": 5, "serviceEndpoint": "https://alice.example"},
            ],
        },
        alice.did,
    )
    assert dict(read.services) == {
        "Other": "https://alice.example/v",
        "DataService": "https://alice.example/v",
    }
