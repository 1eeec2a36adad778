"""Revisions: one walk, all or nothing, nothing of a bad row kept."""

import errno
import gzip
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from connector.dataplane.about import About, parse
from connector.dataplane.building import build, merkle_root
from connector.dataplane.revision import FILES, Revision, RevisionMeta
from connector.dataplane.rows import MANY, UNKNOWN_PERSON
from connector.evidence import tree
from connector.subjects.keys import Identifier, subject_key
from policies.problem import Problem
from tests.support.ids import SeededIds

Make = Callable[..., dict[str, object]]
Revise = Callable[..., Revision]


def made(source: Path, about: About, **options: object) -> RevisionMeta:
    members: dict[str, object] = {
        "folder": source.parent / "revision",
        "declaration": about,
        "subject_secret": b"k" * 32,
        "random": SeededIds().token,
        **options,
    }
    return build(source, **members)  # type: ignore[arg-type]


def refused(source: Path, about: About, **options: object) -> Problem:
    before = set(source.parent.iterdir())
    with pytest.raises(Problem) as caught:
        made(source, about, **options)
    assert set(source.parent.iterdir()) == before, "something was left behind"
    return caught.value


def test_every_row_is_kept_once_in_another_order(statement: Make, revise: Revise):
    rows = [statement(n, person=f"p{n % 7}") for n in range(50)]
    revision = revise(rows)
    found = [json.loads(revision.line(n)) for n in range(revision.rows)]
    assert sorted(found, key=lambda row: row["id"]) == rows
    assert found != rows
    assert revision.meta.persons == 7
    assert revision.meta.verbs == {"http://adlnet.gov/expapi/verbs/experienced": 50}


def test_the_same_randomness_gives_the_same_revision(statement: Make, tmp_path: Path, about: About):
    source = tmp_path / "s.jsonl"
    source.write_text("\n".join(json.dumps(statement(n)) for n in range(20)) + "\n")
    for name in ("one", "two"):
        made(source, about, folder=tmp_path / name)
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    made(source, about, folder=tmp_path / "three", random=SeededIds("other").token)
    assert (tmp_path / "three" / "index.bin").read_bytes() != (
        tmp_path / "one" / "index.bin"
    ).read_bytes()


def test_persons_are_keyed_hashes(statement: Make, revise: Revise):
    revision = revise([statement(1, person="ann"), statement(2, person="bob")])
    keys = {
        subject_key(b"k" * 32, Identifier("account", n, "http://mooc.example"))
        for n in ("ann", "bob")
    }
    assert set(revision.subjects()) == keys
    for row in range(2):
        (number,) = revision.persons(row)
        name = json.loads(revision.line(row))["actor"]["account"]["name"]
        assert revision.subject(number) == subject_key(
            b"k" * 32, Identifier("account", name, "http://mooc.example")
        )


def test_rows_of_many_persons(statement: Make, revise: Revise):
    agents = [{"mbox": f"mailto:p{n}@x.y"} for n in range(5)]
    group = {"objectType": "Group", "member": agents}
    revision = revise([statement(1, actor=group), statement(2, actor=agents[3])])
    lists = {len(revision.persons(row)): revision.persons(row) for row in range(2)}
    assert sorted(lists) == [1, 5]
    assert set(lists[1]) < set(lists[5])
    assert sum(bool(flags & MANY) for flags in revision.flags) == 1


def test_equal_duplicates_are_dropped(statement: Make, revise: Revise):
    one = statement(1)
    revision = revise(
        [
            one,
            one | {"stored": "2026-03-02T00:00:00Z"},
            one | {"authority": {"mbox": "mailto:lrs@x.y"}},
            statement(2),
        ]
    )
    assert (revision.rows, revision.meta.duplicates, revision.meta.quarantined) == (2, 2, {})
    assert revision.meta.persons == 1  # the authority was only in a dropped row


