"""The negotiation's table and the rules of content, on both sides of it."""

import json
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from connector.protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from connector.protocol.names import NO_PID
from connector.protocol.negotiation import (
    NOT_OURS,
    TERMINAL,
    TRANSITIONS,
    Act,
    Negotiation,
    Role,
    State,
    agreement_id,
    awaiting,
    learn,
    start_consumer,
    start_provider,
    step,
    unanswered,
)
from tests.support import specified
from tests.support.clock import START

C, P = Role.CONSUMER, Role.PROVIDER

LEGAL = {
    (State(state), Act(act), {"C": C, "P": P}[by]): State(after)
    for (state, act, by), after in specified.NEGOTIATION.items()
    if state != "NEW"
}
STATES = [state for state in State if state is not State.NEW]
ALL = list(product(STATES, Act, Role))


def test_the_table_is_the_specification():
    table = {
        (state, act, by): after
        for state, acts in TRANSITIONS.items()
        for (act, by), after in acts.items()
        if state is not State.NEW
    }
    assert table == LEGAL
    assert TRANSITIONS[State.NEW] == {
        (Act.REQUEST, C): State.REQUESTED,
        (Act.OFFER, P): State.OFFERED,
    }
    assert sorted(TERMINAL) == [State.FINALIZED, State.TERMINATED]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("state", "act", "by"), ALL)
def test_every_act_in_every_state_on_both_sides(make, role, state, act, by):
    n = make.negotiation(role, state.value)
    assert n.state is state
    assert n.legal(act, by) == ((state, act, by) in LEGAL)
    if (state, act, by) not in LEGAL or (by is role and (state, act, by) in NOT_OURS):
        expected = LocalProtocolError if by is role else RemoteProtocolError
        with pytest.raises(expected) as caught:
            make.act(n, act.value, by)
        assert caught.value.kind == ("conflict" if by is role else "invalid")
        return
    after = make.act(n, act.value, by)
    assert after.state is LEGAL[state, act, by]
    assert after.version == n.version + 1
    assert (after.updated, after.created) == (n.updated + timedelta(seconds=1), START)


# The official kit's scenarios 03-xx: (our role, how we came there, by whom; what must be refused)
KIT = [
    ("CN:03-01", P, "FINALIZED", Act.TERMINATE, C),
    ("CN:03-02", P, "OFFERED", Act.VERIFY, C),
    ("CN:03-03", P, "ACCEPTED", Act.VERIFY, C),
    ("CN:03-04", P, "REQUESTED", Act.REQUEST, C),
    ("CN_C:03-01", C, "REQUESTED", Act.FINALIZE, P),
    ("CN_C:03-02", C, "OFFERED", Act.AGREE, P),
    ("CN_C:03-03", C, "OFFERED", Act.FINALIZE, P),
    ("CN_C:03-04", C, "ACCEPTED", Act.FINALIZE, P),
    ("CN_C:03-05", C, "ACCEPTED", Act.OFFER, P),
    ("CN_C:03-06", C, "AGREED", Act.FINALIZE, P),
]


@pytest.mark.parametrize(
    ("role", "state", "act", "by"), [case[1:] for case in KIT], ids=[case[0] for case in KIT]
)
def test_what_the_official_kit_wants_refused_is_refused(make, role, state, act, by):
    with pytest.raises(RemoteProtocolError) as caught:
        make.act(make.negotiation(role, state), act.value, by)
    assert caught.value.code == "protocol-illegal-act"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("act", "by"), [(Act.ACCEPT, P), (Act.VERIFY, P), (Act.FINALIZE, C)])
def test_no_party_does_what_is_the_others(make, role, act, by):
    for state in STATES:
        with pytest.raises(ProtocolError):
            make.act(make.negotiation(role, state.value), act.value, by)


def test_either_party_may_open(make):
    more: Any = {"now": START, "peer": "did:web:x", "callback": "https://x.example/dsp//"}
    ours = start_consumer(pid="urn:c", offer=make.offer(), **more)
    assert (ours.state, ours.offered_by, ours.peer_pid) == (State.REQUESTED, C, None)
    assert (ours.dataset, ours.offer_id) == (make.DATASET, "urn:offer:1")
    assert ours.callback == "https://x.example/dsp"
    theirs = start_consumer(pid="urn:c", by=P, provider_pid="urn:p", offer=make.offer(), **more)
    assert (theirs.state, theirs.offered_by, theirs.peer_pid) == (State.OFFERED, P, "urn:p")
    asked = start_provider(pid="urn:p", consumer_pid="urn:c", offer=make.offer(), **more)
    assert (asked.state, asked.offered_by, asked.peer_pid) == (State.REQUESTED, C, "urn:c")
    offered = start_provider(pid="urn:p", by=P, offer=make.offer(), **more)
    assert (offered.state, offered.offered_by, offered.peer_pid) == (State.OFFERED, P, None)
    assert (offered.provider_pid, offered.consumer_pid) == ("urn:p", None)
    assert (ours.provider_pid, ours.consumer_pid) == (None, "urn:c")


