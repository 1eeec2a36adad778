import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.cli.story.sweep import Sweeper, Swept

NAMES = ("ada.arnal000123", "Zoé VALBRIVAL AB.", "0123456789A", "41173")


def everything(_: str) -> bool:
    return False


def sweep(folder: Path, *names: str) -> Swept:
    return Sweeper(names or NAMES).folder(folder, everything)


@pytest.mark.parametrize("name", NAMES[:3])
@pytest.mark.parametrize("before", range(9))
def test_a_name_is_found_wherever_it_begins(tmp_path, name, before):
    (tmp_path / "x").write_bytes(b"." * before + name.encode() + b".")
    assert sweep(tmp_path).found == {name: "x"}


@given(st.binary(max_size=40), st.binary(max_size=40), st.text(min_size=8, max_size=30))
def test_whatever_stands_around_it(before, after, name):
    swept = Swept()
    Sweeper([name])._search(before + name.encode() + after, "x", swept)
    assert name in swept.found


@pytest.mark.parametrize(
    "data",
    [
        "ZOÉ valbrival ab.".replace("É", "é").encode(),
        "Zoé VALBRIVAL AB.".encode("windows-1252"),
        json.dumps("Zoé VALBRIVAL AB.").encode(),
    ],
)
def test_a_name_is_found_however_it_is_spelled(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    assert list(sweep(tmp_path).found) == ["Zoé VALBRIVAL AB."]


def test_what_is_packed_is_searched_at_any_depth(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", json.dumps({"name": NAMES[0]}))
    packed = gzip.compress(inner.getvalue())
    with tarfile.open(tmp_path / "backup.tar", "w") as tar:
        member = tarfile.TarInfo("deep.zip.gz")
        member.size = len(packed)
        tar.addfile(member, io.BytesIO(packed))
    swept = sweep(tmp_path)
    assert swept.found == {NAMES[0]: "backup.tar!deep.zip.gz!gz!a.json"}
    assert (swept.files, swept.packed) == (1, 3)


def test_names_of_files_and_members_count(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(f"{NAMES[0]}.json", "{}")
    (tmp_path / "0123456789a.log").touch()
    assert set(sweep(tmp_path).found) == {NAMES[0], NAMES[2]}


def database(path: Path, *values: str | bytes) -> None:
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value)")
        made.executemany("INSERT INTO t (value) VALUES (?)", [(value,) for value in values])


def test_a_database_is_read_cell_by_cell(tmp_path):
    long = "x" * 9_000 + NAMES[0] + "x" * 9_000  # lies across pages
    database(tmp_path / "n.sqlite", long, gzip.compress(NAMES[2].encode()), NAMES[3])
    found = sweep(tmp_path).found
    assert set(found) == {NAMES[0], NAMES[2], NAMES[3]}
    assert "(SQL)" in found[NAMES[3]]


def test_a_database_in_a_backup_is_read_as_well(tmp_path):
    database(tmp_path / "n.sqlite", NAMES[3])
    data = (tmp_path / "n.sqlite").read_bytes()
    (tmp_path / "n.sqlite").unlink()
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("preau.sqlite", data)
    assert sweep(tmp_path).found == {NAMES[3]: "b.zip!preau.sqlite (SQL)"}


def test_what_only_the_log_of_a_database_holds_is_found(tmp_path):
    database(tmp_path / "n.sqlite")
    with closing(sqlite3.connect(tmp_path / "n.sqlite")) as open_one:
        open_one.execute("INSERT INTO t (value) VALUES (?)", (NAMES[3],))
        open_one.commit()
        assert (tmp_path / "n.sqlite-wal").stat().st_size
        assert NAMES[3] in sweep(tmp_path).found


def test_short_identifiers_count_as_whole_texts_only(tmp_path):
    (tmp_path / "x").write_text('{"port": 41173, "url": "http://localhost:41173/x"}')
    assert sweep(tmp_path).found == {}
    (tmp_path / "y").write_text('{"id": "41173"}')
    assert sweep(tmp_path).found == {NAMES[3]: "y"}
    assert Sweeper(["12", "123"]).count == 0


def test_exempt_files_are_left_out_in_folders_and_archives(tmp_path):
    (tmp_path / "rows.bin").write_text(NAMES[0])
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("rows.bin", NAMES[0])
    found = Sweeper(NAMES).folder(tmp_path, lambda where: where.endswith("rows.bin"))
    assert (found.found, found.files) == ({}, 1)
    assert set(sweep(tmp_path).found) == {NAMES[0]}


@pytest.mark.parametrize("start", [b"\x1f\x8b\x08", b"PK\x03\x04", b"SQLite format 3\0"])
def test_damaged_archives_are_searched_as_bytes(tmp_path, start):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("broken", start + NAMES[0].encode())
    assert set(sweep(tmp_path).found) == {NAMES[0]}
