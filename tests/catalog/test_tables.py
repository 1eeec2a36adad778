"""What a table adds to a dataset document: Article 9 conditions and the column of record time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from catalog import documents, dsp, model
from policies.problem import Problem

SPECIAL = model.Field("handicap", "handicap", "string", "special", "9(2)(j)", "register 7")
DAY = model.Field("day", "day", "date", "no")
Make = Callable[..., model.Dataset]


def table(make: Make, **members: object) -> model.Dataset:
    return make(kind="csv", fields=(SPECIAL, DAY), **members)


def test_condition_and_record_time_are_signed_and_survive_the_wire(make: Make):
    dataset = table(make, record_time="day")
    written = documents.document(dataset)
    read = documents.read(written)
    assert (read.fields, read.record_time) == (dataset.fields, "day")
    assert dsp.unproject(dsp.project(written)) == written
    subject = written["subject"]
    assert isinstance(subject, dict)
    field = next(one for one in subject["field"] if one["name"] == "handicap")
    assert field["condition"] == "https://w3id.org/dpv/legal/eu/gdpr#A9-2-j"
    assert (field["reference"], subject["recordTime"]) == ("register 7", "day")


def test_without_them_a_document_is_what_it_was(make: Make):
    text = str(documents.document(make()))
    assert "condition" not in text
    assert "recordTime" not in text


def test_what_dates_rows(make: Make):
    assert make().dated
    assert table(make, record_time="day").dated
    assert not table(make).dated


@pytest.mark.parametrize(
    "changes", [{"condition": None}, {"reference": None}, {"condition": "9(2)(z)"}]
)
def test_a_condition_has_its_reference(changes: Any):
    with pytest.raises(Problem, match="catalog-member-invalid"):
        replace(SPECIAL, **changes)


@pytest.mark.parametrize(
    "members", [{"record_time": "night"}, {"kind": "xapi", "record_time": "day"}]
)
def test_record_time_is_a_column_of_a_table(make: Make, members: dict[str, str]):
    with pytest.raises(Problem, match="catalog-member-invalid"):
        make(**{"kind": "csv", "fields": (SPECIAL, DAY)} | members)
