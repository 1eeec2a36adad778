"""A public-task dataset, two nodes as two processes, three objectors: every row recomputed.

Rows are told apart by the activity, which leaves as it is: what must arrive is computed here from
the source with plain `json`.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connector.cli.client import ApiProblem, segment
from connector.cli.story import nodes
from connector.cli.story.nodes import Node
from connector.cli.story.scene import counterpart, negotiation
from tests.support.source import ROOT

pytestmark = pytest.mark.slow

PREAU = "https://w3id.org/preau/ns#"
PURPOSE = PREAU + "EducationResearch"
CATEGORY = PREAU + "LearningTraces"
HOME = "http://school.example"
PUPILS, ROWS, PART = 40, 5, 50
OBJECTORS = ("pupil-3", "pupil-17", "pupil-30")
WAIT = 120.0
ABOUT = f"""
id = "results"
kind = "xapi"
category = "{CATEGORY}"
audience = "minors"
periodicity = "never"
until = 2027-12-31T00:00:00Z
retention = "P180D"
[title]
fr = "Exercices"
en = "Exercises"
[basis]
type = "public-task"
reference = "Education code, mission of public interest"
[notice]
iri = "https://school.example/notice"
version = "1"
[policy]
template = "public-task-research"
[policy.params]
purposes = ["{PURPOSE}"]
until = "2027-12-31T00:00:00Z"
retention = "P180D"
"""


def source() -> list[dict[str, Any]]:
    return [
        {
            "id": f"00000000-0000-4000-8000-{pupil * ROWS + row:012d}",
            "actor": {
                "objectType": "Agent",
                "account": {"homePage": HOME, "name": f"pupil-{pupil}"},
            },
            "verb": {"id": "http://adlnet.gov/expapi/verbs/answered"},
            "object": {"id": f"{HOME}/exercise/{pupil * ROWS + row}"},
            "timestamp": f"2026-03-{1 + row:02d}T08:{pupil:02d}:00Z",
        }
        for pupil in range(PUPILS)
        for row in range(ROWS)
    ]


def activities(rows: list[dict[str, Any]]) -> Counter[str]:
    return Counter(row["object"]["id"] for row in rows)


def without(*names: str) -> Counter[str]:
    return activities([row for row in source() if row["actor"]["account"]["name"] not in names])


def preau(node: Node, role: str, *arguments: str) -> dict[str, Any]:
    """A command as its person types it; the document it prints."""
    node.who(role)
    token = str(node.folder / "tokens" / role)
    words = ["--json", "--node", node.management, "--token-file", token, *arguments]
    done = subprocess.run(
        [sys.executable, "-m", "connector.cli", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def use(lab: Node, pupil: str) -> tuple[str, ...]:
    """The person and the use, as the consent commands take them."""
    return (
        *("--subject", "account", pupil, HOME),
        *("--recipient", lab.did, "--purpose", PURPOSE, "--category", CATEGORY),
    )


@pytest.fixture(scope="module")
def pair(tmp_path_factory: Any) -> Any:
    """A school and a lab that know each other; the school has published its exercises."""
    root = Path(tmp_path_factory.mktemp("objections"))
    school, lab = nodes.make(root, [("school", "School"), ("lab", "Lab")], "en")
    for each in (school, lab):
        nodes.limit_parts(each, PART)
    try:
        nodes.start([school, lab])
        for one, other in ((school, lab), (lab, school)):
            body = {"did": other.did, "name": other.name, "groups": []}
            one.who("operator").post("/v1/peers", body)
        data, about = root / "rows.jsonl", root / "about.toml"
        data.write_text("".join(json.dumps(row) + "\n" for row in source()), "utf-8")
        about.write_text(ABOUT, "utf-8")
        preau(school, "steward", "dataset", "add", str(data), "--about", str(about))
        yield school, lab
    finally:
        nodes.stop([school, lab])


def ask(school: Node, lab: Node, dataset: str = "results") -> str:
    """A request; the lab's negotiation."""
    asked = {
        "purpose": PURPOSE,
        "project": {"title": "How do pupils train?", "end": "2027-06-30"},
        "fields": ["actor", "id", "object.id", "timestamp", "verb.id"],
        "period": {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"},
        "relation": {"type": "separate"},
        "processors": [],
    }
    body = {"dataset": f"{school.public}/datasets/{dataset}", "application": asked}
    return str(lab.who("researcher").post("/v1/requests", body)["pid"])


def agree(school: Node, lab: Node) -> str:
    """A request that is granted at once; the agreement."""
    return finalized(lab, ask(school, lab))


def finalized(lab: Node, pid: str) -> str:
    """The agreement a negotiation ends in."""
    path = f"/v1/negotiations/{segment(pid)}"
    final = lab.who("researcher").get(path, wait=WAIT, until="FINALIZED")
    assert final["state"] == "FINALIZED", final["reasons"]
    return str(final["agreement"])


def fetch(lab: Node, agreement: str, target: Path, parts: int | None = None) -> dict[str, Any]:
    """Fetch parts, or all; the view of the transfer."""
    researcher = lab.who("researcher")
    made = researcher.post("/v1/transfers", {"agreement": agreement, "format": "ndjson"})
    path = f"/v1/transfers/{segment(made['pid'])}"
    found: dict[str, Any] = researcher.get(path, wait=WAIT, until="STARTED")
    researcher.post(f"{path}/fetch", {"parts": parts})
    found = researcher.get(path, wait=WAIT, until="FETCHED")
    if parts is None:
        for name in ("data.ndjson", "manifest.json"):
            researcher.download(f"{path}/files/{name}", target / name)
    return found


def rows_in(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "data.ndjson").read_bytes().splitlines()]


