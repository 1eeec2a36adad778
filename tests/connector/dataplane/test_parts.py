"""Parts and manifests: what is announced, what is checked, and files that are never half."""

import errno
import hmac
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connector.dataplane.parts import (
    Manifest,
    PartInfo,
    PartWriter,
    codebook_entry,
    part_digest,
    persons_text,
    read_acknowledgement,
    read_headers,
    verify_received,
)
from policies.plan import Field
from policies.problem import Problem

SALT = b"s" * 32
BODIES = [b'{"a":1}\n', b'{"a":2}\n{"a":3}\n', b"", b'{"a":4}\n']


def info(n: int, body: bytes | None = None, issue: int = 1) -> PartInfo:
    found = BODIES[n - 1] if body is None else body
    return PartInfo(n, issue, found.count(b"\n"), len(found), part_digest(SALT, found), 40 + n)


def manifest(*parts: PartInfo, **changes: object) -> Manifest:
    members: dict[str, object] = {
        "transfer": "urn:uuid:t",
        "agreement": "urn:uuid:a",
        "plan": "sha-256:00",
        "revision": "urn:uuid:r",
        "format": "ndjson",
        "consent": "sha-256:11",
        "parts": parts,
        "persons": 1017,
        "codebook": (Field("id", "/id", "uuid", "indirect"),),
        "expires": "2027-01-01T00:00:00Z",
        **changes,
    }
    return Manifest(**members)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "received"


@pytest.fixture
def writer(folder: Path) -> Iterator[Callable[[], PartWriter]]:
    opened: list[PartWriter] = []

    def make() -> PartWriter:
        opened.append(PartWriter.open(folder, name="data.ndjson", salt=SALT))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def received(writer: PartWriter, *numbers: int) -> PartWriter:
    for n in numbers:
        writer.write(info(n), BODIES[n - 1])
    return writer


class TestNames:
    def test_digests_are_keyed(self):
        expected = hmac.new(SALT, b"body", "sha256").hexdigest()
        assert part_digest(SALT, b"body") == f"hmac-sha-256:{expected}"

    @pytest.mark.parametrize(
        ("count", "text"), [(0, "<10"), (9, "<10"), (10, "10"), (19, "10"), (1017, "1010")]
    )
    def test_persons_are_rounded_down(self, count: int, text: str):
        assert persons_text(count) == text

    def test_headers_read_back(self):
        for last in (True, False):
            assert read_headers(info(1).headers(last=last), 8) == (info(1), last)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("Preau-Part", "0"),
            ("Preau-Part", "-1"),
            ("Preau-Part", "²"),
            ("Preau-Part", "9" * 30),
            ("Preau-Issue", ""),
            ("Preau-Rows", "many"),
            ("Preau-Digest", "sha-256:00"),
            ("Preau-Leaf", "none"),
            ("Preau-Last", "yes"),
        ],
    )
    def test_wrong_headers_are_named(self, name: str, value: str):
        with pytest.raises(Problem) as caught:
            read_headers(info(1).headers(last=True) | {name: value}, 8)
        assert caught.value.params == {"header": name}

    def test_acknowledgements_read_back(self):
        assert read_acknowledgement(info(2).acknowledgement) == (2, 1, info(2).digest)
        for text in ("", "1;1", "1;x;hmac-sha-256:0", "x;1;hmac-sha-256:0", "1;1;sha-256:0"):
            with pytest.raises(Problem, match="dataplane-part-header"):
                read_acknowledgement(text)


class TestManifest:
    def test_document(self):
        assert manifest(info(1)).document() == {
            "v": 1,
            "transfer": "urn:uuid:t",
            "agreement": "urn:uuid:a",
            "plan": "sha-256:00",
            "revision": "urn:uuid:r",
            "format": "ndjson",
            "consent": "sha-256:11",
            "state": "complete",
            "parts": [
                {
                    "n": 1,
                    "issue": 1,
                    "rows": 1,
                    "bytes": 8,
                    "digest": part_digest(SALT, BODIES[0]),
                    "leaf": 41,
                }
            ],
            "persons": "1010",
            "codebook": [{"name": "id", "pointer": "/id", "type": "uuid", "personal": "indirect"}],
            "expires": "2027-01-01T00:00:00Z",
        }

    def test_a_cut_one_says_why(self):
        document = manifest(reason="withdrawn").document()
        assert (document["state"], document["reason"]) == ("cut", "withdrawn")

    def test_a_column_is_named_as_such(self):
        assert codebook_entry(Field("x", None, "string", "no", "X")) == {
            "name": "x",
            "column": "X",
            "type": "string",
            "personal": "no",
        }


