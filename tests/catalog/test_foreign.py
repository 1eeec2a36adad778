"""Catalogs of connectors that sign nothing, read as plain JSON."""

from typing import Any

import pytest

from catalog import foreign, query_spec
from catalog.query_spec import Slice
from catalog.search import ANY_PURPOSE, Card, Query, search
from policies.problem import Problem
from tests.support.clock import ManualClock

PURPOSE = "https://w3id.org/preau/ns#EducationResearch"


def dataset(**changes: Any) -> dict[str, Any]:
    return {
        "@id": "asset-1",
        "@type": "Dataset",
        "hasPolicy": [{"@id": "a:b:c", "@type": "Offer", "permission": [{"action": "use"}]}],
        "distribution": [
            {"@type": "Distribution", "format": "HttpData-PUSH"},
            {"@type": "Distribution", "format": "HttpData-PULL"},
        ],
        "edc:name": "Grades",
        "description": "rows of learners",
        "id": "asset-1",
    } | changes


def test_what_a_dataset_says():
    found = foreign.dataset(dataset())
    assert (found.id, found.title, found.description) == ("asset-1", "Grades", "rows of learners")
    assert (found.formats, found.pull) == (("HttpData-PUSH", "HttpData-PULL"), "HttpData-PULL")


@pytest.mark.parametrize(
    "changes",
    [
        {"hasPolicy": {"@id": "a:b:c", "permission": {"action": "use"}}},
        {"distribution": {"format": {"@id": "HttpData-PULL"}}},
        {"edc:name": [{"@value": "Grades"}, {"@value": "Notes"}]},
    ],
)
def test_other_spellings_of_the_same(changes: dict[str, Any]):
    found = foreign.dataset(dataset(**changes))
    assert (found.title, found.pull, len(found.offers)) == ("Grades", "HttpData-PULL", 1)


def test_prefixes_that_older_connectors_write():
    found = foreign.listing({"dcat:dataset": {"@id": "x", "odrl:hasPolicy": {"@id": "o"}}})
    assert [(one.id, one.title) for one in found] == [("x", "x")]


@pytest.mark.parametrize(
    "source", [None, [], "x", {}, dataset(hasPolicy=[]), dataset(**{"@id": 1})]
)
def test_what_is_no_dataset(source: object):
    with pytest.raises(Problem, match="catalog-foreign-dataset"):
        foreign.dataset(source)
    assert foreign.listing({"dataset": [source, dataset()]})[0].id == "asset-1"


def test_control_characters_and_endless_texts_do_not_reach_people():
    found = foreign.dataset(dataset(**{"edc:name": "a\x1b[31m\nb", "description": "x" * 10_000}))
    assert found.title == "a [31m b"
    assert len(found.description) == foreign.MAX_TEXT


def test_an_offer_is_chosen_by_its_purpose():
    other = {"leftOperand": "purpose", "operator": "eq", "rightOperand": "https://x.example/p"}
    offers = [
        {"@id": "one", "@type": "Offer", "permission": [{"action": "use", "constraint": [other]}]},
        {"@id": "odd", "@type": "Offer", "permission": [{"action": "use", "meaning": "?"}]},
        {"@id": "two", "@type": "Offer", "permission": [{"action": "use"}]},
    ]
    found = foreign.dataset(dataset(hasPolicy=offers))
    assert found.offer(PURPOSE)["@id"] == "two"
    assert found.offer("https://x.example/p")["@id"] == "one"


def test_a_card_says_that_nothing_is_signed_and_is_found():
    card = foreign.card(foreign.dataset(dataset()), "edc-1", "", "public")
    assert (card.signed, card.purposes, card.document) == (False, (ANY_PURPOSE,), "")
    assert Card.read(card.document_json()) == card
    found = search([card], Query("grades"), ManualClock().now())
    assert (len(found.hits), found.facets["category"]) == (1, {})


def test_cards_from_before_are_of_signed_datasets():
    stored = foreign.card(foreign.dataset(dataset()), "edc-1", "", "public").document_json()
    del stored["signed"]
    assert Card.read(stored).signed


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((), Slice()),
        (({"@type": "QuerySpec", "offset": 2, "limit": 3, "filterExpression": []},), Slice(2, 5)),
        (({"@type": "edc:QuerySpec", "edc:offset": 0, "edc:limit": 50},), None),
        (({"@type": "QuerySpec", "filterExpression": [{"@type": "Criterion"}]},), None),
        (({"@type": "QuerySpec", "sortField": "id"},), None),
        (({"@type": "QuerySpec", "offset": -1},), None),
        (({"@type": "QuerySpec", "offset": True},), None),
        (("nonsense",), None),
        (({"@type": "QuerySpec"}, {"@type": "QuerySpec"}), None),
    ],
)
def test_the_slice_that_an_edc_asks_for(filters: tuple[object, ...], expected: Slice | None):
    assert query_spec.read(filters) == expected
