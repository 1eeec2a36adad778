"""The profiler: what the columns of a table seem to say about persons (decision X10).

Room: dataplane; pure. What it finds are *proposals*: they stand in the codebook until the steward
declares otherwise, and the revision remembers both, as counts and words, never as values. One
finding is no proposal: a NIR is refused for export, whoever says otherwise.

Distinct values are remembered up to a limit; beyond it every cell is looked at, and what needs all
values (rare, unique) is not claimed.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connector.dataplane import identifiers
from connector.dataplane.cells import KINDS, TIMES

MEMORY: Final = 20_000
"""Distinct values remembered for a column."""

_MOST: Final = 0.5
_RARE: Final = 10
_FEW: Final = 200
_UNIQUE: Final = 0.9
_PROSE_WORDS: Final = 4
_PROSE_LENGTH: Final = 80
_BIRTH_YEARS: Final = 8
_YEAR: Final = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")


def _words(text: str) -> "re.Pattern[str]":
    return re.compile(rf"(?:^|[^a-zà-ÿ])(?:{text})", re.IGNORECASE)


# What a column's name gives away, in French and English, as it starts a word.
_BIRTH: Final = _words(r"naiss|né[e]?$|ne[e]?_le|birth|dob\b|born")
_NAME: Final = _words(
    r"nom(?:$|[^a-zà-ÿ])|noms|pr[eé]nom|patronyme|adresse|surname|(?:first|last|full|family)_?name"
    r"|given_?name|address|identit"
)
_SENSITIVE: Final = _words(
    r"handicap|disab|sant[eé]|health|m[eé]dic|allerg|maladie|illness|diagnos|pathol|relig|culte"
    r"|ethni|racial|syndica|trade_?union|politi|sexual|orientation_sex|biometr|g[eé]n[eé]tique"
)
_NIR_NAME: Final = _words(r"nir(?:$|[^a-zà-ÿ])|num_?s[eé]cu|s[eé]curit[eé]_?sociale|insee_?pers")

_WHOLE: Final[Mapping[str, Callable[[str], bool]]] = {
    "nir": identifiers.nir,
    "nir-without-key": identifiers.nir_without_key,
    "ine": identifiers.ine,
    "email": identifiers.email,
    "phone": identifiers.phone,
    "uai": identifiers.uai,
}
_INSIDE: Final[Mapping[str, Callable[[str], bool]]] = {
    "nir": identifiers.nir_inside,
    "contains-email": identifiers.email_inside,
    "contains-phone": identifiers.phone_inside,
}
_DIRECT: Final = ("nir", "ine", "email", "phone", "name", "copies-subject")


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing found in a column, and in how many cells (0: told by the name)."""

    what: str
    cells: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What a column seems to be: its type, what it says about persons, and why."""

    name: str
    type: str
    proposed: str
    flags: tuple[Flag, ...]

    @property
    def nir(self) -> int:
        """Cells that hold a NIR."""
        return next((flag.cells for flag in self.flags if flag.what == "nir"), 0)


class Column:
    """The profile of one column in the making: `see` each of its cells."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.copies = 0
        self._kinds = dict(KINDS)
        self._values: Counter[str] = Counter()
        self._whole: Counter[str] = Counter()
        self._inside: Counter[str] = Counter()
        self._known: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._years: set[str] = set()
        self._filled = 0
        self._length = 0
        self._prose = 0
        self._full = False

    def see(self, text: str) -> None:
        """Take one cell into account; an empty one says nothing."""
        if not text:
            return
        self._filled += 1
        known = self._known.get(text)
        if known is None:
            known = self._look(text)
            if len(self._known) < MEMORY:
                self._known[text] = known
            else:
                self._full = True
        if not self._full:
            self._values[text] += 1
        whole, inside = known
        for what in whole:
            self._whole[what] += 1
        for what in inside:
            self._inside[what] += 1
        self._length += len(text)
        self._prose += text.count(" ") >= _PROSE_WORDS

    def _look(self, text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a value not met before is, and what it contains; types it has not are out."""
        if self._kinds:
            self._kinds = {kind: is_one for kind, is_one in self._kinds.items() if is_one(text)}
            if TIMES & self._kinds.keys():
                self._years.update(_YEAR.findall(text))
        whole = tuple(what for what, is_one in _WHOLE.items() if is_one(text))
        if whole or len(text) < 6:
            return whole, ()
        return (), tuple(what for what, has_one in _INSIDE.items() if has_one(text))

    @property
    def type(self) -> str:
        """One of string, number, boolean, uuid, date, dateTime, null."""
        if not self._filled:
            return "null"
        return next(iter(self._kinds), "string")

    def profile(self) -> Profile:
        """The result, once every cell was seen."""
        flags = tuple(self._flags())
        return Profile(self.name, self.type, self._proposal({flag.what for flag in flags}), flags)

    def _flags(self) -> Iterable[Flag]:
        yield from self._identifiers()
        for what, form in (("name", _NAME), ("special", _SENSITIVE)):
            if form.search(self.name):
                yield Flag(what, 0)
        if self.copies > _MOST * self._filled:
            yield Flag("copies-subject", self.copies)
        if self.type in TIMES and (_BIRTH.search(self.name) or self._spread()):
            yield Flag("birth-date", self._filled)
        yield from self._texts()

    def _identifiers(self) -> Iterable[Flag]:
        # One NIR is one too many; anything else counts when it is what the column is made of.
        bare = self._whole["nir-without-key"]
        certain = _NIR_NAME.search(self.name) or bare >= 0.8 * self._filled
        nirs = self._whole["nir"] + self._inside["nir"] + (bare if certain else 0)
        if nirs:
            yield Flag("nir", nirs)
        for what in ("ine", "email", "phone", "uai"):
            if self._whole[what] > _MOST * self._filled:
                yield Flag(what, self._whole[what])
        for what in ("email", "phone"):
            cells = self._inside[f"contains-{what}"]
            cells += self._whole[what] if self._whole[what] <= _MOST * self._filled else 0
            if cells:
                yield Flag(f"contains-{what}", cells)

    def _spread(self) -> bool:
        years = sorted(map(int, self._years))
        return self.type == "date" and len(years) > 1 and years[-1] - years[0] >= _BIRTH_YEARS

    def _texts(self) -> Iterable[Flag]:
        if self.type != "string":
            return
        if self._length > _PROSE_LENGTH * self._filled or (
            self._prose > _MOST * self._filled and len(self._values) > _UNIQUE * self._filled
        ):
            yield Flag("free-text", self._filled)
        elif not self._full and len(self._values) <= _FEW:
            rare = sum(count for count in self._values.values() if count < _RARE)
            if rare:
                yield Flag("rare-values", rare)
        elif not self._full and len(self._values) > _UNIQUE * self._filled:
            yield Flag("unique", len(self._values))

    def _proposal(self, found: set[str]) -> str:
        if found & set(_DIRECT):
            return "direct"
        if "special" in found:
            return "special"
        if found & {"free-text", "contains-email", "contains-phone"}:
            return "free-text"
        if found & {"birth-date", "rare-values", "unique"} or self.type in {"uuid", *TIMES}:
            return "indirect"
        return "no"
