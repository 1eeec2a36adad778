"""Real traces: 22,000 FUN-MOOC statements, released and recomputed independently with `json`."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.dataplane.about import About
from connector.dataplane.building import build
from connector.dataplane.projection import Projection
from connector.dataplane.release import Limits, encode_part, release_keys
from connector.dataplane.revision import Revision
from connector.dataplane.treat import invert
from connector.subjects.keys import Identifier, subject_key
from policies.plan import PlanField
from tests.support.ids import SeededIds

AGREEMENT = "urn:uuid:00000000-0000-8000-8000-00000000000a"
KEYS = release_keys(b"p" * 32, "did:web:lab.example", "http://purpose", AGREEMENT)

FUN = "xapi/fun-mooc-statements.jsonl.gz"


def consents(name: str) -> bool:
    return int(hashlib.sha256(f"preau:{name}".encode()).hexdigest()[:8], 16) % 100 < 70


def hour(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:00:00Z")


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and len(value) == 36 and value.count("-") == 4


def expected_row(
    row: dict[str, Any], person: Callable[[str], str], rekeyed: Callable[[str], str]
) -> dict[str, Any]:
    """The announced treatments, written again with nothing but `json`."""
    found = json.loads(json.dumps(row))
    found["actor"] = {
        "objectType": "Agent",
        "account": {"homePage": AGREEMENT, "name": person(row["actor"]["account"]["name"])},
    }
    found["id"] = rekeyed(row["id"])
    found["timestamp"] = hour(row["timestamp"])
    for place in ("context", "result"):
        extensions = found.get(place, {}).get("extensions", {})
        for key, value in extensions.items():
            if is_uuid(value):
                extensions[key] = rekeyed(value)
    return found  # type: ignore[no-any-return]


def canonical(rows: Iterable[dict[str, Any]]) -> Counter[str]:
    return Counter(json.dumps(row, sort_keys=True) for row in rows)


@pytest.mark.slow
def test_real_traces_match_an_independent_computation(
    official: Callable[[str], Path], tmp_path: Path, about: About
):
    """22,000 FUN statements: exactly the rows of consenting learners, under two bijections."""
    source = official(FUN)
    meta = build(
        source,
        folder=tmp_path / "fun",
        declaration=about,
        subject_secret=b"k" * 32,
        random=SeededIds().token,
    )
    assert (meta.rows, meta.persons, meta.quarantined, meta.duplicates) == (22_000, 1_452, {}, 0)
    with gzip.open(source, "rt") as file:
        rows = [json.loads(line) for line in file]
    names = {row["actor"]["account"]["name"] for row in rows}
    home = rows[0]["actor"]["account"]["homePage"]
    allowed = {
        subject_key(b"k" * 32, Identifier("account", name, home))
        for name in names
        if consents(name)
    }
    with Revision.open(tmp_path / "fun") as revision:
        wanted = Projection.of(
            [PlanField(f.name, f.type, f.pointer) for f in revision.meta.codebook],
            home=AGREEMENT,
            precision="hour",
        )
        bits = bytearray(key in allowed for key in revision.subjects())
        received: list[dict[str, Any]] = []
        start, limits = 0, Limits(256, 8 << 20)
        while start < revision.rows:
            part = encode_part(revision, wanted, KEYS, bits, start, None, limits)
            received += [json.loads(line) for line in part.body.splitlines()]
            start, limits = part.stop, Limits(16_384, 8 << 20)
    by_source = {invert(KEYS.ids, row["id"]): row for row in received}
    released = [row for row in rows if consents(row["actor"]["account"]["name"])]
    assert len(by_source) == len(received) == len(released)
    persons: dict[str, str] = {}
    ids: dict[str, str] = {}
    for row in released:
        got = by_source[row["id"]]
        name = got["actor"]["account"]["name"]
        assert persons.setdefault(row["actor"]["account"]["name"], name) == name
        ids[row["id"]] = got["id"]
        for place in ("context", "result"):
            for key, value in row.get(place, {}).get("extensions", {}).items():
                if is_uuid(value):
                    now = got[place]["extensions"][key]
                    assert ids.setdefault(value, now) == now
    assert len(set(persons.values())) == len(persons) == sum(map(consents, names))
    assert len(set(ids.values())) == len(ids)
    assert canonical(received) == canonical(
        expected_row(row, persons.__getitem__, ids.__getitem__) for row in released
    )
    text = json.dumps(received)
    assert not any(name in text for name in names)
