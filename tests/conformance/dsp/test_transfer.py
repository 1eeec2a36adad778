"""TP and TP_C: transfer processes, the connector under test on either side.

Steps as in `tests.conformance.conversation`. TP:02-04 and TP_C:02-04, which the kit switches off,
are played too.
"""

from typing import Any

import pytest

from tests.conformance import scenarios
from tests.conformance.conversation import Conversation
from tests.conformance.counterpart import Answer, Counterpart, segment
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


class Transfer(Conversation):
    """One transfer process."""

    def __init__(self, counterpart: Counterpart, scenario: str, properties: Properties) -> None:
        super().__init__(
            counterpart,
            properties,
            MESSAGES,
            error="TransferError",
            place="transfers",
            providing=scenario.startswith("TP_C"),
        )
        key = scenario.replace(":", "_").replace("-", "_")
        self.agreement = properties[f"{key}_AGREEMENTID"]
        self.format = properties[f"{key}_FORMAT"]

    def sends(self, step: str) -> Answer:
        wire: dict[str, Any] = {"@type": MESSAGES[step][0], self.ours: self.pid}
        if step == "request":
            self.counterpart.open(self.pid, {})
            wire |= {
                "agreementId": self.agreement,
                "format": self.format,
                "callbackAddress": self.counterpart.url,
            }
            answer = self.counterpart.post("/transfers/request", wire)
            self.is_begun(answer)
            return answer
        wire[self.other] = self.theirs
        if step == "start" and self.providing:
            wire["dataAddress"] = ADDRESS
        if step in {"suspend", "terminate"}:
            wire |= {"code": "1", "reason": [{"message": "As agreed."}]}
        path = f"/transfers/{segment(self.theirs)}/{MESSAGES[step][1]}"
        return self.counterpart.post(path, wire)

    def receives(self, step: str) -> None:
        if step == "request":
            asked = {
                "providerId": PARTICIPANT,
                "agreementId": self.agreement,
                "format": self.format,
            }
            message = self.opened("transfer", **asked)
            assert message.wire["agreementId"] == self.agreement
            assert message.wire["format"] == self.format
            return
        message = self.next(step)
        if step == "start" and not self.providing:
            assert message.wire["dataAddress"]["endpointType"]


@pytest.mark.parametrize("scenario", PROVIDER)
def test_provider(scenario: str, counterpart: Counterpart, properties: Properties):
    Transfer(counterpart, scenario, properties).play(PROVIDER[scenario])


@pytest.mark.parametrize("scenario", CONSUMER)
def test_consumer(scenario: str, counterpart: Counterpart, properties: Properties):
    Transfer(counterpart, scenario, properties).play(CONSUMER[scenario])


def test_every_scenario_of_the_kit_is_played():
    assert set(PROVIDER) == set(scenarios.PROVIDER_TRANSFERS)
    assert set(CONSUMER) == set(scenarios.CONSUMER_TRANSFERS)
