"""A source whose one line is 10 GB: it costs that line, and no memory."""

import json
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import traces
from tests.support.source import ROOT

LINE = 10 * 2**30
_MEGABYTE = 2**20
MOST = 64 * _MEGABYTE
"""What the walk may take beyond an idle process; the line limit is 4 MiB."""

XAPI = traces.about(id="long").encode()
TABLE = (
    XAPI.replace(b'kind = "xapi"', b'kind = "csv"')
    + b'[[subjects]]\ncolumn = "who"\nnamespace = "https://school.example"\n'
    + b'[dialect]\nencoding = "utf-8"\ndelimiter = ","\nquote = \'"\'\n'
)
ROWS = traces.lines(traces.statements(learners=3, each=2))
CELLS = b"who,score\n" + b"".join(b"p%d,%d\n" % (n, n) for n in range(6))

BUILD = """
import json, os, re, sys
from pathlib import Path
from connector.dataplane import about
from connector.dataplane.building import build

def status(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

folder = Path(sys.argv[1])
declared = about.parse((folder / "about.toml").read_bytes())
idle = status("VmRSS")
meta = build(Path(sys.argv[2]), folder=folder / "revision", declaration=declared,
             subject_secret=b"k" * 32, random=os.urandom)
print(json.dumps({"rows": meta.rows, "bad": meta.quarantined, "grew": status("VmHWM") - idle}))
"""


def packed(path: Path, before: bytes, after: bytes) -> None:
    """Gzip members one after another: the long line is one of 64 MiB, again and again."""

    def member(data: bytes) -> bytes:
        compressor = zlib.compressobj(wbits=31)
        return compressor.compress(data) + compressor.flush()

    block = member(b"x" * 64 * _MEGABYTE)
    with path.open("wb") as file:
        file.write(member(before))
        file.writelines(block for _ in range(LINE // (64 * _MEGABYTE)))
        file.write(member(b"\n" + after))


def sparse(path: Path, before: bytes, after: bytes) -> None:
    """A hole in a file: 10 GB of NUL bytes that take no place."""
    with path.open("wb") as file:
        file.write(before)
        file.seek(LINE, 1)
        file.write(b"\n" + after)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name", "write"),
    [("xapi", "s.gz", packed), ("csv", "s", sparse)],
    ids=["statements in gz", "a sparse table"],
)
def test_ten_gigabytes_without_a_line_end(
    tmp_path: Path, kind: str, name: str, write: Callable[[Path, bytes, bytes], None]
):
    about, content = {"xapi": (XAPI, ROWS), "csv": (TABLE, CELLS)}[kind]
    (tmp_path / "about.toml").write_bytes(about)
    first, *rest = content.splitlines(keepends=True)
    write(tmp_path / name, first, b"".join(rest))
    words = [sys.executable, "-c", BUILD, str(tmp_path), str(tmp_path / name)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["rows"], found["bad"]) == (6, {"line-too-long": 1})
    assert found["grew"] < MOST, f"{found['grew'] / 1e6:.0f} MB"
    quarantine = (tmp_path / "revision" / "quarantine.csv").read_bytes()
    assert quarantine == b"row,reason\n2,line-too-long\n"
