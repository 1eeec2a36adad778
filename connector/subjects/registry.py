"""The consent registry: recording answers, and asking what they allow (decisions S1, S3, S4).

Room: subjects, over `connector.store.consents`; the rules themselves are `policies.consent`.
An answer arrives as a typed row, becomes an `Answer` (keyed hashes only, with its salt), goes
into the journal, and only then into the store. A release asks for a `Bitmap`: one byte for each
person of a revision, true for an instant and an epoch, refreshed from the events since.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from connector.base.clock import format_time, parse_time
from connector.base.ids import Ids
from connector.store import consents
from connector.store.rows import ConsentEventRow
from connector.store.tx import Tx
from connector.subjects.importing import ConsentRow
from connector.subjects.keys import subject_key
from policies.consent import GROUP, STATUSES, Event, Mode, Scope, State, Status, allows
from policies.consent import state as state_of
from policies.jcs import jcs
from policies.vocabulary import purpose_covers

UNKNOWN: Final = -1
"""The registry number of a person it has never heard of."""

_SALT_BYTES: Final = 32
_EVENT: Final = b"preau consent event 1\0"
_STATUS: Final[Mapping[str, Status]] = {status: status for status in STATUSES}
_NEGATIVE: Final[tuple[State, ...]] = ("objected", "withdrawn", "refused")


@dataclass(frozen=True, slots=True)
class Answer:
    """One event ready to be kept: `subject` is a subject key, `event` the keyed hash of the
    door's own event id, `salt` opens the commitment in the tick's leaf. `reason` is why an
    objection was lifted: it is journalled, so that a replay can log it again, and committed to by
    the decision's own leaf, not by the tick.
    """

    event: str
    subject: bytes
    status: Status
    recipient: str
    purpose: str
    category: str
    at: datetime
    valid_until: datetime | None
    notice: str | None
    door: str
    actor: str
    recorded: datetime
    salt: bytes
    reason: str | None = None

    def body(self) -> dict[str, object]:
        """The event as committed to in its tick: everything but the salt and the reason."""
        return {
            "v": 1,
            "event": self.event,
            "subject": self.subject.hex(),
            "status": self.status,
            "recipient": self.recipient,
            "purpose": self.purpose,
            "category": self.category,
            "at": format_time(self.at),
            "valid_until": None if self.valid_until is None else format_time(self.valid_until),
            "notice": self.notice,
            "door": self.door,
            "actor": self.actor,
            "recorded": format_time(self.recorded),
        }

    def entry(self) -> dict[str, object]:
        """The journal's entry."""
        reason = {} if self.reason is None else {"reason": self.reason}
        return {**self.body(), "salt": self.salt.hex(), **reason}

    @property
    def commitment(self) -> bytes:
        """SHA-256(salt ‖ JCS(body)): a leaf under the tick's Merkle root."""
        return hashlib.sha256(self.salt + jcs(self.body())).digest()


def read_entry(entry: Mapping[str, object]) -> Answer:
    """The answer of a journal entry (for replay).

    Raises:
        ValueError: the entry is none of ours.
    """
    texts = {name: value for name, value in entry.items() if isinstance(value, str)}
    try:
        return Answer(
            event=texts["event"],
            subject=bytes.fromhex(texts["subject"]),
            status=_STATUS[texts["status"]],
            recipient=texts["recipient"],
            purpose=texts["purpose"],
            category=texts["category"],
            at=parse_time(texts["at"]),
            valid_until=parse_time(texts["valid_until"]) if "valid_until" in texts else None,
            notice=texts.get("notice"),
            door=texts["door"],
            actor=texts["actor"],
            recorded=parse_time(texts["recorded"]),
            salt=bytes.fromhex(texts["salt"]),
            reason=texts.get("reason"),
        )
    except KeyError:
        raise ValueError("not a consent entry") from None


def prepare(
    rows: Iterable[ConsentRow],
    *,
    secret: bytes,
    ids: Ids,
    door: str,
    actor: str,
    now: datetime,
    reason: str | None = None,
) -> tuple[Answer, ...]:
    """Answers for rows: from here on nobody's identifier is left.

    `secret` is the subject secret; `door` names how the rows came in (S2), `actor` who brought
    them (a pseudonymous id), `reason` why (for a lifted objection).
    """
    return tuple(
        Answer(
            event=hmac.digest(secret, _EVENT + row.event_id.encode(), "sha256").hex(),
            subject=subject_key(secret, row.identifier),
            status=row.status,
            recipient=row.recipient,
            purpose=row.purpose,
            category=row.category,
            at=row.at,
            valid_until=row.valid_until,
            notice=row.notice or None,
            door=door,
            actor=actor,
            recorded=now,
            salt=ids.token(_SALT_BYTES),
            reason=reason,
        )
        for row in rows
    )


