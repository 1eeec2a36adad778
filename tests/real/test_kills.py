"""SIGKILL at every point that matters, on either side: both nodes converge, nothing happens twice.

Each case starts two nodes from the same stopped state, one of them through the runner that kills
it at the failpoint. Whoever was killed is started again, without it; people do again what was not
acknowledged to them; then both must come to the same end.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.problem import Problem
from tests.support import invariants, traces
from tests.support.killing import Before, bundles, delivered, eventually
from tests.support.nodes import Two

pytestmark = pytest.mark.slow

Json = dict[str, Any]
REQUEST, AGREEMENT = "ContractRequestMessage", "ContractAgreementMessage"
VERIFICATION, EVENT = "ContractAgreementVerificationMessage", "ContractNegotiationEventMessage"
ASK, START = "TransferRequestMessage", "TransferStartMessage"
COMPLETION = "TransferCompletionMessage"


# ------------------------------------------------------------------------------ negotiation

NEGOTIATION = [
    ("lab", f"before-commit/out:{REQUEST}"),
    ("lab", f"after-commit/out:{REQUEST}"),
    ("lab", f"after-send/{REQUEST}"),
    ("platform", f"before-commit/in:{REQUEST}"),
    ("platform", f"after-commit/in:{REQUEST}"),
    ("platform", f"before-commit/out:{AGREEMENT}"),
    ("platform", f"after-commit/out:{AGREEMENT}"),
    ("platform", f"after-send/{AGREEMENT}"),
    # The agreement received and the verification to send are one transaction.
    ("lab", f"before-commit/in:{AGREEMENT}"),
    ("lab", f"after-commit/in:{AGREEMENT}"),
    ("lab", f"after-send/{VERIFICATION}"),
    # So are the verification received and the event to send.
    ("platform", f"before-commit/in:{VERIFICATION}"),
    ("platform", f"after-commit/in:{VERIFICATION}"),
    ("platform", f"after-send/{EVENT}"),
    ("lab", f"before-commit/in:{EVENT}"),
    ("lab", f"after-commit/in:{EVENT}"),
]
# Without a person in between, the request received and the agreement to send are one.
AUTOMATIC = [
    ("platform", f"before-commit/out:{AGREEMENT}"),
    ("platform", f"after-commit/out:{AGREEMENT}"),
]


def negotiating(nodes: Two, dataset: str) -> Callable[[], bool]:
    """What people do until both sides say FINALIZED: ask, if nothing was asked; decide, if asked
    to decide.
    """
    body = {"dataset": f"{nodes.platform.url}/datasets/{dataset}"}
    body["application"] = traces.application()  # type: ignore[assignment]

    def go_on() -> bool:
        lab, platform = nodes.lab.client("researcher"), nodes.platform.client("dpo")
        asked = lab.get("/v1/negotiations")
        if not asked:
            lab.post("/v1/requests", body)
            return False
        received = platform.get("/v1/negotiations")
        for waiting in received:
            if waiting["awaiting"]:
                decision = {"role": "dpo", "outcome": "approve"}
                platform.post(f"/v1/negotiations/{waiting['pid']}/decisions", decision)
        states = [one["state"] for one in (*asked, *received)]
        return states == ["FINALIZED", "FINALIZED"] and delivered(nodes)

    return go_on


@pytest.mark.parametrize(
    ("dataset", "side", "failpoint"),
    [("traces", *case) for case in NEGOTIATION] + [("automatic", *case) for case in AUTOMATIC],
)
def test_a_negotiation_survives(before: Before, started, dataset: str, side: str, failpoint: str):
    nodes = started(before.published, side, failpoint)
    assert eventually(nodes, negotiating(nodes, dataset)) == 1
    (agreement,) = nodes.lab.client().get("/v1/agreements")
    bundles(nodes, agreement["id"])
    nodes.stop()
    invariants.check(nodes)
    decisions = nodes.platform.query("SELECT kind FROM decision ORDER BY seq")
    assert decisions == [("automatic",), ("person",)][: 2 if dataset == "traces" else 1]


# --------------------------------------------------------------------------------- transfer

TRANSFER = [
    ("lab", f"before-commit/out:{ASK}"),
    ("lab", f"after-commit/out:{ASK}"),
    ("lab", f"after-send/{ASK}"),
    ("platform", f"before-commit/in:{ASK}"),
    ("platform", f"after-commit/in:{ASK}"),
    ("platform", f"before-commit/out:{START}"),
    ("platform", f"after-commit/out:{START}"),
    ("platform", f"after-send/{START}"),
    ("lab", f"before-commit/in:{START}"),
    ("lab", f"after-commit/in:{START}"),
    ("platform", "before-commit/part:1"),
    ("platform", "before-commit/part:2"),
    ("platform", "after-commit/part:2"),
    ("lab", "after-send/part:2"),
    ("lab", "after-write/part:2"),
    ("lab", "before-commit/part:2"),
    ("lab", "after-commit/part:2"),
    ("lab", "after-write/part:4"),  # the last one
    ("lab", "after-commit/part:4"),
    ("platform", "before-commit/manifest"),
    ("platform", "after-commit/manifest"),
    ("lab", "after-send/manifest"),
    ("platform", "before-commit/receipt"),
    ("platform", "after-commit/receipt"),
    ("lab", "after-send/receipt"),
    ("lab", f"before-commit/out:{COMPLETION}"),
    ("lab", f"after-commit/out:{COMPLETION}"),
    ("lab", f"after-send/{COMPLETION}"),
    ("platform", f"before-commit/in:{COMPLETION}"),
    ("platform", f"after-commit/in:{COMPLETION}"),
]


def fetching(nodes: Two, agreement: str) -> Callable[[], bool]:
    """What a researcher does until both sides say COMPLETED: start, and fetch what is left."""

    def go_on() -> bool:
        lab, platform = nodes.lab.client("researcher"), nodes.platform.client()
        asked = lab.get("/v1/transfers")
        if not asked:
            lab.post("/v1/transfers", {"agreement": agreement})
            return False
        path = f"/v1/transfers/{asked[0]['pid']}"
        found = lab.get(path)
        if found["state"] == "STARTED" and not found["fetch"]["running"]:
            lab.post(f"{path}/fetch", {})
        states = [
            one["state"] for one in (*lab.get("/v1/transfers"), *platform.get("/v1/transfers"))
        ]
        return states == ["COMPLETED", "COMPLETED"] and delivered(nodes)

    return go_on


@pytest.mark.parametrize(("side", "failpoint"), TRANSFER)
def test_a_transfer_survives(
    before: Before, started, consenting: list[str], side: str, failpoint: str
):
    nodes = started(before.agreed, side, failpoint)
    assert eventually(nodes, fetching(nodes, before.agreement)) == 1
    (folder,) = (nodes.lab.folder / "received").iterdir()
    bundles(nodes, before.agreement, files=folder)
    nodes.stop()
    invariants.check(nodes)
    invariants.check_release(nodes, folder)
    received = [json.loads(line) for line in (folder / "data.ndjson").read_bytes().splitlines()]
    pages = sorted(row["object"]["id"] for row in received)
    assert pages == sorted(traces.page(name, index) for name in consenting for index in range(15))


# ---------------------------------------------------------------------------------- consent


@pytest.mark.parametrize("failpoint", ["after-journal/", "before-commit/tick", "after-commit/tick"])
def test_a_withdrawal_that_was_journalled_is_never_lost(
    before: Before, started, consenting: list[str], failpoint: str
):
    nodes = started(before.agreed, "platform", failpoint)
    use = {"recipient": nodes.lab.did, "purpose": traces.PURPOSE, "category": traces.CATEGORY}
    subject = {"type": "account", "value": consenting[0], "home": traces.HOME}
    body = {"status": "withdrawn", "subject": subject, **use}
    with pytest.raises(Problem, match="cli-broken-answer"):
        nodes.platform.client("dpo").post("/v1/consents", body)
    nodes.platform.killed().start()
    told = nodes.platform.client("dpo").post("/v1/consents/state", {"subject": subject, **use})
    assert told["state"] == "withdrawn"
    assert eventually(nodes, fetching(nodes, before.agreement)) == 0
    nodes.stop()
    invariants.check(nodes)
    (folder,) = (nodes.lab.folder / "received").iterdir()
    text = (folder / "data.ndjson").read_text("utf-8")
    assert traces.page(consenting[0], 0) not in text
    assert traces.page(consenting[1], 0) in text


@pytest.mark.parametrize("failpoint", ["after-journal/", "before-commit/tick", "after-commit/tick"])
def test_an_import_that_is_repeated_counts_once(before: Before, started, failpoint: str):
    nodes = started(before.published, "platform", failpoint)
    names = [traces.learner(number) for number in range(40)]
    text = traces.consent_file(names, nodes.lab.did, status="refused").encode()
    with pytest.raises(Problem, match="cli-broken-answer"):
        nodes.platform.client("dpo").post_raw("/v1/consents/import", text, "text/csv")
    nodes.platform.killed().start()
    again = nodes.platform.client("dpo").post_raw("/v1/consents/import", text, "text/csv")
    assert again["recorded"] == 0, "the journal was replayed: the file says nothing new"
    nodes.stop()
    invariants.check(nodes)


# ------------------------------------------------------------------------------- publishing


@pytest.mark.parametrize("failpoint", ["before-commit/revision", "after-commit/revision"])
def test_a_publication_is_whole_or_nothing(before: Before, started, tmp_path: Path, failpoint: str):
    nodes = started(before.published, "platform", failpoint)
    done = nodes.platform.run(
        *("dataset", "add", before.published.platform.folder.parent / "automatic.jsonl"),
        *("--about", before.published.platform.folder.parent / "automatic.toml"),
    )
    assert (done.code, done.document["code"]) == (1, "cli-broken-answer")
    nodes.platform.killed().start()
    version = nodes.platform.client().get("/v1/datasets/automatic")["version"]
    assert version == (2 if failpoint.startswith("after") else 1)
    rows = {folder for (folder,) in nodes.platform.query("SELECT folder FROM revision")}
    left = {
        str(path.relative_to(nodes.platform.folder))
        for path in (nodes.platform.folder / "data").glob("*/*")
    }
    assert left == rows
    assert not list((nodes.platform.folder / "uploads").iterdir())
    nodes.stop()
    invariants.check(nodes)
