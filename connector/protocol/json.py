"""Bytes of a peer to a JSON value, once and strictly.

Parsers disagree on duplicate keys, numbers beyond 2^53, lone surrogates and NaN; whoever signs or
compares what it parsed must refuse them (RFC 8259 section 4, RFC 7493 I-JSON, RFC 8785 section
3.1). orjson refuses bad UTF-8, a byte order mark, NaN and lone surrogates, but drops the first of
two equal keys and turns huge integers into floats. Hence the trick: if orjson writes back the
same bytes that came in (white space aside), nothing was dropped or changed. Otherwise the slow
reader walks every member and says where the fault is.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Final

import orjson

from connector.protocol.names import MAX_BYTES, MAX_DEPTH
from policies.problem import Problem

_MAX_INTEGER: Final = 2**53 - 1
_MAX_DIGITS: Final = 17
_SPACE: Final = b" \t\r\n"
_LONG_NUMBER: Final = re.compile(rb"[0-9]{16}")
_TO_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def strict_json(
    body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> dict[str, object]:
    """The JSON object that `body` holds, with nothing dropped, rounded or guessed.

    Raises:
        Problem: `protocol-json-*`, with the JSON pointer, byte offset or line of the fault.
    """
    value = strict_value(body, max_bytes=max_bytes, max_depth=max_depth)
    if not isinstance(value, dict):
        raise Problem("protocol-json-root")
    return value


def strict_value(body: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> object:
    """As `strict_json`, for any JSON value."""
    if len(body) > max_bytes:
        raise Problem("protocol-json-too-large", size=len(body), limit=max_bytes)
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _slow(body, max_depth, refused=True)
    # Equal after dropping white space (inside strings too, on both sides) means token for token
    # equal: a dropped member or a rewritten number would show.
    written = orjson.dumps(value).translate(None, _SPACE)
    if body.translate(None, _SPACE) == written:
        shallow = _plainly_within(written, max_depth)
        if _within_limits(value, max_depth) if shallow is None else shallow:
            return value
    return _slow(body, max_depth, refused=False)


def _plainly_within(written: bytes, max_depth: int) -> bool | None:
    """As `_within_limits`, by a look at JSON text without white space, which costs a tenth of a
    walk; None where the look does not tell.
    """
    if b"\\" in written:
        return None
    # No quote is escaped, so every second piece lies outside strings.
    outside = b"".join(written.split(b'"')[::2])
    if _LONG_NUMBER.search(outside) is not None:
        return None
    brackets = outside.translate(_TO_SQUARE, _NO_BRACKETS)
    for _ in range(max_depth):
        brackets = brackets.replace(b"[]", b"")
    return not brackets


def _within_limits(value: object, max_depth: int) -> bool:
    """Whether depth and integers stay within the limits, level by level."""
    level: list[object] = [value]
    depth = 0
    while level:
        containers: list[Iterable[object]] = []
        for item in level:
            if type(item) is dict:
                containers.append(item.values())
            elif type(item) is list:
                containers.append(item)
            elif type(item) is int and not -_MAX_INTEGER <= item <= _MAX_INTEGER:
                return False
        if containers and (depth := depth + 1) > max_depth:
            return False
        level = [item for container in containers for item in container]
    return True


class _Pairs(list[tuple[str, object]]):
    """The members of an object as they came, duplicates included."""


class _BadNumber:
    """A number that no two parsers read alike (or that is none)."""

    def __init__(self, _text: str) -> None:
        pass


def _integer(text: str) -> object:
    return int(text) if len(text) <= _MAX_DIGITS else _BadNumber(text)


def _slow(body: bytes, max_depth: int, *, refused: bool) -> object:
    """Read every member with the standard library; `refused` says that orjson said no."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Problem("protocol-json-encoding", at=error.start) from None
    if text.startswith("\ufeff"):
        raise Problem("protocol-json-encoding", at=0)
    try:
        pairs = json.loads(
            text, object_pairs_hook=_Pairs, parse_int=_integer, parse_constant=_BadNumber
        )
    except json.JSONDecodeError as error:
        raise Problem("protocol-json-invalid", line=error.lineno, column=error.colno) from None
    except RecursionError:
        raise Problem("protocol-json-too-deep", limit=max_depth) from None
    value = _build(pairs, "", max_depth, max_depth)
    if refused:  # no fault of ours to name, but two parsers disagree: that is enough to refuse
        raise Problem("protocol-json-invalid", line=1, column=1)
    return value


def _build(node: object, where: str, left: int, max_depth: int) -> object:
    """The plain value of a node; `left` levels of nesting remain."""
    if isinstance(node, list):
        if not left:
            raise Problem("protocol-json-too-deep", limit=max_depth)
        if isinstance(node, _Pairs):
            return _members(node, where, left, max_depth)
        return [
            _build(item, f"{where}/{index}", left - 1, max_depth) for index, item in enumerate(node)
        ]
    if isinstance(node, str):
        return _text(node, where)
    if isinstance(node, _BadNumber) or (isinstance(node, int) and abs(node) > _MAX_INTEGER):
        raise Problem("protocol-json-number", where=where)
    if isinstance(node, float) and not math.isfinite(node):
        raise Problem("protocol-json-number", where=where)
    return node


def _members(pairs: _Pairs, where: str, left: int, max_depth: int) -> dict[str, object]:
    members: dict[str, object] = {}
    for key, item in pairs:
        inner = f"{where}/{pointer_token(_text(key, where))}"
        if key in members:
            raise Problem("protocol-json-duplicate-key", where=inner)
        members[key] = _build(item, inner, left - 1, max_depth)
    return members


def _text(text: str, where: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Problem("protocol-json-surrogate", where=where) from None
    return text


def pointer_token(key: str) -> str:
    """A member name as one step of a JSON pointer (RFC 6901), cut where it is overlong."""
    return key[:80].replace("~", "~0").replace("/", "~1")