def record(tx: Tx, answers: Sequence[Answer], epoch: int) -> tuple[bytes, ...]:
    """Store what is new of these answers under `epoch` (the tick to come), in order.

    Returns:
        The commitments of the new events, leaves of the tick's Merkle root; none for a repeated
        import, which needs no tick.

    Raises:
        Problem: `store-event-conflict`: an event id is taken by another event.
    """
    numbers = consents.register(tx, [answer.subject for answer in answers])
    rows = [
        ConsentEventRow(
            event_id=answer.event,
            subject=number,
            status=answer.status,
            recipient=answer.recipient,
            purpose=answer.purpose,
            category=answer.category,
            at=answer.at,
            valid_until=answer.valid_until,
            notice=answer.notice,
            door=answer.door,
            actor=answer.actor,
            recorded=answer.recorded,
            epoch=epoch,
            salt=answer.salt,
        )
        for number, answer in zip(numbers, answers, strict=True)
    ]
    new = consents.record(tx, rows)
    if new == len(answers):
        return tuple(answer.commitment for answer in answers)
    if not new:
        return ()
    kept = {(row.event_id, row.salt) for row in consents.events_in(tx, epoch=epoch)}
    # An id repeated inside one batch is one event: the salt tells which of them was kept.
    return tuple(answer.commitment for answer in answers if (answer.event, answer.salt) in kept)


def state(
    tx: Tx, subject: bytes, scope: Scope, at: datetime, groups: Collection[str] = ()
) -> State:
    """What a person's answers, under all their aliases, say about one use at one instant."""
    number = consents.numbers(tx, [subject]).get(subject)
    if number is None:
        return "none"
    family = _families(tx).get(number, (number,))
    events = {one: _events_of(tx, one) for one in family}
    return _family_state(events.values(), scope, at, groups)


def _family_state(
    each: Iterable[Sequence[Event]], scope: Scope, at: datetime, groups: Collection[str]
) -> State:
    """The strictest answer of any alias wins; otherwise all of them together count (S1)."""
    known = [events for events in each if events]
    together = state_of([event for events in known for event in events], scope, at, groups)
    if len(known) < 2 or together in _NEGATIVE:
        return together
    alone = {state_of(events, scope, at, groups) for events in known}
    return next((found for found in _NEGATIVE if found in alone), together)


@dataclass(frozen=True, slots=True)
class Roster:
    """The persons of a revision: subject keys by dense number."""

    keys: tuple[bytes, ...]
    places: Mapping[bytes, int] = field(repr=False)

    @classmethod
    def of(cls, keys: Iterable[bytes]) -> "Roster":
        """The roster of a revision's subject keys, in order."""
        listed = tuple(keys)
        return cls(listed, {key: place for place, key in enumerate(listed)})


@dataclass(frozen=True, slots=True)
class Bitmap:
    """Who may leave: `bits[n]` is 1 or 0 for the person with dense number n.

    True at the instant it was asked for and until before `good_until` (None: until an event
    comes), in the consent state of `epoch`. `numbers` are the persons' registry numbers.
    """

    bits: bytearray
    epoch: int
    good_until: datetime | None
    numbers: tuple[int, ...] = field(repr=False)
    families: Mapping[int, tuple[int, ...]] = field(repr=False)

    def good_at(self, at: datetime, epoch: int) -> bool:
        """Whether nothing can have changed up to this instant and epoch."""
        return epoch == self.epoch and (self.good_until is None or at < self.good_until)


def bitmap(
    tx: Tx,
    roster: Roster,
    scope: Scope,
    *,
    mode: Mode,
    at: datetime,
    groups: Collection[str] = (),
) -> Bitmap:
    """The bitmap of a revision's persons for one use, made from the whole registry.

    Mode "consent": 1 iff the person's consent is valid. Mode "objection" (another declared
    basis): 0 iff an open objection stands against the use.
    """
    found = consents.numbers(tx, roster.keys)
    numbers = tuple(found.get(key, UNKNOWN) for key in roster.keys)
    families = _families(tx)
    wanted = set(numbers) - {UNKNOWN}
    wanted.update(one for number in tuple(wanted) for one in families.get(number, ()))
    events = defaultdict(list)
    for row in consents.events_for(
        tx, recipients=_recipients(scope, groups), category=scope.category
    ):
        if row.subject in wanted:
            events[row.subject].append(_event(row))
    bits = bytearray(len(numbers))
    for place, number in enumerate(numbers):
        if number == UNKNOWN:
            bits[place] = mode == "objection"
        else:
            family = [events.get(one, ()) for one in families.get(number, (number,))]
            bits[place] = _bit(family, scope, mode, at, groups)
    return Bitmap(bits, consents.epoch(tx), _next_change(events, at), numbers, families)


