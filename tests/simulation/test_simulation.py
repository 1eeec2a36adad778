"""Thousands of schedules, each with losses, repeats, delays, crashes and drifting clocks."""

import pytest

from tests.simulation.running import many, run

SCHEDULES = 20_000


def test_some_schedules():
    assert run(range(40)).schedules == 40


def test_a_seed_is_one_schedule():
    assert run([7]) == run([7])


@pytest.mark.slow
def test_twenty_thousand_schedules():
    total = many(0, SCHEDULES)
    assert total.schedules == SCHEDULES
    assert total.deaths > SCHEDULES / 4
    assert total.agreements > 1.2 * SCHEDULES  # one of them stands in every template
