"""Reading our own strict JSON documents: every member known, every fault located.

Used for what we sign or compile ourselves (applications, changed offers, plans, templates'
parameters). Foreign policies are read by `odrl`.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from policies import values
from policies.problem import Problem
from policies.texts import phrase

_DID: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._%:\-]+")
_UUID: Final = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LONGEST: Final = 2000
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Members:
    """The members of one object of a document; every reader names the path it stood at."""

    def __init__(
        self,
        data: object,
        code: str,
        where: str,
        required: frozenset[str],
        optional: frozenset[str],
    ) -> None:
        """Check the member names at once.

        Raises:
            Problem: `code`, when the value is no object or a member is missing or unknown.
        """
        self.code, self.where = code, where
        if not isinstance(data, Mapping):
            raise self.problem("", "object")
        self._data = data
        names = data.keys()
        if names >= required and names <= required | optional:
            return
        unknown = sorted(str(key) for key in data if key not in required | optional)
        if unknown:
            allowed = ", ".join(sorted(required | optional))
            raise self.problem(unknown[0][:80], "no such member; known: {known}", known=allowed)
        for member in sorted(required):
            if member not in data:
                raise self.problem(member, "required")

    def problem(self, member: str, expected: str, **values: object) -> Problem:
        """A located problem of this document; `expected` and its values as in `texts.PHRASES`."""
        path = ".".join(part for part in (self.where, member) if part)
        clean = path.encode("utf-8", "replace").decode()
        return Problem(self.code, path=clean or "document", expected=phrase(expected, **values))

    def __contains__(self, member: str) -> bool:
        return member in self._data

    def value(self, member: str) -> object:
        """The raw value of a member, None when absent."""
        return self._data.get(member)

    def constant(self, member: str, expected: object) -> None:
        """Check that a member has exactly this value and type."""
        value = self._data[member]
        if type(value) is not type(expected) or value != expected:
            raise self.problem(member, repr(expected).replace("'", '"'))

    def text(self, member: str, *, longest: int = _LONGEST) -> str:
        """A non-empty text."""
        value = self._data[member]
        if not _is_text(value, longest):
            raise self.problem(member, "text, 1 to {longest} characters", longest=longest)
        return str(value)

    def optional_text(self, member: str) -> str | None:
        """A non-empty text, None when the member is absent."""
        return self.text(member) if member in self._data else None

    def one_of(self, member: str, allowed: tuple[str, ...]) -> str:
        """One of these texts."""
        value = self.text(member)
        if value not in allowed:
            raise self.problem(member, " | ".join(allowed))
        return value

    def iri(self, member: str) -> str:
        """An absolute IRI."""
        value = self.text(member)
        if not values.is_iri(value):
            raise self.problem(member, "an absolute IRI")
        return value

    def did(self, member: str) -> str:
        """A DID."""
        value = self.text(member)
        if _DID.fullmatch(value) is None:
            raise self.problem(member, "a DID such as did:web:lab.example")
        return value

    def uuid(self, member: str) -> str:
        """A lower-case `urn:uuid:` name."""
        value = self.text(member)
        if _UUID.fullmatch(value) is None:
            raise self.problem(member, "urn:uuid: in lower case")
        return value

    def time(self, member: str) -> str:
        """An RFC 3339 instant in UTC with `Z`, returned as it stands."""
        value = self.text(member)
        if not value.endswith("Z") or values.instant(value) is None:
            raise self.problem(member, "a time such as 2027-01-31T12:00:00Z")
        return value

    def time_or_date(self, member: str, *, end: bool = False) -> str:
        """A time in UTC, or a calendar date: its first instant, as `end` that of the next day."""
        value = self.text(member)
        day = date(value)
        if day is None:
            return self.time(member)
        return values.show(day + timedelta(days=1) if end else day)

    def texts(self, member: str, *, empty: bool = False) -> tuple[str, ...]:
        """A list of different non-empty texts."""
        value = self._data[member]
        if not isinstance(value, list) or not (value or empty):
            raise self.problem(member, "a list of texts")
        plain = _are_texts(value)
        for index, item in enumerate(value):
            if not (plain or _is_text(item)):
                where = f"{self.where}.{member}[{index}]".lstrip(".")
                Members({"": item}, self.code, where, _ONE, _NO).text("")
        read = tuple(map(str, value))
        if len(set(read)) != len(read):
            raise self.problem(member, "no text twice")
        return read

    def integer(self, member: str, least: int) -> int:
        """A whole number, at least `least`."""
        value = self._data[member]
        if type(value) is not int or value < least or value > 2**53 - 1:
            raise self.problem(member, "a whole number from {least}", least=least)
        return value


def _is_text(value: object, longest: int = _LONGEST) -> bool:
    """Whether a value is a text that says something and can be written."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= longest
        and not value.isspace()
        and _SURROGATE.search(value) is None
    )


def _are_texts(found: list[object]) -> bool:
    """Whether all of these are certainly such texts, looked at together."""
    return (
        _TEXTS.issuperset(map(type, found))
        and not any(map(str.isspace, found))  # type: ignore[arg-type]
        and all(map(_LENGTHS.__contains__, map(len, found)))  # type: ignore[arg-type]
        and _SURROGATE.search("".join(found)) is None  # type: ignore[arg-type]
    )


_TEXTS: Final = frozenset({str})
_LENGTHS: Final = range(1, _LONGEST + 1)
_ONE: Final = frozenset({""})
_NO: Final[frozenset[str]] = frozenset()


def date(text: str) -> datetime | None:
    """The first instant (UTC) of a calendar date `YYYY-MM-DD`; None for anything else."""
    return values.instant(f"{text}T00:00:00Z") if _DATE.fullmatch(text) else None
