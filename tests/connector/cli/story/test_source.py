import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from connector.cli.story import generate
from connector.cli.story.consents import Account, consents
from connector.cli.story.search import Needles
from connector.cli.story.source import Source
from policies.problem import Problem

NAMES = [f"learner-{n}" for n in range(50)]
YES = [name for name in NAMES if consents(name)]
NO = [name for name in NAMES if not consents(name)]


def row(number: int, name: str, **more: Any) -> dict[str, Any]:
    account = {"homePage": "https://h.example", "name": name}
    made = {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "actor": {"account": account},
        "timestamp": f"2025-03-1{number % 10}T10:00:00Z",
        "verb": {"id": "https://v.example"},
    }
    return {**made, **more}


def source(tmp_path: Path, *rows: dict[str, Any]) -> Source:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in rows), "utf-8")
    return Source(path)


def test_rows_of_consenting_learners_may_leave(tmp_path):
    found = source(tmp_path, row(1, YES[0]), row(2, NO[0]), row(3, YES[1]))
    assert [item.learner and item.learner.name for item in found.consenting] == YES[:2]
    assert found.accounts == {
        Account("https://h.example", name) for name in (YES[0], NO[0], YES[1])
    }
    assert found.period == ("2025-03-11", "2025-03-14")


def test_everybody_named_in_a_row_must_consent(tmp_path):
    instructor = {"account": {"homePage": "https://h.example", "name": NO[0]}}
    mbox = {"mbox": "mailto:somebody@example.org"}
    found = source(
        tmp_path,
        row(1, YES[0], context={"instructor": instructor}),
        row(2, YES[0], object={"objectType": "Agent", **mbox}),
        row(3, YES[0], context={"team": {"member": [row(0, YES[1])["actor"]]}}),
    )
    assert [item.value["id"][-1] for item in found.consenting] == ["3"]
    names = {account.name for account in found.accounts}
    assert names == {YES[0], YES[1], NO[0]}


def test_duplicates_count_once_and_contradictions_never(tmp_path):
    found = source(
        tmp_path,
        row(1, YES[0]),
        row(1, YES[0], stored="2025-03-20T00:00:00Z"),
        row(2, YES[0]),
        row(2, YES[1]),
        row(3, YES[2]),
    )
    assert [item.value["id"][-1] for item in found.statements] == ["1", "3"]


def test_rows_the_node_quarantines_are_left_out(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    bad = [{"id": "x"}, {**row(4, YES[0]), "timestamp": "soon"}, [], "text"]
    with gzip.open(path, "wt", encoding="utf-8") as out:
        for item in [*bad, row(1, YES[0])]:
            out.write(json.dumps(item) + "\n")
        out.write("{not json\n")
    assert len(Source(path).statements) == 1


def test_without_a_consenting_learner_there_is_no_story(tmp_path):
    found = source(tmp_path, row(1, NO[0]), row(2, YES[0], actor={"mbox": "mailto:a@example.org"}))
    with pytest.raises(Problem) as raised:
        found.talkative()
    assert raised.value.code == "demo-traces-nobody"


def test_who_is_named_in_rows_of_others_is_not_chosen(tmp_path):
    named = {"instructor": row(0, YES[0])["actor"]}
    rows = [row(1, YES[0]), row(2, YES[0]), row(3, YES[1], context=named)]
    assert source(tmp_path, *rows).talkative().name == YES[1]


def test_the_most_talkative_consenting_learner_is_found(tmp_path):
    found = source(
        tmp_path,
        row(1, YES[1]),
        row(2, YES[0]),
        row(3, YES[0]),
        *(row(number, NO[0]) for number in range(4, 9)),
    )
    assert found.talkative().name == YES[0]


@pytest.mark.parametrize("content", [b"", b"\x1f\x8bbroken"])
def test_a_file_without_rows_is_refused(tmp_path, content):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(Problem) as raised:
        Source(path)
    assert raised.value.code in {"demo-traces-empty", "demo-traces-unreadable"}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(Problem) as raised:
        Source(tmp_path / "none.jsonl")
    assert raised.value.code == "demo-traces-unreadable"
    assert "none.jsonl" in raised.value.text("en")


# ------------------------------------------------------------------------------------- search


def needles() -> tuple[list[dict[str, Any]], Needles]:
    rows = list(generate.statements(learners=4))
    return rows, Needles.of(rows)


def test_nothing_is_found_in_innocent_files(tmp_path):
    (tmp_path / "data.ndjson").write_text('{"actor":{"account":{"name":"ABCDEF"}}}\n')
    found = needles()[1].search(tmp_path)
    assert (found.names, found.homes, found.ids) == (0, 0, 0)
    assert found.bytes == 40


@pytest.mark.parametrize("place", ["value", "inside a text", "key", "escaped"])
def test_a_name_is_found_wherever_it_hides(tmp_path, place):
    rows, wanted = needles()
    name = rows[0]["actor"]["account"]["name"]
    text = {
        "value": json.dumps({"x": name}),
        "inside a text": json.dumps({"x": f"see {name}!"}),
        "key": json.dumps({name: 1}),
        "escaped": '{"x":"' + "".join(f"\\u{ord(sign):04x}" for sign in name) + '"}',
    }[place]
    (tmp_path / "data.ndjson").write_text(text + "\n")
    assert wanted.search(tmp_path).names == 1


def test_home_pages_and_ids_are_found(tmp_path):
    rows, wanted = needles()
    session = next(iter(rows[0]["context"]["extensions"].values()))
    found = {"home": generate.ACCOUNTS, "ids": [rows[0]["id"].upper(), f"urn:uuid:{session}"]}
    (tmp_path / "data.ndjson").write_text(json.dumps(found) + "\n")
    result = wanted.search(tmp_path)
    assert (result.homes, result.ids) == (1, 2)