def test_a_first_message_needs_its_senders_pid_and_a_whole_offer(make):
    more: Any = {"now": START, "pid": "urn:p", "peer": "did:web:x", "callback": "https://x.example"}
    with pytest.raises(RemoteProtocolError, match="consumerPid"):
        start_provider(offer=make.offer(), **more)
    with pytest.raises(LocalProtocolError, match="consumerPid"):
        start_provider(by=P, consumer_pid="urn:c", offer=make.offer(), **more)
    for member in ("@id", "target"):
        broken = {k: v for k, v in make.offer().items() if k != member}
        with pytest.raises(RemoteProtocolError, match=member):
            start_provider(consumer_pid="urn:c", offer=broken, **more)
    with pytest.raises(LocalProtocolError, match="offer"):
        start_provider(consumer_pid="urn:c", **more)


def test_the_peers_pid_is_learnt_from_its_answer_or_from_its_next_message(make):
    fresh = make.negotiation(C)
    answered = learn(fresh, START, **make.PIDS)
    overtaken = make.act(fresh, "AGREE", P)  # the agreement came before the 201
    assert answered.peer_pid == overtaken.peer_pid == "urn:uuid:p"
    assert answered.version == 2
    assert learn(overtaken, START, **make.PIDS) is overtaken
    assert overtaken.state is State.AGREED


@pytest.mark.parametrize(
    ("pids", "member"),
    [
        ({"provider_pid": "urn:uuid:other", "consumer_pid": "urn:uuid:c"}, "providerPid"),
        ({"provider_pid": "urn:uuid:p", "consumer_pid": "urn:uuid:other"}, "consumerPid"),
        ({"provider_pid": "urn:uuid:p"}, "consumerPid"),
        ({"consumer_pid": "urn:uuid:c"}, "providerPid"),
        ({"provider_pid": NO_PID, "consumer_pid": "urn:uuid:c"}, "providerPid"),
        ({}, "consumerPid"),
    ],
)
def test_pids_must_be_ours_and_the_ones_learnt(make, pids, member):
    known = learn(make.negotiation(C), START, **make.PIDS)
    with pytest.raises(RemoteProtocolError) as caught:
        step(known, Act.AGREE, P, START, agreement=make.agreement(), **pids)
    assert caught.value.code == "protocol-pid-mismatch"
    assert caught.value.params == {"member": member}
    with pytest.raises(RemoteProtocolError):
        learn(known, START, provider_pid=pids.get("provider_pid"), consumer_pid="urn:uuid:other")


@pytest.mark.parametrize(
    ("start", "by", "member"),
    [(start_provider, C, "consumerPid"), (start_consumer, P, "providerPid")],
)
def test_the_nil_uuid_opens_nothing(start, by, member):
    """It stands for a pid that nobody has told; whoever had it could never be answered."""
    named = {"consumer_pid" if by is C else "provider_pid": NO_PID}
    offer = {"@id": "urn:o", "target": "urn:d"}
    with pytest.raises(RemoteProtocolError) as caught:
        start(by=by, now=START, pid="urn:uuid:x", peer="p", callback="c", offer=offer, **named)
    assert (caught.value.code, caught.value.params) == ("protocol-pid-mismatch", {"member": member})


def test_we_cannot_write_to_a_peer_that_has_not_answered(make):
    with pytest.raises(LocalProtocolError, match="protocol-not-acknowledged"):
        step(make.negotiation(C), Act.TERMINATE, C, START)


def test_we_never_end_what_the_provider_is_about_to_finalize(make):
    with pytest.raises(LocalProtocolError, match="protocol-final-is-near"):
        make.act(make.negotiation(C, "VERIFIED"), "TERMINATE", C)
    # …but a consumer that does so is believed
    assert make.act(make.negotiation(P, "VERIFIED"), "TERMINATE", C).state is State.TERMINATED


