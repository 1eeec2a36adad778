"""The circuit of one peer, and what answers mean."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.delivery import retry
from connector.delivery.circuit import FAILURES, LONGEST, PAUSE, Circuit
from tests.support.clock import START


def opened(circuit: Circuit = Circuit()) -> Circuit:  # noqa: B008  (frozen)
    for _ in range(FAILURES):
        circuit = circuit.failed(START)
    return circuit


def test_it_stays_closed_below_the_threshold_and_an_answer_resets_it():
    circuit = Circuit()
    for _ in range(FAILURES - 1):
        circuit = circuit.failed(START)
        assert circuit.state(START) == "closed"
        assert circuit.admits(START)
    assert circuit.succeeded() == Circuit()


def test_it_opens_then_lets_one_attempt_through():
    circuit = opened()
    assert circuit.state(START) == "open"
    assert not circuit.admits(START)
    later = START + PAUSE
    assert circuit.state(later) == "half-open"
    assert circuit.admits(later)
    trying = circuit.started(later)
    assert not trying.admits(later)
    assert trying.succeeded().admits(later)


def test_a_failed_trial_doubles_the_pause_up_to_a_limit():
    circuit, now, pauses = opened(), START, []
    for _ in range(20):
        assert circuit.until is not None
        pauses.append(circuit.until - now)
        now = circuit.until
        circuit = circuit.started(now).failed(now)
        assert circuit.state(now) == "open"
    assert pauses[:4] == [PAUSE, PAUSE * 2, PAUSE * 4, PAUSE * 8]
    assert pauses[-1] == LONGEST


def test_attempts_that_started_before_it_opened_do_not_prolong_it():
    circuit = opened()
    for _ in range(40):
        circuit = circuit.failed(START)
    assert circuit == opened()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_success(status: int):
    assert retry.judge(status, 1) == "arrived"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_transient(status: int):
    assert {retry.judge(status, times) for times in (1, 10, 1000)} == {"again"}


@pytest.mark.parametrize("status", [304, 400, 402, 403, 405, 410, 413, 415, 422, 451, 100])
def test_refused(status: int):
    assert retry.judge(status, 1) == "refused"


@pytest.mark.parametrize(("status", "last"), [(401, 3), (404, 5), (409, 5)])
def test_refusals_that_are_believed_when_repeated(status: int, last: int):
    assert [retry.judge(status, times) for times in range(1, last + 2)] == ["again"] * last + [
        "refused"
    ]


def test_waits_double_with_chance_and_have_a_limit():
    def least(size: int) -> bytes:
        return bytes(size)

    def most(size: int) -> bytes:
        return b"\xff" * size

    assert [retry.delay(n, least) for n in (1, 2, 3)] == [
        retry.FIRST / 2,
        retry.FIRST,
        retry.FIRST * 2,
    ]
    assert retry.delay(0, least) == retry.FIRST / 2
    assert retry.delay(10_000, least) == retry.LONGEST / 2
    assert retry.delay(10_000, most) <= retry.LONGEST


@given(st.integers(0, 10**6), st.binary(min_size=4, max_size=4))
def test_a_wait_is_never_nothing_and_never_for_ever(attempts: int, chance: bytes):
    assert retry.FIRST / 2 <= retry.delay(attempts, lambda _: chance) <= retry.LONGEST


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("7", 7),
        ("0", 0),
        ("99999999999999999999", 3600),
        ("-5", 0),
        ("soon", 0),
        ("٣", 0),
        ("Tue, 01 Sep 2026 08:00:30 GMT", 30),
        ("Tue, 01 Sep 2026 07:00:00 GMT", 0),
        ("Tue, 01 Sep 2026 08:00:30 -0000", 30),
        ("Fri, 01 Jan 2100 00:00:00 GMT", 3600),
        ("Fri, 99 Jan 2100 00:00:00 GMT", 0),
    ],
)
def test_retry_after_is_followed_within_reason(text: str | None, seconds: int):
    headers = {} if text is None else {"retry-after": text}
    assert retry.asked(headers, START) == timedelta(seconds=seconds)
