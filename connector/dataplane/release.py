"""Releasing: a plan applied to a revision, part by part (decisions X1, X2, X3, X5).

Room: dataplane; pure over an open revision. What leaves is built anew from the agreed paths:
a value that no agreed path names cannot appear, whatever stood in the source. Rows that may not
leave are skipped without being parsed. The same range under the same rules gives the same bytes.

Who may leave comes in as a bitmap over the persons of the revision (`subjects.registry`); every
person in a row must be allowed. Keys come in derived for one agreement (`release_keys`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from connector.dataplane.projection import Cutter, Projection
from connector.dataplane.revision import Revision, RevisionMeta
from connector.dataplane.rows import LEXEMES, MANY, NO_TIME, UNKNOWN_PERSON, exact, people
from connector.dataplane.runnable import asked, check
from connector.dataplane.table_release import CSV, NDJSON, TableEncoder, TableProjection
from connector.dataplane.treat import pseudonym, ranks, rekey
from connector.subjects.keys import canonical, from_agent
from policies.jcs import jcs
from policies.plan import Plan, needs
from policies.problem import Problem

ENCODERS: Final[Mapping[str, str]] = {NDJSON: "ndjson-1", CSV: "csv-1"}
"""The encoder of each form; its name changes whenever the same rows would give other bytes (X3)."""

AnyProjection = Projection | TableProjection

_CHUNK: Final = 256
_INFO: Final = b"preau release 1\0"


@dataclass(frozen=True, slots=True)
class ReleaseKeys:
    """What one agreement's releases are keyed with: 32 bytes each."""

    pseudonym: bytes
    ids: bytes
    order: bytes


