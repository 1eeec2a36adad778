"""Rows that are only added: they wait for one statement, and nobody can tell that they waited."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.store import attempts, inbox, leaves, messages, outbox
from connector.store.additions import MOST
from connector.store.rows import AttemptRow, InboxRow, LeafRow, MessageRow, OutboxRow
from connector.store.sqlite import SqliteConnection
from connector.store.statement import statements
from connector.store.store import Store
from connector.store.tx import Tx, Unit
from policies.problem import Problem
from tests.connector.store.test_contract import WAIT, Gate, asked

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def message(n: int, process: str = "p1") -> MessageRow:
    return MessageRow(process, "in", "T", f"sha-256:{n}", b"{}", NOW)


def adding(*numbers: int) -> Unit[None]:
    def unit(tx: Tx) -> None:
        for n in numbers:
            messages.add(tx, message(n))

    return unit


def kept(store: Store) -> list[tuple[int, str]]:
    found = store.read_now(lambda tx: messages.of(tx, process="p1"))
    return [(row.seq, row.digest.removeprefix("sha-256:")) for row in found]


def orphan(tx: Tx) -> None:
    attempts.put(tx, AttemptRow(99, 1, NOW, status=200))  # of no message


class Counting(SqliteConnection):
    """A connection in memory that counts its statements."""

    def __init__(self, template: Path) -> None:
        memory = sqlite3.connect(":memory:", isolation_level=None)
        with closing(sqlite3.connect(template)) as source:
            source.backup(memory)
        super().__init__(memory, writes=True)
        self.asked: list[str] = []

    def execute(self, sql: str, params: Any = None, /) -> sqlite3.Cursor:
        self.asked.append(sql)
        return super().execute(sql, params)


def test_rows_of_many_units_are_one_statement(template: Path):
    connection = Counting(template)
    whole = Tx(connection, waiting={})
    for n in range(MOST - 1):
        adding(n)(whole.shared())
    assert len(connection.asked) == 1, "the next number of a content"
    whole.settle()
    whole.settle()
    assert len(connection.asked) == 3, "the messages, and the body they have in common"
    connection.close()


def test_more_rows_than_one_statement_takes_keep_their_order(any_store: Store):
    numbers = range(2 * MOST + 3)
    any_store.write_now(adding(*numbers))
    any_store.write_now(adding(99))
    assert kept(any_store) == [*((n + 1, str(n)) for n in numbers), (len(numbers) + 1, "99")]


def test_a_transaction_reads_what_it_has_added(any_store: Store):
    def unit(tx: Tx) -> list[int]:
        adding(1, 2)(tx)
        first = messages.of(tx, process="p1")
        adding(3)(tx)
        return [len(first), len(messages.of(tx, process="p1"))]

    assert any_store.write_now(unit) == [2, 3]


async def test_a_row_that_is_refused_fails_its_unit_alone(any_store: Store):
    gate = Gate(any_store)
    tasks = await asked(any_store, adding(1), orphan, adding(2))
    gate.open()
    results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), WAIT)
    assert [getattr(one, "code", one) for one in results] == [None, "store-integrity", None]
    assert kept(any_store) == [(1, "1"), (2, "2")]


async def test_a_row_refused_in_another_units_turn_is_not_its_fault(any_store: Store):
    def look(tx: Tx) -> int:
        return len(attempts.of(tx, process="p1"))  # writes what waits, and meets the refusal

    gate = Gate(any_store)
    tasks = await asked(any_store, orphan, look)
    gate.open()
    results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), WAIT)
    assert [getattr(one, "code", one) for one in results] == ["store-integrity", 0]


def test_a_unit_cannot_go_on_after_a_row_was_refused(any_store: Store):
    def unit(tx: Tx) -> None:
        adding(1)(tx)
        orphan(tx)
        with pytest.raises(Problem):
            attempts.of(tx, process="p1")

    with pytest.raises(Problem) as caught:
        any_store.write_now(unit)
    assert caught.value.code == "store-integrity"
    assert kept(any_store) == []


def test_a_unit_that_raises_leaves_nothing_waiting(any_store: Store):
    def unit(tx: Tx) -> None:
        adding(1)(tx)
        raise ValueError

    with pytest.raises(ValueError):
        any_store.write_now(unit)
    any_store.write_now(adding(2))
    assert kept(any_store) == [(1, "2")]


def test_a_reader_cannot_add(any_store: Store):
    with pytest.raises(Problem) as caught:
        any_store.read_now(adding(1))
    assert caught.value.code == "store-read-only"


def test_every_statement_knows_its_tables():
    for statement in statements():
        assert statement.compiled("sqlite").tables, statement.compiled("sqlite").sql


# ------------------------------------------------------------------ a model

Step = tuple[str, int, int]


def append(tx: Tx, agreement: str | None, type: str, *, numbered: bool) -> object:
    """A leaf as the log appends it."""
    last = leaves.newest(tx)
    index, at = (0, NOW) if last is None else (last[0] + 1, last[1] + timedelta(seconds=1))
    n = leaves.next_number_of(tx, agreement=agreement, type=type) if numbered else None
    salt = b""
    if agreement is not None:
        salt = leaves.keep_salt(tx, agreement=agreement, fresh=lambda: bytes([index]))
    leaves.insert_leaf(tx, LeafRow(index, type, agreement, n, b"", at))
    return index, n, salt


def queue(tx: Tx, process: str) -> int:
    row = OutboxRow(process, "did:web:lab", "https://lab", "T", b"", NOW, NOW)
    return outbox.put(tx, row)


def answer(tx: Tx, key: str) -> bytes:
    known = inbox.find(tx, key=key)
    if known is None:
        inbox.put(tx, InboxRow(key, "did:web:lab", "sha-256:1", 200, key.encode(), NOW))
    return known.reply if known else b""


STEPS: dict[str, Callable[[Tx, int, int], object]] = {
    "add": lambda tx, a, b: messages.add(tx, message(b, f"p{a}")),
    "read": lambda tx, a, _: messages.of(tx, process=f"p{a}"),
    "leaf": lambda tx, a, b: append(
        tx, f"urn:{a}" if a else None, "plan" if b % 2 else "part", numbered=b < 5
    ),
    "leaves": lambda tx, _, b: leaves.data(tx, start=0, stop=b),
    "queue": lambda tx, a, _: queue(tx, f"p{a}"),
    "attempt": lambda tx, _, b: attempts.put(tx, AttemptRow(1, b, NOW, status=b)),
    "attempts": lambda tx, a, _: attempts.of(tx, process=f"p{a}"),
    "answer": lambda tx, a, _: answer(tx, str(a)),
}


def told(connection: Counting, steps: list[list[Step]], *, wait: bool) -> list[object]:
    """What the steps of some transactions answer, and what is in the tables then."""
    answers: list[object] = []
    for group in steps:
        whole = Tx(connection, waiting={} if wait else None)
        answers += [STEPS[name](whole.shared(), a, b) for name, a, b in group]
        whole.settle()
    for table in ("message", "leaf", "salt", "attempt", "inbox"):
        answers += connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
    return answers


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 2), st.integers(0, 7)),
            max_size=30,
        ),
        max_size=4,
    )
)
def test_nobody_can_tell_that_rows_waited(template: Path, steps: list[list[Step]]):
    first: list[Step] = [("queue", 0, 0)]  # attempts are of this message
    with closing(Counting(template)) as one, closing(Counting(template)) as other:
        assert told(one, [first, *steps], wait=True) == told(other, [first, *steps], wait=False)
