"""The facts' list of what PyJWT alone accepts though it must not (Wycheproof), on our verifier."""

import base64
import copy
from typing import Any

import pytest

from connector.identity import tokens
from connector.identity.did import DidDocument
from policies.problem import Problem
from tests.connector.identity.conftest import Party
from tests.support.clock import START


async def outcome(source: Any, token: str, alice: Party, bob: Party) -> str:
    document = DidDocument.of(source, alice.did)

    async def known(_: str) -> DidDocument:
        return document

    try:
        await tokens.verify(token, audience=bob.did, document_of=known, now=START)
    except Problem as problem:
        return problem.code
    return "accepted"


@pytest.mark.parametrize(
    ("member", "value"),
    [("use", "enc"), ("use", ""), ("key_ops", ["encrypt"]), ("key_ops", []), ("alg", "ES512")],
)
async def test_the_purpose_of_a_jwk_is_enforced(
    alice: Party, bob: Party, member: str, value: object
):
    token = tokens.mint(alice.keys.token_key, alice.did, alice.kid, bob.did, START, "j")
    source: Any = copy.deepcopy(alice.source)
    assert await outcome(source, token, alice, bob) == "accepted"
    source["verificationMethod"][0]["publicKeyJwk"][member] = value
    assert await outcome(source, token, alice, bob) == "identity-token-key-unsupported"


@pytest.mark.parametrize("segment", [0, 1, 2])
async def test_padding_is_refused_in_every_segment(alice: Party, bob: Party, segment: int):
    token = tokens.mint(alice.keys.token_key, alice.did, alice.kid, bob.did, START, "j")
    parts = token.split(".")
    parts[segment] += "=" * (-len(parts[segment]) % 4 or 4)
    base64.urlsafe_b64decode(parts[segment])  # fine for a lenient reader
    assert await outcome(alice.source, ".".join(parts), alice, bob) == "identity-token-malformed"
