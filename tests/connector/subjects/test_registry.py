"""The registry: what it stores, what it answers, and that the fast way answers the same."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.store import consents
from connector.store.rows import AliasRow, TickRow
from connector.store.store import Store
from connector.store.tx import Tx
from connector.subjects.importing import ConsentRow
from connector.subjects.keys import Identifier, subject_key
from connector.subjects.registry import (
    Answer,
    Bitmap,
    Roster,
    bitmap,
    prepare,
    read_entry,
    record,
    refresh,
    state,
    unmatched,
)
from policies.consent import STATUSES, Event, Mode, Scope, Status, allows
from policies.consent import state as state_of
from policies.jcs import jcs
from policies.problem import Problem
from tests.support.ids import SeededIds

SECRET = b"k" * 32
NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LAB = "did:web:lab.example"
PURPOSE = "https://w3id.org/preau/ns#EducationResearch"
BROADER = "https://w3id.org/preau/ns#NonCommercialResearch"
CATEGORY = "https://w3id.org/preau/ns#LearningTraces"
SCOPE = Scope(LAB, PURPOSE, CATEGORY)


def person(number: int) -> Identifier:
    return Identifier("account", f"learner-{number}", "http://mooc.example")


def key(number: int) -> bytes:
    return subject_key(SECRET, person(number))


def answer(
    number: int,
    status: Status = "given",
    *,
    event: str = "",
    at: datetime = NOW - DAY,
    until: datetime | None = None,
    recipient: str = LAB,
    purpose: str = PURPOSE,
    category: str = CATEGORY,
) -> ConsentRow:
    name = event or f"{number}-{status}-{at.isoformat()}"
    return ConsentRow(1, name, person(number), recipient, purpose, category, status, at, until, "")


def prepared(rows: Sequence[ConsentRow], seed: int = 0) -> tuple[Answer, ...]:
    return prepare(rows, secret=SECRET, ids=SeededIds(seed), door="import", actor="a1", now=NOW)


def put(store: Store, *rows: ConsentRow, seed: int = 0) -> tuple[bytes, ...]:
    """Record as a service does: one tick."""

    def unit(tx: Tx) -> tuple[bytes, ...]:
        epoch = consents.epoch(tx) + 1
        commitments = record(tx, prepared(rows, seed), epoch)
        if commitments:
            root = hashlib.sha256(b"".join(commitments)).digest()
            consents.add_tick(tx, TickRow(epoch, root, len(commitments), None, NOW))
        return commitments

    return store.write_now(unit)


def made(
    store: Store,
    people: int,
    *,
    mode: Mode = "consent",
    at: datetime = NOW,
    groups: tuple[str, ...] = (),
) -> Bitmap:
    roster = Roster.of(key(number) for number in range(people))
    return store.read_now(lambda tx: bitmap(tx, roster, SCOPE, mode=mode, at=at, groups=groups))


class TestAnswers:
    def test_no_identifier_survives(self):
        (one,) = prepared([answer(1, event="mail-of-learner-1")])
        for text in (str(one.entry()), str(one)):
            assert "learner-1" not in text
        assert one.subject == key(1)

    def test_a_journal_entry_reads_back(self):
        for one in prepared([answer(1), answer(2, "withdrawn", until=NOW + DAY)]):
            assert read_entry(one.entry()) == one

    def test_a_foreign_entry_is_refused(self):
        (one,) = prepared([answer(1)])
        for broken in ({}, {**one.entry(), "status": "maybe"}, {**one.entry(), "salt": "zz"}):
            with pytest.raises(ValueError):
                read_entry(broken)

    def test_the_commitment_is_salted(self):
        one, other = prepared([answer(1), answer(1)])
        assert one.commitment == hashlib.sha256(one.salt + jcs(one.body())).digest()
        assert one.commitment != other.commitment


class TestRecord:
    def test_new_events_give_commitments_in_order(self, store: Store):
        rows = [answer(1), answer(2)]
        assert put(store, *rows) == tuple(one.commitment for one in prepared(rows))

    def test_a_repeated_import_changes_nothing(self, store: Store):
        put(store, answer(1), answer(2))
        assert put(store, answer(1), answer(2), seed=1) == ()
        assert len(put(store, answer(1), answer(3), seed=2)) == 1

    def test_an_event_id_taken_by_another_event_is_refused(self, store: Store):
        put(store, answer(1, event="e"))
        with pytest.raises(Problem, match="store-event-conflict"):
            put(store, answer(1, "refused", event="e"), seed=1)


class TestState:
    def ask(self, store: Store, number: int, **changes: object) -> str:
        members: dict[str, object] = {"scope": SCOPE, "at": NOW, **changes}
        return store.read_now(lambda tx: state(tx, key(number), **members))  # type: ignore[arg-type]

    def test_unknown_people_have_none(self, store: Store):
        assert self.ask(store, 1) == "none"

    def test_given_withdrawn_expired(self, store: Store):
        put(store, answer(1), answer(2), answer(2, "withdrawn", at=NOW), answer(3, until=NOW))
        assert [self.ask(store, n) for n in (1, 2, 3)] == ["valid", "withdrawn", "expired"]

    def test_groups_count_when_the_recipient_is_in(self, store: Store):
        put(store, answer(1, recipient="group:labs"))
        assert self.ask(store, 1) == "none"
        assert self.ask(store, 1, groups=("labs",)) == "valid"

    def test_the_strictest_alias_wins(self, store: Store):
        put(store, answer(1), answer(2, "refused", at=NOW - 2 * DAY))

        def join(tx: Tx) -> None:
            numbers = consents.numbers(tx, [key(1), key(2)])
            consents.join(tx, AliasRow(numbers[key(1)], numbers[key(2)], "dpo", NOW))

        store.write_now(join)
        # Together the later consent would win; by itself the other alias still says no.
        assert self.ask(store, 1) == "refused"
        assert self.ask(store, 2) == "refused"
        assert list(made(store, 3).bits) == [0, 0, 0]


class TestBitmap:
    def test_consent_and_objection(self, store: Store):
        put(store, answer(1), answer(2, "objected"), answer(3, "withdrawn"), answer(4, "lifted"))
        assert list(made(store, 6).bits) == [0, 1, 0, 0, 0, 0]
        assert list(made(store, 6, mode="objection").bits) == [1, 1, 0, 1, 1, 1]

    def test_it_says_until_when_it_is_good(self, store: Store):
        assert made(store, 2).good_until is None
        put(store, answer(1, until=NOW + DAY), answer(0, at=NOW + timedelta(minutes=3)))
        found = made(store, 2)
        assert list(found.bits) == [0, 1]
        assert found.good_until == NOW + timedelta(minutes=3)
        assert found.good_at(NOW, 1)
        assert not found.good_at(NOW, 2)
        assert not found.good_at(NOW + timedelta(minutes=3), 1)
        assert list(made(store, 2, at=NOW + DAY).bits) == [1, 0]

    def test_refresh_follows_events_expiry_and_newcomers(self, store: Store):
        roster = Roster.of(key(number) for number in range(4))

        def again(old: Bitmap, at: datetime) -> Bitmap:
            return store.read_now(lambda tx: refresh(tx, old, roster, SCOPE, mode="consent", at=at))

        put(store, answer(1), answer(2, until=NOW + DAY))
        first = made(store, 4)
        assert list(first.bits) == [0, 1, 1, 0]
        put(store, answer(1, "withdrawn", at=NOW), answer(3), seed=1)
        second = again(first, NOW)
        assert list(second.bits) == [0, 0, 1, 1]
        assert list(first.bits) == [0, 1, 1, 0]
        assert second.epoch == 2
        assert list(again(second, NOW + DAY).bits) == [0, 0, 0, 1]

    def test_a_new_alias_is_noticed(self, store: Store):
        put(store, answer(0), answer(1, "objected"))
        roster = Roster.of([key(0)])
        first = made(store, 1)
        assert list(first.bits) == [1]

        def join(tx: Tx) -> None:
            numbers = consents.numbers(tx, [key(0), key(1)])
            consents.join(tx, AliasRow(numbers[key(0)], numbers[key(1)], "dpo", NOW))

        store.write_now(join)
        second = store.read_now(
            lambda tx: refresh(tx, first, roster, SCOPE, mode="consent", at=NOW)
        )
        assert list(second.bits) == [0]


EVENTS = st.lists(
    st.builds(
        answer,
        st.integers(0, 3),
        st.sampled_from(STATUSES),
        event=st.uuids().map(str),
        at=st.integers(-4, 1).map(lambda days: NOW + days * DAY),
        until=st.none() | st.integers(2, 4).map(lambda days: NOW + days * DAY),
        recipient=st.sampled_from([LAB, "group:labs", "did:web:other.example"]),
        purpose=st.sampled_from([PURPOSE, BROADER, "https://w3id.org/dpv#Marketing"]),
        category=st.sampled_from([CATEGORY, CATEGORY + "2"]),
    ),
    max_size=12,
    unique_by=lambda row: row.event_id,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    first=EVENTS,
    then=EVENTS,
    mode=st.sampled_from(["consent", "objection"]),
    groups=st.sampled_from([(), ("labs",)]),
    later=st.integers(0, 3),
)
def test_the_fast_way_is_the_rules(
    store: Store,
    first: list[ConsentRow],
    then: list[ConsentRow],
    mode: Mode,
    groups: tuple[str, ...],
    later: int,
):
    """Bitmap and refresh against `policies.consent.state`, on random events."""
    start = store.read_now(consents.epoch) * 100  # this store is shared by all examples
    people = [start + number for number in range(4)]

    def mine(rows: list[ConsentRow]) -> list[ConsentRow]:
        return [
            replace(
                row,
                event_id=f"{start}-{row.event_id}",
                identifier=person(start + int(row.identifier.value[len("learner-") :])),
            )
            for row in rows
        ]

    def expected(rows: list[ConsentRow], at: datetime) -> list[int]:
        return [
            allows(
                state_of(
                    [
                        Event(r.recipient, r.purpose, r.category, r.status, r.at, r.valid_until)
                        for r in rows
                        if r.identifier == person(number)
                    ],
                    SCOPE,
                    at,
                    groups,
                ),
                mode,
            )
            for number in people
        ]

    roster = Roster.of(map(key, people))
    seed = start + 1
    put(store, *mine(first), seed=seed)
    old = store.read_now(lambda tx: bitmap(tx, roster, SCOPE, mode=mode, at=NOW, groups=groups))
    assert list(old.bits) == expected(mine(first), NOW)
    added = [row for row in then if row.event_id not in {row.event_id for row in first}]
    put(store, *mine(added), seed=seed + 1)
    at = NOW + later * DAY
    new = store.read_now(
        lambda tx: refresh(tx, old, roster, SCOPE, mode=mode, at=at, groups=groups)
    )
    assert list(new.bits) == expected(mine(first) + mine(added), at)
    # Until `good_until` time alone changes nothing.
    if new.good_until is not None:
        just_before = new.good_until - timedelta(microseconds=1)
        assert list(new.bits) == expected(mine(first) + mine(added), just_before)
    # Make sure the next example starts with another epoch.
    put(store, answer(start + 50, event=f"next-{start}"), seed=seed + 2)


def test_consents_that_match_nobody_are_counted(store: Store):
    put(store, answer(0), answer(1), answer(2), answer(3))
    rosters = [Roster.of([key(0)]), Roster.of([key(1), key(9)])]
    keys = [key(number) for number in range(4)]
    assert store.read_now(lambda tx: unmatched(tx, keys, rosters)) == 2

    def join(tx: Tx) -> None:
        numbers = consents.numbers(tx, keys)
        consents.join(tx, AliasRow(numbers[key(0)], numbers[key(2)], "dpo", NOW))

    store.write_now(join)
    assert store.read_now(lambda tx: unmatched(tx, keys, rosters)) == 1
