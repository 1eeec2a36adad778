"""Two parties that do anything, lawful or not, end in the same place.

Messages of one side arrive in order; those of the two sides may cross on the way.
"""

from collections import deque
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from connector.protocol import negotiation, transfer
from connector.protocol.errors import LocalProtocolError, RemoteProtocolError
from connector.protocol.machine import Role
from tests.support.clock import START

C, P = Role.CONSUMER, Role.PROVIDER
PIDS: Any = {"provider_pid": "urn:p", "consumer_pid": "urn:c"}
NAMES = {C: "did:web:lab.example", P: "did:web:mooc.example"}
OFFER: Any = {"@id": "urn:o", "target": "urn:d"}
CONTENT: Any = {
    "REQUEST": {"offer": OFFER},
    "OFFER": {"offer": OFFER},
    "AGREE": {"agreement": {"@id": "urn:a", "target": "urn:d", "assigner": NAMES[P]}},
}
ROLES = st.sampled_from(list(Role))


class Negotiating(RuleBasedStateMachine):
    """Acts are decided on either side and delivered in order, with any delay."""

    def __init__(self) -> None:
        super().__init__()
        common: Any = {"now": START, "callback": "https://x.example", "offer": OFFER}
        self.sides = {
            C: negotiation.learn(
                negotiation.start_consumer(pid="urn:c", peer=NAMES[P], **common), START, **PIDS
            ),
            P: negotiation.start_provider(
                pid="urn:p", peer=NAMES[C], consumer_pid="urn:c", **common
            ),
        }
        self.wires: dict[Role, deque[str]] = {C: deque(), P: deque()}  # by sender
        self.paths = {role: [side.state] for role, side in self.sides.items()}

    def move(self, side: Role, act: str, by: Role) -> bool:
        before = self.sides[side]
        now = before.updated + timedelta(seconds=1)
        try:
            after = negotiation.step(
                before, negotiation.Act(act), by, now, **CONTENT.get(act, {}), **PIDS
            )
        except LocalProtocolError:
            assert by is side
            return False
        except RemoteProtocolError:
            assert by is not side
            return False
        assert (before.legal(negotiation.Act(act), by), before.over) == (True, False)
        assert after.version == before.version + 1
        self.sides[side] = after
        self.paths[side].append(after.state)
        return True

    @rule(by=ROLES, ending=st.integers(0, 4), data=st.data())
    def decide(self, by: Role, ending: int, data: st.DataObject) -> None:
        """An act the table allows; an ending in one of five, or no story would be long."""
        acts = [act.value for act in negotiation.Act if self.sides[by].legal(act, by)]
        going_on = [act for act in acts if act != "TERMINATE"]
        if acts := going_on if going_on and ending else acts:
            self.attempt(by, data.draw(st.sampled_from(acts)))

    @rule(by=ROLES, act=st.sampled_from([act.value for act in negotiation.Act]))
    def attempt(self, by: Role, act: str) -> None:
        """Any act at all."""
        if self.move(by, act, by):
            self.wires[by].append(act)

    @rule(sender=ROLES)
    def deliver(self, sender: Role) -> None:
        if self.wires[sender]:
            self.move(sender.other, self.wires[sender].popleft(), sender)

    @rule(sender=ROLES, act=st.sampled_from([act.value for act in negotiation.Act]))
    def lie(self, sender: Role, act: str) -> None:
        """A peer that breaks the rules: what it may not do changes nothing on the other side."""
        side = self.sides[sender.other]
        if not side.legal(negotiation.Act(act), sender):
            self.move(sender.other, act, sender)
            assert self.sides[sender.other] is side

    @invariant()
    def when_all_is_delivered_both_agree(self) -> None:
        if not any(self.wires.values()):
            states = {side.state for side in self.sides.values()}
            assert len(states) == 1, self.paths

    @invariant()
    def no_two_endings(self) -> None:
        endings = {side.state for side in self.sides.values() if side.over}
        assert len(endings) <= 1, self.paths


class Transferring(RuleBasedStateMachine):
    """Acts of either side, each delivered before the next: the two never differ."""

    def __init__(self) -> None:
        super().__init__()
        common: Any = {"now": START, "callback": "https://x.example", "agreement": "urn:a"}
        self.sides = {
            C: transfer.learn(
                transfer.start_consumer(pid="urn:c", peer=NAMES[P], format="f", **common),
                START,
                **PIDS,
            ),
            P: transfer.start_provider(
                pid="urn:p", peer=NAMES[C], consumer_pid="urn:c", format="f", **common
            ),
        }

    @rule(by=ROLES, act=st.sampled_from([act.value for act in transfer.Act]))
    def act(self, by: Role, act: str) -> None:
        outcomes = []
        for side in Role:
            before = self.sides[side]
            now = before.updated + timedelta(seconds=1)
            try:
                self.sides[side] = transfer.step(before, transfer.Act(act), by, now, **PIDS)
                outcomes.append("done")
            except (LocalProtocolError, RemoteProtocolError) as error:
                outcomes.append("refused")
                expected = LocalProtocolError if side is by else RemoteProtocolError
                if not isinstance(error, expected):
                    raise
        assert len(set(outcomes)) == 1

    @invariant()
    def both_agree(self) -> None:
        ours, theirs = self.sides.values()
        assert (ours.state, ours.suspended_by, ours.started_by, ours.ended_by) == (
            theirs.state,
            theirs.suspended_by,
            theirs.started_by,
            theirs.ended_by,
        )


TestNegotiating = Negotiating.TestCase
TestNegotiating.settings = settings(max_examples=150, stateful_step_count=40)
TestTransferring = Transferring.TestCase
TestTransferring.settings = settings(max_examples=60, stateful_step_count=30)
