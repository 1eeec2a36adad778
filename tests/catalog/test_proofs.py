"""eddsa-jcs-2022 against the W3C vectors, and against everything that is not a proof."""

import copy
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from catalog import proofs, terms
from catalog.canonical import canonical
from policies.problem import Problem

if TYPE_CHECKING:
    from tests.catalog.conftest import Signer

DOCUMENT: dict[str, object] = {
    "v": 1,
    "@context": list(terms.SIGNED),
    "id": "https://a.example/1",
    "name": "Notes",
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def vector(official: Callable[[str], Path], name: str) -> str:
    return official(f"vectors/vc-di-eddsa/{name}").read_text(encoding="utf-8").strip()


def test_every_step_equals_the_w3c_vector(official: Callable[[str], Path]) -> None:
    suite = "eddsa-jcs-2022/"
    signed = json.loads(vector(official, suite + "signedJCS.json"))
    options = json.loads(vector(official, suite + "proofConfigJCS.json"))
    document = {name: value for name, value in signed.items() if name != "proof"}
    pair = json.loads(vector(official, "keyPair.json"))

    assert canonical(document).decode() == vector(official, suite + "canonDocJCS.txt")
    assert canonical(options).decode() == vector(official, suite + "proofCanonJCS.txt")
    both = proofs.signing_input(document, options)
    assert both[32:].hex() == vector(official, suite + "docHashJCS.txt")
    assert both[:32].hex() == vector(official, suite + "proofHashJCS.txt")
    assert both.hex() == vector(official, suite + "combinedHashJCS.txt")

    secret = proofs.decode_multibase(pair["privateKeyMultibase"], 64)[2:]
    signature = Ed25519PrivateKey.from_private_bytes(secret).sign(both)
    assert signature.hex() == vector(official, suite + "sigHexJCS.txt")
    assert proofs.encode_multibase(signature) == vector(official, suite + "sigBTC58JCS.txt")

    key = proofs.decode_key(pair["publicKeyMultibase"])
    assert proofs.encode_key(key) == pair["publicKeyMultibase"]
    proofs.verify(signed, lambda _method: key)


def test_a_signed_document_verifies(signer: "Signer") -> None:
    signed = signer.sign(DOCUMENT)
    assert list(signed)[-1] == "proof"
    assert {name: value for name, value in signed.items() if name != "proof"} == DOCUMENT
    asked: list[str] = []

    def key_of(method: str) -> bytes:
        asked.append(method)
        return signer.public

    proofs.verify(signed, key_of)
    assert asked == [signer.method]


def test_a_document_without_context_can_be_signed(signer: "Signer") -> None:
    signed: Any = signer.sign({"v": 1, "type": "Application", "project": {"title": "é"}})
    assert "@context" not in signed["proof"]
    proofs.verify(signed, signer.keys.__getitem__)


def test_signing_twice_is_refused(signer: "Signer") -> None:
    with pytest.raises(Problem, match="catalog-proof-several"):
        signer.sign(signer.sign(DOCUMENT))


def test_what_is_not_fit_is_not_signed(signer: "Signer") -> None:
    with pytest.raises(Problem, match="catalog-unfit-float"):
        signer.sign(DOCUMENT | {"rows": 0.5})


def test_every_change_of_the_document_is_seen(signer: "Signer") -> None:
    signed = signer.sign(DOCUMENT)
    for change in (
        {"name": "notes"},
        {"name": "Notes "},
        {"extra": "x"},
        {"v": 2},
        {"v": True},
        {"v": "1"},
    ):
        with pytest.raises(Problem, match="catalog-proof-invalid"):
            proofs.verify(signed | change, signer.keys.__getitem__)
    missing = {name: value for name, value in signed.items() if name != "name"}
    with pytest.raises(Problem, match="catalog-proof-invalid"):
        proofs.verify(missing, signer.keys.__getitem__)


def test_every_change_of_the_proof_is_seen(signer: "Signer") -> None:
    signed: Any = signer.sign(DOCUMENT)
    for name, value in {
        "id": "urn:uuid:00000000-0000-4000-8000-000000000000",
        "created": "2026-11-23T08:00:01Z",
        "verificationMethod": signer.did + "#assertion-2",
    }.items():
        changed = signed | {"proof": signed["proof"] | {name: value}}
        with pytest.raises(Problem, match="catalog-proof-invalid"):
            proofs.verify(changed, lambda _method: signer.public)


def test_the_key_of_another_is_refused(signer: "Signer", stranger: "Signer") -> None:
    with pytest.raises(Problem, match="catalog-proof-invalid"):
        proofs.verify(signer.sign(DOCUMENT), lambda _method: stranger.public)


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)])
def test_a_key_of_the_wrong_size_is_a_problem(signer: "Signer", key: bytes) -> None:
    with pytest.raises(Problem, match="catalog-proof-key"):
        proofs.verify(signer.sign(DOCUMENT), lambda _method: key)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cryptosuite": "eddsa-rdfc-2022"}, "catalog-proof-cryptosuite"),
        ({"cryptosuite": "EDDSA-JCS-2022"}, "catalog-proof-cryptosuite"),
        ({"type": "Ed25519Signature2020"}, "catalog-proof-cryptosuite"),
        ({"proofPurpose": "authentication"}, "catalog-proof-purpose"),
        ({"expires": "2027-01-01T00:00:00Z"}, "catalog-proof-unknown-member"),
        ({"previousProof": "urn:x"}, "catalog-proof-unknown-member"),
        ({"created": "yesterday"}, "catalog-proof-malformed"),
        ({"created": 5}, "catalog-proof-malformed"),
        ({"proofValue": None}, "catalog-proof-malformed"),
        ({"id": 1}, "catalog-proof-malformed"),
        ({"verificationMethod": {"id": "x"}}, "catalog-proof-malformed"),
        ({"proofValue": "u" + "1" * 87}, "catalog-proof-encoding"),
        ({"proofValue": "z" + "0" * 87}, "catalog-proof-encoding"),
        ({"proofValue": "z" + "2" * 10_000_000}, "catalog-proof-encoding"),
        ({"proofValue": "z11"}, "catalog-proof-encoding"),
        ({"proofValue": ""}, "catalog-proof-encoding"),
        ({"@context": [terms.DATA_INTEGRITY]}, "catalog-proof-context"),
        ({"@context": [*terms.SIGNED, "https://more.example/"]}, "catalog-proof-context"),
        ({"@context": terms.CONTEXT}, "catalog-proof-invalid"),
    ],
)
def test_a_proof_that_is_not_ours_is_named(
    signer: "Signer", change: dict[str, object], code: str
) -> None:
    signed: Any = signer.sign(DOCUMENT)
    with pytest.raises(Problem) as caught:
        proofs.verify(signed | {"proof": signed["proof"] | change}, signer.keys.__getitem__)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (None, "catalog-proof-missing"),
        ([], "catalog-proof-several"),
        ("x", "catalog-proof-malformed"),
        ({}, "catalog-proof-malformed"),
    ],
)
def test_no_proof_or_several(proof: object, code: str) -> None:
    with pytest.raises(Problem) as caught:
        proofs.verify(DOCUMENT | {"proof": proof}, lambda _method: bytes(32))
    assert caught.value.code == code