def test_conflicting_duplicates_are_all_quarantined(statement: Make, revise: Revise):
    rows = [
        statement(1, person="ann"),
        statement(2, person="bob"),
        statement(1, person="eve"),
        statement(1, person="ann"),
        statement(3, person="cid"),
    ]
    revision = revise(rows)
    found = sorted(json.loads(revision.line(n))["id"][-1] for n in range(revision.rows))
    assert found == ["2", "3"]
    assert revision.meta.quarantined == {"id-conflict": 3}
    assert revision.meta.persons == 2
    copy = (revision.folder / "rows.bin").read_text()
    assert "eve" not in copy
    assert "ann" not in copy
    for row in range(2):
        (number,) = revision.persons(row)
        name = json.loads(revision.line(row))["actor"]["account"]["name"]
        assert revision.subject(number) == subject_key(
            b"k" * 32, Identifier("account", name, "http://mooc.example")
        )


def test_bad_rows_are_named_by_number_and_reason_only(statement: Make, revise: Revise):
    rows: list[object] = [
        statement(1),
        b"{broken",
        b"",
        statement(2, actor=None),
        statement(3, timestamp="noon"),
        b"x" * 500,
        statement(4),
    ]
    revision = revise(rows, line_bytes=400)
    assert (revision.folder / "quarantine.csv").read_bytes() == (
        b"row,reason\n2,not-json\n4,actor-invalid\n5,time-invalid\n6,line-too-long\n"
    )
    assert revision.rows == 2


def test_ten_bad_rows_pass_and_eleven_refuse(statement: Make, tmp_path: Path, about: About):
    source = tmp_path / "s.jsonl"
    good = [json.dumps(statement(n)) for n in range(30)]
    source.write_text("\n".join(good + ["{x"] * 10) + "\n")
    assert made(source, about).quarantined == {"not-json": 10}
    source.write_text("\n".join(good + ["{x"] * 11) + "\n")
    problem = refused(source, about, folder=tmp_path / "other")
    assert problem.code == "dataplane-bad-rows"
    assert problem.params == {
        "count": 11,
        "rows": 41,
        "limit": 10,
        "first": 31,
        "reasons": "not-json: 11",
    }
    assert made(source, about, folder=tmp_path / "other", max_bad=0.3).rows == 30


FILES_THAT_ARE_REFUSED: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "empty": ("s.jsonl", lambda _: b"", "dataplane-file-empty"),
    "only blanks": ("s.jsonl", lambda _: b"\n \n\n", "dataplane-no-rows"),
    "latin-1": ("s.jsonl", lambda d: d + b'{"a":"\xe9"}\n', "dataplane-file-encoding"),
    "binary": ("s.jsonl", lambda d: d + b"\x00\x01\n", "dataplane-file-binary"),
    "cut off": ("s.jsonl", lambda d: d[:-30], "dataplane-file-truncated"),
    "gzip cut off": ("s.gz", lambda d: gzip.compress(d)[:-10], "dataplane-file-truncated"),
    "gzip garbled": ("s.gz", lambda d: gzip.compress(d)[:-6] + b"abcdef", "dataplane-file-garbled"),
}


@pytest.mark.parametrize(
    ("name", "change", "code"), FILES_THAT_ARE_REFUSED.values(), ids=FILES_THAT_ARE_REFUSED
)
def test_refused_files_leave_nothing(
    statement: Make,
    tmp_path: Path,
    about: About,
    name: str,
    change: Callable[[bytes], bytes],
    code: str,
):
    data = "".join(json.dumps(statement(n)) + "\n" for n in range(20)).encode()
    (tmp_path / name).write_bytes(change(data))
    assert refused(tmp_path / name, about).code == code


def test_gzip_blanks_and_foreign_line_ends_change_nothing(
    statement: Make, tmp_path: Path, about: About
):
    rows = [json.dumps(statement(n)) for n in range(5)]
    (tmp_path / "a").write_text("\n".join(rows))
    (tmp_path / "b.gz").write_bytes(gzip.compress(("\r\n\r\n".join(rows) + "\r\n").encode()))
    one = made(tmp_path / "a", about, folder=tmp_path / "one")
    other = made(tmp_path / "b.gz", about, folder=tmp_path / "two")
    assert one.root == other.root


def test_a_full_disk_leaves_nothing(
    statement: Make, tmp_path: Path, about: About, monkeypatch: pytest.MonkeyPatch
):
    source = tmp_path / "s.jsonl"
    source.write_text("\n".join(json.dumps(statement(n)) for n in range(20)) + "\n")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    assert refused(source, about).code == "dataplane-disk"


