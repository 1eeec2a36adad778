"""JSON-LD on a leash: two processors agree, and nothing is lost in silence (M1)."""

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import dcat, jsonld, model, terms, versions
from policies.problem import Problem
from policies.vocabulary import ODRL, PREAU

if TYPE_CHECKING:
    from tests.catalog.conftest import Signer

NESTED = {
    "@context": [terms.CONTEXT],
    "id": "https://a.example/1",
    "notice": {"id": "https://a.example/2", "edition": "1"},
}

# The official examples that say something else in RDF than in JSON: relative IRIs, or a member
# that no term maps. One more in this list is news.
BROKEN = {
    ("catalog/example/catalog.json", "iri"),
    ("catalog/example/dataset.json", "iri"),
    ("catalog/example/nested-catalog.json", "iri"),
    ("common/example/dataservice-did-service.json", "dropped"),
    ("negotiation/example/contract-agreement-message-full.json", "iri"),
    ("negotiation/example/contract-agreement-message.json", "iri"),
    ("negotiation/example/contract-offer-message.json", "iri"),
    ("negotiation/example/contract-request-message.json", "iri"),
}


def oxigraph(document: Mapping[str, object]) -> set[str]:
    """The quads that the second processor reads, contexts inlined; blank nodes canonical."""
    contexts: Any = document["@context"]
    load: Any = jsonld.loader()
    inlined = [load(url, {})["document"]["@context"] for url in contexts]
    text = json.dumps({**document, "@context": inlined})
    quads = pyoxigraph.parse(text, pyoxigraph.RdfFormat.JSON_LD, base_iri=jsonld.BASE)
    return _canonical(quads)


def pyld(document: Mapping[str, object]) -> set[str]:
    """The quads that pyld reads."""
    from pyld import jsonld as processor

    expanded, _ = jsonld.expand_loosely(document)
    text = processor.to_rdf(expanded, {"format": "application/n-quads"})
    return _canonical(pyoxigraph.parse(text, pyoxigraph.RdfFormat.N_QUADS))


def _canonical(quads: Any) -> set[str]:
    dataset = pyoxigraph.Dataset(quads)
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


def test_the_official_examples(official: Callable[[str], Path]) -> None:
    root = official("dsp-2025-1")
    found, broken = 0, set()
    for path in sorted(root.glob("*/example/*.json")):
        example = json.loads(path.read_text(encoding="utf-8"))
        if "@context" not in example:
            continue  # the versions document is plain JSON
        found += 1
        assert pyld(example) == oxigraph(example), path.name
        try:
            jsonld.expand(example)
        except Problem as problem:
            broken.add((str(path.relative_to(root)), problem.code.removeprefix("catalog-jsonld-")))
    assert broken == BROKEN
    assert found == 26


def test_what_we_sign_is_read_alike_by_two_processors_and_has_no_blank_node(
    datasets: st.SearchStrategy[model.Dataset], signer: "Signer"
) -> None:
    @given(datasets)
    def check(dataset: model.Dataset) -> None:
        signed = signer.sign(dcat.document(dataset))
        jsonld.expand(signed)
        quads = pyld(dcat.unsigned(signed))
        assert quads == oxigraph(dcat.unsigned(signed))
        assert not any("_:" in quad.split(" ", 3)[0] for quad in quads)

    check()


def test_a_head_and_an_agreement_lose_nothing(dataset: model.Dataset, signer: "Signer") -> None:
    head = versions.first_head(
        catalog="https://lycee.example/catalog",
        publisher=signer.did,
        group="public",
        entries=[model.Entry(dataset.iri, dataset.document_iri, "sha-256:" + "0" * 64)],
        issued=dataset.issued,
    )
    withdrawn = [model.Tombstone(dataset.iri, dataset.issued, "withdrawn")]
    jsonld.expand(signer.sign(dcat.head(head)))
    following = versions.next_head(head, (), issued=head.issued, withdrawn=withdrawn)
    jsonld.expand(signer.sign(dcat.head(following)))

    offer: Any = dcat.document(dataset)["subject"]
    agreement = {
        "v": 1,
        "@context": list(terms.SIGNED),
        "id": "urn:uuid:0b9d6f1e-7a3f-8a27-9c39-0d3c1f1f3b11",
        "type": "Agreement",
        "assigner": signer.did,
        "assignee": "did:web:labo.example",
        "target": dataset.iri,
        "timestamp": "2026-11-23T08:00:00Z",
        "offer": offer["hasPolicy"][0]["id"],
        "signedDocument": {"id": dataset.document_iri, "digest": "sha-256:" + "0" * 64},
        "application": {"id": "urn:uuid:1", "digest": "sha-256:" + "0" * 64},
        "permission": offer["hasPolicy"][0]["permission"],
        "prohibition": offer["hasPolicy"][0]["prohibition"],
    }
    assert jsonld.expand(signer.sign(agreement))
    assert pyld(agreement) == oxigraph(agreement)


