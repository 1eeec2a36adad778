"""Linkage of tables: on rows whose truth is known, on files really released, and on OULAD."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.dataplane import risk
from connector.dataplane.about import parse
from connector.dataplane.building import build
from connector.dataplane.release import (
    Limits,
    ReleaseKeys,
    encode_part,
    projection_of,
    release_keys,
)
from connector.dataplane.revision import Revision
from connector.dataplane.risk import FLOOR, MAX_ROWS, Measured, column_rows, join
from connector.dataplane.risk_tables import measure_table
from connector.dataplane.treat import pseudonym
from policies.plan import Plan, PlanField, Rows, Treatments
from tests.support.ids import SeededIds

KEY = b"r" * 32
ABOUT = """
id = "results"
kind = "csv"
title = { fr = "Résultats", en = "Results" }
[[subjects]]
column = "eleve"
namespace = "https://lycee.example/eleves"
"""
OULAD = "oulad/studentInfo.csv"
STUDENTS = ABOUT.replace("eleve", "id_student", 1)
DISABILITY = '[[special]]\ncolumn = "disability"\n'


def measured(content: str, more: str = "", max_rows: int = MAX_ROWS) -> Measured:
    with TemporaryDirectory() as folder:
        source = Path(folder) / "source.csv"
        source.write_text(content, "utf-8")
        return at(Path(folder) / "revision", source, ABOUT + more, max_rows)


def at(folder: Path, source: Path, about: str, max_rows: int = MAX_ROWS) -> Measured:
    build(
        source,
        folder=folder,
        declaration=parse(about),
        subject_secret=b"k" * 32,
        random=SeededIds().token,
    )
    with Revision.open(folder) as revision:
        return measure_table(revision, KEY, max_rows=max_rows)


def linked(found: Measured) -> dict[tuple[str, bool], float]:
    return {(one.time, one.extensions): one.linked for one in found.figures}


def unique(found: Measured) -> dict[tuple[str, bool], float]:
    return {(one.time, one.extensions): one.unique for one in found.figures}


def table(columns: str, cells: Callable[[int], str], persons: int = 60) -> str:
    return f"eleve,{columns}\n" + "".join(f"eleve-{n},{cells(n)}\n" for n in range(persons))


def test_who_differs_in_no_released_column_is_linked_by_chance_only():
    found = measured(table("note,classe", lambda _: "12,2A"))
    assert (found.rows, found.persons, found.sampled) == (60, 60, False)
    assert set(unique(found).values()) == {0}
    # About 42 of 60 are with the other recipient: chance is one in 42.
    assert all(0.015 < share < 0.04 for share in linked(found).values())
    assert set(found.rows_unique.values()) == {0}


def test_one_telling_column_links_everybody_and_only_a_plan_that_releases_columns():
    found = measured(table("note,classe", lambda n: f"12,c{n}x"))
    assert linked(found)["hour", True] == unique(found)["none", True] == 1
    assert linked(found)["hour", False] < 0.04
    assert found.rows_unique["minute"] == 1
    assert found.document()["rows_unique"]["minute"] == 100


def test_times_in_columns_are_cut_before_they_are_counted():
    found = measured(table("vu", lambda n: f"2026-03-01 10:{n:02d}:00"))
    assert linked(found)["minute", True] == 1
    assert max(linked(found)["hour", True], linked(found)["none", True]) < 0.04
    assert found.rows_unique == {"minute": 1, "hour": 0, "day": 0, "none": 0}


def test_dates_leave_with_the_day_and_not_without_time():
    found = measured(table("ne", lambda n: f"20{n:02d}-01-02"))
    assert linked(found)["day", True] == 1
    assert linked(found)["none", True] < 0.04


def test_columns_that_no_plan_releases_never_count():
    every = table("nom,nir,sante", lambda n: f"nom{n},,s{n}")
    more = '[[columns]]\nname = "nom"\npersonal = "direct"\n[[special]]\ncolumn = "sante"\n'
    assert max(linked(measured(every, more)).values()) < 0.04
    with TemporaryDirectory() as folder:
        source = Path(folder) / "source.csv"
        source.write_text(every, "utf-8")
        at(Path(folder) / "revision", source, ABOUT + more)
        with Revision.open(Path(folder) / "revision") as revision:
            declared = measure_table(revision, KEY, special={"sante"})
    assert linked(declared)["hour", True] == 1


def test_rekeyed_ids_and_other_persons_names_never_count():
    more = '[[subjects]]\ncolumn = "tuteur"\nnamespace = "https://lycee.example/tuteurs"\n'
    content = table("session,tuteur", lambda n: f"00000000-0000-4000-9000-{n:012d},t{n}")
    found = measured(content, more)
    assert (found.rows, found.persons) == (60, 120)
    assert max(linked(found).values()) < 0.04


def test_how_many_rows_a_person_has_is_all_that_pseudonyms_alone_tell():
    content = "eleve,note\n" + "".join(f"e{n},1\n" for n in range(40) for _ in range(n + 1))
    assert set(linked(measured(content)).values()) == {1}
    assert measured(content).rows_unique["hour"] == 0


def test_a_large_table_is_sampled_by_whole_persons():
    content = "eleve,note\n" + "".join(f"e{n},{n}\n" for n in range(200) for _ in range(2))
    found = measured(content, max_rows=200)
    assert found.sampled
    assert found.rows == 2 * found.persons
    assert 60 < found.persons < 140


def test_too_few_persons_give_no_figure():
    found = measured(table("note", str, persons=FLOOR - 1))
    assert (found.figures, dict(found.rows_unique)) == ((), {})
    assert "rows_unique" not in found.document()


@given(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 3)), min_size=30, max_size=60))
def test_unique_persons_are_those_whose_rows_nobody_else_has(rows: list[tuple[int, int]]):
    content = "eleve,note\n" + "".join(f"e{who},{note}\n" for who, note in rows)
    notes: dict[int, list[int]] = {}
    for who, note in rows:
        notes.setdefault(who, []).append(note)
    traces = Counter(tuple(sorted(each)) for each in notes.values())
    expected = sum(count for count in traces.values() if count == 1) / len(notes)
    found = measured(content)
    assert all(
        share == pytest.approx(expected) for (_, more), share in unique(found).items() if more
    )


# ------------------------------------------------------------------------------------- real table


@pytest.fixture(scope="module")
def oulad(official: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The revision of OULAD's 32,593 registrations, disability special without a condition."""
    folder = tmp_path_factory.mktemp("oulad") / "revision"
    build(
        official(OULAD),
        folder=folder,
        declaration=parse(STUDENTS + DISABILITY),
        subject_secret=b"k" * 32,
        random=SeededIds().token,
    )
    return folder


