"""One node in this process on a real store, a still clock, and no network."""

import io
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from connector.base import settings as configuration
from connector.evidence.log import Log
from connector.identity import keys
from connector.identity.keys import KeyRing
from connector.services.access import Actor
from connector.services.node import Node
from connector.services.operate import setup, starting
from connector.services.publish import publishing
from connector.store.store import Store
from policies.vocabulary import PREAU
from tests.support.clock import ManualClock
from tests.support.databases import fresh
from tests.support.ids import SeededIds

URL = "http://localhost:9101"
CATEGORY = PREAU + "LearningTraces"
PURPOSE = PREAU + "EducationResearch"
LAB = "did:web:localhost%3A9201"

DPO = Actor("actor-dpo", "dpo")
STEWARD = Actor("actor-steward", "steward")
AUDITOR = Actor("actor-auditor", "auditor")

ABOUT = """
id = "traces"
kind = "xapi"
category = "{category}"
{audience}
periodicity = "never"
until = 2027-12-31T00:00:00Z
retention = "P180D"
[title]
fr = "Traces"
en = "Traces"
[notice]
iri = "https://school.example/notice"
version = "1"
text = "What pupils were told."
[basis]
type = "{basis}"
reference = "Register, entry 7"
[policy]
template = "{template}"
[policy.params]
purposes = ["{purpose}"]
until = "2027-12-31T00:00:00Z"
retention = "P180D"
"""


class _NoNetwork:
    """Stands where the client of peers' HTTP stands; nobody may use it here."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"these tests ask no peer ({name})")


@pytest.fixture
def node(tmp_path: Path, clock: ManualClock, ids: SeededIds) -> Iterator[Node]:
    """A node as `preau init` makes it."""
    folder = tmp_path / "node"
    folder.mkdir()
    checked = configuration.check(
        {
            "node": {"did": "did:web:localhost%3A9101", "name": "School", "public_url": URL},
            "listen": {"public": "127.0.0.1:9101", "management": "127.0.0.1:9102"},
            "dev": {"on": True},
        }
    )
    keys.create(folder / checked.keys.dir, ids.token)
    ring = KeyRing.load(folder / checked.keys.dir)
    store = Store.open(fresh(folder / "node.sqlite"))
    log = Log.open(
        folder / "log",
        store,
        sign=ring.sign_log,
        key=ring.log_public,
        origin="localhost:9101/log",
        clock=clock,
        ids=ids,
    )
    made = starting.assemble(
        folder=folder,
        settings=checked,
        clock=clock,
        ids=ids,
        keys=ring,
        store=store,
        log=log,
        fetch=_NoNetwork(),
    )
    setup.first_entries(made, "preau_test")
    yield made
    made.bitmaps.close()
    made.journal.close()
    log.close()
    store.close()


def statements(learners: int, rows: int = 3) -> list[dict[str, Any]]:
    """So many learners with so many rows each, told apart by the minute only."""
    return [
        {
            "id": f"00000000-0000-4000-8000-{learner * rows + row:012d}",
            "actor": {
                "objectType": "Agent",
                "account": {"homePage": "http://school.example", "name": f"pupil-{learner}"},
            },
            "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced"},
            "object": {"id": "http://school.example/video/1"},
            "timestamp": f"2026-03-{1 + learner // 60:02d}T{8 + row:02d}:{learner % 60:02d}:00Z",
        }
        for learner in range(learners)
        for row in range(rows)
    ]


Publish = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def publish(node: Node) -> Publish:
    """Publishes `statements(learners)` on a basis; the answer of the service."""

    async def act(
        learners: int = 60, basis: str = "public-task", audience: str = "minors"
    ) -> dict[str, Any]:
        template = "research-under-consent" if basis == "consent" else "public-task-research"
        about = ABOUT.format(
            category=CATEGORY,
            basis=basis,
            template=template,
            purpose=PURPOSE,
            audience=f'audience = "{audience}"' if audience else "",
        )
        lines = [json.dumps(row) for row in statements(learners)]
        data = io.BytesIO("\n".join(lines).encode())

        async def read(size: int) -> bytes:
            return data.read(size)

        upload = publishing.Upload(about.encode(), "traces.jsonl", read, 0.001)
        return await publishing.add(node, STEWARD, upload)

    return act
