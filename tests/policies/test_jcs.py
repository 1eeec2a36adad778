"""The fast way to canonical bytes gives what the RFC's own implementation gives, or its error."""

from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from policies.jcs import digest, jcs

TEXT = st.text(max_size=8) | st.sampled_from(
    ["null", ":9e5", "sha-256:9e1", '":1.5', "\ue000", "\U00010000", "é", "\x1f", "\x7f", "\u2028"]
)
NUMBERS = (
    st.integers(-(2**53) + 1, 2**53 - 1)
    | st.integers(10**15, 10**17)
    | st.floats()
    | st.sampled_from([1.0, -0.0, 1e16, 1e-7, 5e-324])
)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXT
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def expected(value: Any) -> bytes | None:
    try:
        return rfc8785.dumps(value)
    except ValueError:
        return None


@given(VALUES)
def test_the_same_bytes_as_the_reference(value: Any):
    if (right := expected(value)) is None:
        with pytest.raises(ValueError):
            jcs(value)
    else:
        assert jcs(value) == right


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")},
        {"a": [None, float("inf")]},
        {"a": 2**53},
        [-(2**53)],
        {"a": 10**20},
        {"a": "\ud800"},
        {"\ud800": 1},
        {1: 2},
        {"a": datetime(2026, 1, 1, tzinfo=UTC)},
        {"a": {1, 2}},
        object(),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any):
    with pytest.raises(ValueError):
        jcs(value)


def test_keys_are_ordered_by_utf_16_units():
    value = {"\ue000": 1, "\U00010000": 2, "z": 3}
    assert jcs(value) == '{"z":3,"\U00010000":2,"\ue000":1}'.encode()


def test_numbers_are_ecmascripts():
    assert jcs({"a": [1.0, 1e21, 1e-7, -0.0]}) == b'{"a":[1,1e+21,1e-7,0]}'


def test_a_digest_is_of_the_canonical_bytes():
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
