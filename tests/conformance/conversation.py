"""One process between the counterpart and the connector, played from a line of steps.

A word is a message of ours, `<WORD` the next message of the connector's, `!WORD` a message of ours
that it must refuse without a change, `=STATE` what it says its state is.
"""

import json
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping

from tests.conformance.counterpart import UNKNOWN, Answer, Counterpart, Message, segment
from tests.conformance.properties import Properties


class Conversation(ABC):
    """What a negotiation and a transfer have in common.

    Args:
        messages: by step, the message's type and the end of its path below `/PLACE/PID`.
        error: the type of the connector's error objects.
        place: `negotiations` or `transfers`.
        providing: whether the counterpart is the provider.
    """

    def __init__(
        self,
        counterpart: Counterpart,
        properties: Properties,
        messages: Mapping[str, tuple[str, str]],
        *,
        error: str,
        place: str,
        providing: bool,
    ) -> None:
        self.counterpart = counterpart
        self.properties = properties
        self.messages = messages
        self.error = error
        self.place = place
        self.providing = providing
        self.ours, self.other = ("providerPid", "consumerPid")[:: 1 if providing else -1]
        self.pid = str(uuid.uuid4())
        self.theirs = ""

    @abstractmethod
    def sends(self, step: str) -> Answer:
        """Say something."""

    @abstractmethod
    def receives(self, step: str) -> None:
        """Wait for what the connector says next, and look at it."""

    def play(self, steps: str) -> None:
        """Take every step; nothing else may come."""
        for step in steps.split():
            if step[0] == "<":
                self.receives(step[1:])
            elif step[0] == "=":
                self.is_in(step[1:])
            elif step[0] == "!":
                self.refuses(step[1:])
            else:
                answer = self.sends(step)
                assert answer.status in {200, 201}, (step, answer)
        assert self.counterpart.silent(self.pid)

    def is_in(self, state: str) -> None:
        """The connector says so."""
        answer = self.counterpart.get(f"/{self.place}/{segment(self.theirs)}")
        assert answer.status == 200
        assert answer.body["state"] == state
        self.is_named(answer)

    def refuses(self, step: str) -> None:
        """The connector takes this for an illegal transition."""
        answer = self.sends(step)
        assert answer.status == 400, answer
        assert answer.body["@type"] == self.error
        self.is_named(answer)

    def is_named(self, answer: Answer) -> None:
        """An answer names the process by both its pids; ours may be on its way still, to a
        connector that has just begun.
        """
        assert answer.body[self.other] == self.theirs, answer
        assert answer.body[self.ours] in {self.pid, UNKNOWN}, answer

    def is_begun(self, answer: Answer) -> None:
        """The connector has taken our request, and named its side of it."""
        assert answer.status == 201, answer
        self.theirs = answer.body[self.other]
        assert (answer.body[self.ours], answer.body["state"]) == (self.pid, "REQUESTED")

    def opened(self, kind: str, **asked: str) -> Message:
        """The connector's own first message, once it was told to begin."""
        url = self.properties[f"dataspacetck.dsp.connector.{kind}.initiate.url"]
        body = json.dumps({**asked, "connectorAddress": self.counterpart.url}).encode()
        assert self.counterpart.ask("POST", url, body).status < 300
        message = self.counterpart.opened()
        self.pid, self.theirs = message.wire["_pid"], message.wire[self.other]
        return message

    def next(self, step: str) -> Message:
        """The connector's next message, which is this one, of this process, at its place."""
        message = self.counterpart.next(self.pid)
        kind, end = self.messages[step]
        assert message.wire["@type"] == kind, message
        assert message.path.rstrip("/") == f"/{self.place}/{self.pid}/{end}"
        assert (message.wire[self.ours], message.wire[self.other]) == (self.pid, self.theirs)
        return message