def test_the_wire_says_what_the_document_says(dataset: model.Dataset) -> None:
    """The same statements, but for DSP's word and literal and what follows from elsewhere."""
    document = dcat.document(dataset)
    wire = dcat.project(document)
    _, dropped = jsonld.expand_loosely(wire)
    assert dropped == ()
    relative = {iri for iri in jsonld.iris(jsonld.expand_loosely(wire)[0]) if "relative:" in iri}
    assert relative == {jsonld.BASE + "HttpData-PULL"}

    signed, sent = oxigraph(document), oxigraph(wire)
    implied = ("target>", "assigner>", "22-rdf-syntax-ns#type> <" + ODRL)
    lost = [
        quad
        for quad in signed - sent
        if not quad.startswith(f"<{dataset.document_iri}>")
        and not any(word in quad for word in implied)
    ]
    added = [quad for quad in sent - signed if dataset.document_iri not in quad]
    assert len(lost) == len(dataset.distributions) + 1
    assert all("transferFormat" in quad or "endpointURL" in quad for quad in lost)
    assert all("/format>" in quad or "endpointURL" in quad for quad in added)


def test_nothing_is_expanded_with_an_unknown_or_inline_context() -> None:
    others: list[object] = ["https://evil.example/", [terms.CONTEXT, {"id": "urn:x"}], {}, None, 5]
    for context in others:
        with pytest.raises(Problem, match="catalog-jsonld-context"):
            jsonld.expand(NESTED | {"@context": context})
    inner = copy.deepcopy(NESTED) | {"notice": {"@context": {}, "id": "https://a.example/2"}}
    with pytest.raises(Problem, match="catalog-jsonld-context"):
        jsonld.expand(inner)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"colour": "blue"}, "catalog-jsonld-dropped"),
        ({"notice": {"id": "https://a.example/2", "colour": "x"}}, "catalog-jsonld-dropped"),
        ({"notice": {"id": "../2", "edition": "1"}}, "catalog-jsonld-iri"),
        ({"notice": {"id": "//host/x", "edition": "1"}}, "catalog-jsonld-iri"),
        ({"notice": {"id": "#f", "edition": "1"}}, "catalog-jsonld-iri"),
        ({"notice": {"id": "", "edition": "1"}}, "catalog-jsonld-iri"),
        ({"notice": {"id": "https://a.example/a b", "edition": "1"}}, "catalog-jsonld-iri"),
        ({"notice": {"id": "_:b0", "edition": "1"}}, "catalog-jsonld-iri"),
        ({"type": "Notes"}, "catalog-jsonld-iri"),
        ({"edition": None}, "catalog-unfit-null"),
        ({"edition": {"@value": "x", "@type": "word"}}, "catalog-jsonld-iri"),
        ({"edition": {"@value": "x", "@language": 5}}, "catalog-jsonld-invalid"),
        ({"notice": {"@list": [{"@id": 7}]}}, "catalog-jsonld-invalid"),
        ({"@type": {}}, "catalog-jsonld-invalid"),
        ({"field": [{"id": "https://a.example/f"}] * 60_000}, "catalog-jsonld-limit"),
    ],
)
def test_what_pyld_would_drop_or_guess_is_refused(members: dict[str, object], code: str) -> None:
    with pytest.raises(Problem) as caught:
        jsonld.expand(NESTED | members)
    assert caught.value.code == code


def test_contexts_of_two_loaders_do_not_mix() -> None:
    """pyld's cache is keyed by URL: a loader starts with an empty one."""
    url = "https://w3id.org/example/words"
    document = {"@context": [url], "@id": "urn:a", "word": "x"}
    for iri in ("urn:one", "urn:two"):
        load = jsonld.loader({url: {"@context": {"word": iri}}})
        assert jsonld.expand(document, load=load)[0][iri] == [{"@value": "x"}]


def test_the_terms_of_one_message_do_not_leak_into_the_next(dataset: model.Dataset) -> None:
    wire = dcat.project(dcat.document(dataset))
    load = jsonld.loader()
    before, _ = jsonld.expand_loosely(wire, load=load)
    message = {
        "@context": [terms.DSP_CONTEXT],
        "@type": "ContractAgreementMessage",
        "@id": "urn:m",
        "timestamp": "2026-11-23T08:00:00Z",
    }
    jsonld.expand(message, load=load)
    after, _ = jsonld.expand_loosely(wire, load=load)
    assert after == before
    leaked: dict[str, object] = wire | {"timestamp": "x"}
    assert jsonld.expand_loosely(leaked, load=load)[1] == ("timestamp",)


def test_known_contexts_are_ours_and_those_of_the_processor() -> None:
    known = jsonld.known_contexts()
    assert set(terms.documents()) <= known
    assert "https://www.w3.org/ns/credentials/v2" in known
    assert "https://www.w3.org/ns/did/v1" in known


def test_our_words_are_in_our_namespace() -> None:
    ours = terms.vocabulary(terms.CONTEXT)
    assert ours.expand(ours.terms["persons"].iri) == PREAU + "persons"
