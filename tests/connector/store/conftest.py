"""Databases for the store's tests, and what is kept in them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from connector.protocol.machine import Role
from connector.protocol.negotiation import Negotiation
from connector.protocol.negotiation import State as NegotiationState
from connector.protocol.transfer import State as TransferState
from connector.protocol.transfer import Transfer
from connector.store import agreements, migrate, negotiations, transfers
from connector.store.engine import Engine
from connector.store.postgresql import PostgresEngine
from connector.store.rows import AgreementRow
from connector.store.sqlite import SqliteEngine
from connector.store.store import Store
from connector.store.tx import Tx
from tests.support.databases import fresh
from tests.support.postgres import Server

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)

# Every promise must hold for each, and for PostgreSQL.
VARIANTS: dict[str, dict[str, str | int]] = {
    "wal": {},
    # Two pages of cache: changes reach the file long before their commit.
    "spilling": {"cache_size": 2},
    "journal": {"journal_mode": "DELETE"},
}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database for all tests: copied, never changed."""
    return fresh(tmp_path_factory.mktemp("template") / "node.db")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An empty database of this test's own."""
    return fresh(tmp_path / "node.db")


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> str:
    """The name of a PostgreSQL database as `init` makes it."""
    url = postgres.database()
    migrate.create(url)
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def postgres_shared(postgres: Server, postgres_template: str) -> str:
    """The URL of a PostgreSQL database that one test after the other uses."""
    return postgres.database(postgres_template)


def emptied(url: str) -> str:
    """The same database as `init` makes it: a hundred times faster than a new one."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("SET lock_timeout = '10s'; SET session_replication_role = replica")
        tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in tables.fetchall():
            if table != "schema_version":
                owner.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    return url


@pytest.fixture(params=[*VARIANTS, "postgresql"])
def any_engine(request: pytest.FixtureRequest) -> Engine:
    """An empty database, once per kind of database."""
    if request.param == "postgresql":
        return PostgresEngine(emptied(request.getfixturevalue("postgres_shared")))
    database: Path = request.getfixturevalue("database")
    return SqliteEngine(database, busy_ms=500, pragmas=VARIANTS[request.param])


@pytest.fixture
def any_store(any_engine: Engine) -> Iterator[Store]:
    """An open store, once per kind of database."""
    opened = Store(any_engine)
    yield opened
    opened.close()


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    """An open store as a node has it."""
    opened = Store.open(database)
    yield opened
    opened.close()


@pytest.fixture
def negotiation() -> Callable[..., Negotiation]:
    """Makes negotiations that differ as asked."""

    def make(pid: str = "urn:uuid:1", **changes: object) -> Negotiation:
        members: dict[str, object] = {
            "pid": pid,
            "role": Role.PROVIDER,
            "peer": "did:web:lab.example",
            "peer_pid": f"{pid}-peer",
            "callback": "https://lab.example/dsp",
            "state": NegotiationState.REQUESTED,
            "dataset": "https://mooc.example/datasets/traces",
            "offer_id": "urn:offer",
            "offer": {"@id": "urn:offer", "permission": [{"action": "use", "é": None}]},
            "offered_by": Role.PROVIDER,
            "reasons": ("reason", "raison"),
            "version": 1,
            "created": NOW,
            "updated": NOW,
        }
        return Negotiation(**{**members, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def agreed(negotiation: Callable[..., Negotiation]) -> Callable[..., AgreementRow]:
    """Makes agreements, whose negotiation is stored by `with_agreement`."""

    def make(id: str = "urn:uuid:agreement", **changes: object) -> AgreementRow:
        members: dict[str, object] = {
            "id": id,
            "negotiation": "urn:uuid:1",
            "role": "provider",
            "peer": "did:web:lab.example",
            "dataset": "https://mooc.example/datasets/traces",
            "state": "pending",
            "document": {"v": 1, "id": id},
            "digest": "sha-256:00",
            "created": NOW,
        }
        return AgreementRow(**{**members, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def transfer() -> Callable[..., Transfer]:
    """Makes transfers that differ as asked."""

    def make(pid: str = "urn:uuid:t1", **changes: object) -> Transfer:
        members: dict[str, object] = {
            "pid": pid,
            "role": Role.PROVIDER,
            "peer": "did:web:lab.example",
            "peer_pid": f"{pid}-peer",
            "callback": "https://lab.example/dsp",
            "state": TransferState.REQUESTED,
            "agreement": "urn:uuid:agreement",
            "format": "HttpData-PULL",
            "version": 1,
            "created": NOW,
            "updated": NOW,
        }
        return Transfer(**{**members, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def with_agreement(
    store: Store,
    negotiation: Callable[..., Negotiation],
    agreed: Callable[..., AgreementRow],
) -> Store:
    """A store that holds one negotiation and its agreement."""

    def unit(tx: Tx) -> None:
        negotiations.save(tx, negotiation(), expected_version=None)
        agreements.add(tx, agreed())

    store.write_now(unit)
    return store


@pytest.fixture
def with_transfer(with_agreement: Store, transfer: Callable[..., Transfer]) -> Store:
    """A store that holds one transfer, under that agreement."""
    with_agreement.write_now(lambda tx: transfers.save(tx, transfer(), expected_version=None))
    return with_agreement
