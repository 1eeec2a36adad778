"""Opening: schema versions, migrations against tables, statements against the database."""

import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.schema import CreateIndex, CreateTable

from connector.store import migrate, repositories
from connector.store.engine import database_path
from connector.store.sqlite import SqliteEngine, create_file
from connector.store.statement import Statement
from connector.store.store import Store
from connector.store.tables import KNOWN, METADATA, NOTE, SCHEMA
from policies.problem import Problem


def schema_of(path: Path) -> list[tuple[str, str, str]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL "
            "AND tbl_name <> 'schema_version' ORDER BY 1, 2"
        ).fetchall()
    connection.close()
    return [(kind, name, " ".join(sql.split())) for kind, name, sql in rows]


def set_version(path: Path, version: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE schema_version SET version_num = ?", (version,))
    connection.commit()
    connection.close()


def refusal(target: Path | str) -> Problem:
    with pytest.raises(Problem) as caught:
        Store.open(target)
    return caught.value


def test_the_migrations_build_what_the_tables_declare(database: Path, tmp_path: Path):
    declared = tmp_path / "declared.db"
    engine = create_engine(f"sqlite:///{declared}")
    METADATA.create_all(engine)
    engine.dispose()
    assert schema_of(database) == schema_of(declared)


def test_the_code_knows_the_newest_migration():
    scripts = ScriptDirectory(str(migrate.SCRIPTS))
    assert scripts.get_current_head() == SCHEMA == KNOWN[-1]
    assert sorted(script.revision for script in scripts.walk_revisions()) == list(KNOWN)


def test_a_new_database_is_its_owners_alone(tmp_path: Path):
    path = tmp_path / "new.db"
    store = Store.open(path, create=True)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    store.close()
    assert modes["new.db"] == modes["new.db-wal"] == modes["new.db-shm"] == 0o600


def test_creating_never_overwrites(database: Path):
    before = database.read_bytes()
    with pytest.raises(Problem) as caught:
        Store.open(database, create=True)
    assert caught.value.code == "store-exists"
    assert database.read_bytes() == before


def test_upgrading_the_newest_changes_nothing(database: Path):
    before = schema_of(database)
    assert migrate.upgrade(database) == SCHEMA
    assert schema_of(database) == before


def test_upgrading_an_unknown_schema_is_refused(database: Path):
    set_version(database, "9999")
    with pytest.raises(Problem) as caught:
        migrate.upgrade(database)
    assert caught.value.code == "store-schema-new"


def test_upgrading_nothing_is_refused(tmp_path: Path):
    with pytest.raises(Problem) as caught:
        migrate.upgrade(tmp_path / "none.db")
    assert caught.value.code == "store-missing"


def test_upgrading_garbage_is_refused(tmp_path: Path):
    path = tmp_path / "node.db"
    path.write_bytes(b"no database at all " * 1000)
    with pytest.raises(Problem) as caught:
        migrate.upgrade(path)
    assert caught.value.code == "store-damaged"


def test_a_missing_database_is_not_made(tmp_path: Path):
    assert refusal(tmp_path / "none.db").code == "store-missing"
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_schema_says_upgrade(tmp_path: Path):
    path = tmp_path / "node.db"
    path.touch()
    problem = refusal(path)
    assert problem.code == "store-schema-missing"
    assert "preau upgrade" in problem.remedy("en")
    assert "preau upgrade" in problem.remedy("fr")


def test_an_older_schema_says_upgrade(database: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("connector.store.engine.KNOWN", ("0000", "0001"))
    set_version(database, "0000")
    problem = refusal(database)
    assert problem.code == "store-schema-old"
    assert problem.params == {"found": "0000", "expected": SCHEMA}
    assert "preau upgrade" in problem.remedy("en")


def test_a_newer_schema_says_which_version_is_needed(database: Path):
    set_version(database, "9999")
    problem = refusal(database)
    assert problem.code == "store-schema-new"
    assert "preau upgrade" in problem.remedy("en")


def test_garbage_is_no_database(tmp_path: Path):
    path = tmp_path / "node.db"
    path.write_bytes(b"no database at all " * 1000)
    assert refusal(path).code == "store-damaged"


def test_another_program_s_database_is_left_alone(tmp_path: Path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    before = path.read_bytes()
    assert refusal(path).code == "store-foreign"
    with pytest.raises(Problem) as caught:
        migrate.upgrade(path)
    assert caught.value.code == "store-foreign"
    assert path.read_bytes()[:16] == before[:16]
    assert schema_of(path) == [("table", "theirs", "CREATE TABLE theirs (a)")]


def test_a_migration_happens_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    plain = migrate._engine

    def failing(path: Path) -> Engine:
        engine = plain(path)

        @event.listens_for(engine, "before_cursor_execute")
        def _fail(connection, cursor, sql, *rest):
            if "CREATE TABLE tick" in sql:
                raise OSError("pulled the plug")

        return engine

    monkeypatch.setattr(migrate, "_engine", failing)
    path = tmp_path / "node.db"
    with pytest.raises(OSError, match="plug"):
        Store.open(path, create=True)
    assert list(tmp_path.iterdir()) == []
    create_file(path)
    with pytest.raises(OSError, match="plug"):
        migrate.upgrade(path)
    assert schema_of(path) == []
    monkeypatch.undo()
    assert migrate.upgrade(path) == SCHEMA


def test_urls_name_files(database: Path):
    assert database_path(f"sqlite:///{database}") == database
    assert database_path("sqlite:///node.db") == Path("node.db")
    assert database_path(str(database)) == database
    Store.open(f"sqlite:///{database}").close()


@pytest.mark.parametrize("url", ["mysql://x", "sqlite://host/db"])
def test_other_databases_are_refused(url: str):
    assert refusal(url).code == "store-url"


@pytest.mark.parametrize("name", ["a?mode=memory", "50%41", "é #1"])
def test_paths_are_taken_literally(template: Path, tmp_path: Path, name: str):
    path = tmp_path / name
    path.write_bytes(template.read_bytes())
    Store.open(path).close()
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_every_statement_is_prepared_at_start(database: Path):
    bad = Statement(select(NOTE.c.key).where(NOTE.c.value == "x"))
    bad._compiled["sqlite"] = replace(bad.compiled("sqlite"), sql="SELECT no FROM note")
    engine = SqliteEngine(database)
    connection = engine.writer()
    try:
        with pytest.raises(Problem) as caught:
            engine.check(connection, [bad])
        assert caught.value.code == "store-fault"
        engine.check(connection, repositories.statements()[:-1])
    finally:
        connection.close()
        _forget(bad)


def _forget(statement: Statement) -> None:
    from connector.store import statement as module

    module._STATEMENTS.remove(statement)


def test_every_statement_can_be_spelled_for_postgresql():
    for statement in repositories.statements():
        there, here = statement.compiled("postgresql"), statement.compiled("sqlite")
        assert there.names == here.names
        assert "?" not in there.sql
    for table in METADATA.sorted_tables:
        dialect = PGDialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))


def test_literals_of_the_compiler_travel_with_the_statement():
    statement = Statement(select(NOTE.c.key).where(NOTE.c.value == "fixed"))
    _forget(statement)
    compiled = statement.compiled("sqlite")
    assert compiled.names == frozenset()
    assert list(compiled.bind({}).values()) == ["fixed"]


def test_an_open_store_has_not_loaded_alembic(database: Path):
    code = (
        "import sys; from connector.store.store import Store; "
        f"Store.open({str(database)!r}).close(); "
        "assert 'alembic' not in sys.modules; "
        "assert 'psycopg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_text_of_every_problem_of_the_room_exists():
    from policies.problem import registered

    folder = Path(migrate.__file__).parent
    import re

    used = {
        code
        for file in folder.glob("*.py")
        for code in re.findall(r'"(store-[a-z-]+)"', file.read_text(encoding="utf-8"))
    }
    assert used <= registered().keys()
    assert {code for code in registered() if code.startswith("store-")} == used
