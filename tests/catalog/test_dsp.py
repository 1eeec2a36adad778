"""The protocol's form of a dataset: valid, lossless, and tied to what was signed."""

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import dcat, model
from catalog.terms import DSP_CONTEXT
from policies.problem import Problem
from policies.vocabulary import PREAU

if TYPE_CHECKING:
    from tests.catalog.conftest import Signer

Validate = Callable[[str, object], None]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["@id", "@type", "@value", "@language", "action", "or"]), inner
        )
    ),
    max_leaves=6,
)
ENDPOINT = "https://lycee.example/dsp/2025-1"


@pytest.fixture(scope="session")
def validate(official: Callable[[str], Path]) -> Validate:
    """Validates a message against an official schema, named by its file."""
    root = official("dsp-2025-1")
    schemas = [json.loads(path.read_text("utf-8")) for path in root.glob("*/*-schema.json")]
    registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in schemas])
    by_name = {schema["$id"].rpartition("/")[2]: schema for schema in schemas}

    def check(name: str, message: object) -> None:
        jsonschema_rs.validator_for(by_name[name], registry=registry).validate(message)

    return check


def test_the_sample_on_the_wire(dataset: model.Dataset) -> None:
    document = dcat.document(dataset)
    wire: Any = dcat.project(document)
    assert wire["@context"] == [DSP_CONTEXT]
    assert (wire["@id"], wire["@type"]) == (dataset.iri, "Dataset")
    assert wire["dct:title"][1] == {"@value": "Traces d'un MOOC", "@language": "fr"}
    assert wire["dct:issued"] == {"@value": "2026-11-23T08:00:00Z", "@type": "xsd:dateTime"}
    assert wire["dcat:version"] == {"@value": "3", "@type": "xsd:integer"}
    assert wire[PREAU + "signedDocument"] == {
        "@id": dataset.document_iri,
        PREAU + "digest": dcat.digest(document),
    }
    assert wire["distribution"][0]["format"] == "HttpData-PULL"
    assert wire["distribution"][0]["accessService"]["endpointURL"] == ENDPOINT
    offer = wire["hasPolicy"][0]
    assert offer["@id"] == dataset.offers[0].policy.id
    assert not {"target", "assigner"} & set(offer)
    assert offer["permission"][0]["action"] == "use"
    operands = {each["leftOperand"] for each in offer["permission"][0]["constraint"]}
    assert operands == {"odrl:purpose", "odrl:dateTime"}


def test_every_projection_is_valid_and_lossless(
    datasets: st.SearchStrategy[model.Dataset], validate: Validate
) -> None:
    @given(datasets)
    def check(dataset: model.Dataset) -> None:
        document = dcat.document(dataset)
        wire = dcat.project(document)
        validate("dataset-schema.json", wire)
        validate("catalog-schema.json", response([wire]))
        # through any JSON stack, inside a catalog or alone
        sent = json.loads(json.dumps(response([wire])))
        assert dcat.unproject(sent["dataset"][0]) == document
        assert dcat.unproject(wire) == document

    check()


def response(datasets: list[dict[str, object]]) -> dict[str, object]:
    return dcat.catalog_response(
        catalog="https://lycee.example/catalog",
        participant="did:web:lycee.example",
        endpoint=ENDPOINT,
        datasets=datasets,
    )


def test_a_signed_document_projects_like_the_unsigned_one(
    dataset: model.Dataset, signer: "Signer"
) -> None:
    document = dcat.document(dataset)
    assert dcat.project(signer.sign(document)) == dcat.project(document)


def test_an_empty_catalog_has_no_dataset_member(validate: Validate) -> None:
    empty = response([])
    assert "dataset" not in empty
    validate("catalog-schema.json", empty)


def test_a_dataset_response_stands_alone(dataset: model.Dataset, validate: Validate) -> None:
    wire = dcat.project(dcat.document(dataset))
    inner = {name: value for name, value in wire.items() if name != "@context"}
    validate("dataset-schema.json", dcat.dataset_response(inner))
    assert dcat.dataset_response(wire) == wire


