"""Treatments: pseudonyms, re-keyed ids, times."""

import base64
import hmac
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.dataplane.treat import generalise, invert, pseudonym, ranks, rekey

KEY = bytes(range(32))
MARCH = 1_772_360_430_500_000  # 2026-03-01T10:20:30.5Z


def test_a_pseudonym_is_26_base32_characters_of_an_hmac():
    digest = hmac.new(KEY, b"s" * 32, "sha256").digest()
    assert pseudonym(KEY, b"s" * 32) == base64.b32encode(digest).decode()[:26]


@given(st.lists(st.binary(min_size=32, max_size=32), unique=True, max_size=20))
def test_pseudonyms_are_one_to_one(keys: list[bytes]):
    assert len({pseudonym(KEY, key) for key in keys}) == len(keys)


@given(st.lists(st.uuids().map(str), unique=True, max_size=20))
def test_ids_are_one_to_one_and_can_be_turned_back(ids: list[str]):
    released = rekey(KEY, ids)
    assert len(set(released)) == len(ids)
    assert [invert(KEY, one) for one in released] == ids
    assert all(str(uuid.UUID(one)) == one for one in released)


def test_spelling_of_ids():
    one = "6BA7B810-9dad-11d1-80b4-00c04fd430c8"
    (plain, upper, named) = rekey(KEY, [one.lower(), one.upper(), f"urn:uuid:{one}"])
    assert plain == upper
    assert named == f"urn:uuid:{plain}"
    assert invert(KEY, named) == one.lower()
    assert rekey(bytes(32), [one]) != [plain]


def test_a_known_vector():
    """FIPS 197, appendix C.3: a change of cipher or byte order would be noticed."""
    assert rekey(KEY, ["00112233-4455-6677-8899-aabbccddeeff"]) == [
        "8ea2b7ca-5167-45bf-eafc-49904b496089"
    ]


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("minute", "2026-03-01T10:20:00Z"),
        ("hour", "2026-03-01T10:00:00Z"),
        ("day", "2026-03-01T00:00:00Z"),
        ("none", None),
    ],
)
def test_times(precision: str, expected: str | None):
    assert generalise(MARCH, precision) == expected


def test_times_before_1970_go_down_too():
    assert generalise(-1, "hour") == "1969-12-31T23:00:00Z"


def test_unknown_precisions_fail():
    with pytest.raises(KeyError):
        generalise(MARCH, "week")


def test_ranks_are_the_big_endian_start_of_each_block():
    assert ranks(KEY, []) == []
    one, other = ranks(KEY, [0, 1])
    assert ranks(KEY, [1, 0]) == [other, one]
    assert ranks(KEY, [0x00112233445566778899AABBCCDDEEFF]) == [0x8EA2B7CA516745BF]
