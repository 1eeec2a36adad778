"""Seen from outside while a transfer runs: answers to /health/live, and anonymous memory.

A process of its own, so that neither the client nor the node pays for being looked at. It prints
one JSON object when its input ends.
"""

import http.client
import json
import sys
import threading
import time

from benchmarks.harness import memory_of, percentile


def _until_told(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def main(host: str, port: int, pid: int) -> None:
    """Ask every two milliseconds until stdin ends."""
    ended = threading.Event()
    threading.Thread(target=_until_told, args=(ended,), daemon=True).start()
    connection = http.client.HTTPConnection(host, port)
    spans: list[float] = []
    peak = 0.0
    print("ready", flush=True)
    while not ended.wait(0.002):
        started = time.perf_counter()
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        spans.append((time.perf_counter() - started) * 1000)
        peak = max(peak, memory_of(pid))
    found = {"p50": percentile(spans, 0.5), "p99": percentile(spans, 0.99), "rss_anon": peak}
    print(json.dumps({**found, "count": len(spans)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
