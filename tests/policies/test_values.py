"""Lexical forms of values, where they are read with patience."""

import pytest

from policies import values


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-11-25T20:45:06.242519823Z", "2026-11-25T20:45:06.242519+00:00"),
        ("2026-11-25T20:45:06.2425198+01:00", "2026-11-25T19:45:06.242519+00:00"),
        ("2026-11-25T20:45:06Z", "2026-11-25T20:45:06+00:00"),
        ("2026-11-25T20:45:06.2425198239Z", None),
        ("2026-11-25T20:45:06", None),
        ("x.242519823Z", None),
    ],
)
def test_moments_of_finer_clocks(text: str, told: str | None):
    found = values.moment(text)
    assert (found and found.isoformat()) == told
