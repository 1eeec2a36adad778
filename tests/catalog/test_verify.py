"""Verification from bytes: whose key, which document, what order."""

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import dcat, model, proofs, verify, versions
from policies.problem import Problem

if TYPE_CHECKING:
    from tests.catalog.conftest import Signer


def data(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.fixture(scope="session")
def signed(dataset: model.Dataset, signer: "Signer") -> dict[str, object]:
    """The signed document of the sample dataset."""
    return signer.sign(dcat.document(dataset))


@pytest.fixture(scope="session")
def head(signed: dict[str, object], dataset: model.Dataset) -> model.Head:
    """A head that names it."""
    return versions.first_head(
        catalog="https://lycee.example/catalog",
        publisher=dataset.publisher.did,
        group="public",
        entries=[model.Entry(dataset.iri, dataset.document_iri, dcat.digest(signed))],
        issued=dataset.issued,
    )


@pytest.fixture(scope="session")
def signed_head(head: model.Head, signer: "Signer") -> dict[str, object]:
    """The signed document of that head."""
    return signer.sign(dcat.head(head))


def test_a_catalog_verifies(
    signed: dict[str, object],
    signed_head: dict[str, object],
    dataset: model.Dataset,
    signer: "Signer",
) -> None:
    keys = verify.assertion_keys(signer.did_document(), signer.did)
    assert keys == signer.keys
    checked = verify.verify_catalog(
        data(signed_head), {dataset.document_iri: data(signed)}, keys, signer.did
    )
    assert checked.head is not None
    assert [each.iri for each in checked.datasets] == [dataset.iri]
    assert checked.document()["publisher"] == signer.did


def test_a_saved_file_verifies_offline(
    signed: dict[str, object], signed_head: dict[str, object], signer: "Signer"
) -> None:
    did = data(signer.did_document())
    assert verify.verify_file(data(signed), did).datasets[0].version == 3
    assert verify.verify_file(data(signed_head), did).head is not None
    saved = verify.save(signed_head, [signed])
    assert len(verify.verify_file(data(saved), did).datasets) == 1
    report = verify.verify_document(saved, signer.did_document())
    assert report["publisher"] == signer.did
    assert [item["digest"] for item in report["documents"]] == [
        dcat.digest(signed_head),
        dcat.digest(signed),
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda saved: saved["documents"].clear(), "catalog-document-missing"),
        (lambda saved: saved["head"].pop("proof"), "catalog-proof-missing"),
        (
            lambda saved: saved["documents"][0]["subject"]["title"].update(fr="Autre"),
            "catalog-proof-invalid",
        ),
        (lambda saved: saved["head"].update(version=2), "catalog-proof-invalid"),
        (lambda saved: saved.update(head=None), "catalog-file-unknown"),
        (lambda saved: saved.update(type="Zip"), "catalog-file-unknown"),
    ],
    ids=["no document", "no proof", "title", "version", "no head", "type"],
)
def test_tampering_is_named(
    signed: dict[str, object],
    signed_head: dict[str, object],
    signer: "Signer",
    change: Callable[[Any], None],
    code: str,
) -> None:
    saved = json.loads(data(verify.save(signed_head, [signed])))
    change(saved)
    with pytest.raises(Problem) as caught:
        verify.verify_file(data(saved), data(signer.did_document()))
    assert caught.value.code == code


def test_a_changed_title_with_a_new_signature_is_not_what_the_head_names(
    head: model.Head, make: Callable[..., model.Dataset], signer: "Signer"
) -> None:
    other = signer.sign(dcat.document(make(title=model.Words(fr="Autre", en="Other"))))
    with pytest.raises(Problem, match="catalog-digest-other"):
        verify.verify_dataset(data(other), signer.keys, signer.did, head.entries[0].digest)


def test_a_head_that_names_another_dataset_or_group_is_refused(
    head: model.Head,
    dataset: model.Dataset,
    make: Callable[..., model.Dataset],
    signer: "Signer",
) -> None:
    for other in (make(version=4), make(group="partners")):
        document = signer.sign(dcat.document(other))
        lying = versions.first_head(
            catalog=head.catalog,
            publisher=head.publisher,
            group=head.group,
            entries=[model.Entry(dataset.iri, dataset.document_iri, dcat.digest(document))],
            issued=head.issued,
        )
        with pytest.raises(Problem, match="catalog-document-other"):
            verify.verify_catalog(
                data(signer.sign(dcat.head(lying))),
                {dataset.document_iri: data(document)},
                signer.keys,
                signer.did,
            )


def test_a_projection_is_checked_against_the_head(
    head: model.Head,
    signed: dict[str, object],
    dataset: model.Dataset,
    make: Callable[..., model.Dataset],
) -> None:
    assert verify.verify_projection(dcat.project(signed), head) == dcat.read(signed)
    for other in (make(version=4), make(rows=5)):
        with pytest.raises(Problem, match="catalog-digest-other"):
            verify.verify_projection(dcat.project(dcat.document(other)), head)


