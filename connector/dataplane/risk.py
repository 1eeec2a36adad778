"""Linkage, measured: how far rows under one pseudonym point to one person (decision X5).

Room: dataplane; pure over an open revision or over plain rows. Rows that share a pseudonym form a
*trace*, and a trace is a fingerprint. Two questions are answered here:

- *before* a release, on a revision (`measure`): how many learners have a history that nobody else
  has, and how many would two recipients who collude match, if each had the independent consent of
  70 % of the learners;
- *after* it, on what two recipients really hold (`join`): how many of the learners they have in
  common are linked rightly, by rows and by whole histories.

Generic on purpose: a row is a person and a tuple of agreed values, so tables join in the same way
as traces. What is measured is what *these* attacks find. Others may find more; nothing here ever
shows that data cannot be linked.

Bounds of `measure`: time grows with rows, one 8-byte number a learner and table in memory. Beyond
MAX_ROWS rows a keyed sample of learners, with all their rows, stands for the whole: fewer
candidates to confuse make the figures too high, never too low.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from connector.dataplane.projection import Cutter, Projection
from connector.dataplane.revision import Revision
from connector.dataplane.rows import NO_TIME, UNKNOWN_PERSON
from connector.dataplane.treat import PRECISIONS
from policies.plan import Field, PlanField, tells_more

CONSENTS: Final = 70
"""Percent of learners who consent to a simulated recipient."""
MAX_ROWS: Final = 1_000_000
FLOOR: Final = 10
"""Fewer learners in common give no figure: it would be about them, not about the data."""

_RUNS: Final = 4
_MANY: Final = 50_000
_DIGEST: Final = 8
_WRAP: Final = 2**64
_SECOND: Final = 1_000_000
_STEPS: Final = {
    "second": _SECOND,
    "minute": 60 * _SECOND,
    "hour": 3_600 * _SECOND,
    "day": 86_400 * _SECOND,
}
HISTORIES: Final = ("second", "minute", "hour", "day", "none")
"""Precisions at which uniqueness of (verb, activity, time) histories is told."""


class Traces:
    """One number a person that stands for the multiset of their rows.

    Rows are hashed (64 bits) and added up: order does not matter, counts do. Two persons with the
    same number have the same rows, but for one chance in 2^64 a pair.
    """

    __slots__ = ("_sums", "_used")

    def __init__(self, persons: int) -> None:
        self._sums = array("Q", bytes(8 * persons))
        self._used = bytearray(persons)

    def add(self, person: int, row: bytes) -> None:
        """One more row of a person; `row` is any encoding that equal rows share."""
        mark = int.from_bytes(hashlib.blake2b(row, digest_size=_DIGEST).digest(), "big")
        self._sums[person] = (self._sums[person] + mark) % _WRAP
        self._used[person] = 1

    def persons(self) -> list[int]:
        """Those who have a row, in order."""
        return [person for person, used in enumerate(self._used) if used]

    def unique(self) -> float:
        """The share of persons whose rows, taken together, are those of nobody else; 0 to 1."""
        persons = self.persons()
        counts = Counter(self._sums[person] for person in persons)
        alone = sum(counts[self._sums[person]] == 1 for person in persons)
        return alone / len(persons) if persons else 0.0

    def matched(self, left: Sequence[int], right: Sequence[int]) -> float | None:
        """The share of common persons whom two recipients match by whole traces, best guess.

        `left` and `right` say for each person, 1 or 0, whether that recipient has their rows.
        Among equal traces the guess is right once in so many. None below FLOOR common persons.
        """
        there = Counter(self._sums[one] for one in self.persons() if right[one])
        common = [one for one in self.persons() if left[one] and right[one]]
        if len(common) < FLOOR:
            return None
        return sum(1 / there[self._sums[one]] for one in common) / len(common)


@dataclass(frozen=True, slots=True)
class Figure:
    """One treatment measured: `unique` and `linked` are shares from 0 to 1, `linked` the mean of
    the simulated pairs of recipients. `extensions` as in `planned.tells_more`.
    """

    time: str
    extensions: bool
    unique: float
    linked: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What `measure` found. Counts are exact: private. No figures when persons are too few.

    `histories` are shares of learners unique by (verb, activity, time), by precision; `rows` and
    `persons` what was looked at, `sampled` whether that was a sample of the learners.
    """

    rows: int
    persons: int
    sampled: bool
    histories: Mapping[str, float]
    figures: tuple[Figure, ...]

    def document(self) -> dict[str, Any]:
        """As the node keeps it beside the revision and shows it to its own people."""
        return {
            "v": 1,
            "rows": self.rows,
            "persons": self.persons,
            "sampled": self.sampled,
            "consents": CONSENTS,
            "histories": {name: _told(share) for name, share in self.histories.items()},
            "figures": [
                {
                    "time": one.time,
                    "extensions": one.extensions,
                    "unique": _told(one.unique),
                    "linked": _told(one.linked),
                }
                for one in self.figures
            ],
        }


