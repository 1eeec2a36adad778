import pytest

from connector.cli.story.treated import Announced

PLAN = {
    "fields": [
        {"name": "actor", "type": "agent", "pointer": "/actor", "treatment": "pseudonym"},
        {"name": "id", "type": "uuid", "pointer": "/id", "treatment": "rekey"},
        {"name": "verb.id", "type": "string", "pointer": "/verb/id"},
        {"name": "timestamp", "type": "dateTime", "pointer": "/timestamp", "treatment": "time"},
        {"name": "parent", "type": "string", "pointer": "/context/parent/-/id"},
        {"name": "x", "type": "number", "pointer": "/result/extensions/https:~1~1x"},
    ],
    "treatments": {"actor": "pseudonym-per-agreement", "ids": "rekey", "time": "hour"},
}
SOURCE = {
    "id": "AAAAAAAA-0000-4000-8000-000000000000",
    "actor": {"account": {"homePage": "https://h", "name": "n"}},
    "verb": {"id": "v", "display": {"en": "gone"}},
    "timestamp": "2025-03-10T08:59:59.123+02:00",
    "context": {"parent": [{"id": "p", "objectType": "Activity"}, {"objectType": "Activity"}]},
    "result": {"extensions": {"https://x": 1.5, "https://y": 2}},
}
RECEIVED = {
    "actor": {"account": {"homePage": "urn:uuid:1", "name": "ABC"}},
    "id": "bbbbbbbb-0000-4000-8000-000000000000",
    "verb": {"id": "v"},
    "timestamp": "2025-03-10T06:00:00Z",
    "context": {"parent": [{"id": "p"}]},
    "result": {"extensions": {"https://x": 1.5}},
}


def test_both_sides_become_the_same_row():
    announced = Announced.read(PLAN)
    here, there = announced.row(SOURCE, treat=True), announced.row(RECEIVED, treat=False)
    assert here.rest == there.rest
    assert here.ids == ("aaaaaaaa-0000-4000-8000-000000000000",)
    assert here.learner != there.learner


def test_only_what_is_beyond_the_agreement_is_named():
    announced = Announced.read(PLAN)
    assert list(announced.beyond(RECEIVED)) == []
    assert sorted(announced.beyond(SOURCE)) == [
        "/context/parent/-/objectType",
        "/context/parent/-/objectType",
        "/result/extensions/https:~1~1y",
        "/verb/display/en",
    ]


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("minute", "2025-03-10T06:59:00Z"),
        ("hour", "2025-03-10T06:00:00Z"),
        ("day", "2025-03-10T00:00:00Z"),
        ("exact", "2025-03-10T06:59:59.123000Z"),
    ],
)
def test_times_are_cut_as_announced(precision, expected):
    plan = {**PLAN, "treatments": {"time": precision}}
    assert expected in Announced.read(plan).row(SOURCE, treat=True).rest


def test_a_null_that_was_agreed_is_not_an_absence():
    announced = Announced.read(PLAN)
    one = announced.row({**RECEIVED, "verb": {"id": None}}, treat=False)
    two = announced.row({**RECEIVED, "verb": {}}, treat=False)
    assert one.rest != two.rest