def release_keys(
    secret: bytes, recipient: str, purpose: str, agreement: str, *, longitudinal: bool = False
) -> ReleaseKeys:
    """Keys under HKDF-SHA-256 of the node's pseudonym root.

    Only under `longitudinal` are pseudonyms the same in all agreements of one recipient and
    purpose; ids and order always belong to the agreement.
    """

    def derive(what: str, scope: str) -> bytes:
        info = _INFO + jcs([what, recipient, purpose, scope])
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret)

    return ReleaseKeys(
        pseudonym=derive("pseudonym", "" if longitudinal else agreement),
        ids=derive("ids", agreement),
        order=derive("order", agreement),
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """The most one part may hold: released rows, and encoded bytes (one row always fits)."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """One part: the source range [start, stop), and what leaves.

    `withheld` counts rows by reason (consent, period, condition, unknown-person, no-time) and
    `persons` are dense numbers: both private.
    """

    start: int
    stop: int
    rows: int
    body: bytes
    withheld: Mapping[str, int]
    persons: frozenset[int]


def projection_of(plan: Plan, meta: RevisionMeta, form: str = NDJSON) -> AnyProjection:
    """The projection of a plan for this revision, statements or table, in this form.

    Raises:
        Problem: `dataplane-plan-…`, `dataplane-lane`, `dataplane-column`: nothing leaves that the
            plan's clauses cannot be applied to.
    """
    check(needs(plan))
    if meta.table is not None:
        return TableProjection.compile(plan, meta, form)
    if form != NDJSON:
        raise Problem("dataplane-plan-unsupported", what=form[:40])
    return Projection.compile(plan)


def encode_part(
    revision: Revision,
    projection: AnyProjection,
    keys: ReleaseKeys,
    bitmap: Sequence[int],
    start: int,
    stop: int | None,
    limits: Limits,
) -> Encoded:
    """Encode a part from row `start` on.

    With `stop` None the limits decide where it ends: just before the next row that would leave
    and does not fit, so a part is empty only when nothing at all is left to release. With `stop`
    given (a range issued before, X3) exactly that range is encoded under today's rules.
    """
    end = revision.rows if stop is None else stop
    encoder = _encoder(revision, projection, keys)
    judge = _judge(revision, projection, bitmap)
    allowed = (row for row in range(start, end) if judge(row) is None)
    rows: list[int] = []
    lines: list[bytes] = []
    head = encoder.head if start == 0 else b""
    size = len(head)
    for row, line in _lines(encoder, allowed):
        full = len(lines) >= limits.rows or size + len(line) > limits.bytes
        if stop is None and lines and full:
            end = row
            break
        rows.append(row)
        lines.append(line)
        size += len(line)
    weights = ranks(keys.order, rows)
    ordered = sorted(zip(weights, lines, strict=True))
    reasons = Counter(map(judge, range(start, end)))
    return Encoded(
        start=start,
        stop=end,
        rows=len(rows),
        body=head + b"".join([line for _, line in ordered]),
        withheld={reason: count for reason, count in reasons.items() if reason is not None},
        persons=frozenset(number for row in rows for number in revision.persons(row)),
    )


def count_persons(
    revision: Revision, projection: AnyProjection, bitmap: Sequence[int], floor: int
) -> int:
    """Distinct persons whose rows would leave, counted up to `floor` and no further (X4)."""
    judge = _judge(revision, projection, bitmap)
    found: set[int] = set()
    for row in range(revision.rows):
        if judge(row) is None:
            found.update(revision.persons(row))
            if len(found) >= floor:
                return floor
    return len(found)


def _judge(
    revision: Revision, projection: AnyProjection, bitmap: Sequence[int]
) -> Callable[[int], str | None]:
    """Tells for a row why it is withheld, or None when it leaves."""
    flags_of, times, references = revision.flags, revision.times, revision.references
    first, end = projection.first, projection.end
    says = asked(projection.where, times, flags_of)

    def judge(row: int) -> str | None:
        flags = flags_of[row]
        if flags & UNKNOWN_PERSON:
            return "unknown-person"
        if first is not None or end is not None:
            if flags & NO_TIME:
                return "no-time"
            time = times[row]
            if (first is not None and time < first) or (end is not None and time >= end):
                return "period"
        if says is not None and says(row) is not True:
            return "condition"
        if flags & MANY:
            if not all(bitmap[number] for number in revision.listed(references[row])):
                return "consent"
        elif not bitmap[references[row]]:
            return "consent"
        return None

    return judge


def _encoder(
    revision: Revision, projection: AnyProjection, keys: ReleaseKeys
) -> "_Encoder | TableEncoder":
    names = _Pseudonyms(revision, keys.pseudonym)
    if isinstance(projection, TableProjection):
        return TableEncoder(revision, projection, names.of, partial(rekey, keys.ids))
    return _Encoder(revision, projection, keys, names)


def _lines(encoder: "_Encoder | TableEncoder", rows: Iterator[int]) -> Iterator[tuple[int, bytes]]:
    """Each row with its line, in the order given."""
    pending: list[tuple[int, object]] = []
    for row in rows:
        pending.append((row, encoder.row(row)))
        if len(pending) == _CHUNK:
            yield from encoder.written(pending)
            pending = []
    yield from encoder.written(pending)


class _Pseudonyms:
    """The pseudonyms of a revision's persons, each made once for a part."""

    def __init__(self, revision: Revision, key: bytes) -> None:
        self._revision = revision
        self._key = key
        self._made: dict[int, str] = {}

    def of(self, number: int) -> str:
        """The pseudonym of a dense number."""
        name = self._made.get(number)
        if name is None:
            name = pseudonym(self._key, self._revision.subject(number))
            self._made[number] = name
        return name


class _Encoder:
    """Statements to lines; ids are re-keyed in batches."""

    head = b""

    def __init__(
        self, revision: Revision, projection: Projection, keys: ReleaseKeys, names: _Pseudonyms
    ) -> None:
        self._revision = revision
        self._cutter = Cutter(projection)
        self._keys = keys
        self._pseudonym = names.of

    def written(self, pending: Sequence[tuple[int, object]]) -> Iterator[tuple[int, bytes]]:
        """These rows as lines, their ids filled in."""
        slots = self._cutter.slots
        if slots:
            texts = rekey(self._keys.ids, [slot.text for slot in slots])
            for slot, text in zip(slots, texts, strict=True):
                slot.put(text)
            slots.clear()
        return ((row, orjson.dumps(value) + b"\n") for row, value in pending)

    def row(self, row: int) -> object:
        """A row cut down, its ids still waiting."""
        revision = self._revision
        flags = revision.flags[row]
        line = revision.line(row)
        value: dict[str, Any] = exact(line) if flags & LEXEMES else orjson.loads(line)
        if not flags & MANY:
            name = self._pseudonym(revision.references[row])
            return self._cutter.row(value, lambda _: name)
        numbers = revision.persons(row)
        # The walk numbered the persons of a row in one fixed order: the same walk finds them again.
        order = people(value)
        return self._cutter.row(
            value,
            lambda agent: self._pseudonym(numbers[order[canonical(from_agent(agent))]]),
        )