def measure(revision: Revision, key: bytes, *, max_rows: int = MAX_ROWS) -> Measured:
    """Measure an open revision of xAPI rows under one pseudonym a learner.

    Rows are those that may leave at all, with every field that could be agreed, as they would be
    released (agents and re-keyed ids masked), at each time precision, with results and extension
    values cut or kept. `key` seeds the simulated consents and the sample: the same key gives the
    same figures.
    """
    chosen = _sample(revision, key, max_rows)
    histories = {name: Traces(revision.meta.persons) for name in HISTORIES}
    views = [
        _View(revision.meta.codebook, time, extensions=extensions, persons=revision.meta.persons)
        for time in PRECISIONS
        for extensions in (False, True)
    ]
    rows = 0
    for row in range(revision.rows):
        flags = revision.flags[row]
        persons = [] if flags & UNKNOWN_PERSON else [p for p in revision.persons(row) if chosen[p]]
        if not persons:
            continue
        rows += 1
        value = orjson.loads(revision.line(row))
        micros = None if flags & NO_TIME else revision.times[row]
        for name, traces in histories.items():
            _add(traces, persons, orjson.dumps(_history(value, micros, name)))
        for view in views:
            _add(view.traces, persons, view.released(value))
    found = histories["none"].persons()
    return Measured(
        rows=rows,
        persons=len(found),
        sampled=sum(chosen) < len(chosen),
        histories={name: traces.unique() for name, traces in histories.items()}
        if len(found) >= FLOOR
        else {},
        figures=_figures(views, _consents(key, revision.meta.persons)),
    )


def key_of(revision: str) -> bytes:
    """The key of `measure` for a revision's id: anybody in this house can measure it again."""
    return hashlib.sha256(b"preau linkage\0" + revision.encode()).digest()


def columns_unique(rows: Iterable[tuple[int, Sequence[object]]], persons: int) -> float:
    """For tables: the share of persons (0 to 1) whose rows over agreed columns nobody else has.

    `rows` are (dense number of the person, values of the agreed columns); values are told apart
    as JSON tells them apart.
    """
    traces = Traces(persons)
    for person, values in rows:
        traces.add(person, orjson.dumps(list(values), default=str))
    return traces.unique()


class _View:
    """One treatment of the revision: rows as it would release them, and the traces they form."""

    def __init__(
        self, codebook: Iterable[Field], time: str, *, extensions: bool, persons: int
    ) -> None:
        self.time = time
        self.extensions = extensions
        self.traces = Traces(persons)
        kept = [field for field in codebook if _may_leave(field)]
        self._cutter = Cutter(
            Projection.of(
                (
                    PlanField(field.name, field.type, field.pointer)
                    for field in kept
                    if extensions or not tells_more(field.pointer)
                ),
                home="",
                precision=time,
            )
        )

    def released(self, value: dict[str, Any]) -> bytes:
        """A row as released, with everything masked that only re-keying or a pseudonym tells."""
        made = self._cutter.row(value, _masked)
        for slot in self._cutter.slots:
            slot.put("")
        self._cutter.slots.clear()
        return orjson.dumps(made)


def _may_leave(field: Field) -> bool:
    """Whether any plan could release a field (`policies.plan`, rule 5), as it is or treated."""
    return field.type == "agent" or field.personal in ("no", "indirect", "free-text", "special")


def _masked(_: Mapping[str, object]) -> str:
    return ""


def _add(traces: Traces, persons: Iterable[int], row: bytes) -> None:
    for person in persons:
        traces.add(person, row)


def _history(value: Mapping[str, Any], micros: int | None, precision: str) -> list[object]:
    """Who did what when: verb, activity, time cut to a precision."""
    step = _STEPS.get(precision)
    time = None if micros is None or step is None else micros // step
    return [_id(value.get("verb")), _id(value.get("object")), time]


def _id(part: object) -> object:
    return part.get("id") if isinstance(part, dict) else None


