"""Strict reading of JSON, and what may be signed."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import canonical as canonical_module
from catalog import terms
from catalog.canonical import MAX_DEPTH, canonical, check, parse
from policies.problem import Problem

LINKED = {"@context": list(terms.SIGNED), "id": "https://a.example/1"}
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]))
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "catalog-json-invalid"),
        (b"{", "catalog-json-invalid"),
        (b'{"a": 1, "a": 2}', "catalog-json-invalid"),
        (b'{"a": {"b": 1, "b": 1}}', "catalog-json-invalid"),
        (b'{"a": NaN}', "catalog-json-invalid"),
        (b'{"a": -Infinity}', "catalog-json-invalid"),
        (b'{"a": "\xff"}', "catalog-json-invalid"),
        (b'\xef\xbb\xbf{"a": 1}', "catalog-json-invalid"),
        (b'{"a": ' + b"9" * 5000 + b"}", "catalog-json-invalid"),
        (b"[1]", "catalog-json-not-object"),
        (b"null", "catalog-json-not-object"),
        (b'{"a": ' + b"[" * 60 + b"]" * 60 + b"}", "catalog-unfit-depth"),
        (b"[" * 200_000, "catalog-json-invalid"),
        (b" " * 2000, "catalog-json-too-large"),
    ],
)
def test_what_is_not_strict_json_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(data, limit=1000 if data.isspace() else 10**6)
    assert caught.value.code == code


def test_parse_gives_the_object() -> None:
    assert parse('{"a": ["é", 1, true, null]}'.encode()) == {"a": ["é", 1, True, None]}


@given(st.binary())
def test_no_bytes_make_parse_fail_in_another_way(data: bytes) -> None:
    with suppress(Problem):
        assert isinstance(parse(data), dict)


@pytest.mark.parametrize(
    ("members", "code", "where"),
    [
        ({"rows": 1.0}, "catalog-unfit-float", "/rows"),
        ({"rows": 2**53}, "catalog-unfit-number", "/rows"),
        ({"rows": None}, "catalog-unfit-null", "/rows"),
        ({"name": "a\x00"}, "catalog-unfit-control", "/name"),
        ({"name": "a\x7f"}, "catalog-unfit-control", "/name"),
        ({"name": "\ud800"}, "catalog-unfit-text", "/name"),
        ({"title": {"FR": "x"}}, "catalog-unfit-language", "/title"),
        ({"title": {"@none": "x"}}, "catalog-unfit-language", "/title"),
        ({"title": {"fr": 1}}, "catalog-unfit-value", "/title"),
        ({"name": {"value": "x", "language": "fr-FR"}}, "catalog-unfit-language", "/name"),
        ({"name": {"value": 1, "type": "urn:x"}}, "catalog-unfit-value", "/name"),
        ({"notice": {"edition": "1"}}, "catalog-unfit-unnamed", "/notice"),
        ({"notice": {"id": ""}}, "catalog-unfit-unnamed", "/notice"),
        ({"field": [{"id": "urn:a"}, {"name": "x"}]}, "catalog-unfit-unnamed", "/field/1"),
        ({"field": [[1]]}, "catalog-unfit-list", "/field/0"),
        ({"colour": "blue"}, "catalog-unfit-term", "/"),
        ({"notice": {"id": "urn:a", "created": "x"}}, "catalog-unfit-term", "/notice"),
        ({"name": {1}}, "catalog-unfit-type", "/name"),
    ],
)
def test_what_tools_would_read_differently_is_not_signed(
    members: dict[str, Any], code: str, where: str
) -> None:
    with pytest.raises(Problem) as caught:
        check(LINKED | members)
    assert (caught.value.code, caught.value.params["where"]) == (code, where)


def test_our_context_alone_is_our_context_too() -> None:
    with pytest.raises(Problem, match="catalog-unfit-term"):
        check({"@context": terms.CONTEXT, "colour": "blue"})
    check({"@context": "https://a.example/words", "colour": "blue"})


def test_what_is_fit() -> None:
    check(
        LINKED
        | {
            "name": "tab\tand\nnewline, é, 😀",
            "rows": -(2**53) + 1,
            "title": {"fr": "a", "fr-ca": "b"},
            "rightOperand": [{"value": "1", "type": "urn:t"}, {"id": "urn:a"}],
        }
    )


def test_plain_json_needs_no_names_and_no_term_table() -> None:
    check({"v": 1, "project": {"title": "x"}, "period": {"from": None}, "proof": [["a"]]})
    with pytest.raises(Problem, match="catalog-unfit-float"):
        check({"v": 1, "proof": [[0.5]]})
    with pytest.raises(Problem, match="catalog-unfit-float"):
        check({"v": 1, "project": {"size": 0.5}})


def test_a_place_is_fit_to_be_printed() -> None:
    with pytest.raises(Problem) as caught:
        check({"a\x1b[31m" * 100: 0.5})
    where = caught.value.params["where"]
    assert isinstance(where, str)
    assert where.isprintable()
    assert len(where) <= 200


@given(JSON_VALUES)
def test_canonical_gives_bytes_or_a_problem(value: object) -> None:
    with suppress(Problem):
        ours, theirs = canonical(value), json.dumps(value)
        # JCS writes the float 5e16 as an integer (ECMAScript): one number, two spellings
        assert json.loads(ours, parse_int=float) == json.loads(theirs, parse_int=float)


def test_depth_is_bounded() -> None:
    value: object = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(Problem, match="catalog-unfit-depth"):
        canonical(value)
    nested: object = 1
    for _ in range(MAX_DEPTH):
        nested = [nested]
    assert canonical(nested)


def test_what_was_found_fit_is_not_looked_at_again() -> None:
    rules = [{"id": "urn:r", "type": "Permission"}]
    document = LINKED | {"permission": rules}
    assert check(document, fit=("permission",)) == check(document) == canonical(document)
    with pytest.raises(Problem, match="catalog-unfit-unnamed"):
        check(document | {"prohibition": [{"type": "Prohibition"}]}, fit=("permission",))
    # Texts are looked at in the bytes of the whole.
    with pytest.raises(Problem, match="catalog-unfit-control"):
        check(LINKED | {"permission": [{"id": "urn:r\x01"}]}, fit=("permission",))


@given(value=JSON_VALUES, linked=st.booleans())
def test_looking_at_all_at_once_finds_what_looking_one_by_one_finds(
    value: Any, *, linked: bool
) -> None:
    document = {**LINKED, "title": value} if linked else {"a": value}
    found = canonical_module._is_fit(document, linked=linked, ours=linked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical_module, "_is_fit", lambda *_, **__: None)
        try:
            expected: bytes | None = check(document)
        except Problem:
            expected = None
    assert found in {None, expected}
    assert check(document) == expected if found else True