@pytest.mark.parametrize("role", Role)
def test_a_counter_offer_keeps_the_dataset(make, role):
    n = make.negotiation(role, "OFFERED")
    error = RemoteProtocolError if role is P else LocalProtocolError
    with pytest.raises(error, match="protocol-other-dataset"):
        make.act(n, "REQUEST", C, offer=make.offer(target="urn:other"))
    countered = make.act(n, "REQUEST", C, offer=make.offer("urn:offer:2"))
    assert (countered.offer_id, countered.offered_by) == ("urn:offer:2", C)
    with pytest.raises(ProtocolError, match="not possible"):
        make.act(countered, "ACCEPT", C)
    back = make.act(countered, "OFFER", P, offer=make.offer("urn:offer:3"), reasons=("fewer",))
    assert (back.offer_id, back.offered_by, back.reasons) == ("urn:offer:3", P, ("fewer",))
    assert make.act(back, "ACCEPT", C).state is State.ACCEPTED


def test_an_offer_of_the_consumer_is_never_accepted_by_it(make):
    from dataclasses import replace

    n = replace(make.negotiation(P, "OFFERED"), offered_by=C)  # a damaged record
    with pytest.raises(RemoteProtocolError, match="protocol-own-offer"):
        make.act(n, "ACCEPT", C)


def test_an_application_stands_until_a_new_one_comes(make):
    n = make.act(make.negotiation(P, "OFFERED"), "REQUEST", C, application={"v": 1})
    assert n.application == {"v": 1}
    again = make.act(make.act(n, "OFFER", P), "REQUEST", C)
    assert again.application == {"v": 1}
    newer = make.act(make.act(again, "OFFER", P), "REQUEST", C, application={"v": 1, "n": 2})
    assert newer.application == {"v": 1, "n": 2}


def test_an_agreement_names_the_dataset_and_its_giver(make):
    n = make.negotiation(C)
    with pytest.raises(RemoteProtocolError, match="protocol-other-dataset"):
        make.act(n, "AGREE", P, agreement=make.agreement(target="urn:other"))
    with pytest.raises(RemoteProtocolError, match="protocol-agreement-assigner"):
        make.act(n, "AGREE", P, agreement=make.agreement(assigner="did:web:evil.example"))
    with pytest.raises(RemoteProtocolError, match="protocol-offer-incomplete"):
        make.act(n, "AGREE", P, agreement=make.agreement(name=""))
    agreed = make.act(n, "AGREE", P, agreement=make.agreement(assigner={"@id": make.DIDS[P]}))
    assert (agreed.agreement_id, agreed.agreement["@type"]) == ("urn:uuid:a", "Agreement")
    with pytest.raises(LocalProtocolError, match="agreement"):
        step(make.negotiation(P), Act.AGREE, P, START)


def test_a_termination_says_who_and_why(make):
    n = make.act(
        make.negotiation(C, "AGREED"), "TERMINATE", P, code="x", reasons=("en", "fr"), now=START
    )
    assert (n.terminated_by, n.code, n.reasons, n.over) == (P, "x", ("en", "fr"), True)


def test_people_are_awaited_until_the_next_act(make):
    n = awaiting(make.negotiation(P), ("ethics", "dpo"), START)
    n = awaiting(n, ("dpo",), START)
    assert (n.awaiting, n.state, n.version) == (("dpo",), State.REQUESTED, 3)
    assert make.act(n, "AGREE", P).awaiting == ()
    assert make.act(n, "OFFER", P, awaiting=("dpo",)).awaiting == ("dpo",)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", STATES)
def test_a_negotiation_survives_plain_json(make, role, state):
    n = make.negotiation(role, state.value)
    assert Negotiation.from_row(json.loads(json.dumps(n.to_row()))) == n


def test_the_agreement_id_is_a_function_of_the_negotiation():
    name = agreement_id("did:web:a", "did:web:b", "urn:p", "urn:c")
    # SHA-256 of the JCS text of the four names, computed outside the project
    import hashlib
    import uuid

    text = '["did:web:a","did:web:b","urn:p","urn:c"]'
    plain = hashlib.sha256(text.encode()).hexdigest()[:32]
    made = uuid.UUID(name)
    assert name == made.urn
    assert made.version == 8
    assert made.variant == uuid.RFC_4122
    kept = [i for i in range(32) if i not in (12, 16)]
    assert [made.hex[i] for i in kept] == [plain[i] for i in kept]
    assert name != agreement_id("did:web:b", "did:web:a", "urn:p", "urn:c")


def test_a_first_message_that_was_refused_ends_it_without_a_pid_of_the_peer():
    n = start_consumer(
        now=START,
        pid="urn:c",
        peer="did:web:p.example",
        callback="https://p.example/dsp",
        offer={"@id": "urn:o", "target": "urn:d"},
    )
    over = unanswered(n, START, code="400", reasons=("no",))
    assert (over.state, over.peer_pid, over.version) == (State.TERMINATED, None, n.version + 1)
    assert (over.terminated_by, over.code, over.reasons) == (Role.PROVIDER, "400", ("no",))
