"""Policies read from RDF: as their JSON reads, and never a poorer one."""

import json
from typing import Any

import pytest
import rdflib
from hypothesis import given
from hypothesis import strategies as st

from catalog import policy_graph
from policies import odrl
from policies.problem import Problem
from policies.vocabulary import ODRL

HEAD = """
@prefix odrl: <http://www.w3.org/ns/odrl/2/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
POLICY = """
<urn:p> a odrl:Set, odrl:Policy ; odrl:uid <urn:p> ; odrl:conflict odrl:invalid ;
  odrl:permission <urn:r> , [
    odrl:action [ <http://www.w3.org/1999/02/22-rdf-syntax-ns#value> odrl:print ;
                  odrl:refinement [ odrl:leftOperand odrl:count ; odrl:operator odrl:lteq ;
                                    odrl:rightOperand 3 ; odrl:unit <urn:u> ] ] ;
    odrl:target <urn:album>
  ] .
<urn:album> a odrl:AssetCollection ; odrl:source <urn:all> .
<urn:r> odrl:action odrl:read ; odrl:target <urn:t> ; odrl:constraint [
    odrl:andSequence ( <urn:c> [ odrl:leftOperand odrl:dateTime ; odrl:operator odrl:lt ;
                       odrl:rightOperand "2027-01-01"^^xsd:date ] ) ] .
<urn:c> odrl:leftOperand odrl:purpose ; odrl:operator odrl:eq ; odrl:rightOperand <urn:x> .
"""
SAME: dict[str, Any] = {
    "@id": "urn:p",
    "@type": "Set",
    "conflict": "invalid",
    "permission": [
        {
            "@id": "urn:r",
            "action": "odrl:read",
            "target": "urn:t",
            "constraint": {
                "andSequence": [
                    {
                        "@id": "urn:c",
                        "leftOperand": "odrl:purpose",
                        "operator": "eq",
                        "rightOperand": {"@id": "urn:x"},
                    },
                    {
                        "leftOperand": "odrl:dateTime",
                        "operator": "lt",
                        "rightOperand": {"@value": "2027-01-01", "@type": "xsd:date"},
                    },
                ]
            },
        },
        {
            "action": {
                "rdf:value": {"@id": "odrl:print"},
                "refinement": {
                    "leftOperand": "odrl:count",
                    "operator": "lteq",
                    "rightOperand": 3,
                    "unit": "urn:u",
                },
            },
            "target": {"@type": "AssetCollection", "uid": "urn:album", "source": "urn:all"},
        },
    ],
}


USE = "a odrl:Set ; odrl:permission [ odrl:action odrl:use "


def turtle(text: str) -> bytes:
    return (HEAD + text).encode()


def test_rdf_reads_as_json():
    assert odrl.document(policy_graph.only(turtle(POLICY))) == odrl.document(odrl.read(SAME))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a odrl:Set", "policy-no-rule"),
        ("a odrl:Set ; odrl:permission []", "policy-missing-member"),
        ("a odrl:Set ; odrl:permission <urn:r> . <urn:r> odrl:duty <urn:r>", "policy-too-deep"),
        ("a odrl:Set, odrl:Offer ; odrl:permission [ odrl:action odrl:use ]", "policy-shape"),
        (USE + "; <urn:q> 1 ]", "policy-unknown-member"),
        ('a odrl:Set ; odrl:permission "use"', "policy-shape"),
        ("a odrl:Set . <urn:q> a odrl:Set", "policy-rdf-count"),
        (USE + "; odrl:constraint [ odrl:or ( ) ] ]", "policy-shape"),
        (USE + "; odrl:constraint [ odrl:andSequence [], [] ] ]", "policy-shape"),
        ("a", "policy-rdf"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, code: str):
    with pytest.raises(Problem) as caught:
        policy_graph.only(turtle(f"<urn:p> {text} ."))
    assert caught.value.code == code
    assert "{" not in caught.value.text("fr") + caught.value.remedy("en")


def test_a_rule_without_action_is_kept_for_oracles_only():
    graph = rdflib.Graph().parse(
        data=turtle("<urn:p> a odrl:Set ; odrl:permission <urn:r> . <urn:r> a odrl:Permission ."),
        format="turtle",
    )
    with pytest.raises(Problem):
        policy_graph.read(graph, "urn:p")
    assert policy_graph.read(graph, "urn:p", any_action=True).permissions[0].action == ""
    with pytest.raises(Problem):
        policy_graph.read(graph, "urn:absent")


WORDS = """permission prohibition obligation duty action target constraint or andSequence
leftOperand operator rightOperand refinement source uid use Set AssetCollection eq count
inheritFrom conflict perm partOf"""
words = st.sampled_from(WORDS.split()).map(lambda word: rdflib.URIRef(ODRL + word))
first, rest, kind = rdflib.RDF.first, rdflib.RDF.rest, rdflib.RDF.type
nodes = st.sampled_from(["urn:p", "urn:a", "urn:b"]).map(rdflib.URIRef) | st.sampled_from(
    [rdflib.BNode("x"), rdflib.BNode("y")]
)
values = st.one_of(
    nodes,
    words,
    st.just(rdflib.RDF.nil),
    st.text(max_size=3).map(rdflib.Literal),
    st.integers(-3, 10**40).map(rdflib.Literal),
    st.just(rdflib.Literal("x", lang="fr")),
)
triples = st.tuples(nodes, words | st.sampled_from([first, rest, kind]), values)


@given(st.lists(triples, max_size=14))
def test_any_graph_is_a_policy_or_a_problem(found: list[Any]):
    graph = rdflib.Graph()
    graph.add((rdflib.URIRef("urn:p"), kind, rdflib.URIRef(ODRL + "Set")))
    rule = rdflib.BNode("rule")
    graph.add((rdflib.URIRef("urn:p"), rdflib.URIRef(ODRL + "permission"), rule))
    graph.add((rule, rdflib.URIRef(ODRL + "action"), rdflib.URIRef(ODRL + "use")))
    for each in found:
        graph.add(each)
    for any_action in (False, True):
        try:
            read = policy_graph.read(graph, "urn:p", any_action=any_action)
        except Problem as problem:
            json.dumps(problem.document())
        else:
            assert odrl.rules_digest(read)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_policy_or_a_problem(data: bytes):
    try:
        policy_graph.only(data)
    except Problem as problem:
        json.dumps(problem.document())
