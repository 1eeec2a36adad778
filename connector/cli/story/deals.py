"""One agreement between two of the nodes, from the request to the files on the receiving side.

Everything goes through the management API of the two nodes, as their people would.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from connector.cli.client import ApiProblem, Client, segment
from connector.cli.story.nodes import Node

Json = dict[str, Any]

TRACES: Final = "lab-traces"
RESULTS: Final = "lab-results"
SECOND: Final = "authority-traces"
_WAIT: Final = 30.0


@dataclass(slots=True)
class Deal:
    """Who agreed with whom, on which plan, and where the received files lie."""

    key: str
    provider: Node
    consumer: Node
    agreement: str
    received: Path
    plan: Json = field(default_factory=dict)

    @property
    def parties(self) -> tuple[Node, Node]:
        """The provider, then the consumer."""
        return self.provider, self.consumer

    def read_plan(self) -> None:
        """What the consumer's own node says will leave, and how treated."""
        path = f"/v1/agreements/{segment(self.agreement)}/plan"
        self.plan = self.consumer.who("researcher").get(path)["plan"]

    def fetch(self, form: str) -> Json:
        """Let the consumer's node fetch everything; the view of the transfer."""
        researcher = self.consumer.who("researcher")
        body = {"agreement": self.agreement, "format": form}
        made = researcher.post("/v1/transfers", body)
        path = f"/v1/transfers/{segment(made['pid'])}"
        found = follow(researcher, path, parts=None)
        self.save(path, found)
        return found

    def save(self, path: str, found: Json) -> None:
        """Copy the fetched files out of the consumer's node."""
        self.received.mkdir(parents=True, exist_ok=True)
        for name in found["fetch"]["files"]:
            target = self.received / name
            self.consumer.who("researcher").download(f"{path}/files/{segment(name)}", target)


def follow(who: Client, path: str, *, parts: int | None) -> Json:
    """Let the node fetch until it pauses or ends.

    Raises:
        Problem: why the node stopped fetching, in its own words.
    """
    who.post(f"{path}/fetch", {"parts": parts})
    found: Json = who.get(path, wait=_WAIT, until="FETCHED")
    while found["fetch"]["running"]:
        found = who.get(path, wait=_WAIT, until="FETCHED")
    problem = found["fetch"]["problem"]
    if problem:
        raise ApiProblem(problem)
    return found
