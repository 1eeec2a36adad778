"""Saved catalogs: verified whenever they are read, exported and queried without a node."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from catalog import dcat, documents, heads, model, proofs, versions
from catalog.model import Entry
from catalog.values import format_instant
from catalog.verify import save as saved
from connector.cli import copies
from policies import odrl
from policies.problem import Problem
from tests.support.clock import START
from tests.support.nodes import Done, preau

DID = "did:web:localhost%3A9101:lycee"
ROOT = "https://lycee.example"


def offer(iri: str) -> model.Offer:
    rule = {"action": "use", "constraint": []}
    policy = odrl.read({"@type": "Offer", "permission": [rule]})
    return model.Offer(dcat.offered(policy, iri, DID))


def dataset(name: str, group: str) -> model.Dataset:
    iri = f"{ROOT}/datasets/{name}"
    words = model.Words(name, name)
    return model.Dataset(
        iri=iri,
        identifier=name,
        version=1,
        title=words,
        description=words,
        publisher=model.Publisher(DID, "Lycée"),
        kind="csv",
        category="https://w3id.org/dpv#NonPersonalData",
        audience="unknown",
        basis=model.LegalBasis("none"),
        notice=None,
        personal=False,
        fields=(model.Field("a", "a", "string", "no"),),
        periodicity="never",
        issued=START,
        modified=START,
        until=START.replace(year=2030),
        retention="P1Y",
        retention_reason=None,
        dpia=None,
        group=group,
        rows=1,
        persons=None,
        offers=(offer(iri),),
        distributions=(model.Distribution("csv", "text/csv"),),
        endpoint=f"{ROOT}/dsp/2025-1",
    )


@pytest.fixture(scope="module")
def made() -> list[copies.Copy]:
    """Two catalogs of one publisher: two public datasets, one of a group."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    method = DID + "#assertion-1"

    def sign(document: dict[str, Any]) -> dict[str, Any]:
        signed: dict[str, Any] = proofs.sign(
            document,
            sign=key.sign,
            method=method,
            created=START,
            proof_id="urn:uuid:0b9d6f1e-7a3f-4a27-9c39-0d3c1f1f3b11",
        )
        return signed

    listed = {
        "id": method,
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": proofs.encode_key(key.public_key().public_bytes_raw()),
    }
    did = {"id": DID, "verificationMethod": [listed], "assertionMethod": [method]}
    found = []
    for group, names in (("public", ["un", "deux"]), ("labs", ["trois"])):
        signed = [sign(dcat.document(dataset(name, group))) for name in names]
        entries = [
            Entry(each["subject"]["id"], each["id"], documents.digest(each)) for each in signed
        ]
        head = versions.first_head(
            catalog=f"{ROOT}/catalog", publisher=DID, group=group, entries=entries, issued=START
        )
        by_iri = {each["id"]: each for each in signed}
        ordered = [by_iri[entry.document] for entry in head.entries]
        catalog = saved(sign(heads.head(head)), ordered)
        found.append(copies.Copy.of({"catalog": catalog, "did_document": did}))
    return found


@pytest.fixture
def folder(made: list[copies.Copy], tmp_path: Path) -> Path:
    """A folder as `catalog save` writes it."""
    copies.save(tmp_path / "saved", made)
    return tmp_path / "saved"


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        act()
    return caught.value.code


def told(done: Done) -> Any:
    assert done.code == 0, done
    return done.document


def test_what_was_saved_reads_back_the_same(made: list[copies.Copy], folder: Path):
    assert copies.from_folder(folder) == made
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.json")) == [
        "index.json",
        "localhost=3A9101+lycee/catalog-labs.json",
        "localhost=3A9101+lycee/catalog-public.json",
        "localhost=3A9101+lycee/did.json",
    ]
    assert list(folder.parent.iterdir()) == [folder]


def test_saved_catalogs_are_verified_offline_by_the_ordinary_command(folder: Path):
    index = json.loads((folder / "index.json").read_text("utf-8"))
    for one in index["catalogs"]:
        signed, did = folder / one["file"], folder / one["did"]
        done = preau("catalog", "verify", signed, "--did", did, "--json")
        assert len(told(done)["datasets"]) == one["datasets"]