def test_a_peer_may_reorder_sets_and_unwrap_single_values(dataset: model.Dataset) -> None:
    document = dcat.document(dataset)
    wire: Any = dcat.project(document)
    wire["distribution"].reverse()
    wire[PREAU + "field"].reverse()
    wire["dct:title"].reverse()
    wire["hasPolicy"] = wire["hasPolicy"][0] | {"permission": wire["hasPolicy"][0]["permission"][0]}
    assert dcat.unproject(wire) == document


def test_what_was_not_signed_is_not_believed(dataset: model.Dataset) -> None:
    wire: Any = dcat.project(dcat.document(dataset))
    changed = copy.deepcopy(wire)
    changed["dct:title"][0]["@value"] = "Other marks"
    with pytest.raises(Problem, match="catalog-projection-digest"):
        dcat.unproject(changed)
    changed = copy.deepcopy(wire)
    del changed["hasPolicy"][0]["prohibition"]
    with pytest.raises(Problem, match="catalog-projection-digest"):
        dcat.unproject(changed)
    changed = copy.deepcopy(wire)
    changed["distribution"][0]["accessService"]["endpointURL"] = "https://evil.example/"
    with pytest.raises(Problem, match="catalog-projection-digest"):
        dcat.unproject(changed)
    changed = copy.deepcopy(wire)
    changed[PREAU + "signedDocument"]["@id"] += "0"
    with pytest.raises(Problem, match="catalog-projection-digest"):
        dcat.unproject(changed)


@given(st.data())
def test_no_damage_makes_projecting_fail_in_another_way(
    dataset: model.Dataset, data: st.DataObject
) -> None:
    document: Any = dcat.document(dataset)
    holder = data.draw(st.sampled_from([document, document["subject"]]))
    holder[data.draw(st.sampled_from(sorted(holder)))] = data.draw(JSON)
    with suppress(Problem):
        assert dcat.project(document)


@given(st.data())
def test_no_damage_to_a_projection_escapes(dataset: model.Dataset, data: st.DataObject) -> None:
    document = dcat.document(dataset)
    wire: Any = dcat.project(document)
    holder, key = wire, None
    while key is None or data.draw(st.booleans()):
        holder = holder if key is None else holder[key]
        keys = sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(holder[key], dict | list) or not holder[key]:
            break
    holder[key] = data.draw(JSON)
    with suppress(Problem):
        assert dcat.unproject(wire) == document


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        (PREAU + "signedDocument", None, "unsigned"),
        (PREAU + "signedDocument", {"@id": 1}, "unsigned"),
        ("dct:colour", "blue", "unknown"),
        ("@type", "Catalog", "invalid"),
        ("@id", None, "invalid"),
        ("dct:title", "Notes", "invalid"),
        ("dct:title", [{"@value": "a", "@language": "fr"}] * 2, "invalid"),
        ("dct:issued", "2026-11-23T08:00:00Z", "invalid"),
        ("dct:publisher", "did:web:lycee.example", "invalid"),
        ("dct:publisher", {"@id": "did:web:a", "@type": "Person"}, "invalid"),
        ("dcat:version", {"@value": "+3", "@type": "xsd:integer"}, "invalid"),
        ("dcat:version", {"@value": "3" * 400, "@type": "xsd:integer"}, "invalid"),
        ("dcat:version", {"@value": 3, "@type": "xsd:integer"}, "invalid"),
        ("hasPolicy", "x", "invalid"),
        ("hasPolicy", [], "digest"),
        ("distribution", [1], "invalid"),
    ],
)
def test_a_foreign_dataset_is_a_problem(
    dataset: model.Dataset, name: str, value: object, code: str
) -> None:
    wire = dcat.project(dcat.document(dataset)) | {name: value}
    with pytest.raises(Problem) as caught:
        dcat.unproject(wire)
    assert caught.value.code == f"catalog-projection-{code}"


def test_official_examples_are_not_signed_datasets(official: Callable[[str], Path]) -> None:
    example = json.loads(official("dsp-2025-1/catalog/example/dataset.json").read_text("utf-8"))
    with pytest.raises(Problem, match="catalog-projection-unsigned"):
        dcat.unproject(example)


def test_what_is_no_dataset_document_is_not_projected() -> None:
    with pytest.raises(Problem, match="catalog-member-invalid"):
        dcat.project({"id": "https://a.example/1", "subject": {"type": "Dataset"}})
    with pytest.raises(Problem, match="catalog-member-invalid"):
        dcat.project({"id": "https://a.example/1"})