def refresh(
    tx: Tx,
    old: Bitmap,
    roster: Roster,
    scope: Scope,
    *,
    mode: Mode,
    at: datetime,
    groups: Collection[str] = (),
) -> Bitmap:
    """The bitmap at a later instant: only persons with events since `old.epoch` are asked again.

    Falls back to the whole registry when time alone changed something, or an alias did. The old
    bitmap stays as it is.
    """
    families = _families(tx)
    if (old.good_until is not None and at >= old.good_until) or families != old.families:
        return bitmap(tx, roster, scope, mode=mode, at=at, groups=groups)
    changed = {
        row.subject
        for row in consents.events_for(
            tx,
            recipients=_recipients(scope, groups),
            category=scope.category,
            after_epoch=old.epoch,
        )
    }
    changed.update(one for number in tuple(changed) for one in families.get(number, ()))
    bits = bytearray(old.bits)
    numbers = list(old.numbers)
    good_until = old.good_until
    for number in changed:
        key = consents.key_of(tx, number=number)
        place = None if key is None else roster.places.get(key)
        if place is None:
            continue
        numbers[place] = number
        events = {one: _events_of(tx, one) for one in families.get(number, (number,))}
        bits[place] = _bit(list(events.values()), scope, mode, at, groups)
        good_until = _earlier(good_until, _next_change(events, at))
    return Bitmap(bits, consents.epoch(tx), good_until, tuple(numbers), families)


def unmatched(tx: Tx, keys: Collection[bytes], rosters: Sequence[Roster]) -> int:
    """How many of these subject keys match nobody, under any alias, in any of the datasets.

    For the steward: "412 consents match nobody in any dataset" mostly means a wrong identifier
    type or home page.
    """
    strangers = {key for key in keys if not any(key in roster.places for roster in rosters)}
    families = _families(tx)
    if not families or not strangers:
        return len(strangers)
    numbers = consents.numbers(tx, strangers)
    known = {
        number
        for roster in rosters
        for number in consents.numbers(tx, roster.keys).values()
        if number in families
    }
    joined = {
        key for key, number in numbers.items() if not known.isdisjoint(families.get(number, ()))
    }
    return len(strangers - joined)


def _bit(
    family: Sequence[Sequence[Event]],
    scope: Scope,
    mode: Mode,
    at: datetime,
    groups: Collection[str],
) -> int:
    """1 or 0 for one person. The first branch is the common case, spelled out for speed."""
    if len(family) == 1 and len(family[0]) == 1:
        event = family[0][0]
        if event.status == "given":
            return mode == "objection" or (
                event.at <= at
                and (event.valid_until is None or at < event.valid_until)
                and purpose_covers(event.purpose, scope.purpose)
            )
    return allows(_family_state(family, scope, at, groups), mode)


def _next_change(events: Mapping[int, Iterable[Event]], at: datetime) -> datetime | None:
    """The next instant at which time alone may change a state: an event's start or its end."""
    return min(
        (
            instant
            for listed in events.values()
            for event in listed
            for instant in (event.at, event.valid_until)
            if instant is not None and instant > at
        ),
        default=None,
    )


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return min(one, other)


def _recipients(scope: Scope, groups: Collection[str]) -> list[str]:
    return [scope.recipient, *(GROUP + group for group in sorted(groups))]


def _events_of(tx: Tx, number: int) -> list[Event]:
    return [_event(row) for row in consents.events_of(tx, subject=number)]


def _event(row: ConsentEventRow) -> Event:
    # The store gives back what `record` wrote, and Answer allows no other status.
    status = _STATUS[row.status]
    return Event(row.recipient, row.purpose, row.category, status, row.at, row.valid_until)


def _families(tx: Tx) -> dict[int, tuple[int, ...]]:
    """For each subject with aliases, all subjects that are the same person, itself included."""
    family: dict[int, set[int]] = {}
    for pair in consents.aliases(tx):
        joined = family.get(pair.a, {pair.a}) | family.get(pair.b, {pair.b})
        for number in joined:
            family[number] = joined
    return {number: tuple(sorted(members)) for number, members in family.items()}
