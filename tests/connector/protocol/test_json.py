"""Hostile bytes: refused with their place; the rest is read as by the standard library."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.protocol.json import strict_json, strict_value
from policies.problem import Problem


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        (b"", "invalid", None),
        (b"   ", "invalid", None),
        (b"{", "invalid", None),
        (b'{"a":1,}', "invalid", None),
        (b'{"a":1} x', "invalid", None),
        (b'{"a":1}{"a":1}', "invalid", None),
        (b"{'a':1}", "invalid", None),
        (b'{"a":01}', "invalid", None),
        (b'{"a":+1}', "invalid", None),
        (b'{"a":.5}', "invalid", None),
        (b'{"a":"\x01"}', "invalid", None),
        (b'{"a":"\\x41"}', "invalid", None),
        (b"// c\n{}", "invalid", None),
        (b"{}\x00", "invalid", None),
        (b"\x00{}", "invalid", None),
        (b"[]", "root", None),
        (b'"text"', "root", None),
        (b"null", "root", None),
        (b"1", "root", None),
        (b"\xef\xbb\xbf{}", "encoding", None),
        (b"\xff\xfe{\x00}\x00", "encoding", None),
        ('{"a":1}'.encode("utf-16"), "encoding", None),
        (b'{"a":"\xff"}', "encoding", None),
        (b'{"a":"\xc0\xaf"}', "encoding", None),
        (b'{"a":"\xed\xa0\x80"}', "encoding", None),
        (b'{"a":"\\ud800"}', "surrogate", "/a"),
        (b'{"a":["x","\\udc00\\ud800"]}', "surrogate", "/a/1"),
        (b'{"\\ud800":1}', "surrogate", ""),
        (b'{"a":1,"a":1}', "duplicate-key", "/a"),
        (b'{"a":1,"\\u0061":2}', "duplicate-key", "/a"),
        (b'{"o":{"p":[{"x":1,"x":2}]}}', "duplicate-key", "/o/p/0/x"),
        (b'{"a/b":1,"~":{"k":1,"k":2}}', "duplicate-key", "/~0/k"),
        (b'{"a":{"b":1},"a":{"c":1}}', "duplicate-key", "/a"),
        (b'{"a":NaN}', "number", "/a"),
        (b'{"a":[1,Infinity]}', "number", "/a/1"),
        (b'{"a":-Infinity}', "number", "/a"),
        (b'{"a":1e400}', "number", "/a"),
        (b'{"a":9007199254740992}', "number", "/a"),
        (b'{"a":-9007199254740992}', "number", "/a"),
        (b'{"a":18446744073709551616}', "number", "/a"),
        (b'{"a":' + b"9" * 5000 + b"}", "number", "/a"),
        (b'{"a":' + b"[" * 32 + b"]" * 32 + b"}", "too-deep", None),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "too-deep", None),
        (b'{"a":' * 100_000, "too-deep", None),
        (b"[" * 100_000, "too-deep", None),
        (b'{"a":' + b"[" * 900 + b"]" * 900 + b',"a":1}', "too-deep", None),
    ],
)  # fmt: skip
def test_hostile_bytes_are_refused(body, code, where):
    with pytest.raises(Problem) as caught:
        strict_json(body)
    assert caught.value.code == f"protocol-json-{code}"
    assert caught.value.kind == "invalid"
    assert where is None or caught.value.params["where"] == where


def test_size_counts_before_anything_else():
    body = b'{"a":"' + b"x" * 100 + b'"}'
    assert strict_json(body, max_bytes=len(body))
    with pytest.raises(Problem, match="108 bytes; the limit is 107"):
        strict_json(body, max_bytes=107)


def test_the_deepest_allowed_is_allowed():
    assert strict_json(b'{"a":' * 32 + b"1" + b"}" * 32)
    assert strict_json(b'{"a":[]}', max_depth=2)
    with pytest.raises(Problem):
        strict_json(b'{"a":[]}', max_depth=1)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a b":1,"ab":2}',  # keys that differ by white space only
        b' {\n "a" : [ 1 , 2.50 , 1E2, -0 ] }\t',
        b'{"a":"\\u00e9\\/\\ud83d\\ude00","b":9007199254740991,"c":-9007199254740991}',
        b'{"a":1e-400,"b":[[],{}],"c":null,"d":true}',
        '{"é":"naïve 😀"}'.encode(),
    ],
)
def test_lawful_bytes_are_read_as_elsewhere(body):
    assert strict_json(body) == json.loads(body)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back(value):
    for body in (orjson.dumps(value), json.dumps(value, indent=1).encode()):
        assert strict_value(body, max_depth=64) == json.loads(body)


def levels(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, dict | list) + max(map(levels, inner), default=0)


@given(VALUES, st.integers(0, 6))
def test_depth_is_counted_however_it_is_looked_at(value, limit):
    for body in (orjson.dumps(value), json.dumps(value, indent=1).encode()):
        if levels(value) <= limit:
            assert strict_value(body, max_depth=limit) == json.loads(body)
        else:
            with pytest.raises(Problem, match="protocol-json-too-deep"):
                strict_value(body, max_depth=limit)


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4), st.data())
def test_a_key_said_twice_is_always_found(value, data):
    key = data.draw(st.sampled_from(sorted(value)))
    again = data.draw(VALUES)
    escape = data.draw(st.booleans())
    member = json.dumps(key, ensure_ascii=escape) + ":" + json.dumps(again)
    body = json.dumps(value, ensure_ascii=not escape)[:-1] + "," + member + "}"
    with pytest.raises(Problem, match="protocol-json-duplicate-key"):
        strict_json(body.encode(), max_depth=64)


@given(st.binary(max_size=40))
def test_any_bytes_give_an_object_or_a_problem(body):
    try:
        found: object = strict_json(body)
    except Problem as problem:
        found = problem
    assert isinstance(found, dict) or str(found).startswith("protocol-json-")
