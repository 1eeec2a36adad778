"""The consent registry's tables: dense numbers, events that never change, consecutive epochs."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.store import consents
from connector.store.rows import AliasRow, ConsentEventRow, TickRow
from connector.store.sqlite import SqliteConnection
from connector.store.store import Store
from connector.store.tx import Tx
from policies.problem import Problem

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
LAB = "did:web:lab.example"


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def event(number: int = 1, **changes: object) -> ConsentEventRow:
    members: dict[str, object] = {
        "event_id": f"e{number}",
        "subject": 0,
        "status": "given",
        "recipient": LAB,
        "purpose": "https://w3id.org/preau/ns#EducationResearch",
        "category": "traces",
        "at": NOW,
        "valid_until": None,
        "notice": None,
        "door": "import",
        "actor": "actor-1",
        "recorded": NOW,
        "epoch": 1,
        "salt": b"s" * 16,
    }
    return ConsentEventRow(**{**members, **changes})  # type: ignore[arg-type]


def in_epoch(store: Store, epoch: int) -> list[ConsentEventRow]:
    return store.read_now(lambda tx: list(consents.events_in(tx, epoch=epoch)))


@pytest.fixture
def registry(store: Store) -> Store:
    """A store with three subjects."""
    store.write_now(lambda tx: consents.register(tx, [key(0), key(1), key(2)]))
    return store


class TestSubjects:
    def test_numbers_are_dense_and_in_order(self, store: Store):
        def unit(tx: Tx) -> list[int]:
            return consents.register(tx, [key(7), key(3), key(7), key(9)])

        assert store.write_now(unit) == [0, 1, 0, 2]
        assert store.write_now(unit) == [0, 1, 0, 2]
        assert store.write_now(lambda tx: consents.register(tx, [key(1), key(9)])) == [3, 2]
        assert store.write_now(lambda tx: consents.register(tx, [])) == []

    def test_numbers_of_known_keys_only(self, registry: Store):
        found = registry.read_now(lambda tx: consents.numbers(tx, [key(1), key(99), key(0)]))
        assert found == {key(0): 0, key(1): 1}

    def test_a_number_leads_back_to_its_key(self, registry: Store):
        assert registry.read_now(lambda tx: consents.key_of(tx, number=2)) == key(2)
        assert registry.read_now(lambda tx: consents.key_of(tx, number=3)) is None

    @pytest.mark.parametrize("count", [499, 500, 501, 1234])
    def test_many_keys_go_in_chunks(self, store: Store, count: int):
        keys = [key(number) for number in range(count)]
        assert store.write_now(lambda tx: consents.register(tx, iter(keys))) == list(range(count))
        found = store.read_now(lambda tx: consents.numbers(tx, keys))
        assert list(found.values()) == list(range(count))

    @given(st.lists(st.lists(st.integers(0, 20), max_size=8), max_size=6))
    def test_whatever_the_imports_each_key_has_one_number(self, template, batches):
        memory = sqlite3.connect(":memory:", isolation_level=None)
        with closing(sqlite3.connect(template)) as source:
            source.backup(memory)
        tx = Tx(SqliteConnection(memory, writes=True))
        expected: dict[int, int] = {}
        for batch in batches:
            got = consents.register(tx, map(key, batch))
            for item in batch:
                expected.setdefault(item, len(expected))
            assert got == [expected[item] for item in batch]
        memory.close()


class TestAliases:
    def test_order_does_not_matter(self, registry: Store):
        row = AliasRow(2, 0, "mbox_sha1sum", NOW)
        assert registry.write_now(lambda tx: consents.join(tx, row)) is True
        assert registry.write_now(lambda tx: consents.join(tx, replace(row, a=0, b=2))) is False
        assert registry.read_now(consents.aliases) == [AliasRow(0, 2, "mbox_sha1sum", NOW)]
        assert len(registry.read_now(lambda tx: consents.aliases_of(tx, number=2))) == 1
        assert registry.read_now(lambda tx: consents.aliases_of(tx, number=1)) == []

    def test_unknown_subjects_are_refused(self, registry: Store):
        with pytest.raises(Problem) as caught:
            registry.write_now(lambda tx: consents.join(tx, AliasRow(0, 9, "x", NOW)))
        assert caught.value.code == "store-integrity"


class TestEvents:
    def test_events_are_numbered_and_kept_whole(self, registry: Store):
        given_event = event(valid_until=NOW + timedelta(days=365), notice="https://n/1")
        assert registry.write_now(lambda tx: consents.record(tx, [given_event, event(2)])) == 2
        kept = registry.read_now(lambda tx: consents.events_of(tx, subject=0))
        assert kept == [replace(given_event, seq=1), event(2, seq=2)]

    def test_importing_twice_changes_nothing(self, registry: Store):
        batch = [event(1), event(2), event(3)]
        assert registry.write_now(lambda tx: consents.record(tx, batch)) == 3
        # Another import: other actor, time, salt and epoch, same events.
        again = [
            replace(item, actor="actor-2", recorded=NOW, salt=b"t" * 16, epoch=2) for item in batch
        ]
        commits = registry.commits
        assert registry.write_now(lambda tx: consents.record(tx, [*again, event(4, epoch=2)])) == 1
        assert registry.write_now(lambda tx: consents.record(tx, again)) == 0
        assert in_epoch(registry, 1) == [replace(item, seq=n) for n, item in enumerate(batch, 1)]
        assert in_epoch(registry, 2) == [event(4, epoch=2, seq=4)]
        assert registry.commits == commits + 1

    def test_a_duplicate_within_an_import_counts_once(self, registry: Store):
        assert registry.write_now(lambda tx: consents.record(tx, [event(), event()])) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"subject": 1},
            {"status": "withdrawn"},
            {"recipient": "did:web:other"},
            {"purpose": "x"},
            {"category": "x"},
            {"at": NOW + timedelta(microseconds=1)},
            {"valid_until": NOW},
            {"notice": "x"},
        ],
    )
    def test_an_event_never_changes(self, registry: Store, change: dict[str, object]):
        registry.write_now(lambda tx: consents.record(tx, [event()]))
        with pytest.raises(Problem) as caught:
            registry.write_now(lambda tx: consents.record(tx, [event(2), event(1, **change)]))
        assert caught.value.code == "store-event-conflict"
        assert in_epoch(registry, 1) == [event(seq=1)]
        with pytest.raises(Problem):
            registry.write_now(lambda tx: consents.record(tx, [event(5), event(5, **change)]))

    def test_events_need_a_known_subject(self, registry: Store):
        with pytest.raises(Problem) as caught:
            registry.write_now(lambda tx: consents.record(tx, [event(subject=99)]))
        assert caught.value.code == "store-integrity"

    def test_many_events_go_in_chunks(self, registry: Store):
        batch = [event(number, subject=number % 3) for number in range(1201)]
        assert registry.write_now(lambda tx: consents.record(tx, iter(batch))) == 1201
        assert [item.seq for item in in_epoch(registry, 1)] == list(range(1, 1202))
        assert registry.write_now(lambda tx: consents.record(tx, batch)) == 0

    def test_events_for_recipients_category_and_epoch(self, registry: Store):
        batch = [
            event(1),
            event(2, recipient="group:universities"),
            event(3, recipient="did:web:other"),
            event(4, category="grades"),
            event(5, epoch=2, subject=1),
        ]
        registry.write_now(lambda tx: consents.record(tx, batch))

        def ids(after: int, *recipients: str) -> set[str]:
            return registry.read_now(
                lambda tx: {
                    item.event_id
                    for item in consents.events_for(
                        tx, recipients=recipients, category="traces", after_epoch=after
                    )
                }
            )

        assert ids(0, LAB, "group:universities", LAB) == {"e1", "e2", "e5"}
        assert ids(1, LAB, "group:universities") == {"e5"}
        assert ids(2, LAB) == set()
        assert ids(0) == set()

    def test_recording_wakes_who_waits_for_consent(self, registry: Store):
        woken: list[str] = []
        registry.on_commit(lambda: woken.append("x"), topic="consent")
        registry.write_now(lambda tx: consents.record(tx, [event()]))
        registry.write_now(lambda tx: consents.record(tx, [event()]))
        registry.close()
        assert woken == ["x"]


class TestTicks:
    def test_epochs_are_consecutive(self, store: Store):
        assert store.read_now(consents.epoch) == 0
        first = TickRow(1, b"r" * 32, 3, 0, NOW)
        store.write_now(lambda tx: consents.add_tick(tx, first))
        assert store.read_now(consents.epoch) == 1

        def follow(epoch: int) -> None:
            store.write_now(lambda tx: consents.add_tick(tx, replace(first, epoch=epoch)))

        for wrong in (1, 3):
            with pytest.raises(Problem) as caught:
                follow(wrong)
            assert caught.value.code == "store-conflict"
        follow(2)
        assert store.read_now(lambda tx: consents.tick(tx, epoch=1)) == first
        assert store.read_now(lambda tx: consents.tick(tx, epoch=9)) is None
