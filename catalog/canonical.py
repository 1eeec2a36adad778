"""Bytes in, canonical bytes out: strict reading of JSON, and what is fit to be signed (C3).

`parse` is the one way foreign bytes become JSON here: no duplicate member, no NaN, bounded size
and depth. `check` says whether a document may carry our signature: it must mean the same to a
JSON reader and to every RDF tool, now and in ten years, so whatever they treat differently
(floats, nulls, nested arrays, control characters, unnamed nodes, language tags in upper case) is
refused. `jcs` and `digest` are those of `policies`.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from catalog import terms
from policies.jcs import digest, digest_bytes, jcs
from policies.problem import Problem

__all__ = ["MAX_BYTES", "MAX_DEPTH", "canonical", "check", "digest", "digest_bytes", "jcs", "parse"]

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_DEPTH: Final = 48
_MAX_INTEGER: Final = 2**53 - 1
# Tab and newline survive every serialisation; the other C0 controls and DEL break XML exports
# and are escaped differently by the N-Quads writers in use.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_LANGUAGE: Final = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*")
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_NAMES: Final = frozenset({str})
# What `_CONTROL` finds, as JCS writes it; an escaped backslash before such a letter only costs the
# slow way.
_CONTROL_WRITTEN: Final = re.compile(rb"\x7f|\\(?:[bfr]|u00)")
_LISTS: Final = frozenset({list, tuple})
_VALUE_OBJECTS: Final = ({"value", "type"}, {"value", "language"})


def parse(data: bytes, *, limit: int = MAX_BYTES) -> dict[str, object]:
    """The JSON object that some bytes hold.

    Raises:
        Problem: `catalog-json-too-large`, `catalog-json-invalid` (not UTF-8, not JSON, a member
            twice, NaN, nested too deep), `catalog-json-not-object`.
    """
    if len(data) > limit:
        raise Problem("catalog-json-too-large", size=len(data), limit=limit)
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as fault:  # every way json has to say "not JSON"
        place = getattr(fault, "pos", None)
        raise Problem("catalog-json-invalid", place="?" if place is None else place) from None
    if not isinstance(value, dict):
        raise Problem("catalog-json-not-object")
    bounded(value)
    return value


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _no_constant(name: str) -> object:
    raise ValueError(name)


def bounded(value: object) -> None:
    """That a value is plain JSON of bounded depth, so that recursion over it ends.

    Raises:
        Problem: `catalog-unfit-depth`, `catalog-unfit-type`.
    """
    if not _is_bounded(value):
        _locate(value, 0, "")


def _is_bounded(value: object) -> bool:
    """Whether there is nothing to find: the usual case, looked at level by level without names."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is str:
                continue
            if kind is dict:
                if not _NAMES.issuperset(map(type, item)):
                    return False
                deeper.extend(item.values())
            elif kind is list or kind is tuple:
                deeper.extend(item)
            elif kind not in _SCALARS:
                return False
        if not deeper:
            return True
        level = deeper
    return False


