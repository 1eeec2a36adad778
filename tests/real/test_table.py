"""A table between two real nodes, by the commands that people type; checked with plain `csv`."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nodes import Two, preau, two
from tests.support.traces import CATEGORY, PURPOSE

pytestmark = pytest.mark.slow

SPACE = "https://academie.example/eleves"
PUPILS = 400
OBJECTING = ("P-0003", "P-0141", "P-0399")
ABOUT = f"""
id = "results"
kind = "csv"
category = "{CATEGORY}"
audience = "minors"
until = 2027-12-31T00:00:00Z
retention = "P1Y"
time = "passé le"
[title]
fr = "Résultats de pupilles"
en = "Pupils' results"
[basis]
type = "public-task"
reference = "register 12"
[policy]
template = "public-task-research"
[policy.params]
purposes = ["{PURPOSE}"]
until = "2027-12-31T00:00:00Z"
retention = "P1Y"
[dialect]
encoding = "windows-1252"
delimiter = ";"
[[subjects]]
column = "élève"
namespace = "{SPACE}"
[[columns]]
name = "courriel"
personal = "direct"
"""
COLUMNS = ["élève", "courriel", "uai", "passé le", "note", "commentaire", "handicap"]


def pupil(number: int) -> list[str]:
    comment = '=2+5+cmd|" /C calc"!A0' if number % 50 == 0 else "bien ; continue"
    return [f"P-{number:04d}", f"p{number}@college.example", "0750655E",
            f"{number % 28 + 1:02d}/05/2025", f"{number % 20}", comment,
            "oui" if number % 9 == 0 else "non"]  # fmt: skip


def source() -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerows([COLUMNS, *map(pupil, range(PUPILS))])
    return out.getvalue().encode("windows-1252")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with two(tmp_path_factory.mktemp("table"), max_part_rows=150, first_part_rows=20) as made:
        yield made


def test_a_table_from_one_node_to_the_other(nodes: Two, tmp_path: Path):
    about, data = tmp_path / "about.toml", tmp_path / "results.csv"
    about.write_text(ABOUT, "utf-8")
    data.write_bytes(source())
    made = nodes.platform.must("dataset", "add", data, "--about", about)
    assert made["counts"] == {"rows": PUPILS, "persons": PUPILS, "quarantined": 0, "duplicates": 0}
    shown = nodes.platform.must("dataset", "show", "results")
    flags = {one["name"]: one["proposed"] for one in shown["revision"]["table"]["profile"]}
    assert (flags["courriel"], flags["handicap"]) == ("direct", "special")
    said = preau(*("dataset", "show", "results", "--lang", "fr", "--node", nodes.platform.folder))
    assert "courriel" in said.out

    for name in OBJECTING:
        subject = {"type": "column", "value": name, "home": SPACE}
        use = {"recipient": nodes.lab.did, "purpose": PURPOSE, "category": CATEGORY}
        said_so = {"status": "objected", "subject": subject, **use}
        nodes.platform.client("dpo").post("/v1/consents", said_so)
    pid = nodes.ask(made["dataset"], fields=COLUMNS)["pid"]
    agreement = nodes.lab.negotiation(pid, until="FINALIZED")["agreement"]
    found = nodes.lab.must(
        *("transfer", "fetch", agreement, "--out", tmp_path / "received", "--format", "csv"),
        role="researcher",
    )
    assert (found["state"], found["parts"]) == ("COMPLETED", 4)
    check(tmp_path / "received")

    bundle = tmp_path / "bundle.zip"
    for node in nodes.both:
        node.must("audit", "bundle", agreement, "--out", bundle, role="auditor")
        done = preau("audit", "verify", bundle, "--files", tmp_path / "received", "--json")
        assert done.code == 0, done
    logs = nodes.platform.said() + nodes.lab.said()
    assert "P-0" not in logs
    assert "@college" not in logs


def check(received: Path) -> None:
    with (received / "data.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    kept = [0, 2, 3, 4, 5]
    assert header == [COLUMNS[place] for place in kept]
    expected = [pupil(n) for n in range(PUPILS) if f"P-{n:04d}" not in OBJECTING]
    for row in expected:
        row[5] = f"'{row[5]}" if row[5].startswith("=") else row[5]
    wanted = sorted([row[place] for place in kept[1:]] for row in expected)
    assert sorted(row[1:] for row in rows) == wanted
    assert len({row[0] for row in rows}) == len(rows)
    everything = b"".join(path.read_bytes() for path in received.iterdir())
    assert b"P-0" not in everything
    assert b"@college" not in everything
    assert json.loads((received / "manifest.json").read_bytes())["format"] == "csv"
