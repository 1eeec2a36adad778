"""The outbox: order within a process, one sender at a time, nothing tried for ever."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.store import outbox
from connector.store.rows import OutboxRow
from connector.store.sqlite import SqliteConnection, SqliteEngine
from connector.store.store import Store
from connector.store.tx import Tx
from policies.problem import Problem

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def row(process: str = "p1", next_at: datetime = NOW) -> OutboxRow:
    return OutboxRow(
        process=process,
        peer="did:web:lab.example",
        url="https://lab.example/dsp/callback",
        type="ContractAgreementMessage",
        body=b'{"a":1}',
        next_at=next_at,
        created=NOW,
        deadline=later(3600),
    )


def put(store: Store, *rows: OutboxRow) -> list[int]:
    return store.write_now(lambda tx: [outbox.put(tx, item) for item in rows])


def claim(store: Store, now: datetime = NOW, *, lease: float = 30, limit: int = 10) -> list[int]:
    claimed = store.write_now(
        lambda tx: outbox.claim(tx, now=now, lease_seconds=lease, limit=limit)
    )
    return [item.seq for item in claimed]


def due(store: Store) -> datetime | None:
    return store.read_now(outbox.next_due)


def test_a_message_comes_back_as_it_went_in(any_store: Store):
    (seq,) = put(any_store, row())
    kept = any_store.read_now(lambda tx: outbox.get(tx, seq=seq))
    assert kept is not None
    assert (kept.seq, kept.body, kept.deadline, kept.state) == (
        1,
        b'{"a":1}',
        later(3600),
        "pending",
    )


def test_only_pending_messages_are_queued(store: Store):
    sent = OutboxRow("p", "d", "u", "t", b"", NOW, NOW, state="sent")
    with pytest.raises(Problem):
        put(store, sent)


def test_claims_are_leases_and_count_as_attempts(any_store: Store):
    put(any_store, row())
    (item,) = any_store.write_now(lambda tx: outbox.claim(tx, now=NOW, lease_seconds=30, limit=10))
    assert (item.attempts, item.lease_until) == (1, later(30))
    assert claim(any_store, later(29)) == []
    assert claim(any_store, later(30)) == [1]
    kept = any_store.read_now(lambda tx: outbox.get(tx, seq=1))
    assert kept is not None
    assert kept.attempts == 2


def test_one_message_per_process_lowest_first(any_store: Store):
    put(any_store, row("p1"), row("p1"), row("p2"), row("p3"), row("p2"))
    assert claim(any_store, limit=2) == [1, 3]
    assert claim(any_store) == [4]
    assert claim(any_store) == []


def test_a_message_never_overtakes_another_of_its_process(any_store: Store):
    put(any_store, row("p1", later(60)), row("p1"))
    assert claim(any_store) == []
    assert due(any_store) == later(60)
    assert claim(any_store, later(60)) == [1]
    any_store.write_now(lambda tx: outbox.sent(tx, seq=1, status=200))
    assert claim(any_store, later(60)) == [2]


ENDS: dict[str, Callable[[Tx], bool]] = {
    "sent": lambda tx: outbox.sent(tx, seq=1, status=200, answer=b"ok"),
    "failed": lambda tx: outbox.fail(tx, seq=1, status=400, answer=b"no"),
    "dropped": lambda tx: outbox.drop(tx, seq=1),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_ended_message_lets_the_next_go_and_stays_ended(any_store: Store, end):
    put(any_store, row(), row())
    claim(any_store)
    assert any_store.write_now(end) is True
    assert any_store.write_now(end) is False
    assert any_store.write_now(lambda tx: outbox.retry(tx, seq=1, next_at=NOW)) is False
    assert claim(any_store) == [2]


def test_ends_are_recorded(store: Store):
    put(store, row("a"), row("b"), row("c"))

    def unit(tx: Tx) -> list[tuple[object, ...]]:
        outbox.sent(tx, seq=1, status=200, answer=b"ok")
        outbox.fail(tx, seq=2)
        outbox.drop(tx, seq=3)
        return [
            (item.state, item.answer_status, item.answer)
            for process in "abc"
            for item in outbox.of(tx, process=process)
        ]

    assert store.write_now(unit) == [
        ("sent", 200, b"ok"),
        ("failed", None, None),
        ("dropped", None, None),
    ]
    assert store.read_now(outbox.pending) == 0


def test_a_retry_waits_and_gives_the_lease_back(any_store: Store):
    put(any_store, row())
    claim(any_store)
    assert due(any_store) == later(30)
    any_store.write_now(lambda tx: outbox.retry(tx, seq=1, next_at=later(5), status=503))
    assert due(any_store) == later(5)
    assert claim(any_store, later(4.999999)) == []
    assert claim(any_store, later(5)) == [1]


def test_a_terminated_process_sends_nothing_more(any_store: Store):
    put(any_store, row("p1"), row("p1"), row("p2"))
    assert any_store.write_now(lambda tx: outbox.drop_process(tx, process="p1")) == 2
    assert claim(any_store) == [3]


def test_a_restarted_node_frees_leases(any_store: Store):
    put(any_store, row("p1"), row("p2"))
    claim(any_store, lease=3600)
    assert any_store.write_now(outbox.free) == 2
    assert claim(any_store) == [1, 2]


def test_nothing_pending_is_never_due(any_store: Store):
    assert due(any_store) is None
    put(any_store, row())
    any_store.write_now(lambda tx: outbox.drop(tx, seq=1))
    assert due(any_store) is None


def test_fractions_of_a_second_sort_as_instants(any_store: Store):
    put(any_store, row("p1", later(0.5)))
    assert claim(any_store, NOW) == []
    assert claim(any_store, later(0.5)) == [1]


def test_an_index_serves_the_queue(database):
    connection = SqliteEngine(database).writer()
    try:
        for statement in (outbox._CLAIMABLE, outbox._NEXT_DUE, outbox._COUNT):
            text = statement.compiled("sqlite")
            plan = connection.execute(
                f"EXPLAIN QUERY PLAN {text.sql}",
                {**dict.fromkeys(text.names), **text.literals},
            ).fetchall()
            details = [step[-1] for step in plan]
            assert any("ix_outbox_pending" in detail for detail in details), details
            assert "SCAN outbox" not in details
    finally:
        connection.close()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "claim", "sent", "retry", "tick"]),
            st.integers(0, 3),
        ),
        max_size=40,
    )
)
def test_whatever_happens_each_process_is_sent_in_order(template, steps):
    """A model: per process, messages end in the order they were queued, one lease at a time."""
    memory = sqlite3.connect(":memory:", isolation_level=None)
    with closing(sqlite3.connect(template)) as source:
        source.backup(memory)
    tx = Tx(SqliteConnection(memory, writes=True))
    now = NOW
    leased: set[tuple[str, int]] = set()
    ended: dict[str, list[int]] = {}
    queued: dict[str, list[int]] = {}
    for name, number in steps:
        process = f"p{number}"
        if name == "put":
            queued.setdefault(process, []).append(outbox.put(tx, row(process, now)))
        elif name == "tick":
            now += timedelta(seconds=10 * number)
        elif name == "claim":
            got = outbox.claim(tx, now=now, lease_seconds=15, limit=number)
            assert len({item.process for item in got}) == len(got) <= number
            assert all(item.next_at <= now for item in got)
            leased |= {(item.process, item.seq) for item in got}
        elif leased:
            chosen = sorted(leased)[number % len(leased)]
            leased.discard(chosen)
            if name == "retry":
                outbox.retry(tx, seq=chosen[1], next_at=now)
            elif outbox.sent(tx, seq=chosen[1], status=200):
                ended.setdefault(chosen[0], []).append(chosen[1])
    memory.close()
    for process, seqs in ended.items():
        assert seqs == queued[process][: len(seqs)]


def test_what_its_writer_delivers_is_leased_as_it_is_queued(any_store: Store):
    def unit(tx: Tx) -> outbox.Leases:
        leases = outbox.leasing(tx, now=NOW, lease_seconds=30, limit=3)
        # A unit waits for its turn and takes its time: "now" is when a message is created.
        late = replace(row("p4", later(1)), created=later(1))
        for item in (row("p1"), row("p1"), row("p2"), row("p3", later(1)), late, row("p5")):
            outbox.put(tx, item)
        return leases

    leases = any_store.write_now(unit)
    # The second of p1 waits for the first, p3 for its time, p5 is one too many.
    assert [(item.seq, item.process) for item in leases.rows] == [(1, "p1"), (3, "p2"), (5, "p4")]
    assert leases.followed == {"p1"}
    kept = any_store.read_now(lambda tx: [outbox.get(tx, seq=one.seq) for one in leases.rows])
    assert kept == leases.rows
    assert claim(any_store) == [6]
    assert claim(any_store, later(1)) == [4]
    any_store.write_now(lambda tx: outbox.sent(tx, seq=1, status=200))
    assert claim(any_store, later(1)) == [2]
    assert claim(any_store, later(30)) == [3, 5, 6]


def test_a_message_behind_one_of_an_earlier_unit_is_not_leased(any_store: Store):
    put(any_store, row("p1"))

    def unit(tx: Tx) -> outbox.Leases:
        leases = outbox.leasing(tx, now=NOW, lease_seconds=30, limit=3)
        outbox.put(tx, row("p1"))
        return leases

    leases = any_store.write_now(unit)
    assert (leases.rows, leases.followed) == ([], {"p1"})


def test_only_what_may_be_claimed_sooner_than_was_said_wakes_anybody(any_store: Store):
    woken: list[str] = []
    any_store.on_commit(lambda: woken.append("x"), topic="outbox")

    def wakes(unit: Callable[[Tx], object]) -> bool:
        del woken[:]
        any_store.write_now(unit)
        any_store.write_now(lambda _tx: None)  # the listeners of the first have been called
        return bool(woken)

    def leased(tx: Tx) -> None:
        outbox.leasing(tx, now=NOW, lease_seconds=30, limit=3)
        outbox.put(tx, row("p1"))

    assert not wakes(leased)
    assert not wakes(lambda tx: outbox.sent(tx, seq=1, status=200))
    assert wakes(lambda tx: outbox.put(tx, row("p1")))
    assert wakes(leased)  # it waits for the one before it
    assert wakes(lambda tx: outbox.retry(tx, seq=2, next_at=later(5)))
    assert wakes(lambda tx: outbox.hasten(tx, process="p1", now=NOW))
    assert wakes(lambda tx: outbox.sent(tx, seq=2, status=200))
    assert not wakes(lambda tx: outbox.drop_process(tx, process="p1"))
    assert not wakes(lambda tx: outbox.sent(tx, seq=3, status=200))