def test_a_proof_set_is_refused_even_when_each_proof_is_valid(signer: "Signer") -> None:
    signed = signer.sign(DOCUMENT)
    with pytest.raises(Problem, match="catalog-proof-several"):
        proofs.verify(signed | {"proof": [signed["proof"]]}, signer.keys.__getitem__)


def test_a_context_may_be_added_behind_the_signed_ones(signer: "Signer") -> None:
    signed = signer.sign(DOCUMENT)
    proofs.verify(
        signed | {"@context": [*terms.SIGNED, "https://more.example/"]}, signer.keys.__getitem__
    )
    others: list[object] = [list(reversed(terms.SIGNED)), [terms.CONTEXT], {}, None, "x"]
    for context in others:
        with pytest.raises(Problem, match="catalog-proof-context"):
            proofs.verify(signed | {"@context": context}, signer.keys.__getitem__)


def test_a_context_cannot_be_dropped_or_brought_in(signer: "Signer") -> None:
    signed: Any = signer.sign(DOCUMENT)
    bare = {name: value for name, value in signed.items() if name != "@context"}
    with pytest.raises(Problem, match="catalog-proof-context"):
        proofs.verify(bare, signer.keys.__getitem__)
    plain = signer.sign({"v": 1, "name": "x"})
    with pytest.raises(Problem, match="catalog-proof-context"):
        proofs.verify(plain | {"@context": list(terms.SIGNED)}, signer.keys.__getitem__)


