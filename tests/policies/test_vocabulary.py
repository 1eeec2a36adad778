"""Names and values: our trees against DPV's own, labels in both languages, typed literals."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import phrases, values
from policies import vocabulary as v
from policies.model import DATETIME, DECIMAL, DURATION, INTEGER, STRING, Value
from policies.problem import LANGUAGES
from policies.purposes import REVIEWED


def test_foreign_terms_are_dpv_terms(official: Callable[[str], Path]):
    files = {v.DPV: ("dpv.ttl", "dpv"), v.EDU: ("sector-education.ttl", "sector-education")}
    for base, (file, prefix) in files.items():
        text = official("dpv-2.3").joinpath(file).read_text()
        known = set(re.findall(rf"^{prefix}:(\w+) a ", text, re.MULTILINE))
        for table in (v.PURPOSES, v.CATEGORIES, v.STATUSES):
            ours = {term.removeprefix(base) for term in table if term.startswith(base)}
            assert ours <= known


def test_our_purpose_has_the_three_parents():
    for parent in ("AcademicResearch", "ScientificResearch", "NonCommercialResearch"):
        assert v.purpose_covers(v.DPV + parent, v.PREAU + "EducationResearch")
        assert not v.purpose_covers(v.PREAU + "EducationResearch", v.DPV + parent)
    assert not v.purpose_covers(v.DPV + "AcademicResearch", v.DPV + "ScientificResearch")
    assert not v.purpose_covers(v.DPV + "CommercialResearch", v.PREAU + "EducationResearch")


def test_our_edges_between_dpv_terms_are_those_of_dpv(official: Callable[[str], Path]):
    """Both ends known: exactly DPV's edges; so no grant covers more than DPV says."""
    folder = official("dpv-2.3")
    theirs: dict[str, set[str]] = {}
    for base, file, prefix in (
        (v.DPV, "dpv.ttl", "dpv"),
        (v.EDU, "sector-education.ttl", "sector-education"),
    ):
        text = folder.joinpath(file).read_text()
        for word, body in re.findall(
            rf"^{prefix}:(\w+) a (.*?)^(?=\S)", text, re.MULTILINE | re.DOTALL
        ):
            spelled = re.findall(r"skos:broader\s+([^;.]*)", body)
            parents = [each.strip() for found in spelled for each in found.split(",")]
            theirs[base + word] = {
                each.replace("sector-education:", v.EDU).replace("dpv:", v.DPV) for each in parents
            }
    foreign = {term: entry for term, entry in v.PURPOSES.items() if not term.startswith(v.PREAU)}
    assert set(foreign) <= set(theirs)
    for term, entry in foreign.items():
        assert set(entry.broader) == theirs[term] & set(v.PURPOSES), term


def test_every_purpose_of_the_education_sector_is_known(official: Callable[[str], Path]):
    text = official("dpv-2.3").joinpath("sector-education.ttl").read_text()
    listed = set(re.findall(r"^sector-education:(\w+) a ", text, re.MULTILINE))
    terms = {word for word in listed if word[0].isupper()}
    assert {v.EDU + word for word in terms} == {t for t in v.PURPOSES if t.startswith(v.EDU)}


def test_reviewed_purposes(official: Callable[[str], Path]):
    known = official("dpv-2.3").joinpath("dpv.ttl").read_text()
    for foreign, found in REVIEWED.items():
        assert found.term in v.PURPOSES
        assert found.why
        if found.relation == "same":
            assert foreign not in v.PURPOSES
            assert v.purpose(foreign) == found.term
        else:
            assert v.purpose(foreign) == foreign
            assert not v.purpose_covers(found.term, foreign)
        if foreign.startswith("https://w3id.org/dpv/"):
            word = foreign.partition("#")[2]
            assert f"dpv:{word} a " in known or word in {t.partition("#")[2] for t in v.PURPOSES}


def test_consent_to_a_field_of_education_is_none_to_ai_in_it():
    for word in ("AIAdmission", "AIAssessment", "AIOrientation", "AIMonitoring"):
        assert v.ancestors(v.PURPOSES, v.PREAU + word) == {v.PREAU + "ArtificialIntelligence"}


@pytest.mark.parametrize(
    "table",
    [
        v.PURPOSES,
        v.ACTIONS,
        v.TREATMENTS,
        v.PRECISIONS,
        v.CATEGORIES,
        v.STATUSES,
        v.ROLES,
        v.HOSTING,
        v.RECIPROCITY,
        v.LEVELS,
    ],
)
def test_trees_have_no_cycle_and_no_hole(table: dict[str, v.Term]):
    for term, entry in table.items():
        assert set(entry.broader) <= set(table)
        assert term not in v.ancestors(table, term)
        for lang in LANGUAGES:
            assert not v.label(term, lang).startswith("<")


def test_an_unknown_purpose_covers_only_itself_and_overlaps_everything():
    odd = "https://example.org/p"
    assert v.purpose_covers(odd, odd)
    assert not v.purpose_covers(v.DPV + "ResearchAndDevelopment", odd)
    assert v.purposes_overlap(odd, v.DPV + "Marketing")


@pytest.mark.parametrize(
    ("text", "months", "seconds"),
    [
        ("P1Y", 12, 0),
        ("P180D", 0, 15_552_000),
        ("PT36H", 0, 129_600),
        ("P2W", 0, 1_209_600),
        ("P0D", 0, 0),
    ],
)
def test_durations(text: str, months: int, seconds: int):
    assert values.duration(text) == values.Duration(months, seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "-P1D", "1D", "P1.5D", "P9999999Y", "P1D ", "P١D"])
def test_what_is_no_duration(text: str):
    assert values.duration(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2027-01-01",
        "2027-01-01T00:00:00",
        "2027-13-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_what_is_no_instant(text: str):
    assert values.instant(text) is None


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        ("P1M", "P27D", 1),
        ("P1M", "P30D", None),
        ("P1M", "P32D", -1),
        ("P1Y", "P12M", 0),
        ("P1D", "PT24H", 0),
    ],
)
def test_durations_are_ordered_only_when_certain(one: str, other: str, order: int | None):
    assert values.order(Value(one, DURATION), Value(other, DURATION)) == order


@pytest.mark.parametrize(
    ("text", "datatype", "canonical"),
    [
        ("+007", INTEGER, "7"),
        ("1.50", DECIMAL, "1.5"),
        ("-0.0", DECIMAL, "0"),
        ("100", DECIMAL, "100"),
        ("P0Y24M", DURATION, "P24M"),
        ("PT0S", DURATION, "PT0S"),
        ("x", "https://example.org/type", "x"),
    ],
)
def test_canonical_spelling(text: str, datatype: str, canonical: str):
    once = values.canonical(text, datatype)
    assert once == canonical
    assert values.canonical(once, datatype) == once


@given(st.text(max_size=20), st.sampled_from([DATETIME, DURATION, INTEGER, DECIMAL, STRING, "x:y"]))
def test_any_text_is_read_or_not(text: str, datatype: str):
    literal = values.literal(text, datatype)
    assert values.literal(literal.text, literal.datatype or "") == literal
    for lang in LANGUAGES:
        assert isinstance(phrases.value(literal, lang), str)


@given(st.integers(0, 12_000), st.integers(0, 1000 * 366 * 86_400), st.integers(1000, 7000))
def test_adding_a_duration_stays_in_the_calendar(months: int, seconds: int, year: int):
    start = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert values.Duration(months, seconds).after(start) >= start
