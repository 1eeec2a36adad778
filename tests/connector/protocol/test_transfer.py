"""The transfer's table, on both sides of it."""

import json
from datetime import timedelta
from itertools import product

import pytest

from connector.protocol.errors import LocalProtocolError, RemoteProtocolError
from connector.protocol.transfer import (
    TERMINAL,
    TRANSITIONS,
    Act,
    Role,
    State,
    Transfer,
    adopt,
    learn,
    step,
)
from tests.support import specified
from tests.support.clock import START

C, P = Role.CONSUMER, Role.PROVIDER
LEGAL = {
    (State(state), Act(act), {"C": C, "P": P}[by]): State(after)
    for (state, act, by), after in specified.TRANSFER.items()
    if state != "NEW"
}
STATES = [state for state in State if state is not State.NEW]
ADDRESS = {"@type": "DataAddress", "endpointType": "x"}


def test_the_table_is_the_specification_and_one_handing_over():
    table = {
        (state, act, by): after
        for state, acts in TRANSITIONS.items()
        for (act, by), after in acts.items()
        if state is not State.NEW
    }
    assert table == LEGAL | {(State.STARTED, Act.START, P): State.STARTED}
    assert TRANSITIONS[State.NEW] == {(Act.REQUEST, C): State.REQUESTED}
    assert sorted(TERMINAL) == [State.COMPLETED, State.TERMINATED]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("state", "act", "by"), list(product(STATES, Act, Role)))
def test_every_act_in_every_state_on_both_sides(make, role, state, act, by):
    t = make.transfer(role, state.value)
    assert t.state is state
    assert t.legal(act, by) == ((state, act, by) in LEGAL)
    if (state, act, by) not in LEGAL:
        with pytest.raises(LocalProtocolError if by is role else RemoteProtocolError) as caught:
            make.move(t, act.value, by)
        assert caught.value.kind == ("conflict" if by is role else "invalid")
        return
    after = make.move(t, act.value, by)
    assert after.state is LEGAL[state, act, by]
    assert (after.version, after.updated) == (t.version + 1, t.updated + timedelta(seconds=1))


# The official kit: TP and TP_C, 03-01 to 03-06.
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("state", "act"),
    [
        ("REQUESTED", "COMPLETE"),
        ("REQUESTED", "SUSPEND"),
        ("SUSPENDED", "COMPLETE"),
        ("TERMINATED", "START"),
        ("TERMINATED", "SUSPEND"),
        ("TERMINATED", "COMPLETE"),
    ],
)
def test_what_the_official_kit_wants_refused_is_refused(make, role, state, act):
    with pytest.raises(RemoteProtocolError, match="protocol-illegal-act"):
        make.move(make.transfer(role, state), act, role.other)


def test_an_address_lives_as_long_as_the_transfer_runs(make):
    t = make.move(make.transfer(C), "START", P, data_address=ADDRESS)
    assert (t.data_address, t.started_by) == (ADDRESS, P)
    for act in ("SUSPEND", "COMPLETE", "TERMINATE"):
        assert make.move(t, act, P).data_address is None
    assert make.move(make.move(t, "SUSPEND", C), "START", P, data_address=ADDRESS).data_address


def test_after_the_consumer_resumes_the_provider_owes_one_address(make):
    for role in Role:
        t = make.move(make.transfer(role, "STARTED"), "SUSPEND", C)
        assert t.suspended_by is C
        t = make.move(t, "START", C, data_address=ADDRESS)
        assert (t.state, t.data_address, t.suspended_by) == (State.STARTED, None, None)
        assert t.address_due
        assert t.legal(Act.START, P)
        t = make.move(t, "START", P, data_address=ADDRESS)
        assert (t.state, t.data_address, t.address_due) == (State.STARTED, ADDRESS, False)
        assert not t.legal(Act.START, P)
        with pytest.raises((LocalProtocolError, RemoteProtocolError), match="STARTED"):
            make.move(t, "START", P)


def test_a_consumer_never_starts_what_was_never_suspended(make):
    with pytest.raises(RemoteProtocolError):
        make.move(make.transfer(P, "STARTED"), "START", C)


def test_a_stop_says_who_and_why(make):
    t = make.move(make.transfer(P, "STARTED"), "SUSPEND", P, code="drift", reasons=("en", "fr"))
    assert (t.suspended_by, t.code, t.reasons, t.over) == (P, "drift", ("en", "fr"), False)
    t = make.move(t, "TERMINATE", C, reasons=("bye",))
    assert (t.ended_by, t.code, t.reasons, t.over) == (C, None, ("bye",), True)


def test_the_peers_pid_is_learnt_once(make):
    fresh = make.transfer(C)
    assert (fresh.peer_pid, fresh.provider_pid, fresh.consumer_pid) == (None, None, "urn:uuid:c")
    known = learn(fresh, START, **make.PIDS)
    assert (known.provider_pid, known.version) == ("urn:uuid:p", 2)
    assert learn(known, START, **make.PIDS) is known
    with pytest.raises(RemoteProtocolError, match="providerPid"):
        learn(known, START, provider_pid="urn:other", consumer_pid="urn:uuid:c")
    with pytest.raises(LocalProtocolError, match="protocol-not-acknowledged"):
        step(fresh, Act.TERMINATE, C, START)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", STATES)
def test_a_transfer_survives_plain_json(make, role, state):
    t = make.transfer(role, state.value)
    assert Transfer.from_row(json.loads(json.dumps(t.to_row()))) == t


@pytest.mark.parametrize("role", Role)
def test_what_both_do_at_once_has_crossed(make, role):
    t = make.transfer(role, "STARTED")
    paused = make.move(t, "SUSPEND", P)
    assert paused.crossed(Act.SUSPEND, C)
    assert not paused.crossed(Act.SUSPEND, P)
    assert not paused.crossed(Act.START, C)
    resumed = make.move(paused, "START", P)
    assert resumed.crossed(Act.START, C)
    assert not resumed.crossed(Act.START, P)
    assert not resumed.crossed(Act.SUSPEND, C)
    assert not t.crossed(Act.SUSPEND, C)


def test_a_consumer_takes_over_its_providers_state(make):
    started = make.move(make.transfer(C, "STARTED"), "SUSPEND", P)
    now = START + timedelta(days=1)
    resumed = adopt(started, State.STARTED, now)
    assert (resumed.state, resumed.address_due, resumed.updated) == (State.STARTED, True, now)
    paused = adopt(resumed, State.SUSPENDED, now)
    assert (paused.state, paused.suspended_by, paused.data_address) == (State.SUSPENDED, P, None)
    assert paused.version == started.version + 2


@pytest.mark.parametrize(
    ("role", "state", "told"),
    [
        (P, "STARTED", State.SUSPENDED),
        (C, "STARTED", State.STARTED),
        (C, "REQUESTED", State.STARTED),
        (C, "TERMINATED", State.STARTED),
        (C, "STARTED", State.COMPLETED),
    ],
)
def test_nothing_else_is_taken_over(make, role, state, told):
    t = make.transfer(role, state)
    assert adopt(t, told, START) is t