def test_only_the_publisher_signs(
    dataset: model.Dataset, signed: dict[str, object], signer: "Signer", stranger: "Signer"
) -> None:
    forged = stranger.sign(dcat.document(dataset))
    with pytest.raises(Problem, match="catalog-proof-method"):
        verify.verify_dataset(data(forged), signer.keys, signer.did)
    with pytest.raises(Problem, match="catalog-publisher-other"):
        verify.verify_dataset(data(signed), stranger.keys, stranger.did)
    borrowed = stranger.sign(dcat.document(dataset), method=signer.method)
    with pytest.raises(Problem, match="catalog-proof-invalid"):
        verify.verify_dataset(data(borrowed), signer.keys, signer.did)


def test_a_proof_for_another_purpose_does_not_count(
    dataset: model.Dataset, signer: "Signer"
) -> None:
    login = signer.sign(dcat.document(dataset), purpose="authentication")
    with pytest.raises(Problem, match="catalog-proof-purpose"):
        verify.verify_dataset(data(login), signer.keys, signer.did)


def test_a_reader_remembers(
    signed_head: dict[str, object], head: model.Head, signer: "Signer"
) -> None:
    seen = (1, versions.head_digest(head))
    assert verify.verify_head(data(signed_head), signer.keys, signer.did, seen=seen) == head
    with pytest.raises(Problem, match="catalog-head-rollback"):
        verify.verify_head(data(signed_head), signer.keys, signer.did, seen=(2, seen[1]))
    with pytest.raises(Problem, match="catalog-head-fork"):
        verify.verify_head(data(signed_head), signer.keys, signer.did, seen=(1, "sha-256:0"))


def test_jwk_and_embedded_and_relative_methods_count(signer: "Signer") -> None:
    x = base64.urlsafe_b64encode(signer.public).decode().rstrip("=")
    jwk = {
        "id": "#assertion-1",
        "type": "JsonWebKey",
        "controller": signer.did,
        "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": x},
    }
    listed = {"id": signer.did, "verificationMethod": [jwk], "assertionMethod": ["#assertion-1"]}
    assert verify.assertion_keys(listed, signer.did) == signer.keys
    embedded = {"id": signer.did, "assertionMethod": [jwk]}
    assert verify.assertion_keys(embedded, signer.did) == signer.keys


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"assertionMethod": []}, "catalog-did-no-key"),
        ({"assertionMethod": ["did:web:lycee.example#other"]}, "catalog-did-no-key"),
        ({"assertionMethod": "x"}, "catalog-did-malformed"),
        ({"assertionMethod": [5]}, "catalog-did-malformed"),
        ({"verificationMethod": [{"id": 5}]}, "catalog-did-malformed"),
        ({"verificationMethod": []}, "catalog-did-no-key"),
        ({"verificationMethod": [None] * 65}, "catalog-did-malformed"),
        ({"id": "did:web:other.example"}, "catalog-did-other"),
        ({"id": None}, "catalog-did-other"),
    ],
)
def test_a_did_document_without_a_usable_key(
    signer: "Signer", change: dict[str, object], code: str
) -> None:
    with pytest.raises(Problem) as caught:
        verify.assertion_keys(signer.did_document() | change, signer.did)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        {"controller": "did:web:other.example"},
        {"type": "Ed25519VerificationKey2020"},
        {"publicKeyMultibase": "zQ3s"},
        {"type": "JsonWebKey", "publicKeyJwk": {"kty": "EC", "crv": "P-256", "x": "AA"}},
        {"type": "JsonWebKey", "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}},
        {"type": "JsonWebKey", "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "é"}},
        {"type": "JsonWebKey", "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519"}},
    ],
)
def test_a_key_that_does_not_count(signer: "Signer", change: dict[str, object]) -> None:
    document: Any = signer.did_document()
    document["verificationMethod"][0] |= change
    with pytest.raises(Problem, match="catalog-did-no-key"):
        verify.assertion_keys(document, signer.did)


def test_a_foreign_did_document_cannot_lend_its_key(signer: "Signer", stranger: "Signer") -> None:
    key = {
        "id": stranger.method,
        "type": "Multikey",
        "controller": signer.did,
        "publicKeyMultibase": proofs.encode_key(stranger.public),
    }
    document = {
        "id": signer.did,
        "verificationMethod": [key],
        "assertionMethod": [stranger.method],
    }
    with pytest.raises(Problem, match="catalog-did-no-key"):
        verify.assertion_keys(document, signer.did)


@given(st.data())
def test_no_byte_of_a_signed_file_changes_unnoticed(
    signed: dict[str, object], signer: "Signer", data: st.DataObject
) -> None:
    raw = json.dumps(signed).encode()
    place = data.draw(st.integers(0, len(raw) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != raw[place]))
    changed = raw[:place] + bytes([byte]) + raw[place + 1 :]
    try:
        verify.verify_dataset(changed, signer.keys, signer.did)
    except Problem:
        return
    assert json.loads(changed) == signed  # white space only
