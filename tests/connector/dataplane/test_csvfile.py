"""CSV files as they arrive: what refuses the file, what refuses a row, and nothing swallowed."""

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.dataplane.about import Dialect
from connector.dataplane.csvfile import MAX_LINES, Record, Table
from connector.dataplane.sources import Lines, open_lines
from policies.problem import Problem

COMMA = Dialect("utf-8", ",", '"')


def table(content: bytes | str, dialect: Dialect = COMMA, **limits: int) -> Table:
    data = content.encode() if isinstance(content, str) else content
    return Table(Lines(io.BytesIO(data), **limits), dialect)


def rows(content: bytes | str, dialect: Dialect = COMMA, **limits: int) -> list[Record]:
    return list(table(content, dialect, **limits).rows())


def refused(content: bytes | str, dialect: Dialect = COMMA) -> Problem:
    with pytest.raises(Problem) as caught:
        rows(content, dialect)
    assert all(caught.value.text(lang) and caught.value.remedy(lang) for lang in ("fr", "en"))
    return caught.value


def test_rows_have_the_number_of_their_line():
    content = 'a,b\n1,2\n\n3,"x\ny"\r\n4,"say ""hi"""'
    assert table(content).header == ("a", "b")
    assert rows(content) == [(2, ["1", "2"]), (4, ["3", "x\ny"]), (6, ["4", 'say "hi"'])]


def test_the_declared_dialect_is_used():
    content = "naïve;b\n'x;y';é\n".encode("windows-1252")
    found = table(content, Dialect("windows-1252", ";", "'"))
    assert (found.header, list(found.rows())) == (("naïve", "b"), [(2, ["x;y", "é"])])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "dataplane-file-empty"),
        (b"\n\n", "dataplane-file-empty"),
        (b"a;b;c\n1;2;3\n", "dataplane-csv-dialect"),
        (b"alone\n1\n", "dataplane-csv-dialect"),
        (b"a,b,a\n1,2,3\n", "dataplane-csv-header"),
        (b"a, a\n1,2\n", "dataplane-csv-header"),
        (b"a,,c\n1,2,3\n", "dataplane-csv-header"),
        (b'a,"b\nc"\n1,2\n', "dataplane-csv-header"),
        (b"a,b\x1b\n1,2\n", "dataplane-csv-header"),
        (b"a," + b"b" * 300 + b"\n1,2\n", "dataplane-csv-header"),
        (b"a\rb,c\r1,2\r", "dataplane-csv-header"),
        (",".join(f"c{n}" for n in range(3000)).encode() + b"\n", "dataplane-csv-header"),
        (b"a,b\n1,\x00\n", "dataplane-file-binary"),
        (b"a,b\n1,\xe9\n", "dataplane-csv-encoding"),
        ("a,b\n1,é\n".encode("utf-16"), "dataplane-file-encoding"),
        (b'a,b\n1,"cut off', "dataplane-file-truncated"),
        (b'"a,b\n1,2\n', "dataplane-file-truncated"),
    ],
)
def test_faults_of_the_file(content: bytes, code: str):
    assert refused(content).code == code


def test_the_wrong_delimiter_is_told_with_what_was_seen():
    assert refused("id;note;x\n").params["hint"] == "';'"


def test_utf8_declared_as_one_byte_a_character_is_refused():
    latin = Dialect("iso-8859-1", ",", '"')
    assert refused("nom,b\nZoé,1\nÉlie,2\n", latin).code == "dataplane-csv-encoding"
    assert rows("nom,b\nZoé,1\n".encode("latin-1"), latin) == [(2, ["Zoé", "1"])]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1", "ragged"),
        ("1,2,3", "ragged"),
        ('1,"x"y', "not-csv"),
        ("1,\x07", "control-character"),
        ("1,\x85", "control-character"),
        ("1,a\rb", "not-csv"),
        ("1," + "x" * 200_000, "not-csv"),
    ],
)
def test_faults_of_a_row(line: str, reason: str):
    assert rows(f"a,b\n1,2\n{line}\n3,4\n") == [(2, ["1", "2"]), (3, reason), (4, ["3", "4"])]


def test_a_line_over_the_limit_is_a_fault_and_never_held():
    content = "a,b\n" + "x" * 100 + "\n1,2\n"
    assert rows(content, line_bytes=20) == [(2, "line-too-long"), (3, ["1", "2"])]


def test_an_open_quote_swallows_no_row():
    """Two stray quotes: between them every row is read, and both lines are named."""
    good = "".join(f"{n},x\n" for n in range(50))
    end = "0,x\n" * (MAX_LINES + 5)
    found = rows(f'a,b\n1,"open\n{good}2,"open again\n{end}')
    assert [item for item in found if type(item[1]) is str] == [(2, "not-csv"), (53, "not-csv")]
    assert len(found) == 52 + MAX_LINES + 5


def test_an_open_quote_far_from_the_end_costs_its_line():
    good = "".join(f"{n},x\n" for n in range(MAX_LINES + 5))
    found = rows(f'a,b\n1,"open\n{good}')
    assert (found[0], len(found)) == ((2, "not-csv"), MAX_LINES + 6)


def test_a_record_of_large_lines_is_not_held(monkeypatch: pytest.MonkeyPatch):
    """Each cell is short, each line in bounds: only the record as a whole is too much."""
    monkeypatch.setattr("connector.dataplane.csvfile.MAX_RECORD", 100)
    line = "x," * 30
    found = rows(f'a,b\n{line}"y\n{line}"y"\n1,2\n')
    assert found == [(2, "not-csv"), (3, "ragged"), (4, ["1", "2"])]


def test_a_multi_line_cell_of_the_wrong_width_costs_its_first_line():
    assert rows('a,b\n1,"x\n2,3\n4,y",5\n') == [
        (2, "ragged"),
        (3, ["2", "3"]),
        (4, "ragged"),
    ]


def test_a_quote_inside_a_cell_is_a_character():
    assert rows('a,b\n12" screen,x\n') == [(2, ['12" screen', "x"])]


def test_gzip_whole_and_cut(tmp_path: Path):
    packed = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(packed)
    with open_lines(path) as lines:
        assert len(list(Table(lines, COMMA).rows())) == 1000
    path.write_bytes(packed[:-12])
    with open_lines(path) as lines, pytest.raises(Problem, match="truncated"):
        list(Table(lines, COMMA).rows())


CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=12
)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8))
def test_what_a_writer_wrote_is_read(written: list[list[str]]):
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(written)
    assert [cells for _, cells in table(out.getvalue()).rows()] == written


@given(st.binary(max_size=400))
def test_any_bytes_give_rows_or_a_problem(data: bytes):
    try:
        found = rows(b"a,b\n" + data)
    except Problem:
        return
    numbers = [number for number, _ in found]
    assert numbers == sorted(set(numbers))
