"""Are two sets of rows the same, up to who is who? Pure.

Rows received equal rows expected iff there are one bijection between learners and pseudonyms and
one between source ids and re-keyed ids under which both sides are the same multiset. It is found,
not assumed: rows, learners and ids are coloured by what surrounds them until nothing more can be
told apart (colour refinement), then paired colour by colour, and each pair is checked.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.cli.story.treated import Row

_ROUNDS: Final = 12
_STEPS: Final = 200_000


class Mismatch(Exception):
    """The two sides differ; the texts say in what, without naming anybody."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.fr = fr
        self.en = en


@dataclass(slots=True)
class Names:
    """Two bijections under construction: learner to pseudonym, id to re-keyed id."""

    learners: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    _taken: dict[str, str] = field(default_factory=dict)

    def agree(self, here: Sequence[str], there: Sequence[str]) -> bool:
        """Whether these ids may stand for those."""
        return len(here) == len(there) and all(
            self.ids.get(one, two) == two and self._taken.get(two, one) == one
            for one, two in zip(here, there, strict=True)
        )

    def learn(self, here: Sequence[str], there: Sequence[str]) -> list[tuple[str, str]]:
        """Let these ids stand for those; the pairs that were new."""
        new = []
        for one, two in zip(here, there, strict=True):
            if one not in self.ids:
                self.ids[one], self._taken[two] = two, one
                new.append((one, two))
        return new

    def forget(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take back what was learned."""
        for one, two in pairs:
            del self.ids[one], self._taken[two]


def match(expected: Sequence[Row], received: Sequence[Row]) -> Names:
    """The bijections under which both sides are equal as multisets.

    Raises:
        Mismatch: there are none.
    """
    if len(expected) != len(received):
        raise _other_count(expected, received)
    ours, theirs = _colours(expected, received)
    if Counter(ours.rows) != Counter(theirs.rows):
        lost = Counter(ours.rows) - Counter(theirs.rows)
        raise Mismatch(
            f"{lost.total()} lignes sans correspondante", f"{lost.total()} rows have no counterpart"
        )
    names = Names()
    there = _by_colour(theirs)
    for colour, learners in _by_colour(ours).items():
        if len(learners) != len(there.get(colour, ())):
            raise Mismatch(
                "apprenants et pseudonymes ne se correspondent pas un à un",
                "learners and pseudonyms do not pair off",
            )
        for one, two in zip(learners, there[colour], strict=True):
            names.learners[one] = two
            _pair(ours, theirs, one, two, names)
    return names


def match_all_but_one(
    expected: Sequence[Row], parting: Sequence[Row], received: Sequence[Row], early: int
) -> tuple[Names, str | None, int]:
    """As `match`, when one learner left on the way.

    Args:
        expected: the rows of everybody else; all of them must be there.
        parting: the rows of the learner who left; any of them may be there, but only among ...
        received: ... the first rows received,
        early: so many of them.

    Returns:
        The bijections, the pseudonym of who left (None when no row of theirs had arrived), and
        how many rows of theirs had.

    Raises:
        Mismatch: no choice of pseudonym makes it so.
    """
    surplus = len(received) - len(expected)
    if surplus == 0:
        return match(expected, received), None, 0
    sizes = Counter(row.learner for row in received)
    late = {row.learner for row in received[early:]}
    reason = _other_count(expected, received)
    for pseudonym, size in sizes.items():
        if size != surplus or pseudonym in late:
            continue
        theirs = [row for row in received if row.learner == pseudonym]
        try:
            names = match(expected, [row for row in received if row.learner != pseudonym])
            _embed(theirs, parting, names)
        except Mismatch as mismatch:
            reason = mismatch
        else:
            return names, pseudonym, size
    raise reason


def _other_count(expected: Sequence[Row], received: Sequence[Row]) -> Mismatch:
    return Mismatch(
        f"{len(expected)} lignes attendues, {len(received)} reçues",
        f"{len(expected)} rows expected, {len(received)} received",
    )


# ---------------------------------------------------------------------------------- colours


@dataclass(slots=True)
class _Side:
    """One side with a colour for every row, learner and id."""

    source: Sequence[Row]
    rows: list[int]
    learners: dict[str, int]
    ids: dict[str, int]
    places: dict[str, list[int]]


class _Palette:
    """Small numbers for things seen, the same on both sides."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {}

    def colour(self, thing: object) -> int:
        return self._known.setdefault(thing, len(self._known))


def _colours(one: Sequence[Row], two: Sequence[Row]) -> tuple[_Side, _Side]:
    sides = (_side(one), _side(two))
    told_apart = 0
    for _ in range(_ROUNDS):
        palette = _Palette()
        for side in sides:
            _refine(side, palette)
        found = sum(len(set(side.learners.values())) + len(set(side.rows)) for side in sides)
        if found == told_apart:
            break
        told_apart = found
    return sides[0], sides[1]


def _side(rows: Sequence[Row]) -> _Side:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        places[row.learner].append(place)
    ids = {i: 0 for row in rows for i in row.ids}
    return _Side(rows, [], dict.fromkeys(places, 0), ids, places)


def _refine(side: _Side, palette: _Palette) -> None:
    """One round: a row by its surroundings, then learners and ids by their rows."""
    of_learner: defaultdict[str, list[int]] = defaultdict(list)
    of_id: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    side.rows = []
    for row in side.source:
        ids = tuple(side.ids[i] for i in row.ids)
        colour = palette.colour(("row", row.rest, side.learners[row.learner], ids))
        side.rows.append(colour)
        of_learner[row.learner].append(colour)
        for place, i in enumerate(row.ids):
            of_id[i].append((colour, place))
    for learner, seen in of_learner.items():
        side.learners[learner] = palette.colour(("learner", tuple(sorted(seen))))
    for i, places in of_id.items():
        side.ids[i] = palette.colour(("id", tuple(sorted(places))))


def _by_colour(side: _Side) -> dict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for learner, colour in side.learners.items():
        found[colour].append(learner)
    return found


# ---------------------------------------------------------------------------------- pairing


def _pair(ours: _Side, theirs: _Side, one: str, two: str, names: Names) -> None:
    """Pair the rows of two learners, row by row."""
    open_rows: defaultdict[int, list[Row]] = defaultdict(list)
    for place in theirs.places[two]:
        open_rows[theirs.rows[place]].append(theirs.source[place])
    for place in ours.places[one]:
        row, candidates = ours.source[place], open_rows[ours.rows[place]]
        fitting = next((c for c in candidates if names.agree(row.ids, c.ids)), None)
        if fitting is None:
            raise Mismatch(
                "les identifiants ne se correspondent pas un à un", "ids do not pair off"
            )
        candidates.remove(fitting)
        names.learn(row.ids, fitting.ids)


def _embed(some: Sequence[Row], whole: Sequence[Row], names: Names) -> None:
    """Find `some` among `whole`, under one bijection of ids; rows that fit few places go first."""
    search = _Search(some, whole, names)
    if not search.place(0):
        raise Mismatch(
            "des lignes du pseudonyme retiré ne sont pas les siennes",
            "rows of who left are not theirs",
        )


class _Search:
    """Backtracking over the places where each row may have come from."""

    def __init__(self, some: Sequence[Row], whole: Sequence[Row], names: Names) -> None:
        fits = [[i for i, row in enumerate(whole) if row.rest == item.rest] for item in some]
        self._order = sorted(zip(some, fits, strict=True), key=lambda pair: len(pair[1]))
        self._whole = whole
        self._names = names
        self._used: set[int] = set()
        self._steps = 0

    def place(self, number: int) -> bool:
        """Place the rows from this one on; False when there is no way, or none was found soon."""
        if number == len(self._order):
            return True
        row, fits = self._order[number]
        for spot in fits:
            self._steps += 1
            ids = self._whole[spot].ids
            if spot in self._used or not self._names.agree(ids, row.ids):
                continue
            learned = self._names.learn(ids, row.ids)
            self._used.add(spot)
            if self.place(number + 1):
                return True
            self._used.discard(spot)
            self._names.forget(learned)
            if self._steps > _STEPS:
                return False
        return False
