"""What one learner's consent events say about one use, at one instant.

`state` is a pure function of a *set* of events (their order does not matter) and of a scope:
one recipient, one purpose, one category of data. The rules, strict on purpose (S5, C5):

1. Only events dated at or before the instant count. Categories match exactly.
2. A `given` counts for the scope when its recipient is the scope's, or a group the recipient is
   in, its purpose is the scope's or a broader one, and its `valid_until` is not reached. Nothing
   else widens it: a consent never covers a broader purpose or another recipient.
3. A `refused` or `withdrawn` beats every `given` dated before it or at the same instant when it
   *overlaps* the scope: its recipient is the scope's or a group the recipient is in, and some
   purpose lies below both. A purpose nobody knows overlaps all: a "no" is never misread.
4. Each `given` keeps its own end: a later one with an earlier end does not shorten another.
5. An `objected` stays open until a `lifted` dated strictly after it, for the same recipient and
   category and for the same purpose or a broader one. An open objection that overlaps the scope
   wins over everything else.
6. Nothing that counts: `none`. All that counted has ended: `expired`.

`allows` says what a state means: on consent only `valid` lets rows leave; on another declared
basis everything but an open objection does. Consent, objection and agreement to take part are three
different records (S5): where consent is not the basis, its refusal is not an objection.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from policies.vocabulary import purpose_covers, purposes_overlap

Status = Literal["given", "refused", "withdrawn", "objected", "lifted"]
State = Literal["valid", "refused", "withdrawn", "objected", "expired", "none"]
Mode = Literal["consent", "objection"]

STATUSES: Final[tuple[Status, ...]] = ("given", "refused", "withdrawn", "objected", "lifted")
GROUP: Final = "group:"


@dataclass(frozen=True, slots=True)
class Scope:
    """One use: recipient (DID), purpose (IRI), category of data (as the dataset declares it)."""

    recipient: str
    purpose: str
    category: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something one learner (or their guardian) said; `recipient` is a DID or `group:NAME`.

    `at` and `valid_until` are instants with a time zone; consent ends at `valid_until` itself.
    """

    recipient: str
    purpose: str
    category: str
    status: Status
    at: datetime
    valid_until: datetime | None = None


def state(
    events: Iterable[Event], scope: Scope, at: datetime, member_of: Collection[str] = ()
) -> State:
    """The state of one learner's consent for one use at one instant.

    Args:
        events: the learner's events, all aliases together, in any order.
        scope: the use.
        at: the instant, with a time zone.
        member_of: names of the groups the recipient is in (without `group:`).
    """
    names = {scope.recipient, *(GROUP + group for group in member_of)}
    known = [
        event
        for event in events
        if event.at <= at and event.category == scope.category and event.recipient in names
    ]
    if _objected(known, scope):
        return "objected"
    given = [
        event
        for event in known
        if event.status == "given" and purpose_covers(event.purpose, scope.purpose)
    ]
    negatives = [
        event
        for event in known
        if event.status in {"refused", "withdrawn"}
        and purposes_overlap(event.purpose, scope.purpose)
    ]
    last = max(negatives, key=lambda event: (event.at, event.status), default=None)
    standing = [event for event in given if last is None or event.at > last.at]
    if any(event.valid_until is None or at < event.valid_until for event in standing):
        return "valid"
    if last is not None and not standing:
        return "withdrawn" if last.status == "withdrawn" else "refused"
    return "expired" if standing else "none"


def allows(found: State, mode: Mode) -> bool:
    """Whether rows of a learner in this state may leave, on consent or on another basis."""
    return found == "valid" if mode == "consent" else found != "objected"


def _objected(events: list[Event], scope: Scope) -> bool:
    lifted = [event for event in events if event.status == "lifted"]
    return any(
        event.status == "objected"
        and purposes_overlap(event.purpose, scope.purpose)
        and not any(_lifts(other, event) for other in lifted)
        for event in events
    )


def _lifts(lifted: Event, objected: Event) -> bool:
    return (
        lifted.at > objected.at
        and lifted.recipient == objected.recipient
        and purpose_covers(lifted.purpose, objected.purpose)
    )
