"""Finding: words, ranking, facets, and what is no longer kept up."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import dcat, model, search
from catalog.search import Card, Query
from policies import odrl
from policies.model import Policy
from policies.problem import Problem
from policies.vocabulary import DPV, PREAU

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
Make = Callable[..., model.Dataset]


def offer(*purposes: str) -> Policy:
    rule: dict[str, object] = {"action": "use"}
    if purposes:
        rule["constraint"] = [
            {
                "leftOperand": "odrl:purpose",
                "operator": "isAnyOf",
                "rightOperand": [{"@id": purpose} for purpose in purposes],
            }
        ]
    return odrl.read({"@type": "Offer", "permission": [rule]})


@pytest.fixture
def card(make: Make) -> Callable[..., Card]:
    """Makes cards; `id` names the dataset, `purposes` and `roles` its one offer."""

    def build(
        id: str = "a", purposes: tuple[str, ...] | None = None, roles=("dpo",), **members: object
    ) -> Card:
        iri = f"https://lycee.example/datasets/{id}"
        members = {"iri": iri, "identifier": id, **members}
        if "title" in members:
            members["title"] = model.Words(*(members["title"],) * 2)  # type: ignore[arg-type]
        publisher = members.setdefault("publisher", model.Publisher("did:web:l.example", "L"))
        named = dcat.offered(
            offer(*((PREAU + "EducationResearch",) if purposes is None else purposes)),
            iri,
            publisher.did,  # type: ignore[attr-defined]
        )
        members["offers"] = (model.Offer(named, roles),)
        return search.card(make(**members), "sha-256:" + "0" * 64)

    return build


def names(cards: list[Card], query: Query = Query()) -> list[str]:  # noqa: B008  (frozen)
    return [hit.card.identifier for hit in search.search(cards, query, NOW).hits]


def test_a_card_survives_storage(datasets: st.SearchStrategy[model.Dataset]):
    @given(datasets)
    def check(dataset: model.Dataset) -> None:
        made = search.card(dataset, "sha-256:" + "0" * 64)
        assert Card.read(json.loads(json.dumps(made.document_json()))) == made

    check()


def test_no_words_find_everything_newest_first(card):
    cards = [card("old", modified=NOW - timedelta(days=9)), card("new"), card("b")]
    assert names(cards) == ["b", "new", "old"]


def test_every_word_must_be_somewhere(card):
    cards = [card("a", title="Traces de vidéo"), card("b", title="Traces de forum")]
    assert names(cards, Query("traces forum")) == ["b"]
    assert names(cards, Query("trace exam")) == []


@pytest.mark.parametrize("text", ["évaluation", "EVALUATIONS", "evalu", "l'évaluation, données"])
def test_accents_capitals_plurals_and_beginnings_match(card, text):
    found = card("a", title="Données de l'évaluation")
    assert names([found, card("b", title="Autre")], Query(text)) == ["a"]


def test_a_title_counts_more_than_a_description(card):
    described = card("described", description=model.Words("forum", "forum"))
    titled = card("titled", title="Le forum", modified=NOW - timedelta(days=30))
    begun = card("begun", title="Forums2", modified=NOW)
    assert names([described, begun, titled], Query("forum")) == ["titled", "begun", "described"]


def test_labels_publishers_and_fields_are_searched_in_both_languages(card):
    found = card("a", publisher=model.Publisher("did:web:x.example", "Académie de Créteil"))
    for text in ("creteil", "learning traces", "traces d'apprentissage", "recherche", "actor"):
        assert names([found], Query(text)) == ["a"], text


def test_stale_ones_come_after_fresh_ones_and_are_marked(card):
    stale = card("stale", periodicity="daily", modified=NOW - timedelta(days=3))
    fresh = card("fresh", periodicity="annual", modified=NOW - timedelta(days=30))
    hits = search.search([stale, fresh], Query(), NOW).hits
    assert [(hit.card.identifier, hit.freshness) for hit in hits] == [
        ("fresh", "fresh"),
        ("stale", "stale"),
    ]


@pytest.mark.parametrize(
    ("periodicity", "days", "expected"),
    [
        ("daily", 2, "fresh"),
        ("daily", 2.1, "stale"),
        ("continuous", 3, "stale"),
        ("weekly", 8, "fresh"),
        ("weekly", 8.1, "stale"),
        ("monthly", 34, "fresh"),
        ("monthly", 35, "stale"),
        ("quarterly", 102, "stale"),
        ("semiannual", 203, "stale"),
        ("annual", 402, "fresh"),
        ("annual", 403, "stale"),
        ("irregular", 4000, "unscheduled"),
        ("never", 4000, "unscheduled"),
        ("unknown", 4000, "unscheduled"),
        ("weekly", -3, "fresh"),
    ],
)
def test_a_period_and_a_tenth_may_pass(periodicity, days, expected):
    modified, until = NOW - timedelta(days=days), NOW + timedelta(days=1)
    assert search.freshness(periodicity, modified, until, NOW) == expected


def test_offers_that_are_over_are_told():
    assert search.freshness("daily", NOW, NOW, NOW) == "ended"


@pytest.mark.parametrize(
    ("roles", "group", "expected"),
    [
        ((), "public", ("automatic",)),
        (("dpo",), "public", ("decision",)),
        (("ethics", "dpo"), "labs", ("decision", "group")),
        ((), "labs", ("automatic", "group")),
    ],
)
def test_the_access_condition(card, roles, group, expected):
    found = card(roles=roles, group=group)
    assert found.access == expected
    for value in search.ACCESS:
        assert bool(names([found], Query(access=value))) == (value in expected)


def test_a_purpose_finds_what_allows_it(card):
    cards = [
        card("own", purposes=(PREAU + "EducationResearch",)),
        card("broad", purposes=(DPV + "AcademicResearch",)),
        card("narrow", purposes=(PREAU + "LearningAnalyticsResearch",)),
        card("other", purposes=(PREAU + "Statistics",)),
        card("any", purposes=()),
    ]
    asked = Query(purpose=PREAU + "EducationResearch")
    assert sorted(names(cards, asked)) == ["any", "broad", "own"]
    facet = search.search(cards, asked, NOW).facets["purpose"]
    assert facet[PREAU + "EducationResearch"] == 3
    assert facet[PREAU + "LearningAnalyticsResearch"] == 4
    assert facet[PREAU + "Statistics"] == 2


def test_an_excluded_purpose_is_not_taken_for_an_allowed_one():
    rule = {
        "action": "use",
        "constraint": [
            {
                "leftOperand": "odrl:purpose",
                "operator": "isNoneOf",
                "rightOperand": [{"@id": DPV + "Marketing"}],
            }
        ],
    }
    policy = odrl.read({"@type": "Offer", "permission": [rule]})
    assert search.purposes(policy) == (search.ANY_PURPOSE,)


def test_a_category_finds_what_lies_below_it(card):
    traces = card("traces", category=PREAU + "LearningTraces")
    plain = card("plain", category=DPV + "NonPersonalData")
    assert names([traces, plain], Query(category=DPV + "PersonalData")) == ["traces"]
    assert len(names([traces, plain], Query(category=DPV + "Data"))) == 2


def test_facets_count_what_another_choice_would_give(card):
    one, other = (
        model.Publisher("did:web:o.example", "O"),
        model.Publisher("did:web:p.example", "P"),
    )
    cards = [
        card("a", publisher=one, roles=()),
        card("b", publisher=one),
        card("c", publisher=other),
        card("d", publisher=other, title="hors sujet"),
    ]
    found = search.search(cards, Query("mooc", access="decision", publisher=one.did), NOW)
    assert [hit.card.identifier for hit in found.hits] == ["b"]
    assert found.facets["publisher"] == {one.did: 1, other.did: 1}
    assert found.facets["access"] == {"automatic": 1, "decision": 1}
    assert found.facets["freshness"] == {"fresh": 1}
    assert set(found.facets) == set(search.FACETS)


@pytest.mark.parametrize("facet", ["access", "freshness"])
def test_an_unknown_word_is_told_with_the_known_ones(facet):
    with pytest.raises(Problem) as caught:
        Query(**{facet: "nonsense"})
    assert caught.value.code == "catalog-search-facet"
    for lang in ("fr", "en"):
        assert "{" not in caught.value.text(lang) + caught.value.remedy(lang)


def test_any_query_ends_with_an_answer(datasets: st.SearchStrategy[model.Dataset]):
    @given(st.lists(datasets, max_size=5), st.text(max_size=40))
    def check(found: list[model.Dataset], text: str) -> None:
        cards = [search.card(each, "sha-256:" + "0" * 64) for each in found]
        answer = search.search(cards, Query(text), NOW)
        assert len(answer.hits) <= len(cards)
        assert list(answer.hits) == list(search.search(cards[::-1], Query(text), NOW).hits) or (
            len({each.dataset for each in cards}) < len(cards)
        )

    check()


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("EducationResearch", PREAU + "EducationResearch"),
        ("preau:Statistics", PREAU + "Statistics"),
        ("dpv:Marketing", DPV + "Marketing"),
        ("https://x.example/p", "https://x.example/p"),
        ("urn:x:y", "urn:x:y"),
    ],
)
def test_short_spellings(name, iri):
    assert search.expand(name) == iri
