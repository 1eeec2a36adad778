"""A connector with the habits of Eclipse EDC 0.14.1 or 0.18.0, as a real server on loopback.

Written from transcripts of the real ones, for tests that must run where no Java is. Its habits are
those that decide whether a peer gets along with an EDC:

- it stores its own step only after it has read the answer to its message, and refuses with 409
  whatever comes before that (`slow` makes it wait until it has refused something once);
- any 4xx to a message of its own ends the process for good; 5xx is tried again;
- it answers 200 where the protocol says 201, error objects carry no pids, a wrong state is 409;
- every first message makes a new negotiation; agreements have random ids; offer ids change with
  every answer and stay good;
- as a consumer it sends an offer back without the rules' ids, right operands as the text of their
  JSON, and takes an agreement only if its rules are equal to what it asked for, in order, these
  operands as objects again;
- it resumes only with a data address;
- a full page of its catalog links to a next one, even where that is empty.

`README.md` beside this file says which test holds which habit.
"""

import base64
import json
import threading
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from tests.peers.server import Asked, Json, Server, Told, send

CONTEXT: Final = [
    "https://w3id.org/dspace/2025/1/context.jsonld",
    "https://w3id.org/edc/dspace/v0.0.1",
]
NS: Final = "https://w3id.org/edc/v0.0.1/ns/"
BASE: Final = "/protocol/2025-1"
ROWS: Final = b"learner,score\n1,12\n2,17\n"
_RULES: Final = ("permission", "prohibition", "obligation")
_EARLY: Final = 3.0
_EVENTS: Final = {
    "suspension": ("STARTED", "SUSPENDED"),
    "completion": ("STARTED", "COMPLETED"),
    "termination": ("", "TERMINATED"),
}


@dataclass
class Process:
    """A negotiation or a transfer as the connector stores it."""

    pid: str
    peer_pid: str
    callback: str
    state: str
    body: Json = field(default_factory=dict)
    failed: str = ""
    early: threading.Event = field(default_factory=threading.Event)
    moved: threading.Condition = field(default_factory=threading.Condition)

    def become(self, state: str) -> None:
        with self.moved:
            self.state = state
            self.moved.notify_all()

    def reached(self, *states: str, seconds: float = 15.0) -> str:
        """Wait for one of these states; the one it is in."""
        with self.moved:
            self.moved.wait_for(lambda: self.state in states, seconds)
            return self.state


