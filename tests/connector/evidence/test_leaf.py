"""Leaves: one spelling, commitments that bind, and nothing in the bytes that says who."""

import hashlib
import hmac

import pytest

from connector.evidence import bodies, leaf
from connector.evidence.leaf import Entry, Salts
from policies.jcs import digest, jcs
from policies.problem import Problem
from tests.support.clock import START

AGREEMENT = "urn:uuid:0b9d6f1e-7a3f-8a27-9c39-0d3c1f1f3b11"
SALTS = Salts(b"a" * 32, b"s" * 32, b"p" * 32)
BODY = {"part": 1, "rows": 12}
OURS = {"withheld": 3}


def made(**entry) -> leaf.Leaf:
    given = {"type": "part", "agreement": AGREEMENT, "shared": BODY, "private": OURS} | entry
    number = None if given["shared"] is None else 1
    return leaf.make(Entry(**given), START, number, SALTS)


def test_the_bytes_of_a_leaf():
    committed = hashlib.sha256(b"a" * 32 + AGREEMENT.encode()).hexdigest()
    shared = hashlib.sha256(b"s" * 32 + b'{"part":1,"rows":12}').hexdigest()
    private = hmac.new(b"p" * 32, b'{"withheld":3}', "sha256").hexdigest()
    expected = (
        f'{{"agreement":"sha-256:{committed}","n":1,"private":"hmac-sha-256:{private}",'
        f'"shared":"sha-256:{shared}","time":"2026-09-01T08:00:00Z","type":"part","v":1}}'
    )
    assert made().bytes() == expected.encode()
    assert AGREEMENT.encode() not in made().bytes()


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"private": None},
        {"shared": None},
        {"agreement": None},
        {"type": "config", "agreement": None, "shared": None},
    ],
)
def test_a_leaf_goes_there_and_back(entry):
    found = made(**entry)
    assert leaf.read(found.bytes()) == found


def test_what_may_be_shown_is_numbered_and_nothing_else():
    assert made(shared=None).n is None
    with pytest.raises(ValueError, match="numbered"):
        leaf.make(Entry("part", AGREEMENT, shared=BODY), START, None, SALTS)


def test_entries_that_are_none_are_refused():
    with pytest.raises(ValueError, match="unknown leaf type"):
        made(type="gossip")
    with pytest.raises(ValueError, match="salt"):
        leaf.make(Entry("part", AGREEMENT, BODY), START, 1, Salts(None, b"s" * 32, None))


NO_LEAVES = {
    "empty": lambda data: b"",
    "list": lambda data: b"[]",
    "space": lambda data: b" " + data,
    "version": lambda data: data.replace(b'"v":1', b'"v":2'),
    "member": lambda data: data.replace(b'"v":1', b'"v":1,"x":1'),
    "zero": lambda data: data.replace(b'"n":1', b'"n":0'),
    "boolean": lambda data: data.replace(b'"n":1', b'"n":true'),
    "unnumbered": lambda data: data.replace(b'"n":1', b'"n":null'),
    "float": lambda data: data.replace(b'"n":1', b'"n":1.0'),
    "type": lambda data: data.replace(b'"part"', b'"gossip"'),
    "offset": lambda data: data.replace(b"08:00:00Z", b"08:00:00+00:00"),
    "hour": lambda data: data.replace(b"08:00:00Z", b"25:00:00Z"),
    "hash": lambda data: data.replace(b"sha-256", b"sha-512"),
    "cut": lambda data: data[:-1],
    "deep": lambda data: b"[" * 3000,
    "long": lambda data: b" " * 5000,
}


@pytest.mark.parametrize("change", NO_LEAVES.values(), ids=NO_LEAVES)
def test_other_bytes_are_no_leaf(change):
    with pytest.raises(Problem, match="leaf-malformed"):
        leaf.read(change(made().bytes()))


def test_messages_are_named_without_the_token_they_bear():
    wire = {"@type": "TransferStartMessage", "providerPid": "urn:uuid:1"}
    secret = {**wire, "dataAddress": {"endpointProperties": [{"value": "token"}]}}
    assert leaf.message_digest(secret) == leaf.message_digest(wire) == digest(wire)
    assert leaf.without_secrets(secret) == wire
    body = bodies.message(secret, "out", "STARTED", leaf.message_digest(secret))
    assert body["digest"] == digest(wire)
    assert b"token" not in jcs(body)


def test_bodies_name_documents_by_digest_without_proof():
    document = {"v": 1, "id": "urn:x", "transfer": "urn:t", "state": "complete", "proof": {}}
    bare = {name: value for name, value in document.items() if name != "proof"}
    assert bodies.manifest(document)["digest"] == digest(bare)
    assert bodies.agreement(document, by="did:web:a", proof=None, did=None) == {
        "digest": digest(bare),
        "by": "did:web:a",
        "proof": None,
        "did": None,
    }
