"""Dataset documents: what is written is read back, and nothing else is accepted."""

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import dcat, model
from catalog.values import format_share
from policies import odrl
from policies.model import Policy
from policies.problem import Problem

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "value", "fr", "en"]), inner)
    ),
    max_leaves=6,
)


def places(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every member and item of a JSON value."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def parent(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def test_the_document_has_its_own_iri_and_is_about_the_dataset(dataset: model.Dataset) -> None:
    document: Any = dcat.document(dataset)
    assert next(iter(document)) == "v"
    assert document["v"] == 1
    assert document["id"] == "https://lycee.example/datasets/42/v3"
    assert document["subject"]["id"] == "https://lycee.example/datasets/42"
    assert document["subject"]["persons"] == "1450"
    assert [node["id"] for node in document["subject"]["distribution"]] == [
        "https://lycee.example/datasets/42#dist-csv",
        "https://lycee.example/datasets/42#dist-ndjson",
    ]


def test_every_dataset_is_read_back_as_it_was_written(
    datasets: st.SearchStrategy[model.Dataset],
) -> None:
    @given(datasets)
    def check(dataset: model.Dataset) -> None:
        document = dcat.document(dataset)
        again = dcat.read(document)
        assert dcat.document(again) == document
        # The document has its own order of offers, rules and distributions.
        assert replace(again, offers=dataset.offers, distributions=dataset.distributions) == dataset
        assert set(again.distributions) == set(dataset.distributions)
        assert {offer.policy.id: offer.decisions for offer in again.offers} == {
            offer.policy.id: offer.decisions for offer in dataset.offers
        }

    check()


def test_decisions_keep_their_order(dataset: model.Dataset) -> None:
    assert dcat.read(dcat.document(dataset)).offers[0].decisions == ("ethics", "dpo")


def test_no_member_can_be_removed_or_changed_unnoticed(dataset: model.Dataset) -> None:
    document = dcat.document(dataset)
    digest = dcat.digest(document)
    for path in places(document):
        for change in ("remove", "replace"):
            changed = copy.deepcopy(document)
            holder = parent(changed, path)
            if change == "remove":
                del holder[path[-1]]
            else:
                holder[path[-1]] = {"id": "https://evil.example/"}
            assert dcat.digest(changed) != digest
            try:
                dcat.read(changed)
            except Problem:
                continue
            # what may be absent leaves another valid document behind
            optional = {"notice", "digest", "persons", "decision", "reference"}
            assert change == "remove"
            assert path[-1] in optional or path[-2] in {"field", "distribution", "decision"}, path


@given(st.data())
def test_no_damage_makes_reading_fail_in_another_way(
    dataset: model.Dataset, data: st.DataObject
) -> None:
    document = dcat.document(dataset)
    path = data.draw(st.sampled_from(list(places(document))))
    parent(document, path)[path[-1]] = data.draw(ANYTHING)
    with suppress(Problem):
        assert dcat.document(dcat.read(document)) == document


def test_an_unknown_member_is_refused_wherever_it_stands(dataset: model.Dataset) -> None:
    document = dcat.document(dataset)
    for path in [(), *places(document)]:
        changed: Any = copy.deepcopy(document)
        place = changed
        for key in path:
            place = place[key]
        if isinstance(place, dict):
            place["colour"] = "blue"
            with pytest.raises(Problem):
                dcat.read(changed)


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("v",), 2, "/v"),
        (("v",), True, "/v"),
        (("@context",), ["https://evil.example/"], "/@context"),
        (("id",), "https://lycee.example/datasets/42/v4", "/id"),
        (("type",), "CatalogHead", "/type"),
        (("subject", "version"), "3", "/subject/version"),
        (("subject", "kind"), "xapi", "/subject/kind"),
        (("subject", "issued"), "2026-11-23T09:00:00+01:00", "/subject/issued"),
        (("subject", "field", 0, "position"), 7, "/subject/field"),
        (("subject", "field", 0, "sensitivity"), "direct", "/subject/field/0/sensitivity"),
        (("subject", "personal"), 1, "/subject/personal"),
        (("subject", "publisher", "type"), "Person", "/subject/publisher/type"),
        (("subject", "distribution"), [], "/subject/distribution"),
        (("subject", "persons"), "1452", "persons"),
        (("subject", "retention"), "one year", "retention"),
        (("subject", "distribution", 0, "accessURL"), "https://evil.example/", None),
        (("subject", "distribution", 0, "mediaType"), "text/csv", None),
        (("subject", "field", 0, "id"), "https://lycee.example/datasets/42#field-x", None),
    ],
)
def test_a_fault_is_located(
    dataset: model.Dataset, path: tuple[Any, ...], value: object, where: str | None
) -> None:
    document = dcat.document(dataset)
    parent(document, path)[path[-1]] = value
    with pytest.raises(Problem) as caught:
        dcat.read(document)
    if where is None:
        assert caught.value.code == "catalog-document-form"
    else:
        assert caught.value.code == "catalog-member-invalid"
        assert caught.value.params["where"] == where


