"""Subjects, aliases, consent events and ticks: what people answered, never who they are.

Subjects are dense numbers standing for keyed hashes. Events are facts: appended, never changed,
safe to import twice. A tick closes the events recorded with its epoch; the epoch of the consent
state is that of the last committed tick.

Bulk functions take iterables that can be walked again (a unit may run twice) and work in chunks,
so that a million rows cost time but not memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from operator import attrgetter
from typing import Any, Final, TypeVar

from sqlalchemy import Column, bindparam, func, literal_column, or_, select

from connector.store.codec import Codec
from connector.store.queries import adding, adding_once, by, chosen, given, next_number, value
from connector.store.rows import AliasRow, ConsentEventRow, TickRow
from connector.store.statement import Statement
from connector.store.tables import ALIAS, CONSENT_EVENT, SUBJECT, TICK
from connector.store.tx import Row, Tx
from policies.problem import Problem

K = TypeVar("K", bytes, str)
V = TypeVar("V")

CHUNK: Final = 500
_SLOTS: Final = tuple(f"k{index}" for index in range(CHUNK))

_EVENTS: Final = Codec(ConsentEventRow, CONSENT_EVENT)
_ALIASES: Final = Codec(AliasRow, ALIAS)
_TICKS: Final = Codec(TickRow, TICK)


def _among(column: Column[Any]) -> Any:  # noqa: ANN401  (a column expression)
    """The column equals one of a chunk of values: one text whatever their number."""
    return column.in_([bindparam(slot, type_=column.type) for slot in _SLOTS])


_ADD_SUBJECT: Final = adding(SUBJECT)
_NEXT_SUBJECT: Final = next_number(SUBJECT.c.number, first=0)
_NUMBERS: Final = Statement(select(SUBJECT.c.key, SUBJECT.c.number).where(_among(SUBJECT.c.key)))
_KEY: Final = Statement(select(SUBJECT.c.key).where(given(SUBJECT.c.number)))

_JOIN: Final = adding_once(ALIAS, "a", "b")
_ALIASES_ALL: Final = Statement(chosen(_ALIASES).order_by(ALIAS.c.a, ALIAS.c.b))
_ALIASES_OF: Final = Statement(
    chosen(_ALIASES, or_(ALIAS.c.a == bindparam("number"), ALIAS.c.b == bindparam("number")))
)

_ADD_EVENT: Final = adding(CONSENT_EVENT)
_NEXT_EVENT: Final = next_number(CONSENT_EVENT.c.seq)
_KNOWN: Final = Statement(chosen(_EVENTS, _among(CONSENT_EVENT.c.event_id)))
_FOR: Final = Statement(
    chosen(
        _EVENTS,
        given(CONSENT_EVENT.c.recipient),
        given(CONSENT_EVENT.c.category),
        CONSENT_EVENT.c.epoch > bindparam("after"),
    )
)
_OF_SUBJECT: Final = Statement(
    chosen(_EVENTS, given(CONSENT_EVENT.c.subject)).order_by(CONSENT_EVENT.c.seq)
)
_OF_EPOCH: Final = Statement(
    chosen(_EVENTS, given(CONSENT_EVENT.c.epoch)).order_by(CONSENT_EVENT.c.seq)
)

_ADD_TICK: Final = adding(TICK)
_TICK: Final = by(_TICKS, TICK.c.epoch)
_EPOCH: Final = Statement(select(func.coalesce(func.max(TICK.c.epoch), literal_column("0"))))

# What makes an event the same event: how and when it reached us does not.
_CONTENT: Final = attrgetter(
    "subject", "status", "recipient", "purpose", "category", "at", "valid_until", "notice"
)


def register(tx: Tx, keys: Iterable[bytes]) -> list[int]:
    """The numbers of these subject keys, in order; unknown keys get the next ones, from 0."""
    following: int = value(tx.one(_NEXT_SUBJECT))
    numbers: list[int] = []
    for chunk in _chunks(keys):
        known = _find(tx, chunk)
        fresh: dict[bytes, int] = {}
        for key in chunk:
            if key not in known and key not in fresh:
                fresh[key] = following
                following += 1
        tx.many(_ADD_SUBJECT, ({"key": key, "number": number} for key, number in fresh.items()))
        known |= fresh
        numbers.extend(known[key] for key in chunk)
    return numbers


def numbers(tx: Tx, keys: Iterable[bytes]) -> dict[bytes, int]:
    """The numbers of those of these subject keys that are known."""
    found: dict[bytes, int] = {}
    for chunk in _chunks(keys):
        found |= _find(tx, chunk)
    return found


def key_of(tx: Tx, *, number: int) -> bytes | None:
    """The key of a subject."""
    key: bytes | None = value(tx.one(_KEY, number=number))
    return key


def join(tx: Tx, row: AliasRow) -> bool:
    """Note that two subjects are one person, in either order; False when known already.

    Raises:
        Problem: `store-integrity`: a number is no subject's.
    """
    ordered = row if row.a < row.b else replace(row, a=row.b, b=row.a)
    return tx.change(_JOIN, **_ALIASES.values(ordered)) == 1


def aliases(tx: Tx) -> list[AliasRow]:
    """Every pair of subjects that are one person."""
    return [_ALIASES.read(row) for row in tx.run(_ALIASES_ALL)]


def aliases_of(tx: Tx, *, number: int) -> list[AliasRow]:
    """The pairs that a subject stands in (directly)."""
    return [_ALIASES.read(row) for row in tx.run(_ALIASES_OF, number=number)]


def record(tx: Tx, events: Iterable[ConsentEventRow]) -> int:
    """Append events; those known by their `event_id` change nothing. Announces "consent".

    Their `epoch` is that of the tick to come (`epoch` + 1), written in the same unit.

    Returns:
        How many were new (`events_in` walks them, in order).

    Raises:
        Problem: `store-event-conflict`: an `event_id` is used for another event (in the store or
            among these); `store-integrity`: a subject is unknown.
    """
    first: int = value(tx.one(_NEXT_EVENT))
    following = first
    for chunk in _chunks(events):
        known = _known(tx, [event.event_id for event in chunk])
        fresh: list[dict[str, Any]] = []
        for event in chunk:
            same = known.setdefault(event.event_id, event)
            if same is event:
                fresh.append({**_EVENTS.values(event), "seq": following})
                following += 1
            elif _CONTENT(same) != _CONTENT(event):
                raise Problem("store-event-conflict", event=event.event_id)
        tx.many(_ADD_EVENT, fresh)
    if following > first:
        tx.announce("consent")
    return following - first


def events_for(
    tx: Tx, *, recipients: Sequence[str], category: str, after_epoch: int = 0
) -> Iterator[ConsentEventRow]:
    """Events addressed to any of these recipients about a category, of later epochs, unordered.

    A lazy walk, valid inside the unit only: there may be millions.
    """
    for recipient in dict.fromkeys(recipients):
        for row in tx.each(_FOR, recipient=recipient, category=category, after=after_epoch):
            yield _EVENTS.read(row)


def events_of(tx: Tx, *, subject: int) -> list[ConsentEventRow]:
    """All events of one subject, as recorded (its aliases have their own)."""
    return [_EVENTS.read(row) for row in tx.run(_OF_SUBJECT, subject=subject)]


def events_in(tx: Tx, *, epoch: int) -> Iterator[ConsentEventRow]:
    """The events of one tick, in order: what its root commits to. A lazy walk, as `events_for`."""
    for row in tx.each(_OF_EPOCH, epoch=epoch):
        yield _EVENTS.read(row)


def epoch(tx: Tx) -> int:
    """The version of the consent state: the last tick's number, 0 before the first."""
    last: int = value(tx.one(_EPOCH))
    return last


