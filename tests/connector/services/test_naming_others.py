"""A row leaves only if everybody it names may leave, wherever xAPI lets it name them (X7)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from connector.services.fetch import fetching
from connector.services.fetch.received import folder_of
from connector.services.release import transferring
from connector.services.show import views
from tests.support.pair import RESEARCHER, Pair, statements

Json = dict[str, Any]
LEARNERS, CONSENTING = 15, 12
FRIEND, REFUSER = "learner-1", "learner-14"


def agent(name: str) -> Json:
    return {
        "objectType": "Agent",
        "account": {"homePage": "https://mooc.example", "name": name},
    }


def group(*names: str, **more: Any) -> Json:
    return {"objectType": "Group", "member": [agent(name) for name in names], **more}


SUB: Json = {
    "objectType": "SubStatement",
    "verb": {"id": "https://example.org/verbs/planned"},
    "object": {"id": "https://mooc.example/videos/1", "objectType": "Activity"},
}

PLACES: dict[str, Callable[[str], Json]] = {
    "member of the actor": lambda name: {"actor": group("learner-0", name)},
    "member of a named group": lambda name: {
        "actor": group("learner-2", name, account=agent("learner-0")["account"])
    },
    "object": lambda name: {"object": agent(name)},
    "member of the object": lambda name: {"object": group("learner-2", name)},
    "instructor": lambda name: {"context": {"instructor": agent(name)}},
    "team": lambda name: {"context": {"team": group("learner-2", name)}},
    "context agent": lambda name: {
        "context": {"contextAgents": [{"objectType": "contextAgent", "agent": agent(name)}]}
    },
    "context group": lambda name: {
        "context": {"contextGroups": [{"objectType": "contextGroup", "group": group(name)}]}
    },
    "authority": lambda name: {"authority": agent(name)},
    "actor of a SubStatement": lambda name: {"object": SUB | {"actor": agent(name)}},
    "object of a SubStatement": lambda name: {
        "object": SUB | {"actor": agent("learner-0"), "object": agent(name)}
    },
    "team of a SubStatement": lambda name: {
        "object": SUB | {"actor": agent("learner-0"), "context": {"team": group(name)}}
    },
}
NOWHERE: dict[str, Callable[[str], Json]] = {
    "an extension": lambda name: {
        "context": {"extensions": {"https://example.org/with": agent(name)}}
    },
    "a SubStatement in a SubStatement": lambda name: {
        "object": SUB | {"actor": agent("learner-0"), "object": SUB | {"actor": agent(name)}}
    },
}
"""Where nobody can tell whose consent is needed: such a row leaves for nobody."""


def rows() -> list[Json]:
    """Plain rows of everybody, and a row of learner-0 for each place, naming one or the other."""
    plain = statements(LEARNERS)
    template, made = plain[0], []
    for number, (place, changes) in enumerate([*PLACES.items(), *NOWHERE.items()]):
        for kind, name in (("friend", FRIEND), ("refuser", REFUSER)):
            verb = {"id": f"https://example.org/verbs/{kind}/{place.replace(' ', '-')}"}
            ident = f"00000000-0000-4000-9000-{number:06d}{len(kind):06d}"
            made.append(template | {"id": ident, "verb": verb} | changes(name))
    return [*plain, *made]


@pytest.fixture
async def received(nodes: Pair) -> list[Json]:
    """What the consumer got."""
    dataset = await nodes.publish(rows())
    await nodes.consent([f"learner-{number}" for number in range(CONSENTING)])
    await nodes.request(dataset)
    agreement = str((await views.agreements(nodes.consumer))[0]["id"])
    pid = await transferring.start(nodes.consumer, RESEARCHER, agreement, "ndjson")
    await nodes.settle()
    await fetching.start(nodes.consumer, RESEARCHER, pid, None)
    await nodes.consumer.background.idle()
    content = (folder_of(nodes.consumer, pid) / "data.ndjson").read_bytes()
    assert b"learner" not in content
    return [json.loads(line) for line in content.splitlines()]


async def test_who_may_not_leave_is_named_in_no_row_that_leaves(received: list[Json]):
    verbs = {row["verb"]["id"].removeprefix("https://example.org/verbs/") for row in received}
    named = {place.replace(" ", "-") for place in PLACES}
    assert verbs == {"played"} | {f"friend/{place}" for place in named}
    assert len(received) == CONSENTING * 3 + len(PLACES)
