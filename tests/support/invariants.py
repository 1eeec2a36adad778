"""What must hold of two nodes once they have come to rest, whatever happened to them on the way.

An independent checker: it reads the databases, the journal and the bundles, and asks no running
node. Both nodes have stopped when `check` is called.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

from connector import runtime
from connector.base import settings as configuration
from connector.delivery.client import PeerClient
from tests.support import specified
from tests.support.nodes import NodeProcess, Two

Json = dict[str, Any]

_OTHER: Final = {"in": "out", "out": "in"}


def check(nodes: Two) -> None:
    """Everything that holds of any two nodes at rest."""
    for node in nodes.both:
        check_log(node)
        check_histories(node)
        check_outbox(node)
        check_consents(node)
    check_messages_met(nodes)
    check_agreements(nodes)


def check_log(node: NodeProcess) -> None:
    """The tree is that of the leaves, the checkpoint is signed, numbers have no gap (I6)."""
    checked = configuration.read(node.folder)
    with runtime.opened(node.folder, checked, PeerClient(dev=True)) as opened:
        assert opened.log.check() == opened.log.size
    numbers: dict[tuple[str, str], list[int]] = {}
    sql = "SELECT agreement, type, n FROM leaf WHERE n IS NOT NULL ORDER BY idx"
    for agreement, kind, n in node.query(sql):
        numbers.setdefault((agreement, kind), []).append(n)
    for found in numbers.values():
        assert found == list(range(1, len(found) + 1))


def check_histories(node: NodeProcess) -> None:
    """Each process went a path of its table and stands where the path ends (I7)."""
    for table, machine in specified.MACHINES.items():
        for pid, state, role in node.query(f"SELECT pid, state, role FROM {table}"):
            assert specified.walked(machine, role, _said(node, pid)) == state


def check_outbox(node: NodeProcess) -> None:
    """Every message has been delivered."""
    states = Counter(state for (state,) in node.query("SELECT state FROM outbox"))
    assert states.keys() <= {"sent"}


def check_messages_met(nodes: Two) -> None:
    """What one side sent, the other received: the same bytes, once each (I8)."""
    sql = "SELECT direction, type, digest FROM message ORDER BY type, digest"
    told = [Counter(node.query(sql)) for node in nodes.both]
    assert all(count == 1 for found in told for count in found.values())
    turned = Counter((_OTHER[way], kind, digest) for way, kind, digest in told[1].elements())
    assert told[0] == turned


def check_agreements(nodes: Two) -> None:
    """One agreement for each negotiation, the same bytes and both signatures on both sides (I3)."""
    sql = (
        "SELECT id, agreement.digest, plan_digest, content.body, provider_proof, consumer_proof "
        "FROM agreement JOIN content ON n = document WHERE state = 'active' ORDER BY id"
    )
    provider, consumer = (
        [(*row[:3], *map(json.loads, row[3:])) for row in node.query(sql)] for node in nodes.both
    )
    assert provider == consumer
    sql = "SELECT agreement.id, pid, peer_pid FROM agreement JOIN negotiation ON negotiation = pid"
    for name, pid, peer_pid in nodes.platform.query(sql):
        assert name == specified.agreement_id(nodes.platform.did, nodes.lab.did, pid, peer_pid)
    finals = nodes.platform.query("SELECT pid FROM negotiation WHERE state = 'FINALIZED'")
    assert len(provider) == len(finals)
    assert all(value for row in provider for value in row)
    # One leaf for each party's assent, one for the plan: nothing was logged twice.
    for node in nodes.both:
        counts = Counter(kind for (kind,) in node.query("SELECT type FROM leaf"))
        assert (counts["agreement"], counts["plan"]) == (2 * len(provider), len(provider))


def check_consents(node: NodeProcess) -> None:
    """Journal and registry hold the same events, each once, under ticks that count them (S4)."""
    journal = node.folder / "consent.journal"
    entries = [json.loads(line) for line in journal.read_bytes().splitlines()]
    assert [entry["n"] for entry in entries] == list(range(1, len(entries) + 1))
    told = [entry["event"] for entry in entries]
    registry = [event for (event,) in node.query("SELECT event_id FROM consent_event ORDER BY seq")]
    assert registry == list(dict.fromkeys(told))
    ticks = node.query("SELECT epoch, events FROM tick ORDER BY epoch")
    assert [epoch for epoch, _ in ticks] == list(range(1, len(ticks) + 1))
    assert sum(events for _, events in ticks) == len(registry)


def check_release(nodes: Two, folder: Path) -> None:
    """Received ⊆ logged, at most one part more was logged; both hold one manifest, one receipt."""
    sql = "SELECT n, issue, rows, bytes, digest FROM part ORDER BY n, issue"
    released, received = (node.query(sql) for node in nodes.both)
    assert set(received) <= set(released)
    assert len(released) - len(received) <= 1
    manifests = [node.query("SELECT body, receipt FROM manifest") for node in nodes.both]
    assert len(manifests[0]) == 1
    read = [[json.loads(text) for text in found[0]] for found in manifests]
    assert read[0] == read[1]
    assert json.loads((folder / "manifest.json").read_bytes()) == read[0][0]
    assert json.loads((folder / "receipt.json").read_bytes()) == read[0][1]
    assert not list(folder.glob("*.partial")) + list(folder.glob("*.parts"))


def _said(node: NodeProcess, pid: str) -> list[tuple[str, Json]]:
    sql = (
        "SELECT direction, content.body FROM message JOIN content ON n = message.body "
        f"WHERE process = '{pid}' ORDER BY seq"
    )
    return [(direction, json.loads(body)) for direction, body in node.query(sql)]