class FakeEdc:
    """One connector. `assets` maps an id to the constraints of its offer."""

    def __init__(self, name: str, generation: str, *, slow: bool = False, slash: bool = False):
        self.name, self.generation, self.slow = name, generation, slow
        self.assets: dict[str, list[Json]] = {}
        self.offers: dict[str, str] = {}
        self.processes: dict[str, Process] = {}
        self.tokens: dict[str, str] = {}
        self.pushed: list[bytes] = []
        self.statuses: list[int] = []
        self.sink_status = 200
        self.page = 50
        self.server = Server(self._protocol)
        self.plane = Server(self._data)
        self._slash = "/" if slash else ""

    @property
    def dsp(self) -> str:
        return self.server.url + BASE

    def close(self) -> None:
        self.server.close()
        self.plane.close()

    def of(self, kind: str) -> list[Process]:
        """The processes of a kind, `negotiation` or `transfer`, oldest first."""
        return [p for p in self.processes.values() if p.body["kind"] == kind]

    # ------------------------------------------------------------------ as a consumer

    def negotiate(self, peer: str, dsp: str, dataset: str, which: int = 0) -> Process:
        """Ask for one of the offers of a dataset, echoed as an EDC echoes it."""
        _, found = self._send(f"{dsp}/catalog/datasets/{quote(dataset, safe='')}", None, dsp)
        offer = echoed(found["hasPolicy"][which]) | {"assigner": peer, "target": dataset}
        made = self._new("negotiation", dsp, "REQUESTING", {"offer": offer, "peer": peer})
        message = {"consumerPid": made.pid, "callbackAddress": self._callback(), "offer": offer}
        self._spawn(made, "/negotiations/request", "ContractRequestMessage", message, "REQUESTED")
        return made

    def pull(self, negotiation: Process) -> Process:
        """Ask for the data of an agreement."""
        made = self._new("transfer", negotiation.callback, "REQUESTING", {"role": "consumer"})
        message = {
            "agreementId": negotiation.body["agreement"],
            "format": "HttpData-PULL",
            "callbackAddress": self._callback(),
            "consumerPid": made.pid,
        }
        self._spawn(made, "/transfers/request", "TransferRequestMessage", message, "REQUESTED")
        return made

    def take(self, negotiation: Process, sink: str) -> Process:
        """Ask for the data of an agreement to be pushed to a sink."""
        made = self._new("transfer", negotiation.callback, "REQUESTING", {"role": "consumer"})
        properties = [
            {"@type": "EndpointProperty", "name": f"{NS}{name}", "value": value}
            for name, value in (("baseUrl", sink), ("type", "HttpData"))
        ]
        message = {
            "agreementId": negotiation.body["agreement"],
            "format": "HttpData-PUSH",
            "callbackAddress": self._callback(),
            "consumerPid": made.pid,
            "dataAddress": {
                "@type": "DataAddress",
                "endpointType": "HttpData",
                "endpointProperties": properties,
            },
        }
        made.body["push"] = True
        self._spawn(made, "/transfers/request", "TransferRequestMessage", message, "REQUESTED")
        return made

    def act(self, t: Process, act: str) -> None:
        """Suspend, resume (start) or terminate a transfer, from either side of it."""
        if t.body["role"] == "provider":
            self.tokens = {token: pid for token, pid in self.tokens.items() if pid != t.pid}
            if act == "start":
                return self._start(t)
        kinds = {
            "suspension": ("TransferSuspensionMessage", "SUSPENDED"),
            "start": ("TransferStartMessage", "RESUMED"),
            "termination": ("TransferTerminationMessage", "TERMINATED"),
        }
        kind, state = kinds[act]
        reason = {} if act == "start" else {"reason": ["test"]}
        path = f"/transfers/{t.peer_pid}/{act}"
        return self._spawn(t, path, kind, {**_pids(t), **reason}, state)

    def say_again(self, p: Process, act: str, kind: str, **body: Any) -> int:
        """What it has said already, under a new message id: it has lost its step."""
        place = "negotiations" if p.body["kind"] == "negotiation" else "transfers"
        message = {"@id": _new_id(), "@type": kind, **_pids(p), **body, "@context": CONTEXT}
        return self._send(f"{p.callback}/{place}/{p.peer_pid}/{act}", message, p.callback)[0]

    # ------------------------------------------------------------------ its endpoints

    def _protocol(self, asked: Asked) -> Told:
        path, _, query = asked.path.replace("//", "/").removeprefix(BASE).partition("?")
        parts = path.strip("/").split("/")
        kind = {"negotiations": "ContractNegotiation", "transfers": "Transfer"}.get(
            parts[0], "Catalog"
        )
        try:
            caller = json.loads(asked.headers.get("authorization", ""))["clientId"]
        except (ValueError, KeyError):
            return refusal(401, "Unauthorized.", kind)
        if parts[0] == "catalog":
            return self._catalog(parts[1:], query)
        if parts[1] == "request":
            opened = self._requested if parts[0] == "negotiations" else self._transfer_requested
            return opened(asked.document, caller)
        known = self.processes.get(parts[1])
        if known is None:
            return refusal(404, f"No process with id {parts[1]} found", kind)
        if asked.method == "GET":
            return Told(200, _state(known))
        handler = self._on_negotiation if parts[0] == "negotiations" else self._on_transfer
        return handler(known, "/".join(parts[2:]), asked.document)

    def _catalog(self, parts: list[str], query: str) -> Told:
        if parts[0] == "datasets":
            ident = parts[1]
            if ident not in self.assets:
                return refusal(404, f"Dataset {ident} does not exist", "Catalog")
            return Told(200, {"@context": CONTEXT, **self._dataset(ident)})
        body: Json = {
            "@context": CONTEXT,
            "@id": _new_id(),
            "@type": "Catalog",
            "participantId": self.name,
        }
        first = int(query.removeprefix("continuationToken=") or 0)
        page = [*self.assets][first : first + self.page]
        headers = [("Content-Type", "application/json")]
        if len(page) == self.page:
            there = f"{self.dsp}/catalog/request?continuationToken={first + self.page}"
            headers.append(("Link", f'<{there}>; rel="next"'))
        body["dataset"] = [self._dataset(ident) for ident in page]
        return Told(200, body, tuple(headers))

    def _dataset(self, ident: str) -> Json:
        offer = ":".join(_b64(each) for each in ("definition", ident, _new_id()))
        self.offers[offer] = ident
        permission: Json = {"action": "use"}
        if self.assets[ident]:
            permission["constraint"] = self.assets[ident]
        service = {"@id": _new_id(), "@type": "DataService", "endpointURL": self.dsp}
        return {
            "@id": ident,
            "@type": "Dataset",
            "hasPolicy": [{"@id": offer, "@type": "Offer", "permission": [permission]}],
            "distribution": [
                {"@type": "Distribution", "format": form, "accessService": service}
                for form in ("HttpData-PUSH", "HttpData-PULL")
            ],
            "edc:name": f"{ident} of {self.name}",
            "description": "rows of learners",
            "id": ident,
        }

    # ------------------------------------------------------------------ negotiations

    def _requested(self, message: Json, caller: str) -> Told:
        dataset = self.offers.get(message["offer"]["@id"])
        if dataset is None:
            return refusal(404, "Not found")
        body = {"peer": caller, "target": dataset}
        made = self._new("negotiation", message["callbackAddress"], "REQUESTED", body)
        made.peer_pid = message["consumerPid"]
        permission: Json = {"action": "use"}
        if self.assets[dataset]:
            permission["constraint"] = self.assets[dataset]
        agreement: Json = {
            "@id": _new_id(),
            "@type": "Agreement",
            "permission": [permission],
            "assignee": caller,
            "assigner": self.name,
            "target": dataset,
            "timestamp": "2026-11-22T07:41:50Z",
        }
        made.body["agreement"], made.body["wire"] = agreement["@id"], agreement
        path = f"/negotiations/{made.peer_pid}/agreement"
        said: Json = {**_pids(made), "agreement": agreement}
        self._spawn(made, path, "ContractAgreementMessage", said, "AGREED")
        return Told(200, _state(made))

    def _on_negotiation(self, n: Process, act: str, message: Json) -> Told:
        if act == "agreement":
            return self._agreed(n, message)
        if act == "agreement/verification":
            if n.state != "AGREED":
                return self._not_now(n, "ContractNegotiation", "verified")
            n.become("VERIFIED")
            event = {**_pids(n), "eventType": "FINALIZED"}
            path = f"/negotiations/{n.peer_pid}/events"
            self._spawn(n, path, "ContractNegotiationEventMessage", event, "FINALIZED")
            return Told(200)
        if act == "events":
            if n.state != "VERIFIED":
                return self._not_now(n, "ContractNegotiation", "finalized")
            n.become("FINALIZED")
            return Told(200)
        n.failed = "; ".join(message.get("reason", []))
        n.become("TERMINATED")
        return Told(200)

    def _agreed(self, n: Process, message: Json) -> Told:
        if n.state != "REQUESTED":
            return self._not_now(n, "ContractNegotiation", "agreed")
        agreement, offer = message["agreement"], n.body["offer"]
        same = all(agreement.get(name) == stored(offer.get(name)) for name in _RULES)
        if not same or agreement["assigner"] != n.body["peer"]:
            reason = (
                "Policy in the contract agreement is not equal to the one in the contract offer"
            )
            return refusal(400, reason)
        n.body["agreement"] = agreement["@id"]
        n.become("VERIFYING")
        path = f"/negotiations/{n.peer_pid}/agreement/verification"
        kind = "ContractAgreementVerificationMessage"
        self._spawn(n, path, kind, _pids(n), "VERIFIED")
        return Told(200)

    # ------------------------------------------------------------------ transfers

    def _transfer_requested(self, message: Json, caller: str) -> Told:
        known = {p.body.get("agreement") for p in self.of("negotiation")}
        if message["agreementId"] not in known:
            return refusal(404, "agreement not found or not valid", "Transfer")
        body = {"peer": caller, "role": "provider"}
        made = self._new("transfer", message["callbackAddress"], "REQUESTED", body)
        made.peer_pid = message["consumerPid"]
        if message["format"] == "HttpData-PUSH":
            threading.Thread(target=self._push, args=(made, message), daemon=True).start()
        else:
            self._start(made)
        return Told(200, _state(made))

    def _push(self, t: Process, message: Json) -> None:
        """Start, push twice (under load one push in many arrives twice), complete."""
        properties = message["dataAddress"]["endpointProperties"]
        to = {each["name"].removeprefix(NS): each["value"] for each in properties}
        echo = {} if self.generation == "0.14.1" else {"dataAddress": message["dataAddress"]}
        start = {**_pids(t), **echo}
        self._spawn(t, f"/transfers/{t.peer_pid}/start", "TransferStartMessage", start, "STARTED")
        t.reached("STARTED", "TERMINATED")
        for _ in range(2):
            request = urllib.request.Request(
                to["baseUrl"], ROWS, {to["authKey"]: to["authCode"], "Content-Type": "text/csv"}
            )
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.statuses.append(answer.status)
        path = f"/transfers/{t.peer_pid}/completion"
        self._spawn(t, path, "TransferCompletionMessage", _pids(t), "COMPLETED")

    def _start(self, t: Process) -> None:
        message = {**_pids(t), "dataAddress": self._address(t)}
        self._spawn(t, f"/transfers/{t.peer_pid}/start", "TransferStartMessage", message, "STARTED")

    def _on_transfer(self, t: Process, act: str, message: Json) -> Told:
        if act == "start":
            return self._started(t, message)
        needed, state = _EVENTS[act]
        if t.state in {"COMPLETED", "TERMINATED"} or (needed and t.state != needed):
            return self._not_now(t, "Transfer", act)
        t.become(state)
        self.tokens = {token: pid for token, pid in self.tokens.items() if pid != t.pid}
        return Told(200)

    def _started(self, t: Process, message: Json) -> Told:
        if t.body["role"] == "provider":
            if t.state != "SUSPENDED":
                return self._not_now(t, "Transfer", "started")
            t.become("RESUMING")
            self._start(t)
            return Told(200)
        if t.state not in {"REQUESTED", "RESUMED"}:
            return self._not_now(t, "Transfer", "started")
        if t.body.get("push"):
            t.become("STARTED")
            return Told(200)
        if "dataAddress" not in message:
            return refusal(400, "Cannot resume transfer without a DataAddress", "Transfer")
        properties = message["dataAddress"]["endpointProperties"]
        t.body["address"] = {each["name"]: each["value"] for each in properties}
        t.become("STARTED")
        return Told(200)

    def _address(self, t: Process) -> Json:
        token = _new_id()
        self.tokens[token] = t.pid
        url = f"{self.plane.url}/public"
        if self.generation == "0.14.1":
            kind = "https://w3id.org/idsa/v4.1/HTTP"
            named = {
                f"{NS}endpoint": url,
                f"{NS}authType": "bearer",
                f"{NS}endpointType": kind,
                f"{NS}authorization": token,
            }
        else:
            kind = "HttpData"
            named = {"authorization": token, f"{NS}endpoint": url, "authType": "bearer"}
        properties = [
            {"@type": "EndpointProperty", "name": name, "value": value}
            for name, value in named.items()
        ]
        return {"@type": "DataAddress", "endpointType": kind, "endpointProperties": properties}

    def _data(self, asked: Asked) -> Told:
        """The public data plane: the token alone, or after its scheme in the later generation.
        A POST is an application's sink, which takes what is pushed.
        """
        if asked.method == "POST":
            self.pushed.append(asked.body)
            return Told(self.sink_status)
        given = asked.headers.get("authorization", "")
        if self.generation != "0.14.1":
            given = given.removeprefix("Bearer ") if given.startswith("Bearer ") else ""
        if given not in self.tokens:
            return Told(403, {"errors": ["Missing or invalid token"]})
        return Told(200, ROWS, (("Content-Type", "text/csv"),))

    # ------------------------------------------------------------------ sending

    def _spawn(self, p: Process, path: str, kind: str, body: Json, then: str) -> None:
        """Send a message of ours beside the answer; store the state it leads to late."""
        message = {"@id": _new_id(), "@type": kind, **body, "@context": CONTEXT}
        threading.Thread(target=self._deliver, args=(p, path, message, then), daemon=True).start()

    def _deliver(self, p: Process, path: str, message: Json, then: str) -> None:
        status, answer = 503, Json()
        while status >= 500:
            status, answer = self._send(p.callback + path, message, p.callback)
        if status >= 400:
            p.failed = json.dumps(answer.get("reason"))
            p.become("TERMINATED")
            return
        if not p.peer_pid:
            pids = (answer["providerPid"], answer["consumerPid"])
            p.peer_pid = next(pid for pid in pids if pid != p.pid)
        if self.slow and then not in {"FINALIZED", "TERMINATED"}:
            p.early.wait(_EARLY)
        if p.state != "TERMINATED":
            p.become(then)

    def _send(self, url: str, body: Json | None, audience: str) -> tuple[int, Json]:
        said: Json = {"audience": None, "clientId": self.name}
        if self.generation == "0.14.1":
            said = {"region": "eu", "audience": audience, "clientId": self.name}
        return send(url, body, json.dumps(said, separators=(",", ":")))

    def _not_now(self, p: Process, kind: str, act: str) -> Told:
        p.early.set()
        return refusal(409, f"Cannot process the message because it cannot be {act}", kind)

    def _callback(self) -> str:
        return self.dsp + self._slash

    def _new(self, kind: str, callback: str, state: str, body: Json) -> Process:
        made = Process(_new_id(), "", callback, state, {"kind": kind, **body})
        self.processes[made.pid] = made
        return made