def _sample(revision: Revision, key: bytes, max_rows: int) -> bytearray:
    """Which learners are looked at: all of them, or a keyed sample with about `max_rows` rows."""
    persons = revision.meta.persons
    if revision.rows <= max_rows:
        return bytearray(b"\x01" * persons)
    return _drawn(key, "sample", persons, max_rows / revision.rows)


def _consents(key: bytes, persons: int) -> list[tuple[bytearray, bytearray]]:
    """Independent consents to pairs of recipients; fewer pairs where there are many learners."""
    share = CONSENTS / 100
    return [
        (_drawn(key, f"left {run}", persons, share), _drawn(key, f"right {run}", persons, share))
        for run in range(_RUNS if persons <= _MANY else 1)
    ]


def _drawn(key: bytes, what: str, persons: int, share: float) -> bytearray:
    """1 for about so many of the persons, each by a keyed hash of their number."""
    below = int(share * 2**32)
    prefix = what.encode() + b"\0"

    def draw(person: int) -> bool:
        text = prefix + person.to_bytes(8, "big")
        return int.from_bytes(hashlib.blake2b(text, key=key, digest_size=4).digest(), "big") < below

    return bytearray(map(draw, range(persons)))


def _figures(
    views: Iterable[_View], pairs: Sequence[tuple[bytearray, bytearray]]
) -> tuple[Figure, ...]:
    made = []
    for view in views:
        found = [view.traces.matched(left, right) for left, right in pairs]
        shares = [share for share in found if share is not None]
        if shares:
            linked = sum(shares) / len(shares)
            made.append(Figure(view.time, view.extensions, view.traces.unique(), linked))
    return tuple(made)


def _told(share: float) -> float:
    """In percent, one decimal."""
    return round(100 * share, 1)


# ------------------------------------------------------------------------- two real recipients

Seen = tuple[str, tuple[object, ...]]
"""A row as a recipient holds it: the pseudonym, and the values that may be compared."""

_RARE: Final = 64
_CUTS: Final[Mapping[str, int]] = {"as received": 40, "hour": 13, "day": 10, "none": 0}


@dataclass(frozen=True, slots=True)
class Joined:
    """What two recipients find when they put their files side by side.

    `common` counts the persons both have; `rows` is the share of them (0 to 1) linked rightly by
    rows that stand once on either side, `histories` by whole traces; `view` names the comparison
    (time precision, fields) that linked most.
    """

    common: int
    rows: float
    histories: float
    view: str = ""

    @property
    def best(self) -> float:
        """The better of both."""
        return max(self.rows, self.histories)


def join(left: Iterable[Seen], right: Iterable[Seen], same: Mapping[str, str]) -> Joined:
    """Link the pseudonyms of two recipients by what their rows say, and count what is right.

    `same` is the truth: pseudonym at the left to pseudonym at the right, for the persons both
    have. The attack never looks at it.
    """
    ours, theirs = _traces_of(left), _traces_of(right)
    if not same:
        return Joined(0, 0.0, 0.0)
    by_rows = _by_rows(ours, theirs)
    rows = sum(by_rows.get(one) == two for one, two in same.items())
    guess = _Guesser(theirs)
    histories = 0.0
    for one, two in same.items():
        candidates = guess.best(ours.get(one, Counter()))
        histories += 1 / len(candidates) if two in candidates else 0.0
    return Joined(len(same), rows / len(same), histories / len(same))


def best_join(
    left: Sequence[Mapping[str, Any]],
    right: Sequence[Mapping[str, Any]],
    same: Mapping[str, str],
) -> Joined:
    """`join` for two received files of xAPI rows, compared in every way that is tried here.

    At the precision received, the hour, the day and without time; by verb and activity alone, and
    by all values both files hold. The best histories and the best rows are returned, whichever
    comparison gave them.
    """
    ours, theirs = list(map(_Received.of, left)), list(map(_Received.of, right))
    both = _places(ours) & _places(theirs)
    found = [
        (join(_seen(ours, cut, held), _seen(theirs, cut, held), same), f"{name}, {fields}")
        for name, cut in _CUTS.items()
        for fields, held in (("verb and activity", frozenset[str]()), ("all values", both))
    ]
    best, view = max(found, key=lambda each: each[0].best)
    rows = max(each.rows for each, _ in found)
    histories = max(each.histories for each, _ in found)
    return Joined(best.common, rows, histories, view)