def test_objectors_are_withheld_from_the_next_part_until_the_dpo_lifts(
    pair: tuple[Node, Node], tmp_path: Path
):
    school, lab = pair
    agreement = agree(school, lab)
    one, two, three = OBJECTORS
    made = preau(school, "steward", "consent", "object", *use(lab, one))
    assert made["state"] == "objected"

    fetch(lab, agreement, tmp_path, parts=1)
    preau(school, "dpo", "consent", "object", *use(lab, two))
    preau(school, "dpo", "consent", "object", *use(lab, three))
    fetch(lab, agreement, tmp_path)

    rows = rows_in(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert manifest["state"] == "complete"
    assert len(manifest["parts"]) > 2
    early, late = activities(rows[: manifest["parts"][0]["rows"]]), activities(rows[PART:])
    assert early.total() == PART
    # Who objected before the first part is in none; who objected after it, in no later one.
    everybody = without(one)
    assert not early - everybody
    gone_later = without(one) - without(*OBJECTORS)
    assert not (late & gone_later)
    assert late == without(*OBJECTORS) - early
    assert activities(rows) == without(*OBJECTORS) + (early & gone_later)
    content = (tmp_path / "data.ndjson").read_text("utf-8")
    assert "pupil-" not in content

    # Lifted with a reason by the DPO: in a new release they are there again.
    reason = "Overriding grounds: exam statistics the law asks for; see file 12."
    with pytest.raises(ApiProblem) as caught:
        school.who("steward").post("/v1/consents", lifted(lab, two, reason))
    assert caught.value.code == "access-role"
    made = preau(school, "dpo", "consent", "lift", *use(lab, two), "--reason", reason)
    assert made["state"] == "none"
    fetch(lab, agree(school, lab), tmp_path)
    assert activities(rows_in(tmp_path)) == without(one, three)
    state = preau(school, "dpo", "consent", "state", *use(lab, three))
    assert (state["state"], state["leaves"]["objection"]) == ("objected", False)


def lifted(lab: Node, pupil: str, reason: str) -> dict[str, Any]:
    return {
        "status": "lifted",
        "subject": {"type": "account", "value": pupil, "home": HOME},
        "recipient": lab.did,
        "purpose": PURPOSE,
        "category": CATEGORY,
        "reason": reason,
    }


def test_a_measured_linkage_is_in_both_parties_plans(pair: tuple[Node, Node], tmp_path: Path):
    school, lab = pair
    before = agree(school, lab)
    measured = preau(school, "dpo", "dataset", "risk", "results")
    after = agree(school, lab)
    announced = {(one["time"], one["extensions"]): one["linked"] for one in measured["linkage"]}
    for agreement, linkage in ((before, "not measured"), (after, announced["hour", False])):
        path = f"/v1/agreements/{segment(agreement)}"
        plans = [each.who("operator").get(path + "/plan") for each in (school, lab)]
        assert plans[0] == plans[1]
        assert plans[0]["plan"]["linkage"] == linkage
    said = lab.who("researcher").get(path)["plan"]["en"]
    assert any(f"Linkable by colluding recipients: {announced['hour', False]}" in s for s in said)
    shown = preau(school, "dpo", "dataset", "show", "results")
    assert any(announced["hour", False] in line for line in shown["linkage"]["en"])
    # What the holder of the class list still learns, rounded: T4.
    fetch(lab, after, tmp_path)
    told = preau(school, "dpo", "dataset", "risk", "results")["absence"]
    assert {(one["listed"], one["absent"]) for one in told} <= {("40", "<10"), ("40", "10")}
    assert after in {one["agreement"] for one in told}


def test_measuring_while_somebody_decides_breaks_no_negotiation(
    pair: tuple[Node, Node], tmp_path: Path
):
    school, lab = pair
    data, about = tmp_path / "rows.jsonl", tmp_path / "about.toml"
    data.write_text("".join(json.dumps(row) + "\n" for row in source()), "utf-8")
    declared = ABOUT.replace('id = "results"', 'id = "decided"\ndecisions = ["dpo"]')
    about.write_text(declared, "utf-8")
    preau(school, "steward", "dataset", "add", str(data), "--about", str(about))
    pid = ask(school, lab, "decided")
    there = counterpart(lab.who("researcher"), pid)
    waiting = negotiation(school.who("dpo"), there, until="SETTLED")
    assert waiting["awaiting"] == ["dpo"]
    measured = preau(school, "dpo", "dataset", "risk", "decided")
    assert measured["document"].endswith("/v2")
    preau(school, "dpo", "negotiation", "decide", there, "--as", "dpo", "--approve")
    path = f"/v1/agreements/{segment(finalized(lab, pid))}"
    document = lab.who("researcher").get(path)["document"]
    assert document["signedDocument"]["id"].endswith("/decided/v1")
    plans = [each.who("operator").get(path + "/plan")["plan"] for each in (school, lab)]
    assert [plan["linkage"] for plan in plans] == ["not measured", "not measured"]
