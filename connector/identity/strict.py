"""Small JSON objects from strangers, parsed once and strictly (token segments, DID documents).

A duplicate key is refused, because two parsers could each see another value; so are NaN and
Infinity, which JSON does not have, and lone surrogates, which have no UTF-8.
"""

import json
from typing import Final, NoReturn

MAX_DEPTH: Final = 16


def read_object(data: bytes) -> dict[str, object]:
    """The JSON object in UTF-8 bytes.

    Raises:
        ValueError: not UTF-8, not one JSON object, a duplicate key, a number JSON does not know,
            a lone surrogate, or nesting deeper than 16. The message names no value.
    """
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    _check(value, MAX_DEPTH)
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _check(value: object, depth: int) -> None:
    if isinstance(value, str):
        value.encode("utf-8")  # UnicodeEncodeError, a ValueError, on a lone surrogate
    elif isinstance(value, dict | list):
        if not depth:
            raise ValueError("nested too deeply")
        if isinstance(value, dict):
            for name, item in value.items():
                name.encode("utf-8")
                _check(item, depth - 1)
        else:
            for item in value:
                _check(item, depth - 1)
