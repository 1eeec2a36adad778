"""Builds small revisions from rows, for the tests of this room."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from connector.dataplane.about import About, parse
from connector.dataplane.building import build
from connector.dataplane.revision import Revision
from tests.support.ids import SeededIds

ABOUT = """
id = "traces"
kind = "xapi"
category = "https://w3id.org/preau/ns#LearningTraces"
title = { fr = "Traces", en = "Traces" }
"""


@pytest.fixture(scope="session")
def about() -> About:
    """The least a steward may declare."""
    return parse(ABOUT)


@pytest.fixture
def statement() -> Callable[..., dict[str, object]]:
    """Makes statements: number, person, changes."""

    def make(number: int = 0, person: str = "ann", **changes: object) -> dict[str, object]:
        found: dict[str, object] = {
            "id": f"00000000-0000-4000-8000-{number:012d}",
            "actor": {
                "objectType": "Agent",
                "account": {"homePage": "http://mooc.example", "name": person},
            },
            "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
            "object": {"id": "http://mooc.example/video/1", "objectType": "Activity"},
            "timestamp": "2026-03-01T10:20:30.5Z",
        }
        found.update(changes)
        return {name: value for name, value in found.items() if value is not None}

    return make


@pytest.fixture
def revise(tmp_path: Path, about: About) -> Iterator[Callable[..., Revision]]:
    """Builds and opens a revision from values or raw lines."""
    opened: list[Revision] = []

    def make(rows: Iterable[object], **options: object) -> Revision:
        number = len(opened)
        source = tmp_path / f"source-{number}.jsonl"
        lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
        source.write_bytes(b"\n".join(lines) + b"\n")
        folder = tmp_path / f"revision-{number}"
        members: dict[str, object] = {
            "declaration": about,
            "subject_secret": b"k" * 32,
            "random": SeededIds(number).token,
            **options,
        }
        build(source, folder=folder, **members)  # type: ignore[arg-type]
        opened.append(Revision.open(folder))
        return opened[-1]

    yield make
    for revision in opened:
        revision.close()
