"""Nodes of every release are restored and upgraded, for ever; a migration never goes unsaved."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from connector import operating
from connector.services.operate.restoring import Restoring
from connector.store import copying, engine, migrate, tables
from connector.store.lock import NodeLock
from policies.problem import Problem
from tests.connector.operating.conftest import FIXTURES, PASSPHRASE, archive_of, fetch_all

RELEASES = {"0.1": "0001"}
"""Each release that was made, and the schema its databases have."""

NEXT = """
from alembic import op
import sqlalchemy as sa

revision = "9999"
down_revision = "{before}"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table("of_tomorrow", sa.Column("id", sa.Integer, primary_key=True))
"""


def test_every_release_has_its_nodes():
    assert {path.name.removeprefix("release-") for path in FIXTURES.glob("release-*")} == {
        *RELEASES
    }


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", ["platform", "lab"])
def test_a_node_of_a_release_is_upgraded(release: str, name: str, tmp_path: Path):
    archive, folder = archive_of(release, name, tmp_path / "a.tar"), tmp_path / "node"
    restored = operating.restore(archive, folder, Restoring(PASSPHRASE))
    assert restored["schema"] == RELEASES[release]
    done = operating.upgrade(folder)
    assert (done["from"], done["to"]) == (RELEASES[release], tables.SCHEMA)
    assert (done["backup"] is None) == (done["from"] == done["to"])
    assert done["log"] == restored["leaves"]
    again = operating.upgrade(folder)
    assert again == {**done, "from": tables.SCHEMA, "backup": None}


@pytest.mark.parametrize("release", RELEASES)
async def test_nodes_of_a_release_go_on_with_their_transfer(release: str, tmp_path: Path, opening):
    from tests.connector.operating.conftest import pair

    for name in ("platform", "lab"):
        archive = archive_of(release, name, tmp_path / f"{name}.tar")
        operating.restore(archive, tmp_path / name, Restoring(PASSPHRASE))
        operating.upgrade(tmp_path / name)
    async with pair(opening, tmp_path / "platform", tmp_path / "lab") as (platform, lab):
        await platform.release()
        assert await fetch_all(lab) is None
        progress = await lab.progress()
        manifest = json.loads(
            next((tmp_path / "lab" / "received").rglob("manifest.json")).read_bytes()
        )
        assert manifest["state"] == "complete"
        assert progress.rows == sum(part["rows"] for part in manifest["parts"]) > 100


@pytest.fixture
def tomorrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version of this code, with one more migration."""
    scripts = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, scripts)
    (scripts / "versions" / "v9999_tomorrow.py").write_text(NEXT.format(before=tables.SCHEMA))
    known = (*tables.KNOWN, "9999")
    monkeypatch.setattr(migrate, "SCRIPTS", scripts)
    for module in (engine, migrate, copying, operating):
        for name, value in (("SCHEMA", "9999"), ("KNOWN", known)):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)


def test_a_migration_copies_the_database_first(copy_of, tomorrow):
    folder = copy_of("platform")
    before = copying.look(folder / "preau.sqlite")
    done = operating.upgrade(folder)
    assert (done["from"], done["to"]) == (tables.SCHEMA, "9999")
    kept = Path(done["backup"])
    assert kept.parent == folder / "backups"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert copying.look(kept) == before
    after = copying.look(folder / "preau.sqlite")
    assert (after.schema, after.leaves) == ("9999", before.leaves)
    assert operating.upgrade(folder)["backup"] is None


def test_a_migration_that_fails_changes_nothing(copy_of, tomorrow, monkeypatch: pytest.MonkeyPatch):
    folder = copy_of("lab")
    script = migrate.SCRIPTS / "versions" / "v9999_tomorrow.py"
    script.write_text(script.read_text() + '    op.execute("SELECT nothing FROM nowhere")\n')
    with pytest.raises(Problem) as caught:
        operating.upgrade(folder)
    assert caught.value.code == "store-fault"
    assert copying.look(folder / "preau.sqlite").schema == tables.SCHEMA
    with sqlite3.connect(folder / "preau.sqlite") as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert "of_tomorrow" not in names


def test_an_old_backup_is_restored_and_says_to_upgrade(archives, tmp_path: Path, tomorrow):
    folder = tmp_path / "node"
    done = operating.restore(archives["platform"], folder, Restoring(PASSPHRASE))
    assert (done["upgrade"], done["log"]) == (True, None)
    assert operating.upgrade(folder)["to"] == "9999"


def test_a_newer_database_is_left_alone(copy_of):
    folder = copy_of("lab")
    with sqlite3.connect(folder / "preau.sqlite") as connection:
        connection.execute("UPDATE schema_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Problem) as caught:
        operating.upgrade(folder)
    assert caught.value.code == "store-schema-new"


def test_a_running_node_is_not_upgraded(copy_of):
    folder = copy_of("lab")
    with NodeLock(folder), pytest.raises(Problem) as caught:
        operating.upgrade(folder)
    assert caught.value.code == "store-node-running"


def test_a_damaged_log_is_found_by_the_upgrade(copy_of):
    folder = copy_of("platform")
    with sqlite3.connect(folder / "preau.sqlite") as connection:
        connection.execute("UPDATE leaf SET bytes = ? WHERE idx = 2", (b"{}",))
    connection.close()
    with pytest.raises(Problem) as caught:
        operating.upgrade(folder)
    assert caught.value.code == "evidence-log-disagrees"