def test_the_hash_of_the_proof_comes_first(signer: "Signer") -> None:
    signed: Any = signer.sign(DOCUMENT)
    both = proofs.signing_input(DOCUMENT, signed["proof"])
    swapped = proofs.encode_multibase(signer.private.sign(both[32:] + both[:32]))
    with pytest.raises(Problem, match="catalog-proof-invalid"):
        proofs.verify(
            signed | {"proof": signed["proof"] | {"proofValue": swapped}},
            signer.keys.__getitem__,
        )


@given(st.binary(max_size=66))
def test_multibase_is_a_bijection(data: bytes) -> None:
    text = proofs.encode_multibase(data)
    assert proofs.decode_multibase(text, 200) == data


@given(st.text(), st.sampled_from(["", "z", "z6Mk"]))
def test_decoding_any_text_gives_its_own_spelling_or_a_problem(text: str, start: str) -> None:
    with suppress(Problem):
        data = proofs.decode_multibase(start + text, 100)
        assert proofs.encode_multibase(data) == start + text


@pytest.mark.parametrize("prefix", [b"\xe7\x01", b"\x12\x00", b""])
def test_a_key_of_another_kind_is_refused(prefix: bytes) -> None:
    with pytest.raises(Problem, match="catalog-proof"):
        proofs.decode_key(proofs.encode_multibase(prefix + bytes(range(32))))
    with pytest.raises(Problem, match="catalog-proof-key"):
        proofs.encode_key(bytes(31))


@given(ANYTHING)
def test_no_proof_makes_verification_fail_in_another_way(proof: object) -> None:
    with pytest.raises(Problem, match="catalog-proof-"):
        proofs.verify(DOCUMENT | {"proof": proof}, lambda _method: bytes(32))


@given(st.data())
def test_no_damage_to_a_signed_document_escapes(signer: "Signer", data: st.DataObject) -> None:
    signed = signer.sign(DOCUMENT)
    holder: Any = copy.deepcopy(signed)
    changed = holder
    if data.draw(st.booleans()):
        holder = holder["proof"]
    name = data.draw(st.sampled_from(sorted(holder)))
    value = data.draw(ANYTHING)
    if _same(holder[name], value):
        return
    holder[name] = value
    with pytest.raises(Problem, match="catalog-proof-"):
        proofs.verify(changed, signer.keys.__getitem__ if name != "verificationMethod" else _any)


def _any(_method: str) -> bytes:
    return bytes(32)


def _same(one: object, other: object) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def test_a_document_without_canonical_form_is_refused(signer: "Signer") -> None:
    signed: Mapping[str, object] = signer.sign(DOCUMENT)
    for value in (float("nan"), "\ud800", 2**60, object()):
        with pytest.raises(Problem, match="catalog-proof-document"):
            proofs.verify({**signed, "name": value}, signer.keys.__getitem__)
