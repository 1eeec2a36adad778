"""TP and TP_C: transfer processes, the connector under test on either side.

Steps as in `test_negotiation`. TP:02-04 and TP_C:02-04, which the kit switches off, are played too.
"""

import json
import uuid
from typing import Any

import pytest

from tests.conformance import scenarios
from tests.conformance.counterpart import UNKNOWN, Answer, Counterpart, segment
from tests.conformance.properties import Properties
from tests.conformance.scenarios import PARTICIPANT

pytestmark = pytest.mark.slow

PROVIDER = {
    "TP:01-01": "request <start <terminate =TERMINATED",
    "TP:01-02": "request <start <complete =COMPLETED",
    "TP:01-03": "request <start <suspend <terminate =TERMINATED",
    "TP:01-04": "request <start <suspend <start <complete =COMPLETED",
    "TP:01-05": "request <terminate =TERMINATED",
    "TP:02-01": "request <start =STARTED terminate =TERMINATED",
    "TP:02-02": "request <start complete =COMPLETED",
    "TP:02-03": "request <start suspend =SUSPENDED terminate =TERMINATED",
    "TP:02-04": "request <start suspend =SUSPENDED start <start =STARTED complete =COMPLETED",
    "TP:02-05": "request =REQUESTED terminate =TERMINATED",
    "TP:03-01": "request !complete =REQUESTED",
    "TP:03-02": "request !suspend =REQUESTED",
    "TP:03-03": "request <start suspend !complete =SUSPENDED",
    "TP:03-04": "request <start terminate !start =TERMINATED",
    "TP:03-05": "request <start terminate !suspend =TERMINATED",
    "TP:03-06": "request <start terminate !complete =TERMINATED",
}

CONSUMER = {
    "TP_C:01-01": "<request start =STARTED terminate =TERMINATED",
    "TP_C:01-02": "<request start complete =COMPLETED",
    "TP_C:01-03": "<request start suspend =SUSPENDED terminate =TERMINATED",
    "TP_C:01-04": "<request start suspend start =STARTED complete =COMPLETED",
    "TP_C:01-05": "<request terminate =TERMINATED",
    "TP_C:02-01": "<request start <terminate =TERMINATED",
    "TP_C:02-02": "<request start <complete =COMPLETED",
    "TP_C:02-03": "<request start <suspend <terminate =TERMINATED",
    "TP_C:02-04": "<request start <suspend <start <complete =COMPLETED",
    "TP_C:02-05": "<request <terminate =TERMINATED",
    "TP_C:03-01": "<request !complete =REQUESTED",
    "TP_C:03-02": "<request !suspend =REQUESTED",
    "TP_C:03-03": "<request start suspend !complete =SUSPENDED",
    "TP_C:03-04": "<request start terminate !start =TERMINATED",
    "TP_C:03-05": "<request start terminate !suspend =TERMINATED",
    "TP_C:03-06": "<request start terminate !complete =TERMINATED",
}

MESSAGES = {
    "request": ("TransferRequestMessage", "request"),
    "start": ("TransferStartMessage", "start"),
    "suspend": ("TransferSuspensionMessage", "suspension"),
    "complete": ("TransferCompletionMessage", "completion"),
    "terminate": ("TransferTerminationMessage", "termination"),
}
ADDRESS = {
    "@type": "DataAddress",
    "endpoint": "http://example.com",
    "endpointType": "https://w3id.org/idsa/v4.1/HTTP",
}


