"""A program that decides in people's place: it follows the node's changes and acts as they would.

It knows nothing but the management API: `GET /v1/changes` says what passed, the process says what
it waits for, and the acts are those of the command line, each with the token of the role that may
do it. An institution that wants its own rules to decide writes one like it.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from connector.cli.client import Client, segment
from policies.problem import Problem
from tests.conformance.scenarios import Script

Json = dict[str, Any]
Clients = Callable[[str], Client]

DELAY: Final = 0.6
"""Seconds between a state and our next step: a peer may not be ready for it earlier."""
_WAIT: Final = 5
_CHANGED: Final = {"v": 1, "until": "2027-06-30T00:00:00Z"}
_REASON: Final = "As the scenario says."
_STATES: Final = {
    "ContractRequestMessage": "REQUESTED",
    "ContractOfferMessage": "OFFERED",
    "ContractAgreementMessage": "AGREED",
    "ContractAgreementVerificationMessage": "VERIFIED",
    "ContractNegotiationTerminationMessage": "TERMINATED",
    "TransferRequestMessage": "REQUESTED",
    "TransferStartMessage": "STARTED",
    "TransferSuspensionMessage": "SUSPENDED",
    "TransferCompletionMessage": "COMPLETED",
    "TransferTerminationMessage": "TERMINATED",
}
_ACTS: Final[Mapping[str, tuple[str, Json]]] = {
    "terminate": ("termination", {"reason": _REASON}),
    "finalize": ("finalization", {}),
    "verify": ("verification", {}),
    "accept": ("acceptance", {}),
    "counter": ("offers", {"offer": {}}),
    "start": ("start", {}),
    "suspend": ("suspension", {"reason": _REASON}),
    "resume": ("resumption", {}),
    "complete": ("completion", {}),
}


class Scripted(threading.Thread):
    """Follows one node and plays what `script_of` says about each of its processes.

    Args:
        clients: the management API as a person of a role.
        script_of: the script of a dataset (negotiations) or an agreement (transfers), by its IRI.
    """

    def __init__(self, clients: Clients, script_of: Callable[[str], Script | None]) -> None:
        super().__init__(daemon=True)
        self._clients = clients
        self._script_of = script_of
        self._visits: Counter[tuple[str, str]] = Counter()
        self._timers: list[threading.Timer] = []
        self._ended = threading.Event()
        self.faults: list[str] = []
        self._last = 0

    def skip(self) -> None:
        """Leave alone what has passed so far."""
        while found := self._changes(wait=0):
            self._last = found[-1]["seq"]

    def run(self) -> None:
        """Follow the node until `stop`, or until it is gone."""
        try:
            while not self._ended.is_set():
                for change in self._changes(wait=_WAIT):
                    self._last = change["seq"]
                    self._look(change)
        except Problem as problem:
            if not self._ended.is_set():
                self.faults.append(f"{problem.code} {problem.text('en')}")

    def _changes(self, wait: int) -> list[Json]:
        found: Json = self._clients("operator").get("/v1/changes", after=self._last, wait=wait)
        return list(found["changes"])

    def stop(self) -> None:
        """Act no more."""
        self._ended.set()
        for timer in self._timers:
            timer.cancel()

    def _look(self, change: Json) -> None:
        kind, pid = f"{change['kind']}s", change["process"]
        view = self._clients("operator").get(f"/v1/{kind}/{segment(pid)}")
        state = _STATES.get(change["type"]) or _event(view["role"], change["direction"])
        self._visits[pid, state] += 1
        script = self._script_of(view["dataset"] if kind == "negotiations" else view["agreement"])
        acts = (script or {}).get(state, [])
        visit = self._visits[pid, state]
        if visit <= len(acts):
            self._later(kind, pid, acts[visit - 1])

    def _later(self, kind: str, pid: str, act: str) -> None:
        timer = threading.Timer(DELAY, self._act, (kind, pid, act))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _act(self, kind: str, pid: str, act: str) -> None:
        path = f"/v1/{kind}/{segment(pid)}"
        try:
            if self._clients("operator").get(path)["peer_pid"] is None:
                # The peer's answer is on its way. An act before it would need its pid, and an end
                # would take our message back before it was ever sent.
                self._later(kind, pid, act)
            elif act == "offer":
                self._decide(path, "ethics", "return", {"offer": _CHANGED})
            elif act == "agree":
                for role in self._clients("operator").get(path)["awaiting"]:
                    self._decide(path, role, "approve", {})
            else:
                word, body = _ACTS[act]
                self._clients("operator").post(f"{path}/{word}", body)
        except Problem as problem:
            if not self._ended.is_set():
                self.faults.append(f"{act} {path}: {problem.code} {problem.text('en')}")

    def _decide(self, path: str, role: str, outcome: str, more: Json) -> None:
        body = {"role": role, "outcome": outcome, "reason": _REASON, **more}
        self._clients(role).post(f"{path}/decisions", body)


def _event(role: str, direction: str) -> str:
    """What a ContractNegotiationEventMessage says: the consumer accepts, the provider finalizes."""
    by_consumer = (role == "consumer") == (direction == "out")
    return "ACCEPTED" if by_consumer else "FINALIZED"
