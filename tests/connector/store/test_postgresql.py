"""What PostgreSQL alone has: a session lock, sessions that are lost, a copy as a SQLite file."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connector.delivery.outbox import Limits, Outcome, Worker
from connector.store import (
    agreements,
    attempts,
    copying,
    leaves,
    messages,
    migrate,
    moving,
    negotiations,
    notes,
    outbox,
    transfers,
)
from connector.store.postgresql import LOCK, PostgresConnection, PostgresEngine
from connector.store.rows import LeafRow, OutboxRow
from connector.store.store import Store
from connector.store.tables import KNOWN, SCHEMA
from connector.store.tx import Tx
from policies.problem import Problem
from tests.connector.delivery.conftest import Post
from tests.support.clock import ManualClock
from tests.support.ids import SeededIds
from tests.support.postgres import Server

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
WAIT = 30.0
DATABASES = Path(__file__).parent / "databases"


@pytest.fixture
def url(postgres: Server, postgres_template: str) -> str:
    return postgres.database(postgres_template)


def end_sessions(postgres: Server, url: str, *, but_the_writer: bool = False) -> None:
    """What a restart of the server or a lost network does to the node's sessions."""
    holders = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'" if but_the_writer else "0"
    with postgres.admin() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = %s AND pid NOT IN ({holders})",
            [url.rpartition("/")[2]],
        )


def put_note(store: Store, text: str) -> None:
    store.write_now(lambda tx: notes.put(tx, key="k", text=text))


def note(store: Store) -> str | None:
    return store.read_now(lambda tx: notes.get(tx, key="k"))


def test_a_text_that_it_cannot_hold_is_the_asker_s_fault(url: str):
    with closing(Store.open(url)) as store:
        with pytest.raises(Problem, match="store-text") as caught:
            put_note(store, "a\0b")
        assert caught.value.kind == "invalid"
        with pytest.raises(Problem, match="store-text"):
            store.read_now(lambda tx: notes.get(tx, key="a\0b"))
        put_note(store, "ab")
        assert note(store) == "ab"


def test_one_process_writes(url: str):
    with closing(Store.open(url)), pytest.raises(Problem) as caught:
        Store.open(url)
    assert caught.value.code == "store-node-running"
    Store.open(url).close()


def test_a_standby_waits_for_the_end_of_the_one_that_writes(url: str, postgres: Server):
    first = Store.open(url)
    waiting, free = threading.Event(), threading.Event()

    def stand_by() -> None:
        PostgresEngine(url).await_writer(waiting.set)
        free.set()

    thread = threading.Thread(target=stand_by)
    thread.start()
    assert waiting.wait(WAIT)
    assert not free.is_set()
    first.close()
    assert free.wait(WAIT)
    thread.join(WAIT)


def test_nobody_waits_where_nobody_writes(url: str):
    PostgresEngine(url).await_writer(lambda: pytest.fail("there is no writer"))


async def test_a_reader_that_lost_its_session_opens_another(url: str, postgres: Server):
    with closing(Store.open(url)) as store:
        put_note(store, "kept")
        end_sessions(postgres, url, but_the_writer=True)
        assert note(store) == "kept"
        assert await store.survey(lambda tx: notes.get(tx, key="k")) == "kept"
        put_note(store, "and written")
        assert (note(store), store.stopped) == ("and written", None)