def column_rows(
    rows: Iterable[Mapping[str, Any]], who: str, columns: Sequence[str]
) -> Iterator[Seen]:
    """Received table rows for `join`: `who` is the pseudonym's column, `columns` what both hold."""
    for row in rows:
        yield str(row[who]), tuple(row.get(name) for name in columns)


@dataclass(frozen=True, slots=True)
class _Received:
    """One received xAPI row: whose, what, when, and its other values by place; agents and what
    is shaped like a re-keyed id are left out, as they differ by recipient anyway.
    """

    who: str
    what: tuple[object, object]
    time: str
    values: Mapping[str, object]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "_Received":
        actor = row.get("actor")
        account = actor.get("account") if isinstance(actor, Mapping) else None
        who = str(account.get("name", "")) if isinstance(account, Mapping) else ""
        rest = {key: part for key, part in row.items() if key not in ("id", "actor", "timestamp")}
        what = (_id(row.get("verb")), _id(row.get("object")))
        return cls(who, what, str(row.get("timestamp", "")), dict(_leaves(rest)))


def _leaves(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        if "account" not in value and value.get("objectType") not in ("Agent", "Group"):
            for key, part in value.items():
                yield from _leaves(part, f"{place}/{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _leaves(part, f"{place}/{number}")
    elif not (isinstance(value, str) and len(value) in (36, 45) and value[-13] == "-"):
        yield place, value


def _places(rows: Iterable[_Received]) -> frozenset[str]:
    return frozenset(place for row in rows for place in row.values)


def _seen(rows: Iterable[_Received], cut: int, held: frozenset[str]) -> Iterator[Seen]:
    """Rows for `join`: so many characters of the time, and the values at these places."""
    for row in rows:
        rest = tuple(sorted((k, repr(v)) for k, v in row.values.items() if k in held))
        yield row.who, (*row.what, row.time[:cut], rest)


Trace = Counter[tuple[object, ...]]


def _traces_of(rows: Iterable[Seen]) -> dict[str, Trace]:
    found: dict[str, Trace] = {}
    for who, values in rows:
        found.setdefault(who, Counter())[values] += 1
    return found


def _by_rows(ours: Mapping[str, Trace], theirs: Mapping[str, Trace]) -> dict[str, str]:
    """Links by rows that stand once on either side; each such row is a vote."""
    here, there = _once(ours), _once(theirs)
    votes: dict[str, Counter[str]] = {}
    for values in here.keys() & there.keys():
        votes.setdefault(here[values], Counter())[there[values]] += 1
    return {who: max(sorted(cast), key=cast.__getitem__) for who, cast in votes.items()}


def _once(traces: Mapping[str, Trace]) -> dict[tuple[object, ...], str]:
    holders: dict[tuple[object, ...], str | None] = {}
    for who, trace in traces.items():
        for values, count in trace.items():
            holders[values] = None if values in holders or count > 1 else who
    return {values: who for values, who in holders.items() if who is not None}


class _Guesser:
    """Finds, for a trace, the traces of the other side that look most like it.

    An equal trace is best. Otherwise the overlap, weighted by how rare each row is, over the
    union; only rows few others have are looked up, so that the work stays small.
    """

    def __init__(self, traces: Mapping[str, Trace]) -> None:
        self._traces = traces
        self._equal: dict[frozenset[tuple[object, int]], list[str]] = {}
        self._holders: dict[tuple[object, ...], list[str]] = {}
        for who, trace in traces.items():
            self._equal.setdefault(frozenset(trace.items()), []).append(who)
            for values in trace:
                self._holders.setdefault(values, []).append(who)

    def best(self, trace: Trace) -> list[str]:
        """The pseudonyms between which only chance could decide; none when nothing is alike."""
        equal = self._equal.get(frozenset(trace.items()))
        if equal:
            return equal
        known = sorted(
            (values for values in trace if values in self._holders),
            key=lambda values: len(self._holders[values]),
        )
        near = {who for values in known[:_RARE] for who in self._holders[values][:_RARE]}
        scores = {who: self._alike(trace, self._traces[who]) for who in near}
        top = max(scores.values(), default=0.0)
        return sorted(who for who, score in scores.items() if score == top)

    def _alike(self, one: Trace, other: Trace) -> float:
        both = sum(self._weight(values) * count for values, count in (one & other).items())
        either = sum(self._weight(values) * count for values, count in (one | other).items())
        return both / either if either else 0.0

    def _weight(self, values: tuple[object, ...]) -> float:
        return 1 / len(self._holders.get(values, ("",)))
