"""What peers publish, and databases of earlier releases brought to this one's schema."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.store import catalogs, known, migrate, notes, peers
from connector.store.rows import CrawlRow, KnownDatasetRow, KnownHeadRow
from connector.store.store import Store
from connector.store.tables import KNOWN, SCHEMA
from policies.problem import Problem

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
LAB, MOOC = "did:web:lab.example", "did:web:mooc.example"
DATABASES = Path(__file__).parent / "databases"


def head(peer: str = LAB, group: str = "public", version: int = 1) -> KnownHeadRow:
    return KnownHeadRow(peer, group, version, f"sha-256:{version}", '"x"', {"id": peer}, b"{}", NOW)


def dataset(name: str, peer: str = LAB, group: str = "public") -> KnownDatasetRow:
    return KnownDatasetRow(peer, f"https://x.example/{name}", group, "sha-256:1", {"é": [name]})


def test_heads_are_kept_by_peer_and_group(any_store: Store):
    def unit(tx):
        for each in (head(), head(group="labs"), head(MOOC), head(version=2)):
            known.put_head(tx, each)

    any_store.write_now(unit)
    any_store.write_now(lambda tx: known.put_head(tx, replace(head(MOOC), etag=None)))

    def read(tx):
        assert known.head(tx, peer=LAB, group="public") == head(version=2)
        assert known.head(tx, peer=LAB, group="none") is None
        assert known.heads(tx) == [
            head(group="labs"),
            head(version=2),
            replace(head(MOOC), etag=None),
        ]
        assert known.heads(tx, peer=LAB) == [head(group="labs"), head(version=2)]

    any_store.write_now(read)


def test_datasets_come_change_and_go(any_store: Store):
    rows = [dataset("a"), dataset("b"), dataset("c", group="labs"), dataset("a", MOOC)]
    any_store.write_now(lambda tx: known.put_datasets(tx, rows))
    changed = replace(dataset("b"), digest="sha-256:2")
    any_store.write_now(lambda tx: known.put_datasets(tx, [changed]))
    any_store.write_now(lambda tx: known.put_datasets(tx, []))

    def unit(tx):
        assert known.datasets(tx) == [rows[0], changed, rows[2], rows[3]]
        known.forget_dataset(tx, peer=LAB, group="public", iri=rows[0].iri)
        known.forget_dataset(tx, peer=LAB, group="public", iri=rows[2].iri)
        assert known.datasets_of(tx, peer=LAB, group="public") == [changed]
        known.put_head(tx, head(group="labs"))
        known.forget_group(tx, peer=LAB, group="labs")
        assert known.datasets(tx) == [changed, rows[3]]
        assert known.heads(tx) == []

    any_store.write_now(unit)


def test_how_a_crawl_went(any_store: Store):
    first = CrawlRow(LAB, NOW, NOW)
    failed = CrawlRow(LAB, NOW, None, {"code": "x"})

    def unit(tx):
        known.put_crawl(tx, first)
        known.put_crawl(tx, CrawlRow(MOOC, NOW))
        known.put_crawl(tx, failed)
        assert known.crawls(tx) == [failed, CrawlRow(MOOC, NOW)]
        known.forget_crawl(tx, peer=MOOC)
        assert known.crawls(tx) == [failed]

    any_store.write_now(unit)


# ----------------------------------------------------------------------------------- upgrades


@pytest.fixture(params=KNOWN[:-1])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database as an earlier release left it."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATABASES / f"{request.param}.sql").read_text("utf-8"))
    return path


def schema_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
        ).fetchall()
    return [" ".join(sql.split()) for (sql,) in rows]


def test_every_earlier_schema_has_its_database():
    assert sorted(path.stem for path in DATABASES.glob("*.sql")) == list(KNOWN[:-1])


def test_an_earlier_database_is_not_opened_before_the_upgrade(old: Path):
    with pytest.raises(Problem) as caught:
        Store.open(old)
    assert caught.value.code == "store-schema-old"


def test_an_upgrade_keeps_everything_and_opens(old: Path, database: Path):
    assert migrate.upgrade(old) == SCHEMA
    assert schema_of(old) == schema_of(database)
    store = Store.open(old)

    def unit(tx):
        peer = peers.get(tx, did=LAB)
        assert peer is not None
        assert peer.groups == ("labs",)
        assert peer.head["public"]["version"] == 3
        row = catalogs.dataset(tx, id="traces")
        assert row is not None
        assert catalogs.document_by_digest(tx, digest=row.digest) is not None
        assert catalogs.head(tx, group="public") is not None
        assert notes.get(tx, key="first") == "release"
        assert (known.heads(tx), known.datasets(tx), known.crawls(tx)) == ([], [], [])
        known.put_datasets(tx, [dataset("a")])

    store.write_now(unit)
    store.close()


def test_an_interrupted_upgrade_leaves_the_earlier_database(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from sqlalchemy import Engine, event

    plain = migrate._engine

    def failing(path: Path) -> Engine:
        engine = plain(path)

        @event.listens_for(engine, "before_cursor_execute")
        def _fail(connection, cursor, sql, *rest):
            if "DROP TABLE held_agreement" in sql:  # all is written by then
                raise OSError("pulled the plug")

        return engine

    before = schema_of(old)
    monkeypatch.setattr(migrate, "_engine", failing)
    with pytest.raises(OSError, match="plug"):
        migrate.upgrade(Path(shutil.copy(old, tmp_path / "copy.db")))
    assert schema_of(tmp_path / "copy.db") == before
    monkeypatch.undo()
    assert migrate.upgrade(tmp_path / "copy.db") == SCHEMA