class TestReceiving:
    def test_parts_become_a_file(self, writer: Callable[[], PartWriter], folder: Path):
        one = received(writer(), 1, 2, 3, 4)
        assert not (folder / "data.ndjson").exists()
        path = one.finish(manifest(*one.parts).document())
        assert path == folder / "data.ndjson"
        assert path.read_bytes() == b"".join(BODIES)
        assert [entry.name for entry in folder.iterdir()] == ["data.ndjson"]
        verify_received(path, SALT, one.parts)
        with pytest.raises(Problem, match="dataplane-received"):
            writer()

    def test_only_the_owner_reads_what_arrives(
        self, writer: Callable[[], PartWriter], folder: Path
    ):
        received(writer(), 1).close()
        assert (folder / "data.ndjson.partial").stat().st_mode & 0o777 == 0o600

    def test_a_crash_costs_what_was_not_checked(
        self, writer: Callable[[], PartWriter], folder: Path
    ):
        received(writer(), 1, 2).close()
        with (folder / "data.ndjson.partial").open("ab") as file:
            file.write(b'{"half":')
        with (folder / "data.ndjson.parts").open("ab") as file:
            file.write(b'{"n":3,')
        again = writer()
        assert again.parts == (info(1), info(2))
        assert again.next == 3
        received(again, 3, 4)
        path = again.finish(manifest(*again.parts).document())
        assert path.read_bytes() == b"".join(BODIES)

    @pytest.mark.parametrize("kept", range(0, 24, 5))
    def test_a_shorter_file_counts_for_less(
        self, writer: Callable[[], PartWriter], folder: Path, kept: int
    ):
        received(writer(), 1, 2).close()
        os.truncate(folder / "data.ndjson.partial", kept)
        again = writer()
        assert len(again.parts) == (2 if kept == 24 else 1 if kept >= 8 else 0)
        received(again, *range(again.next, 5))
        assert again.finish(manifest(*again.parts).document()).read_bytes() == b"".join(BODIES)

    def test_a_list_that_is_rubbish_starts_again(
        self, writer: Callable[[], PartWriter], folder: Path
    ):
        received(writer(), 1, 2).close()
        (folder / "data.ndjson.parts").write_bytes(b"rubbish\n")
        assert writer().next == 1

    @pytest.mark.parametrize(
        ("part", "body"),
        [
            (info(1), BODIES[1]),
            (info(1), BODIES[0] + b" "),
            (replace(info(1), bytes=7), BODIES[0]),
            (replace(info(1), digest="hmac-sha-256:" + "0" * 64), BODIES[0]),
        ],
    )
    def test_a_part_that_is_not_the_one_announced(
        self, writer: Callable[[], PartWriter], folder: Path, part: PartInfo, body: bytes
    ):
        one = writer()
        with pytest.raises(Problem, match="dataplane-part-digest"):
            one.write(part, body)
        assert one.parts == ()
        assert (folder / "data.ndjson.partial").read_bytes() == b""
        received(one, 1)

    def test_parts_come_in_order(self, writer: Callable[[], PartWriter]):
        one = received(writer(), 1)
        for n in (1, 3):
            with pytest.raises(Problem) as caught:
                one.write(info(n), BODIES[n - 1])
            assert caught.value.params == {"part": n, "expected": 2}

    def test_a_newer_issue_of_the_last_part_replaces_it(
        self, writer: Callable[[], PartWriter], folder: Path
    ):
        one = received(writer(), 1, 2)
        less = b'{"a":3}\n'
        one.write(info(2, less, issue=2), less)
        assert one.parts == (info(1), info(2, less, issue=2))
        assert (folder / "data.ndjson.partial").read_bytes() == BODIES[0] + less
        one.close()
        assert writer().parts == (info(1), info(2, less, issue=2))

    def test_a_full_disk_keeps_what_counts(
        self, writer: Callable[[], PartWriter], folder: Path, monkeypatch: pytest.MonkeyPatch
    ):
        one = received(writer(), 1)

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Problem, match="dataplane-disk"):
            one.write(info(2), BODIES[1])
        monkeypatch.undo()
        assert one.next == 2
        assert (folder / "data.ndjson.partial").read_bytes() == BODIES[0]
        received(one, 2)

    def test_a_manifest_that_differs_leaves_it_partial(
        self, writer: Callable[[], PartWriter], folder: Path
    ):
        one = received(writer(), 1, 2)
        good = manifest(*one.parts).document()
        changes: tuple[dict[str, object], ...] = (
            {"parts": []},
            {"parts": "all"},
            {"parts": [info(1).document()]},
            {"parts": [info(1).document(), info(2, issue=2).document()]},
            {"parts": [info(1).document(), info(2).document() | {"rows": 3}]},
            {"state": "done"},
            {"state": "cut"},
        )
        for change in changes:
            with pytest.raises(Problem, match="dataplane-manifest-mismatch"):
                one.finish(good | change)
            assert not (folder / "data.ndjson").exists()
        one.finish(json.loads(json.dumps(good | {"state": "cut", "reason": "policy-expired"})))
        assert (folder / "data.ndjson").exists()


class TestAudit:
    def test_a_changed_file_names_the_part(self, tmp_path: Path):
        path = tmp_path / "data.ndjson"
        parts = [info(n) for n in range(1, 5)]
        path.write_bytes(b"".join(BODIES).replace(b"3", b"5"))
        with pytest.raises(Problem) as caught:
            verify_received(path, SALT, parts)
        assert caught.value.params == {"part": 2}
        path.write_bytes(b"".join(BODIES) + b'{"a":5}\n')
        with pytest.raises(Problem, match="dataplane-manifest-mismatch"):
            verify_received(path, SALT, parts)
        with pytest.raises(Problem, match="dataplane-file-unreadable"):
            verify_received(tmp_path / "nothing", SALT, parts)


class TestForgetting:
    def test_what_is_forgotten_is_received_again(self, folder: Path, writer):
        first = received(writer(), 1, 2, 3)
        first.forget(1)
        assert (first.next, (folder / "data.ndjson.partial").read_bytes()) == (2, BODIES[0])
        first.close()
        again = received(writer(), 2, 3)
        assert [part.n for part in again.parts] == [1, 2, 3]
        assert (folder / "data.ndjson.partial").read_bytes() == b"".join(BODIES[:3])

    def test_what_counts_is_not_forgotten(self, writer):
        found = received(writer(), 1, 2)
        found.forget(2)
        found.forget(7)
        assert found.next == 3
