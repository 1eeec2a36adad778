import csv
import io
from pathlib import Path

import pytest

from connector.cli.story import about, pupils, tables
from connector.cli.story.matching import Mismatch, match
from connector.cli.story.tables import Declared, Table
from connector.dataplane import about as declarations
from connector.dataplane import identifiers
from policies.problem import Problem

ABOUT = """
id = "t"
kind = "csv"
category = "https://w3id.org/dpv#PersonalData"
[basis]
type = "public-task"
[policy.params]
purposes = ["https://w3id.org/preau/ns#EducationResearch"]
until = "2030-01-01T00:00:00Z"
[[subjects]]
column = "who"
namespace = "https://s.example"
[[columns]]
name = "mail"
personal = "direct"
[[special]]
column = "health"
[[special]]
column = "help"
condition = "9(2)(j)"
"""
ROWS = "who,mail,health,when,text\n" + "".join(
    f"p{n},p{n}@s.example,x,2025-03-1{n}T10:20:30+02:00,=text {n}\n" for n in range(5)
)


def table(tmp_path: Path, rows: str = ROWS, declared: str = ABOUT) -> Table:
    path, about_path = tmp_path / "t.csv", tmp_path / "about.toml"
    path.write_text(rows, "utf-8")
    about_path.write_text(declared, "utf-8")
    return Table(path, about_path)


def test_what_is_declared_is_known(tmp_path):
    declared = table(tmp_path).declared
    assert declared.withheld == frozenset({"health"})
    assert declared.direct == frozenset({"mail"})
    assert declared.subjects == {"who": "https://s.example"}
    assert declared.group is None


@pytest.mark.parametrize(
    "changed",
    [
        ABOUT.replace('type = "public-task"', 'type = "consent"'),
        ABOUT.replace('kind = "csv"', 'kind = "xapi"'),
        ABOUT.replace("[[subjects]]", "[[nobody]]"),
        ABOUT.replace("purposes", "aims"),
        "not = toml = at all",
    ],
)
def test_a_declaration_that_does_not_suit_the_story_is_refused(tmp_path, changed):
    with pytest.raises(Problem) as raised:
        table(tmp_path, declared=changed)
    assert raised.value.code == "demo-table-about"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ("other,mail\na,b\n", "demo-table-unreadable"),
        ('who,mail\np1,"never closed\n', "demo-table-unreadable"),
        ("who,mail\np1,a\np2,b\np3,c\n", "demo-table-empty"),
    ],
)
def test_a_table_that_cannot_be_played_is_refused(tmp_path, rows, code):
    with pytest.raises(Problem) as raised:
        table(tmp_path, rows)
    assert raised.value.code == code


def test_three_object_and_their_rows_must_not_arrive(tmp_path):
    found = table(tmp_path)
    names = {name for _, name in found.objectors}
    assert len(names) == tables.OBJECTORS
    assert {row["who"] for row in found.leaving} == {f"p{n}" for n in range(5)} - names
    assert {row["who"] for row in found.objecting} == names
    assert found.identifiers() == {f"p{n}{end}" for n in range(5) for end in ("", "@s.example")}


def test_ragged_and_nameless_rows_are_nobodys(tmp_path):
    assert len(table(tmp_path, ROWS + "p9,too,short\n,m,h,w,t\n").rows) == 5


def test_received_rows_match_those_that_left(tmp_path):
    found = table(tmp_path)
    columns = ("who", "when", "text")
    sent = [found.sent(row, columns, "hour") for row in found.leaving]
    arrived = [
        {"who": f"X{n}", "when": row["when"][:11] + "08:00:00Z", "text": "'" + row["text"]}
        for n, row in enumerate(found.leaving)
    ]
    names = match(sent, [found.arrived(row, columns) for row in arrived])
    assert names.learners == {row["who"]: f"X{n}" for n, row in enumerate(found.leaving)}
    arrived[0]["text"] = "'=text changed"
    with pytest.raises(Mismatch):
        match(sent, [found.arrived(row, columns) for row in arrived])


@pytest.mark.parametrize(
    ("text", "time", "cut"),
    [
        ("2025-03-14T10:20:30+02:00", "hour", "2025-03-14T08:00:00Z"),
        ("2025-03-14 10:20", "hour", "2025-03-14T10:00:00"),
        ("14/03/2025 10h20", "day", "14/03/2025 00:00"),
        ("2025-03-14T10:20:30Z", "none", ""),
    ],
)
def test_times_are_cut_as_the_pages_say(text, time, cut):
    assert tables._cut(text, time) == cut


def test_the_generated_table_is_what_it_says():
    one, two = list(pupils.rows()), list(pupils.rows())
    assert one == two
    assert len(one) == 3 * pupils.PUPILS
    persons = {row[:6] for row in one}
    assert len(persons) == pupils.PUPILS
    for place, is_one in enumerate(
        (identifiers.ine, identifiers.nir, None, identifiers.email, identifiers.uai)
    ):
        column = {row[place] for row in persons}
        assert is_one is None or all(map(is_one, column))
        assert place == 4 or len(column) == pupils.PUPILS
    assert {row[9] for row in one} == {"oui", "non"}


def test_the_file_is_written_as_it_is_declared(tmp_path):
    path, declared = tmp_path / "r.csv", tmp_path / "r.toml"
    assert pupils.write(path) == 3 * pupils.PUPILS
    declared.write_text(about.results("2030-01-01T00:00:00Z", with_nir=True), "utf-8")
    found = Table(path, declared)
    assert found.header == pupils.COLUMNS
    assert [tuple(row.values()) for row in found.rows] == list(pupils.rows())
    assert found.declared.withheld == frozenset({"handicap"})
    assert found.declared.direct == frozenset({"nir"})
    assert b"\xe9" in path.read_bytes()


def test_the_nodes_read_the_declaration_alike(tmp_path):
    text = about.results("2030-01-01T00:00:00Z", with_nir=True)
    read = declarations.parse(text)
    path = tmp_path / "about.toml"
    path.write_text(text, "utf-8")
    ours = Declared.read(path)
    assert {one.column: one.namespace for one in read.subjects} == ours.subjects
    assert {one.column for one in read.special if not one.condition} == ours.withheld
    assert (read.dialect.encoding, read.dialect.delimiter) == ("windows-1252", ";")
    assert "nir" not in about.results("2030-01-01T00:00:00Z", with_nir=False)


def test_received_files_are_read_with_their_header(tmp_path):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["a", "b"], ["1", "x\ny"]])
    (tmp_path / "d.csv").write_text(out.getvalue(), "utf-8", newline="")
    assert tables.received(tmp_path / "d.csv") == (("a", "b"), [{"a": "1", "b": "x\ny"}])