def test_what_a_server_limits_by_default_ends_no_session_of_a_node(url: str, postgres: Server):
    """An idle node's session holds its lock: a limit on idle sessions would end the node."""
    limits = ("idle_session_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    with postgres.admin() as admin:
        for name in limits:
            admin.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET {name} = '20ms'")
    with closing(PostgresEngine(url).writer()) as connection:
        found = [connection.execute(f"SHOW {name}").fetchone() for name in limits]
        assert found == [("0",)] * len(limits)
        connection.execute("SELECT pg_sleep(0.05)")


def test_a_server_that_is_gone_without_a_word_is_noticed_within_seconds(url: str):
    with closing(PostgresEngine(url).writer()) as connection:
        chosen = connection._connection.info.get_parameters()
    assert (chosen["keepalives_idle"], chosen["keepalives_interval"]) == ("5", "2")
    assert (chosen["keepalives_count"], chosen["tcp_user_timeout"]) == ("3", "15000")


def test_a_statement_that_somebody_cancels_ends_no_node(url: str, postgres: Server):
    with closing(Store.open(url)) as store:

        def cancelled(tx: Tx) -> None:
            assert tx._connection is not None
            tx._connection.execute("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(30)", {})

        with pytest.raises(Problem, match="store-locked"):
            store.write_now(cancelled)
        put_note(store, "goes on")
        assert (note(store), store.stopped) == ("goes on", None)


async def test_a_node_that_does_nothing_learns_that_its_session_is_lost(
    url: str, postgres: Server, clock: ManualClock
):
    """Another one may have taken over: this one must not stay ready until somebody writes."""
    with closing(Store.open(url)) as store:
        lost = asyncio.Event()
        loop = asyncio.get_running_loop()
        store.on_stop(lambda _: loop.call_soon_threadsafe(lost.set))
        worker = Worker(
            store,
            Post(),
            clock,
            authorize=lambda _: {},
            settle=nothing,
            random=SeededIds().token,
            limits=Limits(poll=0.01),
        )
        await worker.start()
        try:
            end_sessions(postgres, url)
            await asyncio.wait_for(lost.wait(), WAIT)
        finally:
            await worker.stop()


async def nothing(_row: OutboxRow, _outcome: Outcome) -> bool:
    return True


def test_a_lost_session_ends_the_store_and_loses_nothing(url: str, postgres: Server):
    with closing(Store.open(url)) as store:
        told: list[Problem] = []
        store.on_stop(told.append)
        put_note(store, "before")
        end_sessions(postgres, url)
        with pytest.raises(Problem) as caught:
            put_note(store, "after")
        assert caught.value.code == "store-lost"
        assert store.stopped is not None
        assert [problem.code for problem in told] == ["store-lost"]
        with pytest.raises(Problem, match="store-lost"):
            put_note(store, "again")  # never opened again behind the store's back
    with closing(Store.open(url)) as successor:
        assert note(successor) == "before"


def test_a_server_that_is_not_there_is_told():
    with pytest.raises(Problem) as caught:
        Store.open("postgresql://postgres@127.0.0.1:1/node")
    assert caught.value.code == "store-lost"


def test_a_database_that_is_not_there_is_told(postgres: Server):
    with pytest.raises(Problem) as caught:
        Store.open(postgres.url("nothing"))
    assert caught.value.code in {"store-missing", "store-lost"}


@pytest.mark.parametrize(
    "url", ["postgresql://u:hunter2@127.0.0.1/node", "postgresql://127.0.0.1/node?password=hunter2"]
)
def test_a_password_in_the_url_is_refused(url: str):
    with pytest.raises(Problem) as caught:
        Store.open(url)
    assert caught.value.code == "store-url-secret"
    assert "hunter2" not in str(caught.value)


def test_texts_must_be_ordered_by_their_bytes(postgres: Server):
    with postgres.admin() as admin:
        admin.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(Problem) as caught:
        migrate.create(postgres.url("latin"))
    assert caught.value.code == "store-collation"


def test_a_database_with_a_node_is_not_made_again(url: str):
    with pytest.raises(Problem) as caught:
        migrate.create(url)
    assert caught.value.code == "store-exists"


def test_another_programs_database_is_refused(postgres: Server):
    url = postgres.database()
    with closing(PostgresEngine(url).writer()) as connection:
        connection.execute("CREATE TABLE theirs (id integer)")
    with pytest.raises(Problem) as caught:
        migrate.create(url)
    assert caught.value.code == "store-foreign"


def test_large_answers_are_fetched_as_they_are_asked_for(url: str):
    with closing(PostgresEngine(url).writer()) as connection:
        connection.begin()
        with closing(connection.each("SELECT n FROM generate_series(1, 1000000) AS n")) as rows:
            first = next(rows)
            connection.execute("SELECT 1", {})  # other statements go on meanwhile
        connection.rollback()
    assert first == (1,)


def test_the_lock_is_the_sessions(url: str):
    with closing(PostgresEngine(url).writer()):
        other = PostgresEngine(url).reader()
        assert isinstance(other, PostgresConnection)
        answer = other.execute(f"SELECT pg_try_advisory_lock({LOCK})").fetchone()
        other.close()
    assert answer == (False,)


def leaf(index: int) -> LeafRow:
    return LeafRow(
        idx=index,
        type="config",
        agreement=None,
        n=None,
        data=b"leaf \x00 %d" % index,
        at=NOW,
        shared_body={"é": [1, None]} if index % 2 else None,
        shared_salt=bytes(16) if index % 2 else None,
        private_body=None,
    )


@pytest.mark.parametrize("alone", [True, False])
async def test_a_session_lost_within_a_transaction_is_lost_and_not_damaged(
    url: str, postgres: Server, *, alone: bool
):
    """The process ends for a lost session only, and whoever stands by waits for its end."""
    with closing(Store.open(url)) as store:
        told: list[Problem] = []
        store.on_stop(told.append)

        def unit(tx: Tx) -> None:
            notes.put(tx, key="k", text="never")
            end_sessions(postgres, url)
            notes.put(tx, key="k", text="nor this")

        units = [unit] if alone else [unit, lambda tx: notes.put(tx, key="l", text="nor that")]
        found = await asyncio.gather(*map(store.write, units), return_exceptions=True)
        assert [one.code for one in found if isinstance(one, Problem)] == ["store-lost"] * len(
            units
        )
        assert {problem.code for problem in told} == {"store-lost"}
    with closing(Store.open(url)) as successor:
        assert note(successor) is None


def test_a_copy_is_a_file_and_comes_back(url: str, postgres: Server, tmp_path: Path):
    with closing(Store.open(url)) as store:
        put_note(store, "kept")
        rows = [leaf(index) for index in range(3)]
        for row in rows:
            store.write_now(lambda tx, row=row: leaves.insert_leaf(tx, row))  # type: ignore[misc]
        file = tmp_path / "copy.sqlite"
        copying.copy(url, file)  # beside the store that owns the database
        put_note(store, "changed")
    assert copying.look(file).next_leaf == 3
    with closing(Store.open(file)) as copied:
        assert note(copied) == "kept"
        assert copied.read_now(lambda tx: leaves.between(tx, start=0, stop=9)) == rows
    back = postgres.database()
    moving.from_file(file, back)
    assert copying.look(back).schema == SCHEMA
    with closing(Store.open(back)) as filled:
        assert note(filled) == "kept"
        assert filled.read_now(lambda tx: leaves.between(tx, start=0, stop=9)) == rows
    moving.clear(back)
    assert copying.look(back).schema is None


def test_an_old_schema_is_copied_and_brought_forward(postgres: Server, tmp_path: Path):
    url = postgres.database()
    migrate.create(url, "0001")
    kept = tmp_path / "before.sqlite"
    copying.copy(url, kept)
    assert copying.look(kept).schema == copying.look(url).schema == "0001"
    assert migrate.upgrade(url) == SCHEMA
    Store.open(url).close()


@pytest.mark.parametrize("schema", KNOWN[:-1])
def test_a_filled_database_of_an_old_schema_is_brought_forward(
    schema: str, postgres: Server, tmp_path: Path
):
    """The same rows come of it as of the SQLite file they were read from."""
    file = tmp_path / "old.db"
    with closing(sqlite3.connect(file)) as made:
        made.executescript((DATABASES / f"{schema}.sql").read_text("utf-8"))
    url = postgres.database()
    moving.from_file(file, url)
    assert copying.look(url).schema == schema
    assert migrate.upgrade(file) == migrate.upgrade(url) == SCHEMA
    with closing(Store.open(file)) as one, closing(Store.open(url)) as other:
        for listing in (agreements.listing, negotiations.listing, transfers.listing):
            assert one.read_now(listing) == other.read_now(listing)
        for process in ("urn:uuid:1", "urn:t1"):
            for module in (messages, outbox, attempts):
                read: Any = partial(module.of, process=process)
                assert one.read_now(read) == other.read_now(read)
    with psycopg.connect(url) as owner:
        left = owner.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'held%'")
        assert left.fetchall() == []
        found = owner.execute("SELECT conname FROM pg_constraint WHERE contype = 'f'")
        names = {name for (name,) in found.fetchall()}
        assert {"fk_attempt_outbox", "fk_transfer_agreement", "fk_agreement_negotiation"} <= names