def add_tick(tx: Tx, row: TickRow) -> None:
    """Close an epoch.

    Raises:
        Problem: `store-conflict`: it does not follow the last one.
    """
    if row.epoch != epoch(tx) + 1:
        raise Problem("store-conflict", what="tick")
    tx.change(_ADD_TICK, **_TICKS.values(row))


def tick(tx: Tx, *, epoch: int) -> TickRow | None:
    """A tick by its number."""
    return _TICKS.maybe(tx.one(_TICK, epoch=epoch))


def _find(tx: Tx, keys: Sequence[bytes]) -> dict[bytes, int]:
    return {row[0]: row[1] for row in tx.run(_NUMBERS, **_slots(keys))}


def _known(tx: Tx, ids: Sequence[str]) -> dict[str, ConsentEventRow]:
    rows: list[Row] = tx.run(_KNOWN, **_slots(ids))
    return {event.event_id: event for event in map(_EVENTS.read, rows)}


def _slots(values: Sequence[object]) -> dict[str, object]:
    """Up to CHUNK values as parameters; the last one fills the slots left."""
    padded = [*values, *([values[-1]] * (CHUNK - len(values)))]
    return dict(zip(_SLOTS, padded, strict=True))


def _chunks(items: Iterable[V]) -> Iterator[list[V]]:
    walk = iter(items)
    while chunk := list(islice(walk, CHUNK)):
        yield chunk
