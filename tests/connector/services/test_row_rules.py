"""Row predicates that rest on more than the row: bound to the present at every part."""

import json
from importlib.resources import files
from typing import Any

from connector.services.discover import peering
from connector.services.show import views
from tests.connector.services.test_budgets import fetch
from tests.support.pair import OPERATOR, Pair, statements

LEARNERS = 12
LABS = {"@id": "group:labs"}
OLDER = {
    "leftOperand": "preau:recordTime",
    "operator": "lt",
    "rightOperand": {"@value": "2026-02-15T00:00:00Z", "@type": "xsd:dateTime"},
}
"""Of the three statements of each learner (January, February, March) two are."""


async def agreed(nodes: Pair, rule: dict[str, Any]) -> str:
    """An agreement under research-under-consent and one more rule about rows; its id."""
    template = json.loads(
        files("policies").joinpath("templates/research-under-consent.json").read_text("utf-8")
    )
    template["name"], template["vectors"] = "older-or-else", []
    template["policy"]["permission"][0]["constraint"].append({"or": [rule, OLDER]})
    folder = nodes.provider.folder / "templates"
    folder.mkdir()
    (folder / "older-or-else.json").write_text(json.dumps(template), "utf-8")
    dataset = await nodes.publish(statements(LEARNERS), template="older-or-else")
    await nodes.consent([f"learner-{number}" for number in range(LEARNERS)])
    await nodes.request(dataset)
    return str((await views.agreements(nodes.consumer))[0]["id"])


async def rows(nodes: Pair, agreement: str) -> int:
    found = await fetch(nodes, agreement)
    assert found["state"] == "COMPLETED"
    return int(found["rows"])


async def test_after_an_instant_only_older_records_leave(nodes: Pair):
    until = nodes.clock.now().replace(microsecond=0, year=nodes.clock.now().year + 1)
    value = {"@value": until.isoformat().replace("+00:00", "Z"), "@type": "xsd:dateTime"}
    rule = {"leftOperand": "odrl:dateTime", "operator": "lt", "rightOperand": value}
    agreement = await agreed(nodes, rule)
    assert await rows(nodes, agreement) == 3 * LEARNERS
    nodes.clock.advance((until - nodes.clock.now()).total_seconds())
    assert await rows(nodes, agreement) == 2 * LEARNERS


async def test_who_left_the_group_gets_only_older_records(nodes: Pair):
    await peering.set_groups(nodes.provider, OPERATOR, nodes.consumer.did, ["labs"])
    rule = {"leftOperand": "preau:membership", "operator": "isAnyOf", "rightOperand": [LABS]}
    agreement = await agreed(nodes, rule)
    assert await rows(nodes, agreement) == 3 * LEARNERS
    await peering.set_groups(nodes.provider, OPERATOR, nodes.consumer.did, [])
    assert await rows(nodes, agreement) == 2 * LEARNERS
