"""Copies are whole snapshots; a look changes nothing."""

import sqlite3
from pathlib import Path

import pytest

from connector.store import copying, notes
from connector.store.store import Store
from connector.store.tables import SCHEMA
from policies.problem import Problem


def test_a_copy_of_a_database_in_use_is_one_snapshot_in_one_file(database: Path, tmp_path: Path):
    store = Store.open(database)
    store.write_now(lambda tx: notes.put(tx, key="a", text="before"))
    copying.copy(database, tmp_path / "copy.db")
    store.write_now(lambda tx: notes.put(tx, key="a", text="after"))
    store.close()
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("copy*")) == ["copy.db"]
    assert copying.look(tmp_path / "copy.db", known_notes=("a",)).notes == {"a": "before"}
    copying.check_pages(tmp_path / "copy.db")
    again = Store.open(tmp_path / "copy.db")
    again.write_now(lambda tx: notes.put(tx, key="a", text="gone on"))
    again.close()


def test_a_look_at_an_empty_database(database: Path):
    seen = copying.look(database, known_notes=("a",))
    assert (seen.schema, seen.leaves, seen.next_leaf, seen.checkpoint) == (SCHEMA, 0, 0, None)
    assert (seen.revisions, seen.peers, seen.notes) == ((), (), {})


def test_a_schema_nobody_knows_is_told_and_nothing_else(database: Path):
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE schema_version SET version_num = '9999'")
    connection.close()
    assert copying.look(database) == copying.Look("9999")


def test_a_note_is_put_whatever_the_schema(database: Path):
    for text in ("one", "two"):
        copying.put_note(database, key="a", text=text)
    assert copying.look(database, known_notes=("a", "b")).notes == {"a": "two"}


def test_nothing_is_copied_over(database: Path, tmp_path: Path):
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(Problem) as caught:
        copying.copy(database, tmp_path / "copy.db")
    assert caught.value.code == "store-exists"
    with pytest.raises(Problem) as caught:
        copying.copy(tmp_path / "none.db", tmp_path / "other.db")
    assert caught.value.code == "store-missing"
    with pytest.raises(Problem) as caught:
        copying.copy(database, tmp_path / "no" / "folder.db")
    assert caught.value.code == "store-unreadable"


def test_what_is_no_database_is_told(tmp_path: Path):
    path = tmp_path / "x.db"
    path.write_bytes(b"nothing like it" * 100)
    for ask in (copying.look, copying.check_pages):
        with pytest.raises(Problem) as caught:
            ask(path)
        assert caught.value.code == "store-damaged"
    with pytest.raises(Problem) as caught:
        copying.copy(path, tmp_path / "copy.db")
    assert caught.value.code == "store-damaged"
    assert not (tmp_path / "copy.db").exists()
