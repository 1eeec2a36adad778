"""Thousands of schedules, each with losses, repeats, delays, crashes and drifting clocks."""

import pytest

from tests.simulation.running import many, run

SCHEDULES = 20_000
AT_ONCE = 5_000


def test_some_schedules():
    assert run(range(40)).schedules == 40


def test_a_seed_is_one_schedule():
    """Also in another process: whoever reads a seed that broke a promise can see it again."""
    assert run(range(10, 18)) == many(10, 18)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SCHEDULES, AT_ONCE))
def test_twenty_thousand_schedules(first: int):
    total = many(first, first + AT_ONCE)
    assert total.schedules == AT_ONCE
    assert total.deaths > AT_ONCE / 4
    assert total.agreements > 1.2 * AT_ONCE  # one of them stands in every template