class Conversation:
    """One transfer process between the counterpart and the connector."""

    def __init__(self, counterpart: Counterpart, scenario: str, properties: Properties) -> None:
        key = scenario.replace(":", "_").replace("-", "_")
        self.counterpart = counterpart
        self.properties = properties
        self.providing = scenario.startswith("TP_C")  # the counterpart is
        self.agreement = properties[f"{key}_AGREEMENTID"]
        self.format = properties[f"{key}_FORMAT"]
        self.pid = str(uuid.uuid4())
        self.theirs = ""

    def play(self, steps: str) -> None:
        for step in steps.split():
            if step[0] == "<":
                self.receives(step[1:])
            elif step[0] == "=":
                self.is_in(step[1:])
            elif step[0] == "!":
                answer = self.sends(step[1:])
                assert answer.status == 400, answer
                assert answer.body["@type"] == "TransferError"
                self.is_named(answer)
            else:
                answer = self.sends(step)
                assert answer.status in {200, 201}, (step, answer)
        assert self.counterpart.silent(self.pid)

    def sends(self, step: str) -> Answer:
        ours, theirs = ("providerPid", "consumerPid")[:: 1 if self.providing else -1]
        wire: dict[str, Any] = {"@type": MESSAGES[step][0], ours: self.pid}
        if step == "request":
            self.counterpart.open(self.pid, {})
            wire |= {
                "agreementId": self.agreement,
                "format": self.format,
                "callbackAddress": self.counterpart.url,
            }
            answer = self.counterpart.post("/transfers/request", wire)
            assert answer.status == 201, answer
            self.theirs = answer.body["providerPid"]
            assert (answer.body["consumerPid"], answer.body["state"]) == (self.pid, "REQUESTED")
            return answer
        wire[theirs] = self.theirs
        if step == "start" and self.providing:
            wire["dataAddress"] = ADDRESS
        if step in {"suspend", "terminate"}:
            wire |= {"code": "1", "reason": [{"message": "As agreed."}]}
        path = f"/transfers/{segment(self.theirs)}/{MESSAGES[step][1]}"
        return self.counterpart.post(path, wire)

    def receives(self, step: str) -> None:
        if step == "request":
            self.begin()
            message = self.counterpart.opened()
            self.pid, self.theirs = message.wire["_pid"], message.wire["consumerPid"]
            assert message.wire["agreementId"] == self.agreement
            assert message.wire["format"] == self.format
            return
        message = self.counterpart.next(self.pid)
        kind, end = MESSAGES[step]
        assert message.wire["@type"] == kind, message
        assert message.path.rstrip("/") == f"/transfers/{self.pid}/{end}"
        ours, theirs = ("providerPid", "consumerPid")[:: 1 if self.providing else -1]
        assert (message.wire[ours], message.wire[theirs]) == (self.pid, self.theirs)
        if step == "start" and not self.providing:
            assert message.wire["dataAddress"]["endpointType"]

    def begin(self) -> None:
        asked = {
            "providerId": PARTICIPANT,
            "agreementId": self.agreement,
            "format": self.format,
            "connectorAddress": self.counterpart.url,
        }
        url = self.properties["dataspacetck.dsp.connector.transfer.initiate.url"]
        assert self.counterpart.ask("POST", url, json.dumps(asked).encode()).status < 300

    def is_in(self, state: str) -> None:
        answer = self.counterpart.get(f"/transfers/{segment(self.theirs)}")
        assert answer.status == 200
        assert answer.body["state"] == state
        self.is_named(answer)

    def is_named(self, answer: Answer) -> None:
        """An answer names the transfer by both its pids; ours may be on its way still, to a
        connector that has just begun.
        """
        ours, theirs = ("providerPid", "consumerPid")[:: 1 if self.providing else -1]
        assert answer.body[theirs] == self.theirs, answer
        assert answer.body[ours] in {self.pid, UNKNOWN}, answer


@pytest.mark.parametrize("scenario", PROVIDER)
def test_provider(scenario: str, counterpart: Counterpart, properties: Properties):
    Conversation(counterpart, scenario, properties).play(PROVIDER[scenario])


@pytest.mark.parametrize("scenario", CONSUMER)
def test_consumer(scenario: str, counterpart: Counterpart, properties: Properties):
    Conversation(counterpart, scenario, properties).play(CONSUMER[scenario])


def test_every_scenario_of_the_kit_is_played():
    assert set(PROVIDER) == set(scenarios.PROVIDER_TRANSFERS)
    assert set(CONSUMER) == set(scenarios.CONSUMER_TRANSFERS)
