"""Thousands of schedules, each with losses, repeats, delays, crashes and drifting clocks."""

import os
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.simulation.running import Tally, run

SCHEDULES = 20_000
AT_ONCE = 250


def test_some_schedules():
    assert run(range(40)).schedules == 40


def test_a_seed_is_one_schedule():
    assert run([7]) == run([7])


@pytest.mark.slow
def test_twenty_thousand_schedules(record_property: pytest.FixtureRequest):
    chunks = [range(first, first + AT_ONCE) for first in range(0, SCHEDULES, AT_ONCE)]
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        total = sum(pool.map(run, chunks), Tally())
    assert total.schedules == SCHEDULES
    assert total.deaths > SCHEDULES / 10
    assert total.agreements > SCHEDULES