def test_an_interrupted_build_leaves_nothing(statement: Make, tmp_path: Path, about: About):
    source = tmp_path / "s.jsonl"
    source.write_text("\n".join(json.dumps(statement(n)) for n in range(2000)) + "\n")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(source, about, progress=stop)
    assert list(tmp_path.iterdir()) == [source]


def test_what_a_crash_left_is_swept_away(statement: Make, tmp_path: Path, about: About):
    (tmp_path / "revision.partial").mkdir()
    (tmp_path / "revision.partial" / "rows.bin").write_text("half")
    source = tmp_path / "s.jsonl"
    source.write_text(json.dumps(statement(1)) + "\n")
    made(source, about)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["revision", "s.jsonl"]
    assert (tmp_path / "revision").stat().st_mode & 0o777 == 0o700
    assert refused(source, about).code == "dataplane-revision-exists"


def test_the_root_is_over_salted_row_hashes(statement: Make, revise: Revise):
    revision = revise([statement(n) for n in range(13)])
    salts = (revision.folder / "salts.bin").read_bytes()
    hashes = (revision.folder / "hashes.bin").read_bytes()
    leaves = []
    for row in range(13):
        leaf = tree.leaf_hash(salts[16 * row : 16 * row + 16] + revision.line(row))
        assert hashes[32 * row : 32 * row + 32] == leaf
        leaves.append(leaf)
    assert len({salts[at : at + 16] for at in range(0, len(salts), 16)}) == 13
    assert revision.meta.root == merkle_root(b"".join(leaves))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 33])
def test_the_root_is_that_of_the_log_s_tree(size: int):
    leaves = [hashlib.sha256(bytes([n])).digest() for n in range(size)]
    edge = tree.Edge()
    for leaf in leaves:
        edge, _ = tree.append(edge, leaf)
    assert merkle_root(b"".join(leaves)) == f"sha-256:{tree.root(edge).hex()}"


def test_findings_never_withhold(statement: Make, revise: Revise):
    odd = statement(3, result={"extensions": {"http://x": {"mbox": "mailto:a@b.c"}}})
    revision = revise([statement(1, verb=None), statement(2, timestamp=None), odd])
    assert revision.rows == 3
    assert revision.meta.findings == {"no-verb": 1, "no-time": 1, "unknown-person": 1}
    assert sum(bool(flags & UNKNOWN_PERSON) for flags in revision.flags) == 1


def test_meta_reads_back(statement: Make, revise: Revise):
    revision = revise([statement(1)])
    meta = revision.meta
    assert RevisionMeta.read(json.dumps(meta.document()).encode()) == meta
    assert (revision.folder / "meta.json").read_bytes().startswith(b'{"v":1,')
    for broken in (b"", b"[]", b'{"v":2}', b'{"v":1}'):
        with pytest.raises(Problem, match="dataplane-revision-damaged"):
            RevisionMeta.read(broken)


def test_missing_and_damaged_revisions_are_told(statement: Make, revise: Revise, tmp_path: Path):
    with pytest.raises(Problem, match="dataplane-revision-missing"):
        Revision.open(tmp_path / "nowhere")
    revision = revise([statement(1)])
    with (revision.folder / "rows.bin").open("ab") as file:
        file.write(b"x")
    with pytest.raises(Problem, match="dataplane-revision-damaged"):
        Revision.open(revision.folder)


