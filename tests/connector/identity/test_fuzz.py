"""Whatever comes in, a Problem comes out: no other exception leaves this room."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.identity import did_web, snapshot, tokens
from connector.identity.did import DidDocument
from policies.problem import Problem
from tests.support.clock import START

DID = "did:web:alice.example"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
METHODS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from([DID + "#a", "#a", "#b", "x"]) | SCALARS,
        "type": st.sampled_from(["JsonWebKey", "Multikey"]) | SCALARS,
        "controller": st.just(DID) | SCALARS,
        "publicKeyJwk": st.fixed_dictionaries(
            {"kty": st.sampled_from(["EC", "OKP"]), "crv": st.sampled_from(["P-256", "Ed25519"])},
            optional={"x": st.text() | VALUES, "y": VALUES, "use": VALUES, "key_ops": VALUES},
        )
        | VALUES,
        "publicKeyMultibase": st.text() | VALUES,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"id": st.just(DID)},
    optional={
        "verificationMethod": st.lists(METHODS | VALUES, max_size=3) | VALUES,
        "capabilityInvocation": st.lists(METHODS | st.just("#a") | VALUES, max_size=3) | VALUES,
        "service": st.lists(VALUES, max_size=3) | VALUES,
    },
)
CLAIMS = st.fixed_dictionaries(
    {"iss": st.just(DID), "sub": st.just(DID), "aud": st.just("did:web:bob.example")},
    optional={"jti": VALUES, "iat": VALUES, "exp": VALUES, "nbf": VALUES, "token": VALUES},
)
HEADERS = st.fixed_dictionaries(
    {"typ": st.just("JWT"), "alg": st.sampled_from(["ES256", "EdDSA"])},
    optional={"kid": st.just(DID + "#a") | VALUES},
)


async def nobody(did: str) -> DidDocument:
    return DidDocument(did, {}, {}, {})


def verify(token: str) -> None:
    # Driven by hand: nothing in it waits, and an event loop for each example would.
    step = tokens.verify(token, audience="did:web:bob.example", document_of=nobody, now=START)
    with pytest.raises(Problem) as caught:
        step.send(None)
    assert caught.value.kind == "unauthenticated"


@given(st.text(max_size=200) | st.from_regex(r"[\w-]*\.[\w-]*\.[\w-]*", fullmatch=True))
def test_any_text_as_a_token(text: str):
    verify(text)


@given(HEADERS, CLAIMS)
def test_any_claims_in_a_token(header: dict[str, Any], claims: dict[str, Any]):
    encoded = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in (header, claims)
    )
    verify(".".join([*encoded, "AAAA"]))


@given(DOCUMENTS)
def test_any_members_in_a_document(source: dict[str, Any]):
    with suppress(Problem):
        document = DidDocument.parse(json.dumps(source).encode(), DID)
        for kid in document.keys:
            with suppress(Problem):
                document.key(kid, None)
        snapshot.read(snapshot.take(document).content)


@given(st.binary(max_size=300))
def test_any_bytes_as_a_document(data: bytes):
    with suppress(Problem):
        DidDocument.parse(data, DID)
    with suppress(Problem):
        snapshot.read(data)


@given(
    st.text(max_size=80) | st.text("did:webloahst.%3A/#@[]0", max_size=60).map("did:web:".__add__)
)
def test_any_text_as_a_name_or_an_address(text: str):
    for read in (did_web.read, did_web.from_url, did_web.origin):
        with suppress(Problem):
            read(text)