def test_sets_in_another_order_are_not_the_canonical_form(dataset: model.Dataset) -> None:
    document: Any = dcat.document(dataset)
    document["subject"]["field"].reverse()
    with pytest.raises(Problem, match="catalog-document-form"):
        dcat.read(document)


def test_an_offer_is_named_by_what_it_says(
    dataset: model.Dataset, policy: Policy, make: Callable[..., model.Dataset]
) -> None:
    one = dcat.offered(policy, dataset.iri, dataset.publisher.did)
    assert one.id.startswith(dataset.iri + "/offers/")
    assert dcat.offered(one, dataset.iri, dataset.publisher.did) == one
    assert dcat.offered(policy, dataset.iri, "did:web:other.example").id != one.id
    assert dcat.offered(policy, dataset.iri + "1", dataset.publisher.did).id != one.id
    with pytest.raises(Problem, match="catalog-offer-name"):
        dcat.document(make(offers=(model.Offer(replace(one, id=one.id + "x")),)))
    with pytest.raises(Problem, match="catalog-offer-parties"):
        dcat.document(make(offers=(model.Offer(replace(one, target="https://a.example/")),)))
    with pytest.raises(Problem, match="catalog-offer-twice"):
        dcat.document(make(offers=(model.Offer(one), model.Offer(one))))


def test_a_rule_cannot_be_changed_under_its_name(dataset: model.Dataset) -> None:
    document: Any = dcat.document(dataset)
    constraints = document["subject"]["hasPolicy"][0]["permission"][0]["constraint"]
    constraints[0]["operator"] = "http://www.w3.org/ns/odrl/2/neq"
    with pytest.raises(Problem, match="catalog-offer-name"):
        dcat.read(document)


def test_an_ordered_sequence_of_constraints_is_not_published(
    make: Callable[..., model.Dataset],
) -> None:
    purpose = {
        "leftOperand": "odrl:purpose",
        "operator": "eq",
        "rightOperand": {"@id": "https://w3id.org/preau/ns#Statistics"},
    }
    rule = {"action": "use", "constraint": [{"andSequence": [purpose]}]}
    policy = odrl.read({"@type": "Offer", "permission": [rule]})
    offered = dcat.offered(policy, "https://lycee.example/datasets/42", "did:web:lycee.example")
    with pytest.raises(Problem, match="catalog-unfit-term"):
        dcat.document(make(offers=(model.Offer(offered),)))