class TestCodebook:
    def fields(self, revision: Revision) -> dict[str, tuple[str, str, str]]:
        return {
            field.name: (field.pointer or "", field.type, field.personal)
            for field in revision.meta.codebook
        }

    def test_names_types_and_pointers(self, statement: Make, revise: Revise):
        ext = "https://w3id.org/xapi/video/extensions"
        found = self.fields(
            revise(
                [
                    statement(
                        1,
                        result={
                            "score": {"scaled": 0.5},
                            "success": True,
                            "response": "blue",
                            "extensions": {
                                f"{ext}/time": 1,
                                f"{ext}/session": "00000000-0000-4000-8000-000000000009",
                                "http://a/x": 1,
                                "http://b/x": 1,
                                f"{ext}/mixed": 1,
                                f"{ext}/when": "2026-01-01T00:00:00Z",
                            },
                        },
                        context={
                            "instructor": {"mbox": "mailto:i@x.y"},
                            "contextActivities": {"parent": [{"id": "http://p"}]},
                        },
                    ),
                    statement(2, result={"extensions": {f"{ext}/mixed": "one"}, "a/b~c": None}),
                ]
            )
        )
        prefix = "/result/extensions/https:~1~1w3id.org~1xapi~1video~1extensions"
        assert found["actor"] == ("/actor", "agent", "direct")
        assert found["context.instructor"] == ("/context/instructor", "agent", "direct")
        assert found["id"] == ("/id", "uuid", "indirect")
        assert found["timestamp"] == ("/timestamp", "dateTime", "indirect")
        assert found["verb.id"][1] == "string"
        assert found["result.score.scaled"] == ("/result/score/scaled", "number", "no")
        assert found["result.success"][1] == "boolean"
        assert found["result.response"][2] == "free-text"
        assert found["result.extensions.time"] == (f"{prefix}~1time", "number", "no")
        assert found["result.extensions.session"][1] == "uuid"
        assert found["result.extensions.when"][1] == "dateTime"
        assert found["result.extensions.mixed"][1] == "mixed"
        assert found["result.a/b~c"] == ("/result/a~1b~0c", "null", "no")
        assert found["context.contextActivities.parent.id"][0] == (
            "/context/contextActivities/parent/-/id"
        )
        assert {"result.extensions.http://a/x", "result.extensions.http://b/x"} <= found.keys()
        assert not any(pointer.startswith("/actor/") for pointer, _, _ in found.values())

    def test_a_single_object_and_a_list_of_them_have_two_names(
        self, statement: Make, revise: Revise
    ):
        found = self.fields(
            revise(
                [
                    statement(1, context={"contextActivities": {"parent": {"id": "http://p"}}}),
                    statement(2, context={"contextActivities": {"parent": [{"id": "http://p"}]}}),
                ]
            )
        )
        pointers = [pointer for pointer, _, _ in found.values()]
        assert len(set(pointers)) == len(pointers)
        assert "/context/contextActivities/parent/id" in pointers
        assert "/context/contextActivities/parent/-/id" in pointers

    def test_the_steward_s_word_counts(self, statement: Make, revise: Revise):
        declared = parse(
            'id="x"\nkind="xapi"\ntitle={fr="x",en="x"}\n'
            'columns=[{name="object.id",personal="special"},{name="verb.id",type="mixed"}]\n'
        )
        found = self.fields(revise([statement(1)], declaration=declared))
        assert found["object.id"][2] == "special"
        assert found["verb.id"][1] == "mixed"

    def test_a_word_about_an_unknown_field_is_refused(self, statement: Make, tmp_path: Path):
        declared = parse('id="x"\nkind="xapi"\ntitle={fr="x",en="x"}\ncolumns=[{name="colour"}]\n')
        source = tmp_path / "s.jsonl"
        source.write_text(json.dumps(statement(1)) + "\n")
        assert refused(source, declared).code == "dataplane-column-unknown"

    def test_a_bag_of_keys_is_cut_and_said(self, statement: Make, revise: Revise):
        revision = revise(
            [
                statement(n, result={"extensions": {f"http://x/{n}-{k}": 1 for k in range(300)}})
                for n in range(80)
            ]
        )
        assert len(revision.meta.codebook) <= 5000
        assert revision.meta.findings["fields-cut"] > 15_000
        assert revision.rows == 80


def test_a_special_field_of_statements_is_special_too(tmp_path: Path, statement):
    declared = parse('id="x"\nkind="xapi"\ntitle={fr="x",en="x"}\nspecial=[{column="verb.id"}]\n')
    source = tmp_path / "s.jsonl"
    source.write_text(json.dumps(statement()) + "\n")
    meta = build(
        source,
        folder=tmp_path / "r",
        declaration=declared,
        subject_secret=b"k" * 32,
        random=SeededIds(1).token,
    )
    assert {field.name: field.personal for field in meta.codebook}["verb.id"] == "special"
