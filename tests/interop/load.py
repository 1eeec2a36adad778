"""So many negotiations with a real EDC in either direction, and how many were lost for our part.

    python -m tests.interop.load [COUNT] [AT_ONCE]

A negotiation is *lost for our part* when it does not end FINALIZED on both sides although neither
side's operator wanted it to. Prints one line a direction; ends with 1 if anything was lost.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.interop.conftest import publish
from tests.interop.edc import Edc
from tests.support import traces
from tests.support.nodes import NodeProcess

ENDS = ("FINALIZED", "TERMINATED")


def main(count: int, at_once: int) -> int:
    """Run both directions on a fresh pair."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        edc = Edc.make(Path(folder) / "edc", "edc-university")
        node = NodeProcess.init(Path(folder) / "preau")
        node.configure("edc", mock_identity=True)
        try:
            edc.start()
            node.start()
            where = ("--edc", edc.dsp, "--data", edc.data, "--group", "labs")
            node.must("peer", "add", edc.id, *where)
            publish(node)
            edc.offer("asset", "http://127.0.0.1:9/nothing")
            lost = run("Préau asks EDC", asks(node, edc), count, at_once)
            lost += run("EDC asks Préau", is_asked(node, edc), count, at_once)
        finally:
            node.stop()
            edc.stop()
    return 1 if lost else 0


def run(name: str, one: Callable[[int], str], count: int, at_once: int) -> int:
    """One direction; how many did not end as they should."""
    begun = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        ends = Counter(pool.map(one, range(count)))
    seconds = time.monotonic() - begun
    lost = count - ends["FINALIZED FINALIZED"]
    print(  # noqa: T201
        f"{name}: {count} negotiations, {at_once} at once, {seconds:.0f} s, "
        f"{lost} lost; ends (asker, asked): {dict(ends)}",
        flush=True,
    )
    return lost


def asks(node: NodeProcess, edc: Edc) -> Callable[[int], str]:
    """Préau negotiates an EDC's asset."""
    client = node.client("researcher")

    def one(_: int) -> str:
        body = {"dataset": "asset", "peer": edc.id, "application": traces.application()}
        pid = client.post("/v1/requests", body)["pid"]
        path = f"/v1/negotiations/{pid}"
        for _ in range(3):
            found = client.get(path, wait=60, until="SETTLED")
            if found["state"] in ENDS:
                break
        theirs = edc.negotiation(str(found["peer_pid"]), *ENDS)["state"]
        return f"{found['state']} {theirs}"

    return one


def is_asked(node: NodeProcess, edc: Edc) -> Callable[[int], str]:
    """An EDC negotiates Préau's dataset."""
    client, dsp = node.client(), f"{node.url}/dsp/2025-1"
    dataset = f"{node.url}/datasets/traces"
    offer = edc.dataset(node.did, dsp, dataset)["hasPolicy"][0]

    def one(_: int) -> str:
        ident = edc.negotiate(node.did, dsp, dataset, offer)
        found = edc.negotiation(ident, *ENDS)
        path = f"/v1/negotiations/{found['correlationId']}"
        ours = client.get(path, wait=60, until="SETTLED")["state"]
        return f"{found['state']} {ours}"

    return one


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(given + [1000, 8][len(given) :])))
