"""The consent journal: durable before acknowledged, whole after any crash."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from connector.subjects.journal import Journal, entries, extent_of
from policies.problem import Problem


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "consent.journal"


def test_entries_come_back_in_order_and_numbers_go_on(path: Path):
    journal = Journal.open(path)
    assert journal.append([{"event": "a"}, {"event": "b"}]) == 2
    journal.close()
    journal = Journal.open(path)
    assert journal.last == 2
    assert journal.append([{"event": "c"}]) == 3
    assert list(journal.replay()) == [(1, {"event": "a"}), (2, {"event": "b"}), (3, {"event": "c"})]
    assert list(journal.replay(after=2)) == [(3, {"event": "c"})]
    journal.close()


def test_only_the_owner_reads_it(path: Path):
    Journal.open(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [b"{", b'{"n":3,"event":"c"}', b"\x00" * 40])
def test_a_torn_last_line_is_cut_off(path: Path, torn: bytes):
    journal = Journal.open(path)
    journal.append([{"event": "a"}, {"event": "b"}])
    journal.close()
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    journal = Journal.open(path)
    assert journal.last == 2
    assert path.read_bytes() == whole
    assert journal.append([{"event": "c"}]) == 3
    journal.close()


@pytest.mark.parametrize("at", range(0, 40, 3))
def test_any_cut_leaves_whole_entries_only(path: Path, at: int):
    journal = Journal.open(path)
    journal.append([{"event": "a"}, {"event": "b"}])
    journal.close()
    data = path.read_bytes()
    path.write_bytes(data[:at])
    journal = Journal.open(path)
    assert journal.last == data[:at].count(b"\n")
    assert len(list(journal.replay())) == journal.last
    journal.close()


def test_damage_before_the_end_is_told(path: Path):
    journal = Journal.open(path)
    journal.append([{"event": "a"}, {"event": "b"}])
    journal.close()
    path.write_bytes(b"garbage\n" + path.read_bytes())
    with pytest.raises(Problem) as caught:
        Journal.open(path)
    assert caught.value.code == "subjects-journal-damaged"
    assert caught.value.params == {"line": 1}


def test_a_missing_line_is_told(path: Path):
    journal = Journal.open(path)
    journal.append([{"event": "a"}, {"event": "b"}, {"event": "c"}])
    journal.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    with pytest.raises(Problem, match="subjects-journal-damaged"):
        Journal.open(path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(Problem, match="subjects-journal-unusable"):
        Journal.open(tmp_path / "nowhere" / "consent.journal")


def test_a_refused_write_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch):
    journal = Journal.open(path)
    journal.append([{"event": "a"}])
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Problem, match="subjects-journal-unusable"):
        journal.append([{"event": "b"}])
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert journal.last == 1
    assert journal.append([{"event": "c"}]) == 2
    assert [entry for _, entry in journal.replay()] == [{"event": "a"}, {"event": "c"}]
    journal.close()


def test_every_acknowledged_entry_was_synced(path: Path, monkeypatch: pytest.MonkeyPatch):
    synced: list[int] = []
    real = os.fsync

    def sync(descriptor: int) -> None:
        synced.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    journal = Journal.open(path)
    assert len(synced) == 1  # the folder, for the new name
    journal.append([{"event": "a"}])
    assert len(synced) == 2
    journal.close()


def test_how_far_it_reaches_is_told_without_changing_it(tmp_path: Path):
    path = tmp_path / "consent.journal"
    journal = Journal.open(path)
    journal.append([{"a": 1}, {"a": 2}])
    size = path.stat().st_size
    journal.append([{"a": 3}])
    first, whole = extent_of(path, size), extent_of(path)
    assert (first.entries, first.size, whole.entries) == (2, size, 3)
    assert journal.starts_like(first)
    assert journal.starts_like(whole)
    assert not journal.starts_like(replace(first, digest=whole.digest))
    assert not journal.starts_like(replace(whole, entries=4))
    journal.close()
    with path.open("ab") as file:
        file.write(b'{"n":4')
    assert extent_of(path) == whole
    assert [number for number, _ in entries(path, after=1)] == [2, 3]
    assert path.read_bytes().endswith(b'{"n":4')


def test_how_far_a_damaged_one_reaches_is_not_known(tmp_path: Path):
    path = tmp_path / "consent.journal"
    path.write_bytes(b'{"n":2}\n')
    with pytest.raises(Problem) as caught:
        extent_of(path)
    assert caught.value.code == "subjects-journal-damaged"
    with pytest.raises(Problem) as caught:
        extent_of(tmp_path / "none")
    assert caught.value.code == "subjects-journal-unusable"