def test_what_was_altered_is_refused_everywhere(folder: Path):
    path = folder / "localhost=3A9101+lycee" / "catalog-labs.json"
    path.write_text(path.read_text("utf-8").replace("trois", "quatre"), "utf-8")
    for words in (("export", "--to", "nt"), ("query", "ASK {}")):
        done = preau("catalog", *words, "--from", folder, "--json")
        assert done.code == 1
        assert done.document["code"].startswith("catalog-")


def test_a_missing_document_is_noticed(folder: Path):
    path = folder / "localhost=3A9101+lycee" / "catalog-public.json"
    catalog = json.loads(path.read_text("utf-8"))
    catalog["documents"].pop()
    path.write_text(json.dumps(catalog), "utf-8")
    assert refusal(lambda: copies.from_folder(folder)) == "catalog-document-missing"


@pytest.mark.parametrize(
    "name", ["../x.json", "/etc/passwd", "a", "a/b/c", "", None, "a/..", "a\\b/c"]
)
def test_an_index_leads_nowhere_else(folder: Path, name: object):
    path = folder / "index.json"
    index = json.loads(path.read_text("utf-8"))
    index["catalogs"][0]["did"] = name
    path.write_text(json.dumps(index), "utf-8")
    assert refusal(lambda: copies.from_folder(folder)) == "cli-not-saved"


def test_other_folders_are_refused(tmp_path: Path):
    assert refusal(lambda: copies.from_folder(tmp_path)) == "cli-file-unreadable"
    (tmp_path / "index.json").write_text("[]", "utf-8")
    assert refusal(lambda: copies.from_folder(tmp_path)) == "cli-not-saved"


def test_nothing_is_overwritten_and_nothing_half_written(
    made: list[copies.Copy], folder: Path, monkeypatch: pytest.MonkeyPatch
):
    assert refusal(lambda: copies.save(folder, made)) == "cli-folder-not-empty"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, "_write", full)
    assert refusal(lambda: copies.save(folder.parent / "other", made)) == "cli-not-written"
    assert [path.name for path in folder.parent.iterdir()] == ["saved"]


@pytest.mark.parametrize(
    ("form", "start"), [("nt", b"<did"), ("ttl", b"@prefix"), ("xml", b"<?xml")]
)
def test_exports_are_written(folder: Path, tmp_path: Path, form: str, start: bytes):
    out = tmp_path / "out"
    done = preau("catalog", "export", "--to", form, "--from", folder, "--out", out, "--json")
    assert told(done)["bytes"] == out.stat().st_size
    assert out.read_bytes().startswith(start)
    assert b"trois" in out.read_bytes()


def test_an_unknown_format_is_told(folder: Path):
    done = preau("catalog", "export", "--to", "docx", "--from", folder, "--json")
    assert (done.code, done.document["code"]) == (1, "catalog-export-format")


def test_questions_are_answered_from_a_folder(folder: Path):
    text = "SELECT ?t WHERE { ?d a dcat:Dataset ; dct:title ?t . FILTER(LANG(?t) = 'fr') }"
    found = told(preau("catalog", "query", text + " ORDER BY ?t", "--from", folder, "--json"))
    assert [row["t"]["value"] for row in found["rows"]] == ["deux", "trois", "un"]
    for words, shown in (
        ("ASK { ?d a dcat:Dataset }", "oui\n"),
        ("ASK { ?d a dcat:Nothing }", "non\n"),
        ("SELECT ?d WHERE { ?d a dcat:Nothing }", "(rien)\n"),
        ("CONSTRUCT { <urn:a> <urn:b> <urn:c> } WHERE {}", "<urn:a> <urn:b> <urn:c> .\n"),
    ):
        assert preau("catalog", "query", words, "--from", folder, "--lang", "fr").out == shown


def test_a_hostile_question_is_refused(folder: Path):
    text = "SELECT * WHERE { SERVICE <http://localhost:9/> { ?s ?p ?o } }"
    done = preau("catalog", "query", text, "--from", folder, "--json")
    assert (done.code, done.document["code"]) == (1, "catalog-query-service")


def test_instants_are_those_signed(folder: Path):
    text = "SELECT DISTINCT ?m { ?d dct:modified ?m }"
    found = told(preau("catalog", "query", text, "--from", folder, "--json"))
    assert [row["m"]["value"] for row in found["rows"]] == [format_instant(START)]