@pytest.mark.parametrize(
    "members",
    [
        {"iri": "datasets/42"},
        {"iri": "https://lycee.example/datasets/4 2"},
        {"iri": "https://lycee.example/datasets/42#x"},
        {"identifier": "../42"},
        {"version": 0},
        {"version": True},
        {"kind": "parquet"},
        {"audience": "children"},
        {"persons": "1452"},
        {"persons": "9"},
        {"retention": "P"},
        {"rows": -1},
        {"group": ""},
        {"fields": ()},
        {"distributions": ()},
        {"endpoint": "dsp"},
        {"dpia": " "},
    ],
)
def test_a_dataset_that_cannot_be_published_does_not_exist(
    make: Callable[..., model.Dataset], members: dict[str, object]
) -> None:
    with pytest.raises(Problem, match="catalog-member-invalid"):
        make(**members)


def test_an_instant_needs_a_zone(
    make: Callable[..., model.Dataset], dataset: model.Dataset
) -> None:
    with pytest.raises(Problem, match="until"):
        make(until=dataset.until.replace(tzinfo=None))
    later = make(until=dataset.until + timedelta(microseconds=1))
    assert dcat.read(dcat.document(later)).until == later.until


def test_names_are_unique(make: Callable[..., model.Dataset], dataset: model.Dataset) -> None:
    with pytest.raises(Problem, match="catalog-member-twice"):
        make(fields=dataset.fields + dataset.fields[:1])
    with pytest.raises(Problem, match="catalog-member-twice"):
        make(distributions=dataset.distributions * 2)


def test_a_control_character_is_refused_with_its_place(make: Callable[..., model.Dataset]) -> None:
    with pytest.raises(Problem, match="catalog-unfit-control") as caught:
        dcat.document(make(title=model.Words(fr="a\x07", en="b")))
    assert caught.value.params["where"] == "/subject/title/fr"


# -------------------------------------------------------------------------------------- linkage


def measured(**members: object) -> model.Linkage:
    given: dict[str, object] = {
        "measured": datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        "figures": (model.LinkageFigure("hour", extensions=False, linked=">99 %"),),
    } | members
    return model.Linkage(**given)  # type: ignore[arg-type]


def test_a_measured_linkage_stands_in_the_document(make: Callable[..., model.Dataset]) -> None:
    dataset = make(linkage=measured())
    document: Any = dcat.document(dataset)
    assert document["subject"]["linkage"] == {
        "id": "https://lycee.example/datasets/42#linkage",
        "type": "LinkageMeasurement",
        "measured": "2026-11-23T09:00:00Z",
        "consents": 70,
        "figure": [
            {
                "id": "https://lycee.example/datasets/42#linkage-hour-cut",
                "type": "LinkageFigure",
                "precision": "https://w3id.org/preau/ns#Hour",
                "extensions": False,
                "linked": ">99 %",
            }
        ],
    }
    assert dcat.read(document).linkage == dataset.linkage
    assert dcat.unproject(dcat.project(document)) == document


def test_a_dataset_nobody_measured_says_nothing(dataset: model.Dataset) -> None:
    document: Any = dcat.document(dataset)
    assert "linkage" not in document["subject"]


@pytest.mark.parametrize("linked", ["0 %", "100 %", "99.5 %", "7", "none", "unlinkable"])
def test_a_share_is_never_none_nor_all_nor_a_word(linked: str) -> None:
    with pytest.raises(Problem) as caught:
        model.LinkageFigure("hour", extensions=True, linked=linked)
    assert caught.value.code == "catalog-member-invalid"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "<1 %"), (0.0099, "<1 %"), (0.01, "1 %"), (0.655, "66 %"), (0.99, "99 %"), (1, ">99 %")],
)
def test_shares_are_announced_in_whole_percent(share: float, text: str) -> None:
    assert format_share(share) == text


def test_a_treatment_has_one_figure() -> None:
    twice = model.LinkageFigure("day", extensions=True, linked="7 %")
    with pytest.raises(Problem) as caught:
        measured(figures=(twice, replace(twice, linked="9 %")))
    assert caught.value.code == "catalog-member-twice"
    with pytest.raises(Problem):
        measured(figures=())