def _locate(value: object, depth: int, where: str) -> None:
    """Find the fault that `_is_bounded` suspects, with its place; subclasses are none."""
    if depth > MAX_DEPTH:
        raise Problem("catalog-unfit-depth", where=_place(where[:200]), limit=MAX_DEPTH)
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(name, str):
                raise Problem("catalog-unfit-type", where=_place(where))
            _locate(item, depth + 1, f"{where}/{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _locate(item, depth + 1, f"{where}/{index}")
    elif value is not None and not isinstance(value, bool | int | float | str):
        raise Problem("catalog-unfit-type", where=_place(where))


def canonical(value: object) -> bytes:
    """The JCS bytes (RFC 8785) of any JSON value, ours or a foreign one.

    Raises:
        Problem: `catalog-unfit-depth`, `catalog-unfit-type`, `catalog-unfit-text` (a lone
            surrogate), `catalog-unfit-number` (NaN, infinite, an integer beyond 2^53-1).
    """
    bounded(value)
    try:
        return jcs(value)
    except UnicodeError:
        raise Problem("catalog-unfit-text", where="/") from None
    except TypeError:  # orjson's EncodeError: with only JSON types left, a lone surrogate
        raise Problem("catalog-unfit-text", where="/") from None
    except ValueError as fault:
        text = isinstance(fault.__cause__, UnicodeError) or "UTF-8" in str(fault)
        code = "catalog-unfit-text" if text else "catalog-unfit-number"
        raise Problem(code, where="/") from None


def check(document: Mapping[str, object], *, fit: tuple[str, ...] = ()) -> bytes:
    """That a document is fit to be signed by us; its canonical bytes.

    A document without `@context` (an application, a manifest) is plain JSON: its nested objects
    need no names, and nulls and lists in lists keep their meaning. In one under our own context
    every member must be a word of the term table. What stands in the members `fit` was found fit
    in such a document before.

    Raises:
        Problem: `catalog-unfit-…` with the place as a JSON pointer.
    """
    contexts = document.get("@context")
    ours = terms.CONTEXT in (contexts if isinstance(contexts, list | tuple) else [contexts])
    written = _is_fit(document, fit, linked=contexts is not None, ours=ours)
    if written is not None:
        return written
    bounded(document)
    if ours:
        _known({name: item for name, item in document.items() if name != "@context"}, "")
    _object(document, "", linked=contexts is not None)
    return canonical(document)


def _is_fit(
    document: object, known: tuple[str, ...] = (), *, linked: bool, ours: bool
) -> bytes | None:
    """The bytes of a document that is certainly fit: the usual case, looked at level by level, its
    texts all at once in these bytes. What looks doubtful is looked at again, with its place.
    """
    if type(document) is not dict or not _are_plain_contexts(document.get("@context")):
        return None
    apart = ("@context", *known)
    level: list[Any] = [{name: item for name, item in document.items() if name not in apart}]
    top, words, maps = level[0], terms.words() if ours else None, terms.language_maps()
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            kind = type(item)
            if kind is dict:
                if linked and not _is_fit_node(item, deeper, item is not top, words, maps):
                    return None
                if not linked:
                    deeper.extend(item.values())
            elif kind is list:
                if linked and not _LISTS.isdisjoint(map(type, item)):
                    return None
                deeper.extend(item)
            elif kind is not str and not _is_fit_scalar(item, linked=linked):
                return None
        if not deeper:
            return _fit_bytes(document)
        level = deeper
    return None


def _are_plain_contexts(contexts: object) -> bool:
    return contexts is None or _NAMES.issuperset(
        map(type, contexts if type(contexts) is list else [contexts])
    )


def _is_fit_node(
    item: dict[str, object],
    deeper: list[object],
    named: bool,  # noqa: FBT001  (called for each object of a document)
    known: frozenset[str] | None,
    maps: frozenset[str],
) -> bool:
    """Whether the words of an object of linked data are known and it says what it is about; what
    it holds goes to `deeper`, but for texts by language, which are looked at here.
    """
    words = item.keys()
    if known is not None and not words <= known:
        return False
    name = item.get("id")
    if named and not ((name and type(name) is str) or _is_typed(item)):
        return False
    if maps.isdisjoint(words):
        deeper.extend(item.values())
        return True
    told = maps & words
    for word, value in item.items():
        if word not in told or type(value) is not dict:
            deeper.append(value)
        elif not (all(map(_is_language, value)) and _NAMES.issuperset(map(type, value.values()))):
            return False
    return True


def _is_typed(item: dict[str, object]) -> bool:
    """Whether an object is a value and its type."""
    return item.keys() == {"value", "type"} and type(item["value"]) is str


def _is_fit_scalar(item: object, *, linked: bool) -> bool:
    if item is None:
        return not linked
    kind = type(item)
    return kind is bool or (kind is int and abs(item) <= _MAX_INTEGER)  # type: ignore[arg-type]


def _fit_bytes(document: dict[str, object]) -> bytes | None:
    """The bytes of a document, if no text or name holds a control character or a lone surrogate."""
    try:
        written = jcs(document)
    except (ValueError, TypeError):
        return None
    # Two looks for a byte cost a hundredth of one for the pattern, which only an escape can match.
    plain = b"\\" not in written and b"\x7f" not in written
    return written if plain or _CONTROL_WRITTEN.search(written) is None else None


def _known(value: object, where: str) -> None:
    """Only words of our table: a member that no context maps would not be signed as RDF."""
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _known(item, f"{where}/{index}")
    elif isinstance(value, Mapping):
        table = terms.vocabulary(terms.CONTEXT).terms
        for name, item in value.items():
            if name not in table:
                raise Problem("catalog-unfit-term", where=_place(where), name=_place(name[:80]))
            if table[name].container != "@language":
                _known(item, f"{where}/{name}")


def _object(members: Mapping[str, object], where: str, *, linked: bool) -> None:
    for name, value in members.items():
        place = f"{where}/{name}"
        _string(name, place)
        if linked and name in terms.language_maps() and isinstance(value, Mapping):
            _language_map(value, place)
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                _item(item, f"{place}/{index}", linked=linked)
        else:
            _item(value, place, linked=linked)


def _item(value: object, where: str, *, linked: bool) -> None:
    if isinstance(value, str):
        _string(value, where)
    elif isinstance(value, Mapping):
        if linked:
            _named(value, where)
        _object(value, where, linked=linked)
    elif isinstance(value, float):
        raise Problem("catalog-unfit-float", where=_place(where))
    elif linked and value is None:
        raise Problem("catalog-unfit-null", where=_place(where))
    elif isinstance(value, list | tuple):
        if linked:
            raise Problem("catalog-unfit-list", where=_place(where))
        for index, item in enumerate(value):
            _item(item, f"{where}/{index}", linked=False)
    elif isinstance(value, int) and abs(value) > _MAX_INTEGER:
        raise Problem("catalog-unfit-number", where=_place(where))


def _named(node: Mapping[str, object], where: str) -> None:
    """No blank node: an object is a value, or it says which thing it is about."""
    if set(node) in _VALUE_OBJECTS:
        language = node.get("language")
        if language is not None and not _is_language(language):
            raise Problem("catalog-unfit-language", where=_place(where))
        if not isinstance(node["value"], str):
            raise Problem("catalog-unfit-value", where=_place(where))
    elif not isinstance(node.get("id"), str) or not node["id"]:
        raise Problem("catalog-unfit-unnamed", where=_place(where))


def _language_map(words: Mapping[str, object], where: str) -> None:
    for language, text in words.items():
        if not _is_language(language):
            raise Problem("catalog-unfit-language", where=_place(where))
        if not isinstance(text, str):
            raise Problem("catalog-unfit-value", where=_place(where))
        _string(text, f"{where}/{language}")


def _is_language(tag: object) -> bool:
    return isinstance(tag, str) and _LANGUAGE.fullmatch(tag) is not None


def _string(text: str, where: str) -> None:
    if _SURROGATE.search(text):
        raise Problem("catalog-unfit-text", where=_place(where))
    if _CONTROL.search(text):
        raise Problem("catalog-unfit-control", where=_place(where))


def _place(where: str) -> str:
    """A JSON pointer fit to be printed: bounded, and without what a terminal would obey."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in where[:200])
    return shown or "/"
