"""Files of lines: limits, compression, and the faults that refuse a file."""

import gzip
import io
from pathlib import Path

import pytest

from connector.dataplane.sources import Lines, open_lines, refuse_garbage
from policies.problem import Problem


def lines(path: Path, limit: int = 100) -> list[tuple[int, bytes | None]]:
    with open_lines(path, line_bytes=limit) as found:
        return list(found)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.mark.parametrize("data", [b"a\nb\n\nc\n", b"\xef\xbb\xbfa\nb\n\nc\n"])
def test_lines_are_numbered(path: Path, data: bytes):
    path.write_bytes(data)
    assert lines(path) == [(1, b"a"), (2, b"b"), (3, b""), (4, b"c")]


def test_the_last_line_may_lack_its_end_and_that_is_known(path: Path):
    path.write_bytes(b"a\nb")
    with open_lines(path) as found:
        assert list(found) == [(1, b"a"), (2, b"b")]
        assert not found.terminated


def test_gzip_is_told_by_content(path: Path):
    path.write_bytes(gzip.compress(b"a\nb\n"))
    assert lines(path) == [(1, b"a"), (2, b"b")]


@pytest.mark.parametrize("block", [1, 2, 3, 7, 50])
def test_long_lines_are_none_however_they_arrive(block: int, monkeypatch: pytest.MonkeyPatch):
    from connector.dataplane import sources

    monkeypatch.setattr(sources, "_BLOCK", block)
    data = b"abc\n" + b"x" * 20 + b"\nabcdefghij\nabcdefghijk\n" + b"y" * 30
    found = list(Lines(io.BytesIO(data), line_bytes=10))
    assert found == [(1, b"abc"), (2, None), (3, b"abcdefghij"), (4, None), (5, None)]


def test_a_long_line_is_never_held(monkeypatch: pytest.MonkeyPatch):
    """100 MiB without a line end cost no more memory than a block or two."""
    import tracemalloc

    class Endless(io.RawIOBase):
        left = 100

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return b"x" * 2**20 if self.left >= 0 else b""

    tracemalloc.start()
    assert list(Lines(Endless())) == [(1, None)]  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 2**20


PACKED = gzip.compress(b'{"a":1}\n' * 5000)

FAULTS = {
    "empty": ("f.jsonl", b"", "dataplane-file-empty"),
    "only a mark": ("f.jsonl", b"\xef\xbb\xbf", "dataplane-file-empty"),
    "empty inside": ("f.gz", gzip.compress(b""), "dataplane-file-empty"),
    "UTF-16": ("f.jsonl", "a\n".encode("utf-16"), "dataplane-file-encoding"),
    "truncated": ("f.gz", PACKED[:-20], "dataplane-file-truncated"),
    "truncated header": ("f.gz", PACKED[:5], "dataplane-file-truncated"),
    "flipped": ("f.gz", PACKED[:40] + b"\xff" * 8 + PACKED[48:], "dataplane-file-garbled"),
    "wrong sum": ("f.gz", PACKED[:-8] + b"\0" * 8, "dataplane-file-garbled"),
    "rubbish behind": ("f.gz", PACKED + b"rubbish", "dataplane-file-garbled"),
    "not gzip": ("f.gz", b"plain text", "dataplane-file-garbled"),
}


@pytest.mark.parametrize(("name", "data", "code"), FAULTS.values(), ids=FAULTS)
def test_faults_of_the_file(tmp_path: Path, name: str, data: bytes, code: str):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Problem) as caught:
        lines(tmp_path / name)
    assert caught.value.code == code


def test_a_missing_file_and_a_folder_are_unreadable(tmp_path: Path):
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(Problem, match="dataplane-file-unreadable"):
            lines(path)


def test_garbage_is_named_by_line():
    refuse_garbage(3, b"{broken")
    with pytest.raises(Problem, match="dataplane-file-binary"):
        refuse_garbage(3, b"a\x00b")
    with pytest.raises(Problem, match="dataplane-file-encoding"):
        refuse_garbage(3, b"\xe9")