@pytest.mark.slow
def test_the_rows_of_oulad_are_as_unique_as_is_known(oulad: Path):
    """Four in five rows stand alone on all columns but the student's number (docs/linkage.md)."""
    with Revision.open(oulad) as revision:
        every = measure_table(revision, KEY, special={"disability"})
        found = measure_table(revision, KEY)
    assert (found.rows, found.persons, found.sampled) == (32_593, 28_785, False)
    assert every.document()["rows_unique"] == dict.fromkeys(("minute", "hour", "day", "none"), 80.3)
    assert found.rows_unique["hour"] == pytest.approx(0.768, abs=0.0005)
    # Who is alike is few: a guess among them is right more often than they are alone.
    assert unique(found)["hour", True] == pytest.approx(0.797, abs=0.0005)
    assert linked(found)["hour", True] == pytest.approx(0.915, abs=0.005)
    assert linked(found)["hour", False] < 0.01


@pytest.mark.slow
def test_two_released_files_are_really_joined(oulad: Path):
    """What is announced is what two recipients find in the files that they receive."""
    with Revision.open(oulad) as revision:
        pair = risk.consents(KEY, revision.meta.persons)[0]
        announced = linked(measure_table(revision, KEY))["hour", True]
        columns = [one.name for one in revision.meta.codebook if one.name != "id_student"]
        ours, theirs = (
            column_rows(released(revision, who, bits), "id_student", columns)
            for who, bits in zip(("did:web:a", "did:web:b"), pair, strict=True)
        )
        names = [keys(who).pseudonym for who in ("did:web:a", "did:web:b")]
        same = {
            pseudonym(names[0], revision.subject(n)): pseudonym(names[1], revision.subject(n))
            for n in range(revision.meta.persons)
            if pair[0][n] and pair[1][n]
        }
        found = join(ours, theirs, same)
    assert found.common == len(same) > 13_000
    assert found.histories == pytest.approx(announced, abs=0.01)
    assert found.rows <= found.histories


def keys(recipient: str) -> ReleaseKeys:
    return release_keys(b"p" * 32, recipient, "http://purpose", f"urn:uuid:{recipient}")


def released(revision: Revision, recipient: str, bits: bytearray) -> list[dict[str, object]]:
    """What a recipient receives: every column that may leave."""
    plan = Plan(
        agreement="urn:uuid:00000000-0000-8000-8000-00000000000a",
        policy="ni:///sha-256;x",
        dataset="https://lycee.example/datasets/results",
        rows=Rows(undated=True),
        fields=tuple(
            PlanField(one.name, one.type, None, one.column)
            for one in revision.meta.codebook
            if one.personal != "special"
        ),
        treatments=Treatments(time="hour"),
    )
    wanted = projection_of(plan, revision.meta, "ndjson")
    part = encode_part(
        revision, wanted, keys(recipient), bits, 0, None, Limits(rows=10**9, bytes=10**9)
    )
    return [json.loads(line) for line in part.body.splitlines()]
