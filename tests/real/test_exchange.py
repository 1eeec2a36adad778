"""One whole exchange between two processes, each step as people type it.

The platform publishes, its DPO approves the lab's request, the lab fetches part by part; a learner
withdraws in between. What arrived is recomputed here with plain `json`.
"""

import json
import zipfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connector.evidence.verify import verify
from tests.support import traces
from tests.support.nodes import Two

pytestmark = pytest.mark.slow

Json = dict[str, Any]


class Story(NamedTuple):
    """What was exchanged, for the tests to look at."""

    nodes: Two
    rows: list[Json]
    withdrawn: str
    agreement: str
    received: Path
    bundles: dict[str, Path]


@pytest.fixture(scope="module")
def story(nodes: Two, consenting: list[str], tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Published, asked, approved, one part, a withdrawal, the other parts, two bundles."""
    folder = tmp_path_factory.mktemp("story")
    rows = traces.statements()
    nodes.publish(rows, decisions=["dpo"])
    nodes.consent(consenting)
    agreement = nodes.agree(dpo=True)
    nodes.lab.must("transfer", "fetch", agreement, "--out", folder / "out", "--parts", "1")
    withdrawn = _someone_in_the_first_part(nodes)
    nodes.platform.must(
        *("consent", "withdraw", "--subject", "account", withdrawn, traces.HOME),
        *("--recipient", nodes.lab.did),
        *("--purpose", traces.PURPOSE, "--category", traces.CATEGORY),
        role="dpo",
    )
    nodes.lab.must("transfer", "fetch", agreement, "--out", folder / "out")
    bundles = {node.folder.name: folder / f"{node.folder.name}.zip" for node in nodes.both}
    for node in nodes.both:
        node.must("audit", "bundle", agreement, "--out", bundles[node.folder.name])
    return Story(nodes, rows, withdrawn, agreement, folder / "out", bundles)


def _someone_in_the_first_part(nodes: Two) -> str:
    """The learner of the first row received, told by the page it is about."""
    (partial,) = (nodes.lab.folder / "received").rglob("data.ndjson.partial")
    first = json.loads(partial.read_bytes().splitlines()[0])
    return _learners()[first["object"]["id"]]


def _learners() -> dict[str, str]:
    """page -> the learner whose page it is."""
    return {row["object"]["id"]: row["actor"]["account"]["name"] for row in traces.statements()}


def received(story: Story) -> list[Json]:
    lines = (story.received / "data.ndjson").read_bytes().splitlines()
    return [json.loads(line) for line in lines]


def treated(row: Json) -> Json:
    """A source row as the plan announces it, its actor apart: agreed fields, times to the hour."""
    moment = datetime.fromisoformat(row["timestamp"]).astimezone(UTC)
    return {
        "verb": {"id": row["verb"]["id"]},
        "object": {"id": row["object"]["id"]},
        "timestamp": moment.strftime("%Y-%m-%dT%H:00:00Z"),
    }


def without_actor(row: Json) -> str:
    return json.dumps({name: row[name] for name in sorted(row) if name != "actor"}, sort_keys=True)


def first_part(story: Story) -> int:
    """How many rows the first part has."""
    return int(json.loads((story.received / "manifest.json").read_bytes())["parts"][0]["rows"])


def test_the_rows_received_are_those_of_consenting_learners(story: Story):
    whose, rows = _learners(), received(story)
    told = Counter(without_actor(row) for row in rows)
    assert max(told.values()) == 1, "no row came twice"
    gone = {
        row["object"]["id"]
        for row in rows[: first_part(story)]
        if whose[row["object"]["id"]] == story.withdrawn
    }
    expected = [
        row
        for row in story.rows
        if traces.consents(name := row["actor"]["account"]["name"])
        and (name != story.withdrawn or row["object"]["id"] in gone)
    ]
    assert told == Counter(without_actor(treated(row)) for row in expected)


def test_who_withdrew_is_gone_from_the_next_part(story: Story):
    whose, rows = _learners(), received(story)
    before, after = rows[: first_part(story)], rows[first_part(story) :]
    assert story.withdrawn in {whose[row["object"]["id"]] for row in before}
    assert story.withdrawn not in {whose[row["object"]["id"]] for row in after}


def test_each_learner_has_one_pseudonym_under_the_agreement(story: Story):
    whose = _learners()
    pairs = {(whose[row["object"]["id"]], json.dumps(row["actor"])) for row in received(story)}
    names, actors = zip(*pairs, strict=True)
    assert len(pairs) == len(set(names)) == len(set(actors))
    homes = {row["actor"]["account"]["homePage"] for row in received(story)}
    assert homes == {story.agreement}
    text = (story.received / "data.ndjson").read_text("utf-8")
    assert "learner-" not in text
    assert traces.HOME + "/pages" in text


def test_both_bundles_verify_with_the_files_received(story: Story):
    for bundle in story.bundles.values():
        report = verify(bundle, files=story.received)
        assert report.ok, report.document()


def test_both_logs_hold_the_same_agreement_digest(story: Story):
    digests = set()
    for node in story.nodes.both:
        assert node.client().get(f"/v1/agreements/{story.agreement}")["state"] == "active"
        sql = "SELECT shared_body FROM leaf WHERE type = 'agreement' ORDER BY idx"
        found = [json.loads(body) for (body,) in node.query(sql)]
        assert len(found) == 2, "one leaf for each party's assent"
        digests |= {body["digest"] for body in found}
    assert len(digests) == 1


def test_both_bundles_tell_of_the_same_parts_and_messages(story: Story):
    told = []
    for bundle in story.bundles.values():
        with zipfile.ZipFile(bundle) as archive:
            names = archive.namelist()
            manifest = json.loads(archive.read("manifest.json"))
        kinds = Counter(
            Path(name).stem.split("-", 2)[2] for name in names if name.startswith("messages/")
        )
        told.append((manifest["parts"], kinds))
    assert told[0] == told[1]


def test_the_logs_name_nobody(story: Story):
    for node in story.nodes.both:
        text = node.said()
        assert '"event": "serving"' in text
        assert not [word for word in ("learner-", "preau_", traces.HOME) if word in text]
