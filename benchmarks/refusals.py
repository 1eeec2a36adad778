"""What bad input costs: each refusal beside a request that is answered, and the memory after many.

A platform as its own process; the lab's keys sign the tokens. Every body is sent to the endpoint
of negotiations with a fresh token, in turns with the reference: a catalog request that is served.
"""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from statistics import median
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.harness import Run, memory_of, percentile
from benchmarks.world import platform_and_lab
from connector.base.clock import SystemClock
from connector.cli.story import nodes
from connector.identity import tokens
from connector.identity.keys import KeyRing

ROUNDS: Final = 40
MANY: Final = 1000
_DSP: Final = "/dsp/2025-1"
_ASK: Final = f"{_DSP}/negotiations/request"
_CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"
_NOBODY: Final = "urn:uuid:00000000-0000-4000-8000-000000000000"
_OVER: Final = 1_100_000  # the limit of a message is 1 MB by default


@dataclass(frozen=True, slots=True)
class Bad:
    """A request that must be refused with this status."""

    status: int
    body: bytes
    path: str = _ASK
    headers: dict[str, str] = field(default_factory=dict)


def _asking(**members: Any) -> bytes:
    offer = {"@type": "Offer", "@id": "urn:o", "target": "urn:d", "permission": [{"action": "use"}]}
    wire = {
        "@context": [_CONTEXT],
        "@type": "ContractRequestMessage",
        "consumerPid": _NOBODY,
        "offer": offer,
        "callbackAddress": "http://169.254.169.254/latest/meta-data",
    }
    return json.dumps(wire | members).encode()


def _cases() -> dict[str, Bad]:
    packed = {"Content-Encoding": "gzip"}
    event = {"@type": "ContractNegotiationEventMessage", "eventType": "ACCEPTED"}
    pids = {"providerPid": _NOBODY, "consumerPid": _NOBODY}
    return {
        "no token": Bad(401, _asking(), headers={"Authorization": ""}),
        "content type": Bad(400, _asking(), headers={"Content-Type": "text/plain"}),
        "over the limit": Bad(400, b"[" + b" " * _OVER + b"]"),
        "deep nesting": Bad(400, b"[" * 100_000),
        "a key twice": Bad(400, b'{"a":1,"a":2}'),
        "NaN": Bad(400, b'{"a":NaN}'),
        "no UTF-8": Bad(400, b'{"a":"\xff\xfe"}'),
        "unknown context": Bad(400, _asking(**{"@context": ["https://evil.example/c.jsonld"]})),
        "inline context": Bad(400, _asking(**{"@context": [_CONTEXT, {"use": "urn:x"}]})),
        "a pid of nobody's": Bad(
            404, _asking(**event, **pids), f"{_DSP}/negotiations/{_NOBODY}/events"
        ),
        "a foreign callback": Bad(400, _asking()),
        "a gzip bomb": Bad(400, gzip.compress(bytes(2**28)), headers=packed),
    }


class Peer:
    """The lab's voice: one connection, a fresh token for every request."""

    def __init__(self, platform: nodes.Node, lab: nodes.Node) -> None:
        ring = KeyRing.load(lab.folder / "keys")
        self._mint = ring.token_key, lab.did, f"{lab.did}#{ring.fragment('token')}", platform.did
        self._ask = HTTPConnection("127.0.0.1", platform.ports.public, timeout=60)
        self._host = urlsplit(f"http://localhost:{platform.ports.public}").netloc

    def send(self, sent: Bad) -> float:
        """Seconds until the whole answer is here.

        Raises:
            RuntimeError: it was answered with another status.
        """
        token = tokens.mint(*self._mint, SystemClock().now(), str(uuid4()))
        usual = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        headers = {"Host": self._host, **usual, **sent.headers}
        started = perf_counter()
        # Refused before the whole body was sent: the answer is there all the same.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._ask.request("POST", sent.path, sent.body, headers)
        answer = self._ask.getresponse()
        said = answer.read()
        span = perf_counter() - started
        if answer.status != sent.status:
            raise RuntimeError(f"{sent.path} was answered {answer.status}: {said[:300]!r}")
        return span

    def close(self) -> None:
        """Hang up."""
        self._ask.close()


@contextmanager
def _peer() -> Iterator[tuple[int, Peer]]:
    with platform_and_lab() as (platform, lab):
        peer = Peer(platform, lab)
        try:
            yield platform.pid, peer
        finally:
            peer.close()


def main() -> None:
    """Alternate, then send many, and report."""
    run = Run("refusals: bad input beside a catalog request that is answered")
    wire = {"@context": [_CONTEXT], "@type": "CatalogRequestMessage"}
    good = Bad(200, json.dumps(wire).encode(), f"{_DSP}/catalog/request")
    cases = _cases()
    with _peer() as (pid, peer):
        for sent in (good, *cases.values()):
            peer.send(sent)
        for name, sent in cases.items():
            spans = [(peer.send(good), peer.send(sent)) for _ in range(ROUNDS)]
            run.note(
                f"refusal: {name}, p50",
                median(one for _, one in spans) * 1000,
                "ms",
                against=("catalog request", median(one for one, _ in spans) * 1000),
                ratio=median(bad / served for served, bad in spans),
                runs=ROUNDS,
                budget=f"<= 100 ms; p99 {percentile([one for _, one in spans], 0.99) * 1000:.0f}",
            )
        _many(run, pid, peer, list(cases.values()))
    run.finish()


def _many(run: Run, pid: int, peer: Peer, cases: list[Bad]) -> None:
    """Resident memory before and after a thousand bad bodies, and its highest in between."""
    before = memory_of(pid, "VmRSS")
    for turn in range(MANY):
        peer.send(cases[turn % len(cases)])
    after, highest = memory_of(pid, "VmRSS"), memory_of(pid, "VmHWM")
    name = f"refusals: RSS after {MANY} bad bodies"
    run.note(name, after, "MB", against=("before", before), runs=MANY, budget="flat")
    run.note("refusals: RSS peak", highest, "MB", against=("before", before), runs=MANY)


if __name__ == "__main__":
    main()
