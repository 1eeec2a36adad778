"""CN and CN_C: contract negotiations, the connector under test on either side.

A scenario is a line of steps (`tests.conformance.conversation`).
"""

from typing import Any

import pytest

from tests.conformance import scenarios
from tests.conformance.conversation import Conversation
from tests.conformance.counterpart import Answer, Counterpart, agreement, offer, segment
from tests.conformance.properties import Properties
from tests.conformance.scenarios import PARTICIPANT

pytestmark = pytest.mark.slow

PROVIDER = {
    "CN:01-01": "request <offer =OFFERED terminate =TERMINATED",
    "CN:01-02": "request <offer =OFFERED counter =REQUESTED <terminate =TERMINATED",
    "CN:01-03": "request <offer accept <agreement =AGREED verify <finalize =FINALIZED",
    "CN:01-04": "request <agreement =AGREED verify <finalize =FINALIZED",
    "CN:02-01": "request <terminate =TERMINATED",
    "CN:02-02": "request =REQUESTED terminate =TERMINATED",
    "CN:02-03": "request <agreement =AGREED terminate =TERMINATED",
    "CN:02-04": "request <offer =OFFERED terminate =TERMINATED",
    "CN:02-05": "request <offer <terminate =TERMINATED",
    "CN:02-06": "request <offer accept <terminate =TERMINATED",
    "CN:02-07": "request <agreement verify <terminate =TERMINATED",
    "CN:03-01": "request <agreement verify <finalize !terminate =FINALIZED",
    "CN:03-02": "request <offer !verify =OFFERED",
    "CN:03-03": "request <offer accept =ACCEPTED !verify =ACCEPTED",
    "CN:03-04": "request <offer counter !counter =REQUESTED",
}

CONSUMER = {
    "CN_C:01-01": "<request offer <accept agreement <verify finalize =FINALIZED",
    "CN_C:01-02": "<request offer <counter =REQUESTED",
    "CN_C:01-03": "<request offer <terminate =TERMINATED",
    "CN_C:01-04": "<request agreement <verify finalize =FINALIZED",
    "CN_C:02-01": "<request terminate =TERMINATED",
    "CN_C:02-02": "<request <terminate =TERMINATED",
    "CN_C:02-03": "<request agreement <terminate =TERMINATED",
    "CN_C:02-04": "<request offer =OFFERED terminate =TERMINATED",
    "CN_C:02-05": "<request offer <accept =ACCEPTED terminate =TERMINATED",
    "CN_C:02-06": "<request agreement <verify =VERIFIED terminate =TERMINATED",
    "CN_C:03-01": "<request !finalize =REQUESTED",
    "CN_C:03-02": "<request offer !agreement =OFFERED",
    "CN_C:03-03": "<request offer !finalize =OFFERED",
    "CN_C:03-04": "<request offer <accept !finalize =ACCEPTED",
    "CN_C:03-05": "<request offer <accept !offer =ACCEPTED",
    "CN_C:03-06": "<request offer <accept agreement !finalize =AGREED",
}

# By step: the message, and the end of its path below `/negotiations/PID`.
MESSAGES = {
    "request": ("ContractRequestMessage", "request"),
    "counter": ("ContractRequestMessage", "request"),
    "offer": ("ContractOfferMessage", "offers"),
    "accept": ("ContractNegotiationEventMessage", "events"),
    "finalize": ("ContractNegotiationEventMessage", "events"),
    "agreement": ("ContractAgreementMessage", "agreement"),
    "verify": ("ContractAgreementVerificationMessage", "agreement/verification"),
    "terminate": ("ContractNegotiationTerminationMessage", "termination"),
}
EVENTS = {"accept": "ACCEPTED", "finalize": "FINALIZED"}


class Negotiation(Conversation):
    """One contract negotiation."""

    def __init__(self, counterpart: Counterpart, scenario: str, properties: Properties) -> None:
        super().__init__(
            counterpart,
            properties,
            MESSAGES,
            error="ContractNegotiationError",
            place="negotiations",
            providing=scenario.startswith("CN_C"),
        )
        key = scenario.replace(":", "_").replace("-", "_")
        self.dataset = properties[f"{key}_DATASETID"]
        self.offer = properties.get(f"{key}_OFFERID", f"offer{self.dataset}")

    def sends(self, step: str) -> Answer:
        if step == "request":
            self.counterpart.open(self.pid, {})
            wire = self.wire(step, callbackAddress=self.counterpart.url + "/")
            del wire["providerPid"]
            answer = self.counterpart.post("/negotiations/request", wire)
            self.is_begun(answer)
            return answer
        path = f"/negotiations/{segment(self.theirs)}/{MESSAGES[step][1]}/"
        return self.counterpart.post(path, self.wire(step))

    def wire(self, step: str, **more: Any) -> dict[str, Any]:
        wire = {"@type": MESSAGES[step][0], self.ours: self.pid, self.other: self.theirs, **more}
        if step in {"request", "counter", "offer"}:
            wire["offer"] = offer(self.offer, self.dataset)
        if step in EVENTS:
            wire["eventType"] = EVENTS[step]
        if step == "agreement":
            connector = self.properties["dataspacetck.dsp.connector.agent.id"]
            wire["agreement"] = agreement(f"agreement-{self.pid}", self.dataset, connector)
        if step == "terminate":
            wire |= {"code": "1", "reason": [{"message": "It is over."}]}
        return wire

    def receives(self, step: str) -> None:
        if step == "request":
            asked = {"providerId": PARTICIPANT, "offerId": self.offer, "datasetId": self.dataset}
            message = self.opened("negotiation", **asked)
            assert message.wire["offer"]["target"] == self.dataset
            assert message.wire["offer"]["@id"] == self.offer
            return
        message = self.next(step)
        if step in EVENTS:
            assert message.wire["eventType"] == EVENTS[step]
        if step == "agreement":
            assert message.wire["agreement"]["target"] == self.dataset
            assert message.wire["agreement"]["assignee"] == PARTICIPANT


@pytest.mark.parametrize("scenario", PROVIDER)
def test_provider(scenario: str, counterpart: Counterpart, properties: Properties):
    Negotiation(counterpart, scenario, properties).play(PROVIDER[scenario])


@pytest.mark.parametrize("scenario", CONSUMER)
def test_consumer(scenario: str, counterpart: Counterpart, properties: Properties):
    Negotiation(counterpart, scenario, properties).play(CONSUMER[scenario])


def test_every_scenario_of_the_kit_is_played():
    assert set(PROVIDER) == set(scenarios.PROVIDER_NEGOTIATIONS)
    assert set(CONSUMER) == set(scenarios.CONSUMER_NEGOTIATIONS)
    assert len(scenarios.EVERY) == len(set(scenarios.EVERY)) == 67
