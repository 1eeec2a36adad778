"""Our N-Quads are those of two JSON-LD processors, and what they would read apart is refused."""

import json
from collections.abc import Callable
from typing import Any

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import dcat, jsonld, model, nquads, terms
from catalog.heads import head as head_document
from policies.problem import Problem

XSD = "http://www.w3.org/2001/XMLSchema#"


def by_pyld(document: dict[str, Any]) -> str:
    from pyld import jsonld as processor

    options = {"algorithm": "URDNA2015", "format": "application/n-quads"}
    return str(processor.normalize(jsonld.expand(document), options))


def by_oxigraph(document: dict[str, Any]) -> str:
    context = terms.inlined(terms.CONTEXT)["@context"]
    plain = {**document, "@context": context}
    found = pyoxigraph.Dataset(
        pyoxigraph.parse(json.dumps(plain).encode(), format=pyoxigraph.RdfFormat.JSON_LD)
    )
    return nquads.text(f"{quad} ." for quad in found)


def refused(code: str, document: dict[str, Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        nquads.of([document])
    assert caught.value.code == code
    assert "{" not in caught.value.text("fr") + caught.value.text("en")
    return caught.value


def test_a_dataset_is_what_both_processors_read(dataset: model.Dataset):
    document = dcat.document(dataset)
    assert nquads.of([document]) == by_pyld(document) == by_oxigraph(document)


def test_any_dataset_is_what_both_processors_read(datasets: st.SearchStrategy[model.Dataset]):
    @given(datasets)
    def check(dataset: model.Dataset) -> None:
        document = dcat.document(dataset)
        assert nquads.of([document]) == by_pyld(document) == by_oxigraph(document)

    check()


def test_a_head_is_what_both_processors_read(dataset: model.Dataset):
    digest = "sha-256:" + "0" * 64
    document = head_document(
        model.Head(
            catalog="https://lycee.example/catalog",
            publisher=dataset.publisher.did,
            group="public",
            version=2,
            previous=digest,
            issued=dataset.issued,
            entries=(model.Entry(dataset.iri, dataset.document_iri, digest),),
            tombstones=(
                model.Tombstone("https://lycee.example/datasets/7", dataset.issued, "end"),
            ),
        )
    )
    assert nquads.of([document]) == by_pyld(document) == by_oxigraph(document)


def test_order_and_proof_make_no_difference(
    dataset: model.Dataset, signer: Any, make: Callable[..., model.Dataset]
):
    document = dcat.document(dataset)
    turned = json.loads(json.dumps(document), object_pairs_hook=lambda pairs: dict(pairs[::-1]))
    turned["subject"]["field"].reverse()
    assert nquads.of([turned]) == nquads.of([document]) == nquads.of([signer.sign(document)])
    other = dcat.document(make(iri="https://lycee.example/datasets/7"))
    assert nquads.of([document, other, document]) == nquads.of([other, document])


def test_quads_are_sorted_by_code_point(dataset: model.Dataset):
    lines = nquads.of([dcat.document(dataset)]).split("\n")
    assert lines[-1] == ""
    assert lines[:-1] == sorted(lines[:-1], key=lambda line: [ord(c) for c in line])


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('a"b', r'"a\"b"'),
        ("a\\b", r'"a\\b"'),
        ("a\tb\nc", r'"a\tb\nc"'),
        ("a\u0001\u007f\b\f\r", r'"a\u0001\u007F\b\f\r"'),
        ("é\u0085\u2028𝄞", '"é\u0085\u2028𝄞"'),
    ],
)
def test_literals_are_escaped_the_canonical_way(text: str, written: str):
    assert nquads.literal(text) == written


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("nobody", "x", "catalog-unfit-term"),
        ("language", "x", "catalog-unfit-term"),
        ("value", "x", "catalog-unfit-term"),
        ("rows", 1.5, "catalog-unfit-float"),
        ("rows", True, "catalog-unfit-literal"),
        ("rows", "1.0", "catalog-unfit-literal"),
        ("rows", "01", "catalog-unfit-literal"),
        ("personal", 1, "catalog-unfit-literal"),
        ("personal", "yes", "catalog-unfit-literal"),
        ("retention", "one year", "catalog-unfit-literal"),
        ("until", 2027, "catalog-unfit-literal"),
        ("category", "relative", "catalog-unfit-iri"),
        ("category", "https://a b", "catalog-unfit-iri"),
        ("category", "_:b0", "catalog-unfit-iri"),
        ("category", 5, "catalog-unfit-iri"),
        ("publisher", {"type": "Publisher", "name": "x"}, "catalog-unfit-unnamed"),
        ("title", {"fr-FR": "x"}, "catalog-unfit-language"),
        ("title", "x", "catalog-unfit-value"),
        ("dpia", "\u0001", "catalog-unfit-control"),
        ("dpia", None, "catalog-unfit-null"),
        ("dpia", [["x"]], "catalog-unfit-list"),
        ("rightOperand", {"value": "1.5", "type": XSD + "double"}, "catalog-unfit-datatype"),
        ("rightOperand", {"value": "x", "type": "nothing"}, "catalog-unfit-iri"),
        ("rightOperand", {"value": "x", "type": XSD + "decimal"}, "catalog-unfit-literal"),
    ],
)
def test_what_tools_would_read_apart_is_refused(
    dataset: model.Dataset, member: str, value: object, code: str
):
    document: Any = json.loads(json.dumps(dcat.document(dataset)))
    document["subject"][member] = value
    refused(code, document)


@pytest.mark.parametrize("context", [None, [], ["https://other.example/ns"], terms.CONTEXT])
def test_only_our_own_context_is_walked(dataset: model.Dataset, context: object):
    document = {**dcat.document(dataset), "@context": context}
    if context is None:
        del document["@context"]
    refused("catalog-unfit-context", document)


def test_decimals_booleans_and_plain_numbers_of_a_policy(dataset: model.Dataset):
    document: Any = json.loads(json.dumps(dcat.document(dataset)))
    document["subject"]["rightOperand"] = [
        {"value": "10.50", "type": XSD + "decimal"},
        {"value": "bonjour", "language": "fr"},
        {"id": "preau:Hour"},
        "plain",
        7,
        True,
    ]
    assert nquads.of([document]) == by_pyld(document) == by_oxigraph(document)