def echoed(offer: Json) -> Json:
    """An offer as an EDC sends it back: without ids inside, objects at the right as text."""

    def strip(part: Any) -> Any:
        if isinstance(part, list):
            return [strip(each) for each in part]
        if not isinstance(part, dict):
            return part
        return {
            name: _as_text(value) if name == "rightOperand" else strip(value)
            for name, value in part.items()
            if name != "@id"
        }

    return {**strip(offer), "@id": offer["@id"]}


def stored(part: Any) -> Any:
    """What an EDC compares an agreement with: those texts as objects again."""
    if isinstance(part, list):
        return [stored(each) for each in part]
    if isinstance(part, dict):
        return {name: stored(value) for name, value in part.items()}
    return json.loads(part) if isinstance(part, str) and part[:1] in "{[" and part else part


def _as_text(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and "@value" in value:
        return value["@value"]
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else value


def _pids(p: Process) -> Json:
    ours = (
        "providerPid" if p.body.get("role") == "provider" or "target" in p.body else "consumerPid"
    )
    theirs = "consumerPid" if ours == "providerPid" else "providerPid"
    return {ours: p.pid, theirs: p.peer_pid}


def _state(p: Process) -> Json:
    kind = "ContractNegotiation" if p.body["kind"] == "negotiation" else "TransferProcess"
    return {"@id": p.pid, "@type": kind, "state": p.state, **_pids(p), "@context": CONTEXT}


def refusal(status: int, reason: str, kind: str = "ContractNegotiation") -> Told:
    """An error object as these connectors write it: no pids, the status as code."""
    body = {"@type": f"{kind}Error", "code": str(status), "reason": [reason], "@context": CONTEXT}
    return Told(status, body)


def _new_id() -> str:
    return str(uuid.uuid4())


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
